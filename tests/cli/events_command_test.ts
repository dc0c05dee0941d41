/**
 * The audit log on the command line: filters, order, and no event twice while it is followed.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { EventView } from "../../auth/admin/event_lists.ts";
import { newId } from "../../auth/secrets.ts";
import { run } from "../kit/command_line.ts";
import { type Service, test } from "../kit/service.ts";

const EMAIL = "guillaume@holberton.io", PASSWORD = "b4l0u", HOUR = 3_600_000;

async function listed(service: Service, ...words: string[]): Promise<EventView[]> {
  const { code, printed, noted } = await run(service, ["events", "--json", ...words]);
  assert.equal(code, 0, noted);
  return printed.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

function typesOf(events: EventView[]): string[] {
  return events.map((event) => event.type);
}

/** Makes the events of two users during a day. */
async function live(service: Service): Promise<void> {
  await service.register(EMAIL, PASSWORD);
  service.clock.now += HOUR;
  await service.register("other@x.test", PASSWORD);
  service.clock.now += HOUR;
  await service.logIn(EMAIL, PASSWORD);
  service.clock.now += HOUR;
  await service.send("POST", "/sessions", { email: EMAIL, password: "wrong" });
}

test("events lists the oldest first, filtered by user, type and time", async (service) => {
  await live(service);
  assert.deepEqual(typesOf(await listed(service)), ["registered", "registered", "logged_in", "login_failed"]);
  assert.deepEqual(typesOf(await listed(service, "--user", "other@x.test")), ["registered"]);
  const [{ email, userId }] = await listed(service, "--type", "login_failed");
  assert.equal(email, EMAIL);
  assert.equal((await listed(service, "--user", userId!)).length, 3);
  assert.deepEqual(typesOf(await listed(service, "--since", "61m")), ["logged_in", "login_failed"]);
  const then = new Date(service.clock.now - HOUR).toISOString();
  assert.deepEqual(typesOf(await listed(service, "--since", then)), ["logged_in", "login_failed"]);
  assert.deepEqual(typesOf(await listed(service, "--since", "1d", "--type", "registered", "--user", EMAIL)), [
    "registered",
  ]);
  const { printed } = await run(service, ["events"]);
  assert.match(printed, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC {2}registered +guillaume@holberton\.io/);
  for (const words of [["--since", "soon"], ["--type", "a b"], ["--type", "login_faild"], ["--user"], ["more"]]) {
    assert.equal((await run(service, ["events", ...words])).code, 2, words.join(" "));
  }
  assert.equal((await run(service, ["events", "--user", "nobody@x.test"])).code, 1);
});

test("events without a time lists the last hundred, with one it lists all since then", async (service) => {
  const { db } = service.auth;
  await db.transaction(async (tx) => {
    for (let index = 0; index < 1_205; index++) {
      await tx.run(
        "INSERT INTO events (id, type, created_at, details, mail_tries) VALUES ($1, 'logged_out', $2, '{}', 0)",
        newId(index),
        index,
      );
    }
  });
  const times = (events: EventView[]): number[] => events.map((event) => event.createdAt);
  const all = Array.from({ length: 1_205 }, (_, index) => index);
  assert.deepEqual(times(await listed(service)), all.slice(-100));
  assert.deepEqual(times(await listed(service, "--since", "1970-01-01T00:00:00Z")), all);
});

test("events --follow shows each event once, even when its transaction ended late", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const stop = new AbortController();
  const shown: string[] = [];
  const { promise: first, resolve: onFirst } = Promise.withResolvers<void>();
  const { promise: last, resolve: onLast } = Promise.withResolvers<void>();
  const following = run(service, ["events", "--follow", "--json"], {
    signal: stop.signal,
    onPrint: (text) => {
      const { type } = JSON.parse(text) as EventView;
      shown.push(type);
      if (shown.length === 1) onFirst();
      if (type === "session_ended") onLast();
    },
  });
  await first;
  service.clock.now += 10_000;
  await service.logIn(EMAIL, PASSWORD);
  while (!shown.includes("logged_in")) await new Promise((resolve) => setTimeout(resolve, 20));
  // Its time is five seconds before the last shown event, but it is stored only now.
  const late = service.clock.now - 5_000;
  const insert = "INSERT INTO events (id, type, created_at, details, mail_tries) VALUES ($1, $2, $3, '{}', 0)";
  await service.auth.db.run(insert, newId(late), "session_ended", late);
  await last;
  stop.abort();
  assert.equal((await following).code, 0);
  assert.deepEqual(shown, ["registered", "logged_in", "session_ended"]);
});
