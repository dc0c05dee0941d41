/**
 * WebAssembly's bcrypt: the same hashes as the native addon's, about a quarter slower, on the calling thread. Must not
 * decide when it is used.
 *
 * @module
 */

/** bcrypt's base64 alphabet, which differs from all others. */
const ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const SALT = /^\$2b\$(\d\d)\$([./A-Za-z0-9]{22})/;

/**
 * The `$2b$` hash of a password of 1 to 72 bytes. Blocks its thread for the time of a login. Throws for a longer
 * password, instead of ignoring its end (V61), and for an invalid salt.
 */
export async function wasmBcrypt(password: string, salt: string): Promise<string> {
  const [, cost, text] = SALT.exec(salt) ?? [];
  if (text === undefined) throw new TypeError("this is not a salt of bcrypt");
  // Imported late: with the native addon it is never needed.
  const { bcrypt } = await import("hash-wasm");
  const hash = await bcrypt({ password, salt: saltBytes(text), costFactor: Number(cost), outputType: "encoded" });
  // hash-wasm writes `$2a$`. Without a NUL, which the rules refuse, 2a and 2b are the same algorithm here.
  return `$2b$${hash.slice(4)}`;
}

/** Decodes 22 characters to 16 bytes. Four bits of the last character have no meaning; bcrypt ignores them. */
function saltBytes(text: string): Uint8Array {
  const standard = text.replace(/./g, (char) => STANDARD[ALPHABET.indexOf(char)]);
  return Uint8Array.fromBase64(standard, { lastChunkHandling: "loose" });
}
