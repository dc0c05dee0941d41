/**
 * The formats of stored and imported password hashes. Must not hash.
 *
 * @module
 */

const ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const PLAIN = /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/;
const PREHASHED = /^\$bcrypt-sha256\$v=2,t=2b,r=(\d{1,2})\$([./A-Za-z0-9]{22})\$([./A-Za-z0-9]{31})$/;

/** The parts of a stored hash. */
export interface Stored {
  /** Whether HMAC-SHA-256 comes before bcrypt. */
  prehashed: boolean;
  /** Base-2 logarithm of the rounds. */
  cost: number;
  /** 22 characters of bcrypt's alphabet. */
  salt: string;
  /** 31 characters of bcrypt's alphabet. */
  digest: string;
}

/** Whether a text is a hash that can be checked: `$2a$`, `$2b$`, `$2y$` or bcrypt-sha256, with a cost of 4 to 16. */
export function isPasswordHash(hashed: string): boolean {
  return parseHash(hashed) !== undefined;
}

/**
 * Splits a stored hash into its parts; undefined for other formats. `$2x$` is refused: it marks hashes of a program
 * with a sign error, which match wrong passwords (V64).
 */
export function parseHash(hashed: string): Stored | undefined {
  const plain = PLAIN.exec(hashed);
  const [, cost, salt, digest] = plain ?? PREHASHED.exec(hashed) ?? [];
  if (cost === undefined || Number(cost) < 4 || Number(cost) > 16) return undefined;
  return {
    prehashed: plain === null,
    cost: Number(cost),
    salt: withoutSpareBits(salt, 4),
    digest: withoutSpareBits(digest, 2),
  };
}

/**
 * Sets the spare bits of the last character to zero: 22 characters hold 4 bits more than a salt, 31 hold 2 more than a
 * digest. Some programs leave them set. bcrypt itself makes them zero, and such a text would never match. passlib
 * repairs them in the same way.
 */
function withoutSpareBits(text: string, spare: 2 | 4): string {
  const value = ALPHABET.indexOf(text.at(-1)!);
  return text.slice(0, -1) + ALPHABET[value - value % 2 ** spare];
}
