/**
 * The security log (ASVS 5.0, chapter 16): each event with user and request id; an outage once and then as a count; and
 * no secret during a whole account lifecycle.
 *
 * @module
 */
import assert from "node:assert/strict";
import { FaultLog } from "../../auth/runtime/fault_log.ts";
import type { LogEntry } from "../../auth/runtime/log.ts";
import { startSmtpServer } from "../kit/process/smtp_server.ts";
import { dataFolder, startService } from "../kit/process/started_service.ts";
import { PUBLIC_SETTINGS, sessionOf, test } from "../kit/service.ts";

const EMAIL = "guillaume@holberton.io", PASSWORD = "correct horse battery";

test(
  "S22: logins, failures, throttling and changes are in the log, with user and request id and no address",
  async (service) => {
    const { logged } = service;
    const events = () => logged.filter((entry) => entry.event !== undefined);
    const headers = { "x-request-id": "the-request" };
    await service.send("POST", "/users", { email: EMAIL, password: PASSWORD });
    const [{ token }] = await service.mails();
    await service.send("PUT", "/verify_email", { verification_token: token });
    const [{ id }] = await service.rows("SELECT id FROM users");
    const session = await service.logIn(EMAIL, PASSWORD);

    logged.length = 0;
    const form = { email: EMAIL, password: "wrong" };
    await service.request("POST", "/sessions", { form, headers });
    const [failed, line] = logged;
    const { time, ...rest } = failed;
    assert.match(String(time), /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual(rest, { event: "login_failed", user_id: id, ip: null, request_id: "the-request" });
    assert.equal(line.request_id, "the-request", "the request's own line is found by the same id");
    logged.length = 0;
    await service.send("POST", "/sessions", { ...form, email: "nobody@example.com" });
    assert.deepEqual(events().map((entry) => [entry.event, entry.user_id]), [["login_failed", null]]);

    logged.length = 0;
    const change = { current_password: PASSWORD, new_password: "battery staple horse" };
    const changed = await service.request("PUT", "/password", { form: change, session });
    await service.send("DELETE", "/sessions", undefined, sessionOf(changed));
    for (let count = 0; count < 12; count++) await service.send("POST", "/sessions", form);
    const types = events().map((entry) => entry.event);
    assert.deepEqual(types.slice(0, 2), ["password_changed", "logged_out"]);
    assert.ok(types.includes("throttled"));
    assert.equal(types.filter((type) => type === "throttled").length, 1, "once, however long the flood");
    assert.ok(logged.every((entry) => !JSON.stringify(entry).includes("@")), "no address");
  },
  PUBLIC_SETTINGS,
);

test("S22: a rolled-back transaction leaves no log line", async (service) => {
  await service.register(EMAIL, PASSWORD);
  service.logged.length = 0;
  await service.rows("ALTER TABLE sessions RENAME TO sessions_away");
  try {
    assert.equal((await service.send("POST", "/sessions", { email: EMAIL, password: PASSWORD }))[0], 500);
  } finally {
    await service.rows("ALTER TABLE sessions_away RENAME TO sessions");
  }
  assert.deepEqual(service.logged.filter((entry) => entry.event !== undefined), []);
});

Deno.test("F04: an outage is logged as one line at first and as a count afterwards", () => {
  const entries: LogEntry[] = [];
  const faults = new FaultLog({ write: (entry) => entries.push(entry), writeRequest: () => {}, flush: () => {} });
  for (let count = 0; count < 1_000; count++) {
    faults.report("database_unavailable", new Error("the disk is full"), { request_id: `r${count}` });
  }
  faults.report("hashing_unavailable", new Error("the thread died"));
  const shown = () => entries.map(({ alarm, count, request_id }) => [alarm, count, request_id]);
  assert.deepEqual(shown(), [["database_unavailable", 1, "r0"], ["hashing_unavailable", 1, undefined]]);
  assert.match(String(entries[0].error), /the disk is full/);
  faults.close();
  assert.deepEqual(shown().slice(2), [["database_unavailable", 999, undefined]]);
  assert.equal(entries[2].error, "the disk is full");
  // The next outage is logged at once again.
  faults.report("database_unavailable", new Error("it is locked"));
  assert.equal(entries.length, 4);
  faults.close();
});

Deno.test("F04: the count is logged after a minute, and a minute without faults ends the alarm", () => {
  const entries: LogEntry[] = [];
  const ticks: (() => void)[] = [];
  const given = { setInterval: globalThis.setInterval };
  globalThis.setInterval = ((tick: () => void) => {
    ticks.push(tick);
    return given.setInterval(() => {}, 2 ** 30);
  }) as typeof setInterval;
  const faults = new FaultLog({ write: (entry) => entries.push(entry), writeRequest: () => {}, flush: () => {} });
  try {
    for (let count = 0; count < 5; count++) faults.report("database_unavailable", new Error("away"));
    ticks[0]();
    assert.deepEqual(entries.map(({ count, seconds }) => [count, seconds]), [[1, undefined], [4, 60]]);
    ticks[0]();
    assert.equal(entries.length, 2);
    faults.report("database_unavailable", new Error("away again"));
    assert.match(String(entries[2].error), /away again/);
  } finally {
    globalThis.setInterval = given.setInterval;
    faults.close();
  }
});

Deno.test("S22: during an account's lifecycle no password, cookie, token, code or address reaches the log", async () => {
  const smtp = await startSmtpServer();
  try {
    await using data = await dataFolder({
      PUBLIC_URL: "http://localhost:5000",
      HOST: "127.0.0.1",
      MAIL_URL: smtp.url,
      MAIL_FROM: "accounts@example.com",
    });
    await using service = await startService(data.options);
    const secrets = new Set([EMAIL]);
    let cookies: Record<string, string> = {}, seen = 0;
    const call = async (status: number, method: string, path: string, form?: Record<string, string>) => {
      for (const [name, value] of Object.entries(form ?? {})) if (/password|token|code/.test(name)) secrets.add(value);
      const cookie = Object.entries(cookies).map(([name, value]) => `${name}=${value}`).join("; ");
      const response = await fetch(`${service.url}${path}?secret=canary-query`, {
        method,
        headers: { cookie, referer: "http://localhost/?canary-referer", "user-agent": "canary-agent" },
        body: form && new URLSearchParams(form),
      });
      assert.equal(response.status, status, `${method} ${path}: ${await response.text()}`);
      for (const [, name, value] of response.headers.getSetCookie().map((each) => /^([^=]+)=([^;]*)/.exec(each)!)) {
        if (value === "") continue;
        cookies = { ...cookies, [name]: value };
        secrets.add(value);
      }
    };
    /** The token or the code of the next mail. */
    const mailed = async (): Promise<{ token: string; code: string }> => {
      const { text } = (await smtp.arrived(++seen))[seen - 1];
      const token = /[?&]token=([\w-]+)/.exec(text)?.[1] ?? "";
      const code = /^\s*(\d{4} ?\d{4})\s*$/m.exec(text)?.[1] ?? "";
      for (const secret of [token, code, code.replace(" ", "")]) if (secret !== "") secrets.add(secret);
      return { token, code };
    };
    await call(200, "POST", "/users", { email: EMAIL, password: PASSWORD });
    await call(403, "PUT", "/verify_email", { email: EMAIL, code: "0000 0001" });
    await call(200, "PUT", "/verify_email", { verification_token: (await mailed()).token });
    await call(401, "POST", "/sessions", { email: EMAIL, password: "canary-wrong-password" });
    await call(200, "POST", "/sessions", { email: EMAIL, password: PASSWORD });
    await call(200, "PUT", "/password", { current_password: PASSWORD, new_password: "battery staple horse" });
    const undo = await mailed();
    await call(200, "POST", "/change_email", {
      new_email: "canary-other@example.com",
      password: "battery staple horse",
    });
    await mailed();
    await mailed();
    await call(200, "POST", "/undo", { undo_token: undo.token });
    const reset = await mailed();
    await call(200, "PUT", "/reset_password", { email: EMAIL, code: reset.code, new_password: "staple horse battery" });
    await mailed();
    cookies = {};
    await call(200, "POST", "/sessions", { email: EMAIL, password: "staple horse battery" });
    await mailed();
    await call(403, "DELETE", "/account", { password: "canary-wrong-again" });
    await call(200, "DELETE", "/account", { password: "staple horse battery" });
    await call(200, "POST", "/reopen", { reopen_token: (await mailed()).token });
    const { code, stdout, stderr } = await service.stop();
    assert.equal(code, 0);
    const output = stdout + stderr;
    for (
      const event of ["registered", "logged_in", "login_failed", "password_changed", "change_undone", "account_closed"]
    ) {
      assert.ok(output.includes(`"event":"${event}"`), event);
    }
    assert.ok(secrets.size > 15);
    for (const secret of [...secrets, "canary", "@"]) assert.ok(!output.includes(secret), `${secret} is in the output`);
    for (const line of stdout.trimEnd().split("\n")) JSON.parse(line);
  } finally {
    await smtp.stop();
  }
});
