/**
 * Rules for new passwords in public: long enough, and not one that is guessed first. Must not ask for kinds of
 * characters, and must not know a clock: no composition rules, no expiry (S4, S7).
 *
 * @module
 */
// Imported with the program, so it needs no permission to read. Nothing is built from it at the start.
import commonPasswords from "./common_passwords.txt" with { type: "text" };
import type { Auth } from "../auth.ts";
import { AuthError } from "../errors.ts";
import { normalizePassword } from "./passwords.ts";

/** What the policy must know beside the password. */
export interface PasswordContext {
  /** In code points. */
  minLength: number;
  email?: string;
  appName: string;
}

/** Why a password is refused, for pages that translate the sentence. */
type WeakReason = "length" | "common" | "repeat" | "email" | "app" | "row";

/** Neighbours on a keyboard or in an alphabet, forward and backward. After the last one comes the first. */
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

/** Separators between the parts of a name. */
const SEPARATORS = /[\s._+@'-]+/gu;
/** A shorter piece may be part of a name by chance. */
const LEAST_PART = 4;

/** Applies the policy in public; locally every password is allowed. Throws `weak_password`, `invalid_password`. */
export function requirePolicy({ config }: Pick<Auth, "config">, password: string, email: string): void {
  if (config.profile === "local") return;
  checkPasswordPolicy(password, { email, appName: config.appName, minLength: config.passwordMinLength });
}

/**
 * Throws `weak_password` with a reason for the user, and `invalid_password` for text that cannot be a password. The
 * whole password is compared, case-folded, never a part of it (NIST SP 800-63B-4, 3.1.1.2). For new passwords only: a
 * login must not call it.
 */
export function checkPasswordPolicy(password: string, context: PasswordContext): void {
  const text = normalizePassword(password);
  // NIST counts code points: an emoji is one, but two in JavaScript and four in UTF-8 (S1).
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

/** Composed again at the end, because lower-casing may change that. */
function fold(text: string): string {
  return text.normalize("NFC").toLowerCase().normalize("NFC");
}

/** Searches the text itself: this takes 0.06 ms. A set of its lines would take 1.6 MB in each worker. */
function isCommon(folded: string): boolean {
  return commonPasswords.includes(`\n${folded}\n`);
}

/** The shortest text that gives this one when repeated, the last time perhaps cut; otherwise the text itself. */
function repeatedPiece(text: string): string {
  const characters = [...text];
  // For each beginning, its longest border (Knuth, Morris, Pratt): the work is linear.
  const borders = [0];
  for (let end = 1, length = 0; end < characters.length; end++) {
    while (length > 0 && characters[end] !== characters[length]) length = borders[length - 1];
    if (characters[end] === characters[length]) length++;
    borders.push(length);
  }
  const period = characters.length - borders[characters.length - 1];
  return 2 * period <= characters.length ? characters.slice(0, period).join("") : text;
}

/** Whether the piece is in the name: the whole name, one of its parts, or several in a row. */
function isPartOf(name: string, piece: string): boolean {
  if (name.includes(piece)) return true;
  const part = piece.replace(SEPARATORS, "");
  return part.length >= LEAST_PART && name.replace(SEPARATORS, "").includes(part);
}

/**
 * Whether a piece is too simple to repeat. Emoji and other symbols are not: guessers start with keyboard characters,
 * and 64 times one emoji must be allowed (S2). Short words with a space are not either, as in a passphrase (S4).
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
