/**
 * The formats of stored and imported password hashes. Must not hash.
 *
 * @module
 */

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
  return { prehashed: plain === null, cost: Number(cost), salt, digest };
}
