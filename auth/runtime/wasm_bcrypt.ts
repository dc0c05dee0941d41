/**
 * The bcrypt of WebAssembly: the same hashes as the native addon's, about a quarter slower, and on whichever thread calls
 * it. Must not decide when it is used.
 *
 * @module
 */

/** bcrypt's own alphabet for base64, which differs from all others. */
const ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const SALT = /^\$2b\$(\d\d)\$([./A-Za-z0-9]{22})/;

/**
 * The `$2b$` hash of a password of 1 to 72 bytes. Blocks its thread: as long as a login takes. Throws for a longer
 * password instead of forgetting its end (V61), and for a salt that is none.
 */
export async function wasmBcrypt(password: string, salt: string): Promise<string> {
  const [, cost, text] = SALT.exec(salt) ?? [];
  if (text === undefined) throw new TypeError("this is not a salt of bcrypt");
  // Imported late: the service with the native addon never needs it.
  const { bcrypt } = await import("hash-wasm");
  const hash = await bcrypt({ password, salt: saltBytes(text), costFactor: Number(cost), outputType: "encoded" });
  // Written as `$2a$`. Without a NUL, and the rules let none pass, 2a and 2b of this program are one algorithm.
  return `$2b$${hash.slice(4)}`;
}

/** The 16 bytes that 22 characters stand for; four bits of the last one mean nothing, and bcrypt ignores them. */
function saltBytes(text: string): Uint8Array {
  const standard = text.replace(/./g, (char) => STANDARD[ALPHABET.indexOf(char)]);
  return Uint8Array.fromBase64(standard, { lastChunkHandling: "loose" });
}
