/**
 * Requests that run at the same time as the end of a session or a change of the password: after the acknowledgement no
 * ended session may be valid.
 *
 * @module
 */
import assert from "node:assert/strict";
import { getUserFromSessionId } from "../../auth/sign_in/current_user.ts";
import { type Service, sessionOf, test } from "../kit/service.ts";

const EMAIL = "guillaume@holberton.io";

/** How often each pair runs; both start at once, in alternating order. */
const ROUNDS = Number(Deno.env.get("RACE_ROUNDS") ?? 60);

/** Starts both at once, the second one first in every other round. Returns the results in the given order. */
async function together<A, B>(round: number, one: () => Promise<A>, two: () => Promise<B>): Promise<[A, B]> {
  if (round % 2 === 0) return await Promise.all([one(), two()]);
  const [second, first] = await Promise.all([two(), one()]);
  return [first, second];
}

async function resetToken(service: Service): Promise<string> {
  const [, body] = await service.send("POST", "/reset_password", { email: EMAIL });
  return (body as { reset_token: string }).reset_token;
}

test("F23: a request that runs during the logout does not keep the session alive", async (service) => {
  const other = await service.another();
  await service.register(EMAIL, "b4l0u");
  for (let round = 0; round < ROUNDS; round++) {
    const session = await service.logIn(EMAIL, "b4l0u");
    // Late enough that the use is written, because that write could revive the session.
    other.clock.now = service.clock.now + 3_600_000;
    // Several at once, so that they are looked up together.
    const check = () => other.send("GET", "/profile", undefined, session);
    const [logout, uses] = await together(
      round,
      () => service.send("DELETE", "/sessions", undefined, session),
      () => Promise.all([check(), check(), check(), check()]),
    );
    assert.equal(logout[0], 302);
    for (const [status] of uses) assert.ok([200, 403].includes(status), String(status));
    for (const one of [service, other]) {
      assert.equal((await one.send("GET", "/profile", undefined, session))[0], 403, `round ${round}`);
    }
  }
});

test("F23: of two concurrent logouts of one session one succeeds and the other is refused", async (service) => {
  const other = await service.another();
  await service.register(EMAIL, "b4l0u");
  for (let round = 0; round < ROUNDS / 4; round++) {
    const session = await service.logIn(EMAIL, "b4l0u");
    const results = await together(
      round,
      () => service.send("DELETE", "/sessions", undefined, session),
      () => other.send("DELETE", "/sessions", undefined, session),
    );
    assert.deepEqual(results.map(([status]) => status).sort(), [302, 403]);
  }
});

test("F23: a login with the old password during a reset leaves no session", async (service) => {
  const other = await service.another();
  await service.register(EMAIL, "password 0");
  for (let round = 0; round < ROUNDS; round++) {
    const reset_token = await resetToken(service);
    const [reset, login] = await together(
      round,
      () =>
        service.send("PUT", "/reset_password", { email: EMAIL, reset_token, new_password: `password ${round + 1}` }),
      () => other.request("POST", "/sessions", { form: { email: EMAIL, password: `password ${round}` } }),
    );
    assert.equal(reset[0], 200);
    assert.ok([200, 401].includes(login.status), String(login.status));
    const session = sessionOf(login);
    assert.equal(await getUserFromSessionId(service.auth, session), undefined, `round ${round}`);
    const left = await service.rows(
      "SELECT id FROM sessions WHERE user_id = (SELECT id FROM users WHERE email_key = $1)",
      EMAIL,
    );
    assert.deepEqual(left, []);
  }
}, { THROTTLE: "observe" });

test(
  "F23: a login with the old password that runs while the owner changes the password leaves no session",
  async (service) => {
    const other = await service.another();
    await service.register(EMAIL, "password 0");
    for (let round = 0; round < ROUNDS; round++) {
      const session = await service.logIn(EMAIL, `password ${round}`);
      const passwords = { current_password: `password ${round}`, new_password: `password ${round + 1}` };
      const [change, login] = await together(
        round,
        () => service.request("PUT", "/password", { form: passwords, session }),
        () => other.request("POST", "/sessions", { form: { email: EMAIL, password: `password ${round}` } }),
      );
      assert.equal(change.status, 200);
      assert.ok([200, 401].includes(login.status), String(login.status));
      assert.equal(await getUserFromSessionId(service.auth, sessionOf(login)), undefined, `round ${round}`);
      assert.equal(await getUserFromSessionId(other.auth, session), undefined);
      assert.notEqual(await getUserFromSessionId(other.auth, sessionOf(change)), undefined, "the owner goes on");
    }
  },
  { THROTTLE: "observe" },
);

test("F23: a login with the new password right after its change keeps its session", async (service) => {
  const other = await service.another();
  await service.register(EMAIL, "password 0");
  for (let round = 1; round <= ROUNDS / 4; round++) {
    const reset_token = await resetToken(service);
    const reset = { email: EMAIL, reset_token, new_password: `password ${round}` };
    assert.equal((await service.send("PUT", "/reset_password", reset))[0], 200);
    const session = await other.logIn(EMAIL, `password ${round}`);
    assert.equal((await service.send("GET", "/profile", undefined, session))[0], 200);
  }
});

test("F23: a login that runs while its user is deleted leaves no session", async (service) => {
  const other = await service.another();
  for (let round = 0; round < ROUNDS / 2; round++) {
    await service.register(EMAIL, "b4l0u");
    const [, login] = await together(
      round,
      () => service.rows("DELETE FROM users WHERE email_key = $1 RETURNING id", EMAIL),
      () => other.request("POST", "/sessions", { form: { email: EMAIL, password: "b4l0u" } }),
    );
    assert.ok([200, 401].includes(login.status), String(login.status));
    assert.equal(await getUserFromSessionId(service.auth, sessionOf(login)), undefined);
    const rows = await service.rows("SELECT id FROM sessions WHERE expires_at > $1 ORDER BY expires_at", 0);
    assert.deepEqual(rows, [], `round ${round}`);
  }
}, { THROTTLE: "observe" });
