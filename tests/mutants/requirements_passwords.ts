/**
 * Mutants of the rows S1 to S23: passwords, guesses, and what is told of them.
 *
 * @module
 */
import type { Line } from "./mutant.ts";

const POLICY = "auth/credentials/password_policy.ts";
const PASSWORD = "auth/credentials/passwords.ts";
const GUESSES = "auth/limits/password_guesses.ts";
const BY_PASSWORD = "auth/sign_in/by_password.ts";

/** S1 to S23. */
export const PASSWORDS: readonly Line[] = [
  { row: "S1", file: POLICY, find: "if ([...text].length < context.minLength)", replace: "if (text.length === 0)" },
  {
    row: "S1",
    file: POLICY,
    find: "if ([...text].length < context.minLength)",
    replace: "if (text.length < context.minLength)",
  },
  { row: "S2", file: PASSWORD, find: "const MOST_BYTES = 1024;", replace: "const MOST_BYTES = 72;" },
  {
    row: "S2",
    file: PASSWORD,
    find: "return byteLength(text) > BCRYPT_BYTES;",
    replace: "return byteLength(text) > MOST_BYTES;",
  },
  { row: "S3", file: PASSWORD, find: `password.normalize("NFC")`, replace: `password.trim().normalize("NFC")` },
  { row: "S3", file: PASSWORD, find: `password.normalize("NFC")`, replace: `password.toLowerCase().normalize("NFC")` },
  { row: "S3", file: PASSWORD, find: `password.normalize("NFC")`, replace: `password.normalize("NFC").slice(0, 72)` },
  { row: "S4", file: POLICY, find: "if (isCommon(folded)) throw", replace: `if (!/\\d/.test(folded)) throw` },
  { row: "S4", file: POLICY, find: "if (isCommon(folded)) throw", replace: `if (/ /.test(folded)) throw` },
  { row: "S5", file: POLICY, find: "if (isCommon(folded)) throw", replace: "if (false) throw" },
  { row: "S6", file: POLICY, find: `if (isPartOf(fold(context.email ?? ""), piece))`, replace: "if (false)" },
  { row: "S6", file: POLICY, find: "if (isPartOf(fold(context.appName), piece))", replace: "if (false)" },
  {
    row: "S7",
    file: "auth/admin/users.ts",
    find: "await updateUser(db, user.id, { hashed_password: null, updated_at: auth.clock() });",
    replace: "",
  },
  { row: "S8", why: "There is no code: the protection is that no field and no column for a hint exists." },
  { row: "S9", file: PASSWORD, find: `password.normalize("NFC")`, replace: "password" },
  { row: "S9", file: PASSWORD, find: `password.normalize("NFC")`, replace: `password.normalize("NFKC")` },
  {
    row: "S10",
    file: PASSWORD,
    find: "const salt = bcryptBase64(crypto.getRandomValues(new Uint8Array(16)));",
    replace: "const { salt } = NOBODY;",
  },
  { row: "S10", file: "main.ts", find: "if (config.bcryptCost < 10)", replace: "if (config.bcryptCost < 4)" },
  {
    row: "S11",
    file: BY_PASSWORD,
    find: "return outdated ? await renewHash(auth, user, password, caller) : user;",
    replace: "return user;",
  },
  {
    row: "S12",
    file: "auth/runtime/keyring.ts",
    find: "id: `${purpose}-1`, purpose, secret: randomToken(),",
    replace: 'id: `${purpose}-1`, purpose, secret: purpose.padEnd(43, "0"),',
  },
  {
    row: "S13",
    file: "routes/api/account.ts",
    find: "{ name, locale }) =>\n    updateAccount(auth, user, {",
    replace: "{ name, locale, ...more }) =>\n    updateAccount(auth, user, { ...more,",
    and: [{
      file: "routes/http/input.ts",
      find: "return result.data;",
      replace: "return { ...given, ...result.data };",
    }],
  },
  {
    row: "S14",
    file: "db/users.ts",
    find: `const KEYS: readonly UserKey[] = ["id", "email_key"];`,
    replace: `const KEYS = { includes: () => true } as unknown as readonly UserKey[];`,
  },
  {
    row: "S15",
    file: "routes/http/body.ts",
    find: "if (fields.has(name)) throw invalid(",
    replace: "if (false) throw invalid(",
  },
  {
    row: "S15",
    file: "routes/http/body.ts",
    find: "return keysOf(text).map((name) => [name, values.get(name)]);",
    replace: "return [...values];",
  },
  { row: "S15", file: "routes/http/input.ts", find: "if (doubled !== undefined) throw", replace: "if (false) throw" },
  {
    row: "S16",
    file: "auth/account/reset_password.ts",
    find: "const user = found && isActive(found) ? found : undefined;",
    replace: `if (!found) throw new AuthError("unknown_email", "no user has this e-mail address");
    const user = found && isActive(found) ? found : undefined;`,
  },
  {
    row: "S16",
    file: "auth/account/register.ts",
    find: `  if (auth.config.profile === "public") {`,
    replace: `  if (await findUserBy(auth.db, { email_key })) throw emailTaken(email);
  if (auth.config.profile === "public") {`,
  },
  {
    row: "S16",
    file: BY_PASSWORD,
    find: "  const hashed = user && maySignIn(auth, user) ? user.hashed_password : undefined;",
    replace: `  if (user && !maySignIn(auth, user)) throw new AuthError("login_required", "this account is closed");
  const hashed = user?.hashed_password;`,
  },
  {
    row: "S17",
    file: PASSWORD,
    find: "  const stored = hashed ? parseHash(hashed) : undefined;",
    replace: `  if (!hashed) return { valid: false, outdated: false };
  const stored = hashed ? parseHash(hashed) : undefined;`,
  },
  { row: "S17", file: PASSWORD, find: "isRight(digestIn(hash)) ? [] :", replace: "true ? [] :" },
  { row: "S17", file: BY_PASSWORD, find: "    await countFailedLogin(auth, caller);", replace: "" },
  {
    row: "S18",
    file: GUESSES,
    find: "} else if (inRow && inRow.count > limit.most) {",
    replace: "} else if (inRow && inRow.count > 10 * limit.most) {",
  },
  {
    row: "S18",
    file: "db/guesses.ts",
    find: "WHERE guesses.next_at <= $3 OR guesses.next_at > $3 + $6 OR guesses.expires_at <= $3\n     RETURNING",
    replace: "WHERE 1 = 1\n     RETURNING",
  },
  { row: "S18", file: "auth/account/reset_password.ts", find: "    forgetGuesses(db, user.email_key),", replace: "" },
  {
    row: "S19",
    file: GUESSES,
    find: "Promise.all([returnNetwork(), id !== undefined && deleteGuesses(db, id)])",
    replace: "Promise.all([returnNetwork()])",
  },
  {
    row: "S19",
    file: GUESSES,
    find: "Promise.all([returnNetwork(), id !== undefined && deleteGuesses(db, id)])",
    replace: "Promise.all([id !== undefined && deleteGuesses(db, id)])",
  },
  {
    row: "S19",
    file: GUESSES,
    find: "async () => void await decreaseCounter(db, networkId);",
    replace: `async () => void await db.run("DELETE FROM counters WHERE id = $1", networkId);`,
  },
  {
    row: "S20",
    file: "auth/limits/rate_limits.ts",
    find: "if (!within) throw refusalOf(auth, limit, until);",
    replace: "",
  },
  { row: "S20", file: GUESSES, find: "if (overNetwork) await refuse(auth, inNetwork.until);", replace: "" },
  {
    row: "S20",
    file: "auth/limits/rate_limits.ts",
    find: "limitId(limit, ...of), auth.clock(), limit.window)",
    replace: `limitId(limit, ...of, String(performance.timeOrigin)), auth.clock(), 1)`,
  },
  {
    row: "S21",
    file: "auth/sign_in/sign_in.ts",
    find: `told ? recordUndoable(auth, db, user, event, { kind: "new_device" }) : recordEvent(auth, db, event),`,
    replace: "recordEvent(auth, db, event),",
  },
  {
    row: "S21",
    file: "auth/account/change_password.ts",
    find:
      `await recordUndoable(auth, db, user, { type: "password_changed", id, caller }, { kind: "password_changed" });`,
    replace: "",
  },
  {
    row: "S22",
    file: BY_PASSWORD,
    find:
      `if (user) await recordEvent(auth, auth.db.relaxed, { type: "login_failed", userId: user.id, caller });\n  else {`,
    replace: "if (!user) {",
  },
  { row: "S22", file: "auth/events.ts", find: "db.onKept(() => logEvent(auth, event));", replace: "" },
  {
    row: "S22",
    file: "auth/events.ts",
    find: "details: JSON.stringify(event.details ?? {}),",
    replace: "details: JSON.stringify({ ...event.details, session: event.caller?.session }),",
  },
  {
    row: "S23",
    file: "auth/runtime/log.ts",
    find: "escapeControls(JSON.stringify(entry))",
    replace: "JSON.stringify(entry)",
  },
  {
    row: "S23",
    file: "auth/runtime/log.ts",
    find: "PLAIN.test(text) ? ",
    replace: "true ? ",
  },
  {
    row: "S23",
    file: "routes/cli/output.ts",
    find: "return text.replace(/[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}]/gu,",
    replace: "return text.replace(/(?!)/gu,",
  },
  {
    row: "S23",
    file: "auth/text.ts",
    find:
      '.replace(/[\\p{Cc}\\p{Zl}\\p{Zp}\\u061c\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060\\u2066-\\u2069\\ufeff]/gu, " ")',
    replace: "",
  },
];
