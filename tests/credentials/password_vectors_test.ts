/**
 * Hashes of other systems in this service, and its hashes in another system: the formats are the published ones.
 *
 * @module
 */
import assert from "node:assert/strict";
import { isPasswordHash } from "../../auth/credentials/password_hash_format.ts";
import { hashPassword, verifyPassword } from "../../auth/credentials/passwords.ts";
import { updateUser } from "../../db/users.ts";
import { recordHashes, withBcrypt } from "../kit/hash_recorder.ts";
import { type Service, test } from "../kit/service.ts";

/**
 * Made by passlib 1.7.4 with Python's bcrypt 3.2.2 (Debian's python3-passlib), by
 * `bcrypt_sha256.using(rounds=4).hash(password)` and `bcrypt.using(rounds=4).hash(password)`.
 */
const PASSLIB: [name: string, password: string, hash: string][] = [
  [
    "73 bytes of ASCII",
    "x".repeat(73),
    "$bcrypt-sha256$v=2,t=2b,r=4$oUgHD3JAfirlXwwr9TEtz.$rMtkzW/klHlNXRUcZJfMDtOlKI8zDLm",
  ],
  [
    "74 bytes in 37 letters",
    "é".repeat(37),
    "$bcrypt-sha256$v=2,t=2b,r=4$1hqg/ALPU/8OfpFLboXcMO$QEK6SaLy.eNVeA1Ta6pj99EkN9.Xd0u",
  ],
  [
    "words",
    "correct horse battery staple ".repeat(4),
    "$bcrypt-sha256$v=2,t=2b,r=4$czTrLE20kR6glTPKWn2Si.$0NFDAWvJlxSABaSFYeWuSIQ3KsmM1TC",
  ],
  [
    "Cyrillic",
    "пароль-".repeat(12),
    "$bcrypt-sha256$v=2,t=2b,r=4$a/HWZohCo90cjo/tCnjwLu$eNAfNh.00.S7Mprthl0s695LXuyGZ72",
  ],
  [
    "1024 bytes of emoji",
    "\u{1F600}".repeat(256),
    "$bcrypt-sha256$v=2,t=2b,r=4$OjL3PRl2MQ2kUhhHneO4Ru$ePBYQEbu23t.MCgfAlu6JH/BvVj2n4S",
  ],
  [
    "a short password in the long format",
    "short",
    "$bcrypt-sha256$v=2,t=2b,r=4$otm2tZo.7G94EbAOhGktZu$2Esc98G91lL6ZL0iVXse6nmSU4xA1yC",
  ],
  ["72 bytes of ASCII", "x".repeat(72), "$2b$04$3PU/t8twtNRoFloBxqOE2uyPCw9wwn/9XuBVWf810WqaGhEihqzWu"],
  ["72 bytes in 36 letters", "é".repeat(36), "$2b$04$jVbK/BaQJuhcTs0Sjj9bteQCtdL18oWRlQIs4WKtVZCYo9fq/enUa"],
  ["the exercise's password", "b4l0u", "$2b$04$69mA38.SDfhh4JuP8HP6RO0GXJGqyQXS01qfrq5aL2jxHJvoM7VY6"],
  ["spaces around", " a ", "$2b$04$UCUJLWan3aQs/FCafBL.M.Fw3EZriqfAcgDw3ntzAPVvVEeBqNWNK"],
];

/**
 * Bytes of 0x80 and more, in which old programs had a sign error. Made by libxcrypt (`crypt.crypt` of Python 3.11) with
 * the salt of crypt_blowfish's published test of these bytes; its `$2x$` line for "ё" is the published one. The often
 * quoted bytes `ff a3` alone are not UTF-8 and cannot be a password here; "ÿ£" holds the same characters of Latin-1.
 */
const EIGHT_BIT: [password: string, tail: string, tailWithSignError: string][] = [
  [
    "ё",
    "6bNw2HLQYeqHYyBfLMsv/OUcZd0LKP39b87nBw3.S2tVZSqiQX6eu",
    "6bNw2HLQYeqHYyBfLMsv/OiwqTymGIGzFsA4hOTWebfehXHNprcAS",
  ],
  [
    "ÿ£",
    "6bNw2HLQYeqHYyBfLMsv/OAyr0VXooUPY4AaG2U0xFlaiV05QLtEa",
    "6bNw2HLQYeqHYyBfLMsv/Opq.Kc4S5i1wLe6Bo80TCWyXxjYdbKjq",
  ],
];

const EMAIL = "guillaume@holberton.io";

/** The password with another last letter. */
function almost(password: string): string {
  return [...password].slice(0, -1).join("") + "!";
}

async function importHash(service: Service, hashed: string): Promise<void> {
  const [row] = await service.rows<{ id: string }>("SELECT id FROM users WHERE email_key = $1", EMAIL);
  await updateUser(service.auth.db, row.id, { hashed_password: hashed });
}

test("S11: V65: hashes made by passlib accept their password and no other", async (service) => {
  await service.register(EMAIL, "another");
  for (const [name, password, hash] of PASSLIB) {
    assert.equal(isPasswordHash(hash), true, name);
    await importHash(service, hash);
    await service.logIn(EMAIL, password);
    const wrong = await service.send("POST", "/sessions", { email: EMAIL, password: almost(password) });
    assert.equal(wrong[0], 401, name);
  }
});

test("B9: set spare bits in the last character of a salt or digest change nothing", async (service) => {
  const alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const raised = (text: string, end: number, by: number): string =>
    text.slice(0, end - 1) + alphabet[alphabet.indexOf(text[end - 1]) + by] + text.slice(end);
  for (const [name, password, hash] of PASSLIB) {
    const salt = hash.length - 31 - (hash.startsWith("$bcrypt") ? 1 : 0);
    for (
      const odd of [
        raised(hash, hash.length, 1),
        raised(hash, hash.length, 3),
        raised(hash, salt, 1),
        raised(hash, salt, 15),
      ]
    ) {
      assert.notEqual(odd, hash);
      assert.ok(isPasswordHash(odd), name);
      assert.ok((await verifyPassword(service.auth, password, odd)).valid, `${name}: ${odd}`);
      assert.ok(!(await verifyPassword(service.auth, `${[...password].slice(0, -1).join("")}!`, odd)).valid, name);
    }
  }
});

test("V64: $2a$, $2b$ and $2y$ hashes of 8-bit characters are accepted and renewed as $2b$", async (service) => {
  await service.register(EMAIL, "another");
  for (const scheme of ["$2a$", "$2b$", "$2y$"]) {
    for (const [password, tail] of EIGHT_BIT) {
      await importHash(service, `${scheme}05$${tail}`);
      await service.logIn(EMAIL, password);
      const [row] = await service.rows<{ hashed_password: string }>(
        "SELECT hashed_password FROM users WHERE email_key = $1",
        EMAIL,
      );
      assert.match(row.hashed_password, /^\$2b\$05\$/, scheme);
      assert.equal((await service.send("POST", "/sessions", { email: EMAIL, password: "z" }))[0], 401);
    }
  }
}, { BCRYPT_COST: "5" });

test(
  "V64: hashes with the sign error, a bad cost or a bad length are refused, at the cost of one hash",
  async (service) => {
    await service.register(EMAIL, "another");
    const [[password, tail, tailWithSignError]] = EIGHT_BIT;
    const refused = [
      `$2x$05$${tailWithSignError}`,
      `$2x$05$${tail}`,
      `$2y$05$${tailWithSignError}`,
      `$2$05$${tail}`,
      ...["03", "17", "31", "32", "99", "5", "-5", "1e"].map((cost) => `$2b$${cost}$${tail}`),
      `$2b$05$${tail.slice(0, -1)}`,
      `$2b$05$${tail}.`,
      `$2b$05$${tail}\n`,
      ` $2b$05$${tail}`,
      `$2b$05$${tail.replace("/", "=")}`,
      PASSLIB[0][2].replace("v=2", "v=1"),
      PASSLIB[0][2].replace("r=4", "r=31"),
      PASSLIB[0][2].replace("t=2b", "t=2x"),
      PASSLIB[0][2].slice(0, -1),
      "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaO",
      "plain",
      "",
    ];
    const { auth, costs } = recordHashes(service.auth);
    for (const hash of refused) {
      await importHash(service, hash);
      costs.length = 0;
      assert.equal((await verifyPassword(auth, password, hash)).valid, false, hash);
      assert.deepEqual(costs, [4 + Number(hash.startsWith("$2y$"))], hash);
      assert.equal((await service.send("POST", "/sessions", { email: EMAIL, password }))[0], 401, hash);
    }
  },
  { THROTTLE: "observe" },
);

test("V64: bcrypt is only called with the scheme $2b$, whatever the stored scheme", async (service) => {
  const salts: string[] = [];
  const auth = withBcrypt(service.auth, (_password, salt) => {
    salts.push(salt);
    return Promise.reject(new Error("not asked for a hash here"));
  });
  for (const scheme of ["$2a$", "$2b$", "$2y$"]) {
    await assert.rejects(verifyPassword(auth, "ё", `${scheme}05$${EIGHT_BIT[0][1]}`));
  }
  assert.deepEqual(salts, Array(3).fill(`$2b$05$${EIGHT_BIT[0][1].slice(0, 22)}`));
});

const PYTHON = "/usr/bin/python3";

/** Passlib's answers for pairs of password and hash, or undefined where it is not installed. */
async function askPasslib(pairs: [string, string][]): Promise<boolean[] | undefined> {
  const program = "import json, sys\n" +
    "from passlib.context import CryptContext\n" +
    "known = CryptContext(['bcrypt', 'bcrypt_sha256'])\n" +
    "print(json.dumps([known.verify(password, hash) for password, hash in json.load(sys.stdin.buffer)]))";
  try {
    const child = new Deno.Command(PYTHON, { args: ["-c", program], stdin: "piped", stdout: "piped", stderr: "null" })
      .spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(JSON.stringify(pairs)));
    await writer.close();
    const { success, stdout } = await child.output();
    return success ? JSON.parse(new TextDecoder().decode(stdout)) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const passlib = await askPasslib([]) !== undefined;
if (!passlib) console.log("SKIPPED: hashes from here checked by passlib, since python3-passlib is not installed");

test("V65: passlib accepts our hashes for their password and no other", async (service) => {
  if (!passlib) return;
  const pairs: [string, string][] = [];
  for (const [, password] of PASSLIB) {
    const hashed = await hashPassword(service.auth, password);
    pairs.push([password, hashed], [almost(password), hashed]);
  }
  assert.deepEqual(await askPasslib(pairs), PASSLIB.flatMap(() => [true, false]));
});
