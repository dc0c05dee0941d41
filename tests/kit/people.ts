/**
 * Users of the public profile for the tests: they sign up, log in, and lose their account to a thief, all by requests.
 * Must not call the rules, and must only read the tables.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { DevMailbox } from "../../auth/runtime/dev_mailbox.ts";
import { received, type ReceivedMail, type RequestOptions, type Service } from "./service.ts";

/** A password that the policy accepts. */
export const PASSWORD = "correct horse battery";
/** Another accepted password. */
export const NEW_PASSWORD = "battery staple horse";
/** The password that a thief sets. */
export const THIEF_PASSWORD = "all your base belong";
/** The address of the usual user. */
export const ANNA = "anna@example.com";
/** The address of another user. */
export const BERT = "bert@example.com";
/** The mailbox of an attacker. */
export const THIEF = "thief@example.net";
/** An address without an account. */
export const NOBODY = "nobody@example.com";

/** The format of times in every answer. */
export const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** In milliseconds. */
export const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

/** The cookies that a browser keeps after a login. */
export interface Browser {
  session: string;
  device: string;
}

/** The JSON object of an answer. */
export type Body = Record<string, unknown>;

/** Signs a user up and proves the mailbox. */
export async function signUp(service: Service, email = ANNA, password = PASSWORD): Promise<void> {
  await service.register(email, password);
  const mail = await mailTo(service, email);
  assert.deepEqual(await service.send("PUT", "/verify_email", { verification_token: mail.token }), [200, {
    email,
    message: "email verified",
  }]);
}

/** Logs a user in and returns the cookies. Without the cookie of an earlier login it is a new device. */
export async function logIn(
  service: Service,
  email = ANNA,
  password = PASSWORD,
  options: RequestOptions = {},
): Promise<Browser> {
  const response = await service.request("POST", "/sessions", { form: { email, password }, ...options });
  assert.equal(response.status, 200, await response.text());
  return browserOf(response);
}

/** The cookies that an answer set, "" for those it did not set. */
export function browserOf(response: Response): Browser {
  const value = (name: string) =>
    response.headers.getSetCookie().map((cookie) => new RegExp(`^(?:__Host-)?${name}=([^;]*)`).exec(cookie)?.[1])
      .find((found) => found !== undefined) ?? "";
  return { session: value("session_id"), device: value("device_id") };
}

/** Sends waiting mails and returns the last one to this address. */
export async function mailTo(service: Service, email: string): Promise<ReceivedMail> {
  const mails = await service.mails();
  const mail = mails.findLast(({ to }) => to === email);
  assert.ok(mail, `no mail went to ${email}; mails went to ${mails.map(({ to }) => to).join(", ") || "nobody"}`);
  return mail;
}

/** All mails that were sent to this address, oldest first. */
export function mailbox(service: Service, email: string): ReceivedMail[] {
  const { mails } = service.auth.transport as DevMailbox;
  return mails.filter(({ to }) => to === email).map(received).toReversed();
}

/** Status and error code of a request. */
export async function outcome(
  service: Service,
  method: string,
  path: string,
  options: RequestOptions = {},
): Promise<[number, string | null]> {
  const response = await service.request(method, path, options);
  await response.body?.cancel();
  return [response.status, response.headers.get("error-code")];
}

/** A whole answer as text, with everything masked that differs between requests. */
export async function raw(response: Response): Promise<string> {
  const headers = [...response.headers].map(([name, value]) => `${name}: ${name === "x-request-id" ? "<id>" : value}`);
  return [response.status, ...headers.sort(), "", await response.text()].join("\n");
}

/** Takes an account over from another browser, with the password: changes the password, then the address. */
export async function steal(service: Service, email = ANNA, password = PASSWORD): Promise<Browser> {
  const thief = await logIn(service, email, password);
  // Mails that are requested within one millisecond have no order.
  service.clock.now += 1;
  const form = { current_password: password, new_password: THIEF_PASSWORD };
  const changed = await service.request("PUT", "/password", { form, session: thief.session });
  assert.equal(changed.status, 200, await changed.text());
  service.clock.now += 1;
  return await moveTo(service, { ...thief, session: browserOf(changed).session }, THIEF, THIEF_PASSWORD);
}

/** Changes the address of a logged-in user by the link in the new mailbox. Leaves no mail waiting. */
export async function moveTo(service: Service, who: Browser, email: string, password: string): Promise<Browser> {
  const asked = await outcome(service, "POST", "/change_email", {
    form: { new_email: email, password },
    session: who.session,
  });
  assert.deepEqual(asked, [200, null]);
  const { token } = await mailTo(service, email);
  const moved = await service.request("PUT", "/change_email", { form: { change_token: token }, session: who.session });
  assert.equal(moved.status, 200, await moved.text());
  return { ...who, session: browserOf(moved).session };
}

/** All rows of all tables as one text, to search for data that must not be stored. */
export async function dump(service: Service): Promise<string> {
  const tables = await service.auth.db.tables();
  const rows = [];
  for (const table of tables) rows.push(JSON.stringify(await service.rows(`SELECT * FROM ${table}`)));
  return rows.join("\n");
}

/** The types of all events, in order of creation. */
export async function eventTypes(service: Service): Promise<string[]> {
  const rows = await service.rows<{ type: string }>("SELECT type FROM events ORDER BY created_at, id");
  return rows.map(({ type }) => type);
}

/** The number of rows in a table. */
export async function countOf(service: Service, table: string): Promise<number> {
  const [{ n }] = await service.rows<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`);
  return Number(n);
}
