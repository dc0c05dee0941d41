/**
 * People of the public profile for the tests: they sign up, log in and are robbed through the public doors. Must not
 * reach into the rules or the tables, but to look at them.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { DevMailbox } from "../../auth/runtime/dev_mailbox.ts";
import { received, type ReceivedMail, type RequestOptions, type Service } from "./service.ts";

/** A password that the policy takes. */
export const PASSWORD = "correct horse battery";
/** Another one. */
export const NEW_PASSWORD = "battery staple horse";
/** What whoever took an account sets. */
export const THIEF_PASSWORD = "all your base belong";
/** Somebody. */
export const ANNA = "anna@example.com";
/** Somebody else. */
export const BERT = "bert@example.com";
/** A mailbox of whoever attacks. */
export const THIEF = "thief@example.net";
/** Nobody. */
export const NOBODY = "nobody@example.com";

/** A time as every answer has it. */
export const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
export const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

/** What a browser keeps after a login. */
export interface Browser {
  /** The session id. */
  session: string;
  /** The device's cookie. */
  device: string;
}

/** A JSON object as it was answered. */
export type Body = Record<string, unknown>;

/** Signs somebody up and proves the mailbox. */
export async function signUp(service: Service, email = ANNA, password = PASSWORD): Promise<void> {
  await service.register(email, password);
  const mail = await mailTo(service, email);
  assert.deepEqual(await service.send("PUT", "/verify_email", { verification_token: mail.token }), [200, {
    email,
    message: "email verified",
  }]);
}

/** Logs somebody in and gives what the browser keeps; a new device without the cookie of an earlier login. */
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

/** The cookies that an answer set, "" for those that it did not set. */
export function browserOf(response: Response): Browser {
  const value = (name: string) =>
    response.headers.getSetCookie().map((cookie) => new RegExp(`^(?:__Host-)?${name}=([^;]*)`).exec(cookie)?.[1])
      .find((found) => found !== undefined) ?? "";
  return { session: value("session_id"), device: value("device_id") };
}

/** Sends what is due and gives the last mail that went to this address. */
export async function mailTo(service: Service, email: string): Promise<ReceivedMail> {
  const mails = await service.mails();
  const mail = mails.findLast(({ to }) => to === email);
  assert.ok(mail, `no mail went to ${email}; mails went to ${mails.map(({ to }) => to).join(", ") || "nobody"}`);
  return mail;
}

/** All mails that ever went to this address, oldest first. */
export function mailbox(service: Service, email: string): ReceivedMail[] {
  const { mails } = service.auth.transport as DevMailbox;
  return mails.filter(({ to }) => to === email).map(received).toReversed();
}

/** Status, body and error code of a request. */
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

/** A whole answer as text, with all masked that differs from request to request. */
export async function raw(response: Response): Promise<string> {
  const headers = [...response.headers].map(([name, value]) => `${name}: ${name === "x-request-id" ? "<id>" : value}`);
  return [response.status, ...headers.sort(), "", await response.text()].join("\n");
}

/** Takes over an account from a browser of the thief's who knows the password: another one, and another address. */
export async function steal(service: Service, email = ANNA, password = PASSWORD): Promise<Browser> {
  const thief = await logIn(service, email, password);
  // Mails that are asked for in one millisecond go in any order.
  service.clock.now += 1;
  const form = { current_password: password, new_password: THIEF_PASSWORD };
  const changed = await service.request("PUT", "/password", { form, session: thief.session });
  assert.equal(changed.status, 200, await changed.text());
  service.clock.now += 1;
  return await moveTo(service, { ...thief, session: browserOf(changed).session }, THIEF, THIEF_PASSWORD);
}

/** Changes the address of whoever is logged in, by the link that goes to the new mailbox. Leaves no mail waiting. */
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

/** Every row of every table, as one text to look for things that must not be there. */
export async function dump(service: Service): Promise<string> {
  const tables = await service.auth.db.tables();
  const rows = [];
  for (const table of tables) rows.push(JSON.stringify(await service.rows(`SELECT * FROM ${table}`)));
  return rows.join("\n");
}

/** The types of all events, in the order of their making. */
export async function eventTypes(service: Service): Promise<string[]> {
  const rows = await service.rows<{ type: string }>("SELECT type FROM events ORDER BY created_at, id");
  return rows.map(({ type }) => type);
}

/** How many rows a table has. */
export async function countOf(service: Service, table: string): Promise<number> {
  const [{ n }] = await service.rows<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`);
  return Number(n);
}
