/**
 * Hashes and checks passwords. Must not know a user, and must never cut a password.
 *
 * @module
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { AuthError } from "../errors.ts";
import { networkOf, siteOf } from "../limits/rate_limits.ts";
import type { HashOptions } from "../runtime/hash_queue.ts";
import { parseHash, type Stored } from "./password_hash_format.ts";
import { costWithoutHash } from "./stored_costs.ts";

/** bcrypt reads 72 bytes and silently ignores the rest (V61). */
const BCRYPT_BYTES = 72;
const MOST_BYTES = 1024;
const MOST_CODE_POINTS = 256;
/** In UTF-16 units, to bound the work of NFC (F16). NFC hardly ever shortens a text to less than a quarter. */
const MOST_UNITS = 4 * MOST_BYTES;

/** Used when there is no hash, so that an unknown address costs the same as a known one (S17). */
const NOBODY = { salt: "BienvenueBienvenueBieu", digest: "BienvenueBienvenueBienvenueBien" };

/** Whose share of the hash queue a hash takes. */
interface HashShare {
  caller?: Caller;
  /** The unique address of the account, whether it exists or not. */
  account?: string;
  /** Whether the account knows the device. */
  known?: boolean;
}

interface Verdict {
  valid: boolean;
  /** Whether the hash has another cost than the configured one, or an older format (S11). */
  outdated: boolean;
}

/**
 * Hashes a password with a new salt. Up to 72 bytes the hash is plain bcrypt (`$2b$`), which other systems can read.
 * Above, it is passlib's bcrypt-sha256, version 2. Throws `invalid_password`, `overloaded`, `client_gone`,
 * `hashing_unavailable`.
 */
export async function hashPassword(auth: Auth, password: string, share: HashShare = {}): Promise<string> {
  const text = normalizePassword(password);
  const { bcryptCost: cost } = auth.config;
  const salt = bcryptBase64(crypto.getRandomValues(new Uint8Array(16)));
  const prehashed = isLong(text);
  const digest = await digestOf(auth, text, { prehashed, cost, salt, digest: "" }, placeOf(share));
  const rounds = String(cost).padStart(2, "0");
  return prehashed ? `$bcrypt-sha256$v=2,t=2b,r=${cost}$${salt}$${digest}` : `$2b$${rounds}$${salt}${digest}`;
}

/**
 * Compares a password with a stored hash; `known` devices go first in the queue. A missing user (undefined or null)
 * costs a hash all the same, as dear as those of users are. A text that is not one of our hashes never matches. Throws `invalid_password`,
 * `overloaded`, `client_gone`, `hashing_unavailable`.
 */
export async function verifyPassword(
  auth: Auth,
  password: string,
  hashed: string | null | undefined,
  share: HashShare = {},
): Promise<Verdict> {
  const text = normalizePassword(password);
  const stored = hashed ? parseHash(hashed) : undefined;
  // Asked in any case, for equal work. A hash dearer than the configured cost would show the account otherwise (S17).
  const withoutHash = await costWithoutHash(auth, share.account ?? "");
  const compared = stored ?? { ...NOBODY, cost: withoutHash, prehashed: isLong(text) };
  // A long password never matches a plain hash, whose maker may have cut it. It is hashed all the same, for equal work.
  const comparable = compared.prehashed || !isLong(text);
  const asked = { ...compared, prehashed: compared.prehashed || isLong(text) };
  const isRight = (digest: string): boolean =>
    timingSafeEqual(new TextEncoder().encode(digest), new TextEncoder().encode(compared.digest)) &&
    comparable && stored !== undefined;
  const digest = await digestOf(auth, text, asked, {
    ...placeOf(share),
    more: (hash) => isRight(digestIn(hash)) ? [] : makeUpSalts(compared.cost, auth.config.bcryptCost),
  });
  const valid = isRight(digest);
  return {
    valid,
    outdated: compared.cost !== auth.config.bcryptCost || !hashed?.startsWith(compared.prehashed ? "$bcrypt" : "$2b$"),
  };
}

/**
 * Throws `overloaded` when a login would find no place in the queue of hashes. Called before anything is read or
 * counted, so that it is the same for every address (S17), and a flood of logins does not hold up this thread.
 */
export function requireRoom(auth: Auth, caller: Caller, account: string): void {
  // Whoever shows a device may turn out to be known, and has more places.
  auth.hashQueue.requireRoom(placeOf({ caller, account, known: caller.device !== undefined }));
}

/**
 * The password as it is hashed: in NFC, because keyboards compose characters differently (NIST SP 800-63B-4, 3.1.1.2).
 * Nothing is trimmed or folded (S3). Throws `invalid_password` for text that cannot be hashed without loss.
 */
export function normalizePassword(password: string): string {
  if (password.length > MOST_UNITS) throw tooLong();
  if (!password.isWellFormed()) throw new AuthError("invalid_password", "password is not valid Unicode text");
  const text = password.normalize("NFC");
  // bcrypt repeats its key with a NUL between: "abc" and "abc\0abc" would be the same (V62, V63).
  if (text.includes("\0")) throw new AuthError("invalid_password", "password must not hold a NUL character");
  if (text === "") throw new AuthError("invalid_password", "password is missing");
  if ([...text].length > MOST_CODE_POINTS || byteLength(text) > MOST_BYTES) throw tooLong();
  return text;
}

/**
 * Salts of extra hashes, for equal work. A stored hash of lower cost would be refused sooner than an unknown address
 * (S17). After its 2^c rounds, hashes of cost c, c + 1 and so on bring the sum to that of the configured cost. All run
 * in one turn of the queue. A second turn would take longer, or end in a refusal that an unknown address never gets.
 */
function makeUpSalts(done: number, set: number): string[] {
  return Array.from(
    { length: Math.max(0, set - done) },
    (_, index) => saltOf({ cost: done + index, salt: NOBODY.salt }),
  );
}

function placeOf({ caller, account, known }: HashShare): HashOptions {
  return { signal: caller?.signal, site: siteOf(caller?.ip), network: networkOf(caller?.ip), account, known };
}

async function digestOf(auth: Auth, text: string, stored: Stored, options: HashOptions): Promise<string> {
  // Keyed with the salt: a bare SHA-256 of the password, leaked elsewhere, opens nothing here (V65).
  const input = stored.prehashed ? createHmac("sha256", stored.salt).update(text).digest("base64") : text;
  return digestIn(await auth.hashQueue.hash(input, saltOf(stored), options));
}

function saltOf({ cost, salt }: Pick<Stored, "cost" | "salt">): string {
  return `$2b$${String(cost).padStart(2, "0")}$${salt}`;
}

function digestIn(hash: string): string {
  return hash.slice(-31);
}

function isLong(text: string): boolean {
  return byteLength(text) > BCRYPT_BYTES;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

function tooLong(): AuthError {
  return new AuthError(
    "invalid_password",
    `password is longer than ${MOST_CODE_POINTS} characters or ${MOST_BYTES} bytes`,
  );
}

/** Base64 in bcrypt's own alphabet. 16 bytes give the 22 characters of a salt. */
function bcryptBase64(bytes: Uint8Array): string {
  const standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const own = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  return (bytes as Uint8Array<ArrayBuffer>).toBase64({ omitPadding: true })
    .replace(/./g, (char) => own[standard.indexOf(char)]);
}
