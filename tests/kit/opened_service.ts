/**
 * A service in this process on a database that the test chose, for tests of the connection between the two. Must not
 * make or remove a database.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Auth } from "../../auth/auth.ts";
import { closeAuth, openAuth } from "../../auth/open.ts";
import type { LogEntry } from "../../auth/runtime/log.ts";
import { createApp } from "../../routes/app.ts";
import { sessionOf, testConfig } from "./service.ts";

/** An opened service and its log. */
interface OpenedService extends AsyncDisposable {
  auth: Auth;
  /** Milliseconds since 1970 for the service; tests change it. */
  clock: { now: number };
  logged: LogEntry[];
  /** Sends a request with form fields. */
  send(method: string, path: string, form?: Record<string, string>, session?: string): Promise<Response>;
  /** Sends a request and returns only the status. */
  status(method: string, path: string, form?: Record<string, string>, session?: string): Promise<number>;
  /** Logs a user in and returns the session id. */
  logIn(email: string, password: string): Promise<string>;
}

/** Opens a service on the database of this URL. */
export async function openService(url: string): Promise<OpenedService> {
  const logged: LogEntry[] = [];
  const write = (entry: LogEntry) => void logged.push(entry);
  const log = { write, writeRequest: write, flush: () => {} };
  const clock = { now: Date.now() };
  const config = testConfig({ DATABASE_URL: url });
  const auth = await openAuth(config, { folder: "/tmp", log, clock: () => clock.now });
  const app = createApp(auth);
  const send: OpenedService["send"] = async (method, path, form, session) =>
    await app.request(path, {
      method,
      body: form && new URLSearchParams(form),
      headers: session === undefined ? {} : { cookie: `session_id=${session}` },
    });
  return {
    auth,
    clock,
    logged,
    send,
    status: async (...request) => {
      const response = await send(...request);
      await response.body?.cancel();
      return response.status;
    },
    logIn: async (email, password) => {
      const response = await send("POST", "/sessions", { email, password });
      assert.equal(response.status, 200, await response.text());
      return sessionOf(response)!;
    },
    [Symbol.asyncDispose]: () => closeAuth(auth),
  };
}
