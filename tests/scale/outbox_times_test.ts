/**
 * What a stranger learns from the delay of mails: asks for five resets of an address, then for one's own, and times the
 * own mail. The mail server takes half a second for each answer. Prints how well the times tell known addresses from
 * unknown ones, and how long a mail takes.
 *
 * @module
 */
import assert from "node:assert/strict";
import { deliverRegularly } from "../../auth/mail/outbox.ts";
import { closeAuth, openAuth } from "../../auth/open.ts";
import { createApp } from "../../routes/app.ts";
import { startSmtpServer, type TestSmtpServer } from "../kit/process/smtp_server.ts";
import { HOUR, NOBODY, PASSWORD } from "../kit/people.ts";
import { PUBLIC_SETTINGS, testConfig } from "../kit/service.ts";

const VICTIM = "victim@example.com", OWN = "stranger@example.net";
const ROUNDS = 200, SERVICES = 10;
/** By chance alone the area has a standard deviation of 0.041 with 100 rounds of each kind. Four of them are noise. */
const NOISE = 0.17;

/** Times of one's own mail, in milliseconds. */
interface Times {
  known: number[];
  unknown: number[];
  /** Without other mails before. */
  alone: number[];
}

/** Asks in one service for its part of the rounds. */
async function time(server: TestSmtpServer, times: Times, rounds: number): Promise<void> {
  let ahead = 0;
  const auth = await openAuth(testConfig({ ...PUBLIC_SETTINGS, MAIL_URL: server.url }), {
    folder: "/tmp",
    log: { write: () => {}, writeRequest: () => {}, flush: () => {} },
    clock: () => Date.now() + ahead,
  });
  const app = createApp(auth);
  const send = async (method: string, path: string, form: Record<string, string>): Promise<void> => {
    const response = await app.request(path, { method, body: new URLSearchParams(form) });
    assert.equal(response.status, 200, await response.text());
  };
  const stop = deliverRegularly(auth);
  const idle = async (): Promise<void> => {
    while ((await auth.db.all("SELECT id FROM events WHERE mail_at IS NOT NULL")).length > 0) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  try {
    for (const email of [VICTIM, OWN]) {
      await send("POST", "/users", { email, password: PASSWORD });
      await idle();
      const token = /token=([\w-]+)/.exec(server.mails.at(-1)!.text)![1];
      await send("PUT", "/verify_email", { verification_token: token });
    }
    const kinds = (["known", "unknown"] as const).flatMap((kind) => Array<keyof Times>(rounds / 2).fill(kind));
    kinds.push(...Array<"alone">(rounds / 10).fill("alone"));
    for (const kind of kinds.sort(() => Math.random() - 0.5)) {
      // The limits of the hour before are over.
      ahead += 2 * HOUR;
      for (let count = 0; count < 5 && kind !== "alone"; count++) {
        await send("POST", "/reset_password", { email: kind === "known" ? VICTIM : NOBODY });
      }
      const before = server.mails.length;
      const begun = performance.now();
      await send("POST", "/reset_password", { email: OWN });
      while (!server.mails.slice(before).some(({ recipients }) => recipients[0] === OWN)) {
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      times[kind].push(performance.now() - begun);
      await idle();
      // The slots are held a little longer than the last mail takes.
      await new Promise((resolve) => setTimeout(resolve, 4_000));
    }
  } finally {
    await stop();
    await closeAuth(auth);
  }
}

/** The chance that a time of `a` is above one of `b`: 0.5 tells nothing, 0 and 1 tell all. */
function area(a: number[], b: number[]): number {
  const wins = a.flatMap((x) => b.map((y) => x > y ? 1 : x === y ? 0.5 : 0));
  return mean(wins);
}

/** The share of right answers of the best threshold, in either direction. */
function bestAccuracy(a: number[], b: number[]): number {
  const share = (times: number[], limit: number): number => times.filter((each) => each > limit).length / times.length;
  const rights = [...a, ...b].map((limit) => (share(a, limit) + 1 - share(b, limit)) / 2);
  return Math.max(...rights, ...rights.map((right) => 1 - right));
}

function mean(times: number[]): number {
  return times.reduce((sum, each) => sum + each, 0) / times.length;
}

Deno.test("A3: in 200 rounds the time of one's own mail does not tell known addresses from unknown ones", async () => {
  const times: Times = { known: [], unknown: [], alone: [] };
  await Promise.all(Array.from({ length: SERVICES }, async () => {
    const server = await startSmtpServer({ delay: 500 });
    try {
      await time(server, times, ROUNDS / SERVICES);
    } finally {
      await server.stop();
    }
  }));
  const told = area(times.known, times.unknown);
  for (const kind of ["known", "unknown", "alone"] as const) {
    console.log(`${kind}: ${times[kind].length} rounds, ${(mean(times[kind]) / 1_000).toFixed(2)} s on average`);
  }
  console.log(`area under the curve ${told.toFixed(3)}, 0.5 tells nothing`);
  console.log(`best threshold right in ${(100 * bestAccuracy(times.known, times.unknown)).toFixed(0)} of 100 rounds`);
  assert.deepEqual([times.known.length, times.unknown.length], [ROUNDS / 2, ROUNDS / 2]);
  assert.ok(Math.abs(told - 0.5) < NOISE, `the area is ${told}`);
});
