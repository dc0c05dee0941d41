/**
 * What a new password must be where strangers may sign up: long enough, and none that a guesser tries first. Must not
 * ask for kinds of characters, and must not know a clock: no composition rules, no expiry (S4, S7).
 *
 * @module
 */
// Resolved when the program is put together, so no permission to read is needed; nothing is built from it at start.
import commonPasswords from "./common_passwords.txt" with { type: "text" };
import type { Auth } from "../auth.ts";
import { AuthError } from "../errors.ts";
import { normalizePassword } from "./passwords.ts";

/** What {@linkcode checkPasswordPolicy} has to know beside the password. */
export interface PasswordContext {
  /** Fewest code points. */
  minLength: number;
  /** The address of the account, as typed or as stored. */
  email?: string;
  /** The name of the service, as people read it. */
  appName: string;
}

/** Why a password is refused, for who says it in another language than the sentence's. */
export type WeakReason = "length" | "common" | "repeat" | "email" | "app" | "row";

/** Neighbours on a keyboard or in an alphabet, each read as a ring, forward and backward. */
const ROWS = [
  "0123456789",
  "abcdefghijklmnopqrstuvwxyz",
  "1234567890qwertyuiopasdfghjklzxcvbnm",
  "1234567890qwertzuiopüasdfghjklöäyxcvbnm",
  "1234567890azertyuiopqsdfghjklmwxcvbn",
  "qwertyuiopasdfghjklñzxcvbnm",
  "qwertyuiopasdfghjklçzxcvbnm",
  "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
  "qazwsxedcrfvtgbyhnujmikolp",
  "1q2w3e4r5t6y7u8i9o0p",
  "q1w2e3r4t5y6u7i8o9p0",
].flatMap((row) => [row, [...row].reverse().join("")]);

/** What people put between the parts of a name. */
const SEPARATORS = /[\s._+@'-]+/gu;
/** A part of a name without its separators tells too little when it is shorter. */
const LEAST_PART = 4;

/**
 * Applies the policy to a new password in the public profile; locally any password will do. Throws `weak_password`,
 * `invalid_password`.
 */
export function requirePolicy({ config }: Pick<Auth, "config">, password: string, email: string): void {
  if (config.profile === "local") return;
  checkPasswordPolicy(password, { email, appName: config.appName, minLength: config.passwordMinLength });
}

/**
 * Throws `weak_password` with a reason to show to the person who chose it, and `invalid_password` for what cannot be a
 * password at all. It is always the whole password that is compared, never a piece inside it (NIST SP 800-63B-4,
 * 3.1.1.2), with case folded. For new passwords only: a login must not ask it.
 */
export function checkPasswordPolicy(password: string, context: PasswordContext): void {
  const text = normalizePassword(password);
  // Code points, as NIST counts: an emoji is one, though JavaScript counts two and UTF-8 four (S1).
  if ([...text].length < context.minLength) throw weak("length", `must have at least ${context.minLength} characters`);
  const folded = fold(text);
  if (isCommon(folded)) throw weak("common", "is one of the most common ones");
  const piece = repeatedPiece(folded);
  if (piece !== folded && (isTrivial(piece) || isCommon(piece))) {
    throw weak("repeat", "must not be the same few characters over and over");
  }
  if (isPartOf(fold(context.email ?? ""), piece)) {
    throw weak("email", "must not be your e-mail address or a part of it");
  }
  if (isPartOf(fold(context.appName), piece)) throw weak("app", "must not be the name of this service or a part of it");
  if (isSequence(piece)) throw weak("row", "must not be a row of neighbours in the alphabet or on the keyboard");
}

function weak(reason: WeakReason, sentence: string): AuthError {
  return new AuthError("weak_password", `password ${sentence}`, { reason });
}

/** Lower-casing may leave a text that is not composed any more. */
function fold(text: string): string {
  return text.normalize("NFC").toLowerCase().normalize("NFC");
}

/** A search in the text as it is: 0.06 ms, against 1.6 MB in each worker for a set of its lines. */
function isCommon(folded: string): boolean {
  return commonPasswords.includes(`\n${folded}\n`);
}

/** The shortest text that gives this one when written twice or more, the last time perhaps cut; else the text itself. */
function repeatedPiece(text: string): string {
  const characters = [...text];
  // For each beginning, the longest other beginning that it ends with (Knuth, Morris, Pratt): work in proportion.
  const borders = [0];
  for (let end = 1, length = 0; end < characters.length; end++) {
    while (length > 0 && characters[end] !== characters[length]) length = borders[length - 1];
    if (characters[end] === characters[length]) length++;
    borders.push(length);
  }
  const period = characters.length - borders[characters.length - 1];
  return 2 * period <= characters.length ? characters.slice(0, period).join("") : text;
}

/** Whether a password, or what it repeats, stands in a name: the name itself, one of its parts, or several in a row. */
function isPartOf(name: string, piece: string): boolean {
  if (name.includes(piece)) return true;
  const part = piece.replace(SEPARATORS, "");
  return part.length >= LEAST_PART && name.replace(SEPARATORS, "").includes(part);
}

/**
 * Whether a piece is nothing worth repeating. Emoji and other symbols may be: guessers start with what is on a
 * keyboard, and 64 times the same emoji is to be taken (S2). So are short words with a space, as in a passphrase (S4).
 */
function isTrivial(piece: string): boolean {
  return /^(?:[\p{L}\p{N}]{1,3}|[ -~])$/u.test(piece);
}

/** Whether all characters are neighbours, each perhaps doubled: 98765432, qwertzuiop, aabbccdd, абвгдежз. */
function isSequence(text: string): boolean {
  if (!/^[\p{L}\p{N}]+$/u.test(text)) return false;
  const once = text.replace(/(.)\1+/gu, "$1");
  if (ROWS.some((row) => row.repeat(Math.ceil(once.length / row.length) + 1).includes(once))) return true;
  const codes = [...once].map((character) => character.codePointAt(0)!);
  return [1, -1].some((step) => codes.every((code, index) => index === 0 || code - codes[index - 1] === step));
}
