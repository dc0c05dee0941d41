/**
 * The export of an account goes out in pages, one export at a time, and ends with its client and its session. Also the
 * limit of events that a user makes at will.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Hono } from "hono";
import { createApp } from "../../routes/app.ts";
import { answerInParts, type RequestEnv } from "../../routes/http/answers.ts";
import { BROWSER_ACCEPT } from "../kit/form_browser.ts";
import { ANNA, BERT, type Body, HOUR, logIn, MINUTE, outcome, PASSWORD, signUp } from "../kit/people.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

/** The page size of the export, and its limit. */
const PAGE = 100, MOST = 10_000;

/** Gives a user as many events as this; ids in the order of time. */
async function fill(service: Service, email: string, count: number): Promise<void> {
  const [{ id }] = await service.rows<{ id: string }>("SELECT id FROM users WHERE email_key = $1", email);
  for (let begun = 0; begun < count; begun += 500) {
    const size = Math.min(500, count - begun);
    const values = Array.from({ length: size }, (_, index) => {
      const number = String(begun + index).padStart(8, "0");
      return `('00000000-0000-7000-8000-0000${number}', 'logged_in', $1, 1000, NULL, NULL, '{}', NULL, NULL, NULL, 0)`;
    });
    await service.rows(
      `INSERT INTO events (id, type, user_id, created_at, ip, user_agent, details, mail, mail_at, mail_until, mail_tries)
       VALUES ${values.join(", ")}`,
      id,
    );
  }
}

async function running(service: Service): Promise<number> {
  return (await service.rows("SELECT id FROM counters WHERE id LIKE 'export:%'")).length;
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; !await condition(); tries++) {
    assert.ok(tries < 5_000, `never: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

test(
  "A8: an export of 10,000 events reads 100 rows at a time, and others have their turn after each",
  async (service) => {
    await signUp(service);
    const { session } = await logIn(service);
    await fill(service, ANNA, MOST);
    let turn = 0, ticking = true;
    const tick = (): void => {
      turn++;
      if (ticking) setTimeout(tick, 0);
    };
    tick();
    const reads: number[] = [];
    const stop = service.watch((sql) => {
      if (/^SELECT \* FROM events/.test(sql)) reads.push(turn);
    });
    const response = await service.request("GET", "/account/export", { session });
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.ok(response.headers.get("x-request-id"));
    const reader = response.body!.getReader();
    const parts: string[] = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(new TextDecoder().decode(value));
    }
    ticking = false;
    stop();
    const { events } = JSON.parse(parts.join("")) as { events: Body[] };
    assert.equal(events.length, MOST);
    assert.equal(new Set(events.map(({ id }) => id)).size, MOST);
    assert.deepEqual(events.map(({ id }) => id), events.map(({ id }) => String(id)).toSorted().toReversed());
    assert.equal(reads.length, MOST / PAGE, "one statement for each page");
    assert.equal(new Set(reads).size, reads.length, "no two pages in one turn of the event loop");
    const most = Math.max(...parts.map((part) => part.match(/"user_agent"/g)?.length ?? 0));
    assert.equal(most, PAGE, "no part holds more than one page");
  },
  PUBLIC_SETTINGS,
);

test("A8: nothing is read before the client takes it", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  await fill(service, ANNA, 1_000);
  let reads = 0;
  const stop = service.watch((sql) => void (/^SELECT \* FROM events/.test(sql) && reads++));
  const response = await service.request("GET", "/account/export", { session });
  assert.equal(reads, 0);
  const reader = response.body!.getReader();
  for (let part = 0; part < 4; part++) await reader.read();
  assert.equal(reads, 3, "the first part is the account; then come the pages that were asked for");
  await reader.cancel();
  stop();
}, PUBLIC_SETTINGS);

for (const path of ["/account/export", "/account/download"]) {
  test(`A8: one export of a user at a time over all instances, at ${path}; others' go on`, async (service) => {
    await signUp(service);
    await signUp(service, BERT);
    const { session } = await logIn(service);
    const bert = await logIn(service, BERT);
    const other = await service.another();
    const headers: Record<string, string> = path.endsWith("download") ? { accept: BROWSER_ACCEPT } : {};
    const first = await service.request("GET", path, { session, headers });
    assert.equal(first.status, 200);
    for (const instance of [service, other]) {
      const second = await instance.request("GET", path, { session, headers });
      assert.equal(second.status, 429);
      assert.equal(second.headers.get("retry-after"), "300");
      await second.body?.cancel();
    }
    assert.deepEqual(await outcome(other, "GET", "/account/export", { session: bert.session }), [200, null]);
    assert.ok(JSON.parse(await first.text()).events.length > 0);
    assert.deepEqual(await outcome(other, "GET", "/account/export", { session }), [200, null]);
    assert.equal(await running(service), 0);
  }, PUBLIC_SETTINGS);
}

test("A8: an export whose client left, or that was asked by HEAD, lets the next one begin at once", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  const left = await service.request("GET", "/account/export", { session });
  await left.body!.cancel();
  assert.equal(await running(service), 0);
  const begun = await service.request("GET", "/account/export", { session });
  const reader = begun.body!.getReader();
  await reader.read();
  assert.equal(await running(service), 1);
  await reader.cancel();
  const head = await service.request("HEAD", "/account/export", { session });
  assert.equal(head.status, 200);
  await until(async () => await running(service) === 0);
  assert.deepEqual(await outcome(service, "GET", "/account/export", { session }), [200, null]);
}, PUBLIC_SETTINGS);

Deno.test("A8: an export that ends while a page is read ends once, so that it does not free the next one", async () => {
  let give = (_value: IteratorResult<string>): void => {};
  let closed = 0;
  const parts = { next: () => new Promise<IteratorResult<string>>((resolve) => give = resolve) };
  const app = new Hono<RequestEnv>();
  app.use(async (c, next) => {
    c.set("headers", {});
    c.set("requestId", "id");
    await next();
  });
  app.get("/", (c) => answerInParts(c, parts, () => Promise.resolve(void closed++)));
  const reader = (await app.request("/")).body!.getReader();
  const read = reader.read();
  await new Promise((resolve) => setTimeout(resolve, 1));
  await reader.cancel();
  assert.equal(closed, 1);
  give({ done: false, value: "a page" });
  await read;
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(closed, 1);
});

test("A8: a connection that breaks during an export frees it", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  await fill(service, ANNA, MOST);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, createApp(service.auth).fetch);
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  const request = `GET /account/export HTTP/1.1\r\nhost: localhost\r\ncookie: __Host-session_id=${session}\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  await connection.read(new Uint8Array(1_000));
  assert.equal(await running(service), 1);
  connection.close();
  await until(async () => await running(service) === 0);
  await server.shutdown();
}, PUBLIC_SETTINGS);

test("A8: an export ends when its session does, and is broken off, not complete", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  await fill(service, ANNA, 1_000);
  const response = await service.request("GET", "/account/export", { session });
  const reader = response.body!.getReader();
  await reader.read();
  await reader.read();
  assert.equal((await service.request("DELETE", "/sessions", { session })).status, 302);
  await assert.rejects(reader.read(), { code: "no_session" });
  assert.equal(await running(service), 0);
}, PUBLIC_SETTINGS);

test(
  "A8: an export that takes longer than five minutes is broken off, and cannot free a later one",
  async (service) => {
    await signUp(service);
    const { session } = await logIn(service);
    await fill(service, ANNA, 1_000);
    const slow = (await service.request("GET", "/account/export", { session })).body!.getReader();
    await slow.read();
    await slow.read();
    service.clock.now += 5 * MINUTE;
    const next = await service.request("GET", "/account/export", { session });
    assert.equal(next.status, 200);
    await assert.rejects(slow.read(), { code: "rate_limited" });
    assert.equal(await running(service), 1, "the later export still counts");
    assert.equal(JSON.parse(await next.text()).events.length >= 1_000, true);
  },
  PUBLIC_SETTINGS,
);

test("A8: a refused export counts none", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  service.clock.now += 11 * MINUTE;
  assert.deepEqual(await outcome(service, "GET", "/account/export", { session }), [403, "login_required"]);
  assert.equal(await running(service), 0);
}, PUBLIC_SETTINGS);

test("A8: PATCH /account writes at most 20 events an hour; what changes nothing writes none", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  const events = async (): Promise<number> =>
    (await service.rows("SELECT id FROM events WHERE type = 'account_updated'")).length;
  const change = (name: string) => outcome(service, "PATCH", "/account", { json: { name }, session });
  for (let count = 0; count < 20; count++) assert.deepEqual(await change(`Anna ${count}`), [200, null]);
  assert.deepEqual(await change("Anna 19"), [200, null], "nothing changes, so nothing is counted");
  for (let count = 0; count < 5; count++) assert.deepEqual(await change("Bert"), [429, "rate_limited"]);
  assert.equal(await events(), 20);
  const [{ name }] = await service.rows<{ name: string }>("SELECT name FROM users WHERE email_key = $1", ANNA);
  assert.equal(name, "Anna 19", "a refused change changes nothing");
  const form = { name: "Carla", locale: "en" };
  assert.equal((await service.request("POST", "/account/profile", { form, session })).status, 429);
  service.clock.now += HOUR;
  assert.deepEqual(await change("Bert"), [200, null]);
}, PUBLIC_SETTINGS);

test("A8: no event that a user makes with one session alone is without a limit", async (service) => {
  await signUp(service);
  const { session, device } = await logIn(service);
  const count = async (): Promise<number> => (await service.rows("SELECT id FROM events")).length;
  const requests: [string, string, Record<string, string>?][] = [
    ["PATCH", "/account"],
    ["DELETE", "/sessions/others"],
    ["DELETE", "/sessions/00000000-0000-7000-8000-000000000000"],
    ["PUT", "/password", { current_password: "wrong", new_password: "another good one" }],
    ["POST", "/change_email", { new_email: BERT, password: "wrong" }],
    ["POST", "/change_email", { new_email: BERT, password: PASSWORD }],
    ["DELETE", "/account", { password: "wrong" }],
    ["PUT", "/change_email", { code: "00000000" }],
    ["POST", "/verify_email", { email: ANNA }],
    ["POST", "/reset_password", { email: ANNA }],
    ["GET", "/account/export"],
    ["GET", "/account/events"],
    ["GET", "/session"],
  ];
  const many = async (): Promise<void> => {
    for (let round = 0; round < 30; round++) {
      for (const [method, path, form] of requests) {
        const sent = path === "/account" && method === "PATCH" ? { name: `Anna ${service.clock.now}${round}` } : form;
        await outcome(service, method, path, { form: sent, session, device, ip: "192.0.2.9" });
      }
    }
  };
  await many();
  const before = await count();
  await many();
  assert.equal(await count(), before, "beyond the limits of an hour, nothing more is written");
}, PUBLIC_SETTINGS);
