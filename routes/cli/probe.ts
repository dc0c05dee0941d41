/**
 * Visits the running service as a user does, through all its proxies. Must not leave anything behind.
 *
 * @module
 */
import ipaddr from "ipaddr.js";
import type { Auth } from "../../auth/auth.ts";
import type { Check } from "../../auth/maintenance/check.ts";
import { clockCheck, type Visitor, withVisitor } from "../../auth/maintenance/doctor.ts";

/** An address that nobody has (RFC 5737). A service that records it as ours believes forged headers. */
const FORGED = "192.0.2.123";
/** Address ranges from which proxies reach the service: this machine, containers, private networks. */
const NEAR: readonly string[] = ["carrierGradeNat", "linkLocal", "loopback", "private", "uniqueLocal"];
/** How long an answer may take, in milliseconds. */
const PATIENCE = 10_000;

/** Visits the service at this origin and gives the results. */
export async function probe(auth: Auth, origin: string): Promise<Check[]> {
  const asked = auth.clock();
  const reached = await attempt(`${origin}/`, { headers: { accept: "application/json" } });
  if (reached instanceof Error) {
    const todo = "see that the service and its proxy run, and that the certificate is valid";
    return [{ check: "from outside", state: "fail", found: `${origin} does not answer: ${reached.message}`, todo }];
  }
  const answered = auth.clock();
  const checks = [answerCheck(origin, reached)];
  const date = Date.parse(reached.headers.get("date") ?? "");
  if (!Number.isNaN(date)) checks.push(clockCheck("clock of the service", apartOf(date, asked, answered)));
  if (checks[0].state === "fail") return checks;
  return [...checks, ...await withVisitor(auth, (visitor) => visit(auth, origin, visitor))];
}

function answerCheck(origin: string, answer: Response): Check {
  const check = "from outside";
  if (answer.status === 200) return { check, state: "ok", found: `${origin} answers` };
  const todo = "see that the proxy hands all paths of this host to the service";
  return { check, state: "fail", found: `GET / at ${origin} is answered ${answer.status}`, todo };
}

async function visit(auth: Auth, origin: string, visitor: Visitor): Promise<Check[]> {
  const first = await logIn(origin, visitor, {});
  if (first instanceof Error || first.status !== 200) {
    const found = first instanceof Error ? first.message : `a login is answered ${first.status}`;
    return [{ check: "login", state: "fail", found, todo: "see that the service there uses this very database" }];
  }
  const cookies = first.headers.getSetCookie();
  const pairs = cookies.map((cookie) => cookie.split(";", 1)[0]);
  const session = pairs.find((pair) => /^(?:__Host-)?session_id=/.test(pair)) ?? "";
  const profile = await attempt(`${origin}/profile`, { headers: { cookie: session } });
  const checks = [cookieCheck(auth, cookies, session), profileCheck(profile)];
  // With the cookie of the device, which is known by now, so that no mail about a new device is sent.
  const device = pairs.find((pair) => /^(?:__Host-)?device_id=/.test(pair)) ?? "";
  const forged = { "x-forwarded-for": FORGED, "x-real-ip": FORGED, forwarded: `for=${FORGED}` };
  const second = await logIn(origin, visitor, { cookie: device, ...forged });
  if (!(second instanceof Error)) checks.push(addressCheck(await visitor.addresses()));
  return checks;
}

async function logIn(origin: string, { email, password }: Visitor, headers: Record<string, string>) {
  return await attempt(`${origin}/sessions`, {
    method: "POST",
    body: new URLSearchParams({ email, password }),
    headers,
  });
}

/** Checks that the session cookie is still safe (S42) after it passed the proxy. */
function cookieCheck(auth: Auth, cookies: string[], session: string): Check {
  const check = "cookies";
  if (auth.config.profile === "local") return { check, state: "ok", found: "local profile: not Secure, by design" };
  const cookie = cookies.find((each) => each.startsWith(session)) ?? "";
  const wanted = [
    /^__Host-session_id=[\w-]{43};/,
    /; ?Secure/i,
    /; ?HttpOnly/i,
    /; ?SameSite=Lax/i,
    /; ?Path=\/(?:;|$)/i,
  ];
  if (session !== "" && wanted.every((part) => part.test(cookie)) && !/; ?Domain=/i.test(cookie)) {
    return { check, state: "ok", found: "__Host-, Secure, HttpOnly, SameSite=Lax" };
  }
  const found = `the session's cookie comes back as "${cookie.replace(/=[^;]*/, "=…")}"`;
  return { check, state: "fail", found, todo: "let the proxy pass Set-Cookie on as it is" };
}

function profileCheck(answer: Response | Error): Check {
  const check = "session";
  const status = answer instanceof Error ? answer.message : String(answer.status);
  if (status === "200") return { check, state: "ok", found: "the cookie opens GET /profile" };
  return { check, state: "fail", found: `GET /profile: ${status}`, todo: "let the proxy pass the header Cookie on" };
}

/** One of the two logins came with a forged address in its headers. */
function addressCheck(addresses: (string | null)[]): Check {
  const check = "client address";
  if (addresses.includes(FORGED)) {
    const todo =
      "TRUSTED_PROXIES must name your proxies only, and the proxy must append to X-Forwarded-For or replace it";
    return { check, state: "fail", found: "one that was made up is believed: limits on guessing can be dodged", todo };
  }
  const seen = addresses.at(-1) ?? "nobody";
  const found = `this machine is seen as ${seen}`;
  if (!isNear(seen)) {
    return {
      check,
      state: "ok",
      found: `${found}; were that a proxy's address, TRUSTED_PROXIES would have to name it`,
    };
  }
  const todo =
    `where that is a proxy's address add it to TRUSTED_PROXIES (127.0.0.1,::1 on the same machine), or all ` +
    "users share one limit; right where it is this machine's own";
  return { check, state: "warn", found, todo };
}

function isNear(address: string): boolean {
  return !ipaddr.isValid(address) || NEAR.includes(ipaddr.process(address).range());
}

/**
 * The least possible difference, in milliseconds, to the clock that wrote the header `date`. The header counts whole
 * seconds. It was written at some moment between request and answer.
 */
export function apartOf(date: number, asked: number, answered: number): number {
  const [least, most] = [date - answered, date + 1_000 - asked];
  return least > 0 ? least : Math.min(most, 0);
}

/** Asks for status and headers. The body is dropped, or its connection would stay in use. */
async function attempt(url: string, init: RequestInit): Promise<Response | Error> {
  try {
    const answer = await fetch(url, { ...init, redirect: "manual", signal: AbortSignal.timeout(PATIENCE) });
    await answer.body?.cancel();
    return answer;
  } catch (error) {
    return error as Error;
  }
}
