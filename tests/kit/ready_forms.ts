/**
 * A browser without scripts that keeps its cookies, and every form of the public profile, ready to be posted. Must not
 * post one of them itself.
 *
 * @module
 */
import assert from "node:assert/strict";
import { BROWSER_ACCEPT, formOf, signUp } from "./form_browser.ts";
import type { Service } from "./service.ts";

/** The person of these forms. */
export const EMAIL = "anna@example.com", PASSWORD = "correct horse battery", OTHER = "battery staple horse";

/** The cookies of one browser. */
export class Jar {
  readonly cookies = new Map<string, string>();

  /** Sends a request with the cookies, and keeps those of the answer unless `dropped`. */
  async send(service: Service, method: string, path: string, form?: Record<string, string>, dropped = false) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { accept: BROWSER_ACCEPT, ...(cookie !== "" && { cookie }) };
    const response = await service.request(method, path, { form, headers });
    if (!dropped) {
      for (const [, name, value] of response.headers.getSetCookie().map((each) => /^([^=]+)=([^;]*)/.exec(each)!)) {
        if (value === "") this.cookies.delete(name);
        else this.cookies.set(name, value);
      }
    }
    return response;
  }

  /** Opens a page and gives its form with these values. */
  async fill(service: Service, path: string, action: string, typed: Record<string, string> = {}) {
    const opened = await this.send(service, "GET", path);
    const text = await opened.text();
    assert.equal(opened.status, 200, `${path}: ${opened.status} ${opened.headers.get("location")}`);
    return { ...Object.fromEntries(formOf(text, action).fields), ...typed };
  }

  /** Follows redirects as far as a page, and gives its text. */
  async follow(service: Service, response: Response): Promise<string> {
    let next = response;
    for (let count = 0; count < 4 && next.headers.has("location"); count++) {
      const { pathname, search } = new URL(next.headers.get("location")!, "http://localhost");
      next = await this.send(service, "GET", pathname + search);
    }
    return await next.text();
  }
}

/** A form that is ready to be posted, and the words of its success. */
interface Ready {
  path: string;
  action: string;
  typed?: Record<string, string>;
  words: RegExp;
}

/** Signs the person up and logs the browser in. */
export async function logIn(service: Service, jar: Jar): Promise<void> {
  await signUp(service, EMAIL, PASSWORD);
  const form = await jar.fill(service, "/login", "/login", { email: EMAIL, password: PASSWORD });
  assert.equal((await jar.send(service, "POST", "/login", form)).status, 303);
  await service.mails();
}

async function newest(service: Service): Promise<{ token: string; code: string }> {
  return (await service.mails()).findLast(({ token }) => token !== "")!;
}

/** Every form of the public profile. */
export const FORMS: Record<string, (service: Service, jar: Jar) => Promise<Ready>> = {
  register: () => {
    const typed = { email: EMAIL, password: PASSWORD };
    return Promise.resolve({ path: "/register", action: "/register", typed, words: /<h1>Check your email/ });
  },
  "verify by link": async (service) => {
    await service.register(EMAIL, PASSWORD);
    const { token } = await newest(service);
    return { path: `/verify?token=${token}`, action: "/verify", words: /Your email address is confirmed/ };
  },
  "verify by code": async (service) => {
    await service.register(EMAIL, PASSWORD);
    const typed = { email: EMAIL, code: (await newest(service)).code };
    return { path: "/verify", action: "/verify", typed, words: /Your email address is confirmed/ };
  },
  "verify again": async (service) => {
    await service.register(EMAIL, PASSWORD);
    const path = `/verify?email=${encodeURIComponent(EMAIL)}`;
    return { path, action: "/verify/again", words: /another one is on its way/ };
  },
  forgot: async (service) => {
    await signUp(service, EMAIL, PASSWORD);
    return { path: "/forgot", action: "/forgot", typed: { email: EMAIL }, words: /we’ve sent it a link and a code/ };
  },
  "reset by link": async (service) => {
    await signUp(service, EMAIL, PASSWORD);
    await service.send("POST", "/reset_password", { email: EMAIL });
    const { token } = await newest(service);
    const words = /Your new password is set/;
    return { path: `/reset?token=${token}`, action: "/reset", typed: { new_password: OTHER }, words };
  },
  "reset by code": async (service) => {
    await signUp(service, EMAIL, PASSWORD);
    await service.send("POST", "/reset_password", { email: EMAIL });
    const typed = { email: EMAIL, code: (await newest(service)).code, new_password: OTHER };
    return { path: "/reset", action: "/reset", typed, words: /Your new password is set/ };
  },
  profile: async (service, jar) => {
    await logIn(service, jar);
    return { path: "/account", action: "/account/profile", typed: { name: "Anna" }, words: /role="status">Saved\./ };
  },
  password: async (service, jar) => {
    await logIn(service, jar);
    const typed = { current_password: PASSWORD, new_password: OTHER };
    return { path: "/account", action: "/account/password", typed, words: /Your new password is set/ };
  },
  "ask for a change of address": async (service, jar) => {
    await logIn(service, jar);
    const typed = { new_email: "anna@example.org", password: PASSWORD };
    return { path: "/account", action: "/account/email", typed, words: /We’ve sent an email to anna@example\.org/ };
  },
  "change of address by link": async (service, jar) => {
    await logIn(service, jar);
    const form = await jar.fill(service, "/account", "/account/email");
    await jar.send(service, "POST", "/account/email", { ...form, new_email: "a@example.org", password: PASSWORD });
    const path = `/change-email?token=${(await newest(service)).token}`;
    return { path, action: "/change-email", words: /Your email address has been changed/ };
  },
  "change of address by code": async (service, jar) => {
    await logIn(service, jar);
    const form = await jar.fill(service, "/account", "/account/email");
    await jar.send(service, "POST", "/account/email", { ...form, new_email: "a@example.org", password: PASSWORD });
    const typed = { code: (await service.mails()).find(({ code }) => code !== "")!.code };
    return { path: "/change-email", action: "/change-email", typed, words: /Your email address has been changed/ };
  },
  undo: async (service, jar) => {
    await logIn(service, jar);
    const form = await jar.fill(service, "/account", "/account/password");
    await jar.send(service, "POST", "/account/password", { ...form, current_password: PASSWORD, new_password: OTHER });
    const path = `/undo?token=${(await newest(service)).token}`;
    return { path, action: "/undo/confirm", words: /<h1>Your account is protected/ };
  },
  close: async (service, jar) => {
    await logIn(service, jar);
    const words = /Your account is closed/;
    return { path: "/account", action: "/account/close", typed: { password: PASSWORD }, words };
  },
  reopen: async (service, jar) => {
    await logIn(service, jar);
    const form = await jar.fill(service, "/account", "/account/close", { password: PASSWORD });
    await jar.send(service, "POST", "/account/close", form);
    const path = `/reopen?token=${(await newest(service)).token}`;
    return { path, action: "/reopen/confirm", words: /Your account is open again/ };
  },
  "end a session": async (service, jar) => {
    await logIn(service, jar);
    await service.logIn(EMAIL, PASSWORD);
    return { path: "/account", action: "/account/devices", words: /That device is logged out/ };
  },
  "end other sessions": async (service, jar) => {
    await logIn(service, jar);
    await service.logIn(EMAIL, PASSWORD);
    return { path: "/account", action: "/account/devices/others", words: /All other devices are logged out/ };
  },
};
