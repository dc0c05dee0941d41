/**
 * Clients that register at a started service without pause while its database has faults, and the answers they got.
 * Must not cause the faults.
 *
 * @module
 */
import assert from "node:assert/strict";
import { rowsOf } from "../fixtures.ts";
import type { StartedService } from "./started_service.ts";

/** The password of every user. */
export const PASSWORD = "correct horse";

/** A load that runs until it is stopped. */
interface RegistrationLoad {
  /** Addresses whose registration was answered 200. */
  acknowledged: string[];
  /** How often each status was answered; `null` counts requests without an answer. */
  statuses: Map<number | null, number>;
  /** Waits until this many more registrations were acknowledged. */
  more(count: number): Promise<void>;
  /** Stops the load and compares the answer for each address with the database. */
  finish(): Promise<void>;
}

/** Starts writers that register and a reader that checks a valid and an unknown session. */
export function startLoad(service: StartedService, session: string, databaseUrl: () => string): RegistrationLoad {
  const acknowledged: string[] = [], unsure: string[] = [], wrong: string[] = [];
  const statuses = new Map<number | null, number>();
  let running = true;
  const seen = async (request: Promise<Response>): Promise<number | null> => {
    const response = await request.catch(() => undefined);
    const status = response?.status ?? null;
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (response?.status === 503) {
      const [after, code] = [response.headers.get("retry-after"), response.headers.get("error-code")];
      if (!(Number(after) > 0) || code !== "database_unavailable") wrong.push(`503 with ${after} and ${code}`);
    }
    await response?.body?.cancel();
    return status;
  };
  const write = async (writer: number): Promise<void> => {
    for (let count = 0; running; count++) {
      const email = `writer${writer}.${count}@example.com`;
      const status = await seen(service.send("POST", "/users", { email, password: PASSWORD }));
      if (status === 200) acknowledged.push(email);
      else if (status === 503) unsure.push(email);
      else wrong.push(`POST /users: ${status}`);
      if (status !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const read = async (): Promise<void> => {
    while (running) {
      const mine = await seen(service.send("GET", "/profile", undefined, session));
      if (mine !== 200 && mine !== 503) wrong.push(`GET /profile with a session: ${mine}`);
      const stranger = await seen(service.send("GET", "/profile", undefined, "A".repeat(43)));
      if (stranger !== 403 && stranger !== 503) wrong.push(`GET /profile of a stranger: ${stranger}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const all = [...Array.from({ length: 12 }, (_, writer) => write(writer)), read()];
  return {
    acknowledged,
    statuses,
    more: async (count) => {
      const goal = acknowledged.length + count;
      while (acknowledged.length < goal) await new Promise((resolve) => setTimeout(resolve, 10));
    },
    finish: async () => {
      running = false;
      await Promise.all(all);
      assert.deepEqual(wrong, []);
      const rows = await rowsOf<{ email: string }>(databaseUrl(), "SELECT email FROM users");
      const emails = rows.map((row) => row.email);
      assert.equal(new Set(emails).size, emails.length, "somebody is there twice");
      const missing = acknowledged.filter((email) => !emails.includes(email));
      assert.deepEqual(missing, [], "acknowledged users are missing");
      // A client that was told to try again does so. There must then be one user with this password (F10).
      for (const email of unsure.slice(0, 50)) {
        const again = await service.send("POST", "/users", { email, password: PASSWORD });
        await again.body?.cancel();
        assert.equal(again.status, emails.includes(email) ? 400 : 200, email);
        const login = await service.send("POST", "/sessions", { email, password: PASSWORD });
        await login.body?.cancel();
        assert.equal(login.status, 200);
      }
    },
  };
}

/** Waits until the service answers 200 again. Fails after five seconds (F08). */
export async function recovers(service: StartedService, session: string): Promise<void> {
  const deadline = performance.now() + 5_000;
  for (let row = 0; row < 20;) {
    const response = await service.send("GET", "/profile", undefined, session);
    await response.body?.cancel();
    row = response.status === 200 ? row + 1 : 0;
    // On a busy machine twenty right answers may take longer than that; a wrong one may not come later.
    const isInTime = response.status === 200 || performance.now() < deadline;
    assert.ok(isInTime, `no recovery within five seconds: ${response.status}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
