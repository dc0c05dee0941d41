/**
 * Tells the rules who sent a request. Must not be used where only the session is checked.
 *
 * @module
 */
import type { Context } from "hono";
import type { Auth } from "../../auth/auth.ts";
import type { Caller } from "../../auth/caller.ts";
import { pickLocale } from "../../auth/languages.ts";
import type { RequestEnv } from "./answers.ts";
import { clientAddress } from "./client_address.ts";
import { deviceCookie, sessionCookie } from "./cookies.ts";

/** The client of a request, with everything that the rules need to know of it. */
export function callerOf(auth: Auth, c: Context<RequestEnv>): Caller {
  return {
    ip: clientAddress(auth, c),
    userAgent: c.req.header("user-agent"),
    session: sessionCookie(auth, c),
    device: deviceCookie(auth, c),
    locale: pickLocale(c.req.header("accept-language")),
    requestId: c.get("requestId"),
    signal: c.req.raw.signal,
  };
}
