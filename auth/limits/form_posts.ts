/**
 * Forms that a browser posts twice, as by a double click. For some seconds a second copy is told what the first did. Must
 * not give a second copy anything but a word: no cookie, no code, no secret. Must not take a refusal for a success.
 *
 * @module
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { claimFormPost, deleteFormPost, findFormPost, keepFormPost } from "../../db/form_posts.ts";
import type { Auth } from "../auth.ts";
import { AuthError } from "../errors.ts";
import { isToken, randomToken } from "../secrets.ts";

/** How long a second copy is told what the first did, in milliseconds. */
const KEPT = 30_000;
/** How long a first copy may run before another one takes its place, in milliseconds. */
const RUNNING = 10_000;
/** How far the clocks of two instances may differ, in milliseconds. */
const CLOCKS = 60_000;
/** Between two looks at a first copy that runs, in milliseconds. Each pause doubles, up to the longest. */
const PAUSE = 20, LONGEST_PAUSE = 320;

/**
 * Random ids for the forms of a browser, each `<random>.<signature>`. `known` is the value of its cookie; a browser
 * without one gets a new value.
 */
export async function formIds(
  auth: Auth,
  known: string | undefined,
): Promise<{ browser: string; next: () => string }> {
  const browser = isToken(known) ? known : randomToken();
  const key = await auth.keyring.current("form");
  const next = (): string => {
    const random = randomToken();
    return `${random}.${signature(key, browser, random)}`;
  };
  return { browser, next };
}

/**
 * The key of a posted form, which is the same for a copy of it and for nothing else. Undefined unless we gave this id to
 * this browser: then the form is like any other.
 *
 * A form with other values is no copy, so the values are hashed too. The hash is keyed with the id, which the database
 * does not hold: otherwise its reader could try out passwords at the speed of a fast hash.
 */
export async function formPostOf(
  auth: Auth,
  { browser, id, path, fields }: { browser: string | undefined; id: string; path: string; fields: [string, unknown][] },
): Promise<string | undefined> {
  const [, random, signed] = /^([\w-]{43})\.([\w-]{43})$/.exec(id) ?? [];
  if (!isToken(browser) || random === undefined) return undefined;
  const given = new TextEncoder().encode(signed);
  const keys = await auth.keyring.all("form");
  const isOurs = keys.some((key) => timingSafeEqual(given, new TextEncoder().encode(signature(key, browser, random))));
  if (!isOurs) return undefined;
  const sorted = fields.toSorted(([one], [other]) => one < other ? -1 : 1);
  return createHmac("sha256", random).update(JSON.stringify([browser, path, sorted])).digest("base64url");
}

/**
 * Begins a posted form. Gives the word of an earlier copy, or undefined when this one must run. While an earlier copy
 * runs, this one waits for it, at most ten seconds. Throws `client_gone`.
 */
export async function beginFormPost(auth: Auth, post: string, signal?: AbortSignal): Promise<string | undefined> {
  const end = performance.now() + RUNNING;
  for (let pause = PAUSE;; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    const now = auth.clock();
    const claim = { expires_at: now + RUNNING, latest: now + KEPT + CLOCKS };
    if (await claimFormPost(auth.db.relaxed, post, now, claim)) return undefined;
    const word = await findFormPost(auth.db.relaxed, post);
    if (typeof word === "string") return word;
    if (signal?.aborted) throw new AuthError("client_gone", "the client left before its turn came");
    if (performance.now() >= end) return undefined;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/**
 * Ends a posted form: keeps the word for what it did, or forgets a form that did nothing. Never throws: the answer of a
 * form does not depend on it.
 */
export async function endFormPost(auth: Auth, post: string, word: string | undefined): Promise<void> {
  const { relaxed } = auth.db;
  try {
    if (word === undefined) await deleteFormPost(relaxed, post);
    else await keepFormPost(relaxed, { id: post, word, expires_at: auth.clock() + KEPT });
  } catch {
    // The row ends by itself. Without it a second copy runs like any other form.
  }
}

function signature(key: string, browser: string, random: string): string {
  return createHmac("sha256", key).update(`${browser}\n${random}`).digest("base64url");
}
