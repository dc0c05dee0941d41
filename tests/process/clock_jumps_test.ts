/**
 * A clock that jumps (F12): after a jump backwards nothing that ended is valid again and no wait gets longer; after a
 * jump forwards everything ends as usual.
 *
 * @module
 */
import assert from "node:assert/strict";
import { LIMITS } from "../../auth/limits/limits.ts";
import { sweep } from "../../auth/maintenance/sweep.ts";
import { type Service, test } from "../kit/service.ts";

const { networkGuesses: NETWORK, strangerGuesses: STRANGERS } = LIMITS;
const EMAIL = "bob@example.com", PASSWORD = "correct horse 9", WRONG = "wrong horse 99";
const HOUR = 3_600_000, DAY = 24 * HOUR;
const JUMPS = [HOUR, DAY];

function attempt(service: Service, password: string, ip: string, email = EMAIL): Promise<Response> {
  return service.request("POST", "/sessions", { ip, form: { email, password } });
}

test("F12: ended sessions and used tokens stay refused when the clock is set back", async (service) => {
  await service.register(EMAIL, PASSWORD);
  for (const jump of JUMPS) {
    const session = await service.logIn(EMAIL, PASSWORD);
    const [, { reset_token }] = await service.send("POST", "/reset_password", { email: EMAIL }) as [
      number,
      Record<string, string>,
    ];
    const update = { email: EMAIL, reset_token, new_password: PASSWORD };
    assert.equal((await service.send("DELETE", "/sessions", undefined, session))[0], 302);
    assert.equal((await service.send("PUT", "/reset_password", update))[0], 200);
    service.clock.now -= jump;
    assert.equal((await service.send("GET", "/profile", undefined, session))[0], 403);
    assert.equal((await service.send("PUT", "/reset_password", update))[0], 403);
  }
});

test("F12: a jump forwards ends sessions and tokens, and after a sweep a jump back revives none", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const session = await service.logIn(EMAIL, PASSWORD);
  const [, { reset_token }] = await service.send("POST", "/reset_password", { email: EMAIL }) as [
    number,
    Record<string, string>,
  ];
  const jump = service.auth.config.sessionIdle + 1;
  const update = { email: EMAIL, reset_token, new_password: PASSWORD };
  service.clock.now += jump;
  await sweep(service.auth);
  for (const back of [0, HOUR, jump - HOUR]) {
    service.clock.now -= back;
    assert.equal((await service.send("GET", "/profile", undefined, session))[0], 403);
    assert.equal((await service.send("PUT", "/reset_password", update))[0], 403);
  }
});

test("F12: no cookie has a negative Max-Age and a session works, whichever way the clock jumps", async (service) => {
  await service.register(EMAIL, PASSWORD);
  for (const jump of [...JUMPS, ...JUMPS.map((each) => -each)]) {
    const session = await service.logIn(EMAIL, PASSWORD);
    service.clock.now += jump;
    assert.equal((await service.send("GET", "/profile", undefined, session))[0], 200, `${jump}`);
    const login = await attempt(service, PASSWORD, "192.0.2.1");
    for (const cookie of login.headers.getSetCookie()) assert.match(cookie, /; Max-Age=\d+;/);
  }
});

for (const jump of JUMPS) {
  test(`F12: after the clock is set back by ${jump / HOUR} h an account waits no longer than the longest wait`, async (service) => {
    await service.register(EMAIL, PASSWORD);
    for (let made = 0; made < STRANGERS.free; made++) await attempt(service, WRONG, "192.0.2.1");
    assert.equal((await attempt(service, PASSWORD, "192.0.2.1")).status, 429);
    service.clock.now -= jump;
    const refused = await attempt(service, WRONG, "192.0.2.1");
    if (refused.status === 429) assert.ok(Number(refused.headers.get("retry-after")) * 1_000 <= STRANGERS.longest);
    service.clock.now += STRANGERS.longest;
    assert.equal((await attempt(service, PASSWORD, "192.0.2.1")).status, 200);
  });

  test(`F12: after the clock is set back by ${jump / HOUR} h a network waits no longer than its window`, async (service) => {
    await service.register(EMAIL, PASSWORD);
    for (let made = 0; made <= NETWORK.most; made++) await attempt(service, WRONG, "192.0.2.1", `u${made}@example.com`);
    assert.equal((await attempt(service, PASSWORD, "192.0.2.1")).status, 429);
    service.clock.now -= jump;
    const refused = await attempt(service, PASSWORD, "192.0.2.1");
    assert.equal(refused.status, 429, "setting the clock back is no way around it");
    assert.ok(Number(refused.headers.get("retry-after")) * 1_000 <= NETWORK.window);
    service.clock.now += NETWORK.window;
    assert.equal((await attempt(service, PASSWORD, "192.0.2.1")).status, 200);
  });
}
