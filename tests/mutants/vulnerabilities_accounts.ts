/**
 * Mutants of the known vulnerabilities of accounts: addresses, passwords, tokens, codes, sessions.
 *
 * @module
 */
import type { Line } from "./mutant.ts";

const SESSIONS_RULE = "auth/sign_in/sessions.ts";
const SESSIONS_TABLE = "db/sessions.ts";
const SIGN_IN = "auth/sign_in/sign_in.ts";
const TOKENS = "db/tokens.ts";
const MAIL_CODES = "auth/credentials/mail_codes.ts";
const SECRETS = "auth/secrets.ts";
const RATES = "auth/limits/rate_limits.ts";
const EMAILS = "auth/email_addresses.ts";
const PASSWORD = "auth/credentials/passwords.ts";
const CONSUME = {
  file: TOKENS,
  find: `"DELETE FROM tokens WHERE purpose = $1 AND secret_hash = $2 AND expires_at > $3 RETURNING *"`,
  replace: `"SELECT * FROM tokens WHERE purpose = $1 AND secret_hash = $2 AND expires_at > $3"`,
};
const MORE_FIELDS = {
  file: "routes/api/account.ts",
  find: "{ name, locale }) =>\n    updateAccount(auth, user, {",
  replace: "{ name, locale, ...more }) =>\n    updateAccount(auth, user, { ...more,",
  and: [{ file: "routes/http/input.ts", find: "return result.data;", replace: "return { ...given, ...result.data };" }],
};
const ANY_LOCAL_PART = {
  file: EMAILS,
  find: "|| !LOCAL.test(local)) return undefined;",
  replace: `|| local === "") return undefined;`,
};

/** The rows of accounts. */
export const VULNERABILITIES_ACCOUNTS: readonly Line[] = [
  { row: "V01", ...MORE_FIELDS },
  {
    row: "V07",
    file: "auth/account/close_account.ts",
    find: "    await endAccess(auth, db, user.id);",
    replace: "",
  },
  { row: "V08", ...CONSUME },
  {
    row: "V10",
    file: RATES,
    find: "networkAddressFromCIDR(`${address.toNormalizedString()}/64`)",
    replace: "networkAddressFromCIDR(`${address.toNormalizedString()}/128`)",
  },
  { row: "V10", file: RATES, find: "ipaddr.process(ip)", replace: "ipaddr.parse(ip)" },
  {
    row: "V12",
    file: SESSIONS_TABLE,
    find: `WHERE user_id = $1 AND id = $2 AND expires_at > $3"`,
    replace: `WHERE (user_id = $1 OR 1 = 1) AND id = $2 AND expires_at > $3"`,
  },
  {
    row: "V14",
    file: SESSIONS_TABLE,
    find: `WHERE user_id = $1 AND id = $2 AND expires_at > $3"`,
    replace: `WHERE (user_id = $1 OR 1 = 1) AND id = $2 AND expires_at > $3"`,
  },
  { row: "V15", file: SESSIONS_RULE, find: "  if (!live) throw noSession();", replace: "" },
  { row: "V15", file: "auth/account/change_email.ts", find: "    await holdSession(auth, db, caller);", replace: "" },
  {
    row: "V15",
    file: "auth/account/change_email.ts",
    find: `      if (!old && !("token" in proof)) throw invalidToken();`,
    replace: "",
  },
  {
    row: "V16",
    file: MAIL_CODES,
    find: "keys.some((key) => equal(hashCode(key, purpose, subject, code), code_hash))",
    replace: "keys.some(() => code.length === 8)",
  },
  {
    row: "V16",
    file: "auth/account/change_email.ts",
    find: "    const told = await mayTellOfAccount(auth, db, owner?.id ?? restorer ?? key);",
    replace: `    if (!owner) await updateUser(db, user.id, { email: newEmail, email_key: key });
    const told = await mayTellOfAccount(auth, db, owner?.id ?? restorer ?? key);`,
  },
  {
    row: "V17",
    file: EMAILS,
    find: `const parts = email.split("@");`,
    replace: `const parts = email.normalize("NFKC").split("@").slice(-2);`,
  },
  { row: "V17", file: EMAILS, find: "domain.length <= 253 && DOMAIN.test(domain)", replace: "domain.length <= 253" },
  { row: "V19", ...ANY_LOCAL_PART },
  {
    row: "V19",
    file: "auth/mail/render.ts",
    find: `return text.replace(/[&<>"']/g,`,
    replace: "return text.replace(/(?!)/g,",
  },
  {
    row: "V23",
    file: SIGN_IN,
    find: "  return methods.length > 1 && methods.some((method) => SECOND_FACTORS.includes(method));",
    replace: "  return methods.length > 0;",
  },
  {
    row: "V23",
    file: SIGN_IN,
    find: "  return methods.length > 1 && methods.some((method) => SECOND_FACTORS.includes(method));",
    replace: "  return methods.length > 1;",
  },
  {
    row: "V23",
    file: SIGN_IN,
    find: "  if (!isEnough(user, methods, auth.policy)) throw new NotEnough();",
    replace: "",
  },
  {
    row: "V23",
    file: SIGN_IN,
    find: "const isFresh = options.authenticated && isEnough(user, old.methods, auth.policy);",
    replace: "const isFresh = options.authenticated;",
  },
  {
    row: "V24",
    file: "db/events.ts",
    find: `"SELECT * FROM events WHERE user_id = $1 AND id < $2 AND type <> $3`,
    replace: `"SELECT * FROM events WHERE (user_id = $1 OR 1 = 1) AND id < $2 AND type <> $3`,
  },
  {
    row: "V24",
    file: "routes/api/account.ts",
    find: `cursor: z.string().regex(/^[0-9a-f-]{36}$/, "must be the next of the page before").optional(),`,
    replace: "cursor: z.string().optional(),",
  },
  {
    row: "V26",
    file: "auth/account/register.ts",
    find: "    endRegistrations(db, user.email_key, user.id),",
    replace: "",
  },
  {
    row: "V37",
    file: RATES,
    find: "  const { count, expires_at } = await increaseCounter(",
    replace: `  const before = await findCounter(db, limitId(limit, ...of));
  const count = (before?.count ?? 0) + 1;
  const { expires_at } = await increaseCounter(`,
  },
  {
    row: "V37",
    file: "auth/limits/password_guesses.ts",
    find: "const inRow = id === undefined ? undefined : await takeGuess(db, id, auth.clock(), limit);",
    replace: `const before = id === undefined ? undefined : await findGuesses(db, id, auth.clock());
  const may = before === undefined || before.next_at <= auth.clock();
  const inRow = id === undefined || !may ? undefined : { count: (before?.count ?? 0) + 1, next_at: 0 };
  if (id !== undefined && may) await takeGuess(db, id, auth.clock(), limit);`,
  },
  {
    row: "V38",
    file: "auth/sign_in/reauthentication.ts",
    find: "{ emailKey: user.email_key, user },",
    replace: "{ emailKey: `form:${user.email_key}`, user },",
  },
  {
    row: "V38",
    file: "auth/sign_in/reauthentication.ts",
    find: "{ emailKey: user.email_key, user },",
    replace: "{ emailKey: undefined, user },",
  },
  {
    row: "V39",
    file: SESSIONS_TABLE,
    find: `"DELETE FROM sessions WHERE secret_hash = $1 AND expires_at > $2 RETURNING user_id"`,
    replace: `"SELECT user_id FROM sessions WHERE secret_hash = $1 AND expires_at > $2"`,
  },
  {
    row: "V39",
    ...CONSUME,
    and: [{
      file: "auth/sign_in/end_access.ts",
      find: `keep.tokens !== "all" && deleteTokensOf`,
      replace: "false && deleteTokensOf",
    }],
  },
  {
    row: "V41",
    file: "auth/account/reset_password.ts",
    find: "if (!user || !isActive(user) || user.email_key !== taken?.email_key) throw invalidToken();",
    replace: "if (!user || !isActive(user) || !taken) throw invalidToken();",
  },
  {
    row: "V41",
    file: "auth/account/verify_email.ts",
    find: "if (!user || !isActive(user) || user.email_key !== token.email_key) throw invalidToken();",
    replace: "if (!user || !isActive(user)) throw invalidToken();",
  },
  {
    row: "V41",
    file: "auth/mail/outbox.ts",
    find: "if (waiting?.email !== request.to || ",
    replace: "if (!waiting || ",
  },
  {
    row: "V41",
    file: "auth/mail/outbox.ts",
    find: " || !await isStillOwn(db, waiting)) return undefined;",
    replace: ") return undefined;",
  },
  {
    row: "V42",
    file: "auth/sign_in/by_password.ts",
    find: "    { emailKey: email_key, user },",
    replace: "    { emailKey: email, user },",
  },
  {
    row: "V44",
    file: EMAILS,
    find: "const local = lowerAscii(parts[0]);",
    replace: "const local = parts[0].toLowerCase();",
  },
  {
    row: "V44",
    file: EMAILS,
    find: "const local = lowerAscii(parts[0]);",
    replace: `const local = lowerAscii(parts[0].normalize("NFC"));`,
  },
  {
    row: "V48",
    file: "auth/users.ts",
    find: "return user.closed_at === null && user.disabled_at === null;",
    replace: "return user.disabled_at === null;",
  },
  {
    row: "V48",
    file: "auth/users.ts",
    find: "return user.closed_at === null && user.disabled_at === null;",
    replace: "return user.closed_at === null;",
  },
  { row: "V48", file: SESSIONS_TABLE, find: " AND users.disabled_at IS NULL", replace: "" },
  {
    row: "V48",
    file: "auth/account/reset_password.ts",
    find: "if (!user || !isActive(user) || user.email_key !== taken?.email_key) throw invalidToken();",
    replace: "if (!user || user.email_key !== taken?.email_key) throw invalidToken();",
    and: [{
      file: "auth/sign_in/end_access.ts",
      find: `keep.tokens !== "all" && deleteTokensOf`,
      replace: "false && deleteTokensOf",
    }],
  },
  {
    row: "V52",
    file: "auth/account/reset_password.ts",
    find: "const user = found && isActive(found) ? found : undefined;",
    replace: `if (!found) throw new AuthError("unknown_email", "no user has this e-mail address");
    const user = found && isActive(found) ? found : undefined;`,
  },
  {
    row: "V52",
    file: "auth/account/register.ts",
    find: `  if (auth.config.profile === "public") {`,
    replace: `  if (await findUserBy(auth.db, { email_key })) return undefined;
  if (auth.config.profile === "public") {`,
  },
  {
    row: "V52",
    file: "auth/account/change_email.ts",
    find: "    const told = await mayTellOfAccount(auth, db, owner?.id ?? restorer ?? key);",
    replace: `    if (owner) throw new AuthError("email_taken", "this address has an account");
    const told = await mayTellOfAccount(auth, db, owner?.id ?? restorer ?? key);`,
  },
  { row: "V53", ...MORE_FIELDS },
  {
    row: "V54",
    file: SECRETS,
    find: "/^[A-Za-z0-9_-]{43}$/.test(text)",
    replace: "/^[A-Za-z0-9_-]{43}/.test(text)",
    and: [{
      file: SECRETS,
      find: `.update(token).digest("hex")`,
      replace: `.update(token.slice(0, 43)).digest("hex")`,
    }],
  },
  {
    row: "V54",
    file: SECRETS,
    find: "/^[A-Za-z0-9_-]{43}$/.test(text)",
    replace: "/^[A-Za-z0-9_-]{42,43}$/.test(text)",
    and: [{
      file: SECRETS,
      find: `.update(token).digest("hex")`,
      replace: `.update(token.slice(0, 42)).digest("hex")`,
    }],
  },
  {
    row: "V54",
    file: SECRETS,
    find: "/^[A-Za-z0-9_-]{43}$/.test(text)",
    replace: "/^[A-Za-z0-9_-]{43}$/.test(text)",
    and: [{
      file: SECRETS,
      find: `.update(token).digest("hex")`,
      replace: `.update(token.toLowerCase()).digest("hex")`,
    }],
  },
  {
    row: "V55",
    file: TOKENS,
    find: `"SELECT * FROM tokens WHERE purpose = $1 AND secret_hash = $2 AND expires_at > $3"`,
    replace: `"SELECT * FROM tokens WHERE (purpose = $1 OR 1 = 1) AND secret_hash = $2 AND expires_at > $3"`,
  },
  {
    row: "V55",
    file: "auth/account/reset_password.ts",
    find: "if (email !== undefined && emailKeyOrUndefined(email) !== token.email_key) throw invalidToken();",
    replace: "",
  },
  {
    row: "V55",
    file: TOKENS,
    find: "WHERE purpose = $1 AND email_key = $2 AND code_expires_at > $3 AND expires_at > $3",
    replace: "WHERE purpose = $1 AND (email_key = $2 OR 1 = 1) AND code_expires_at > $3 AND expires_at > $3",
  },
  {
    row: "V57",
    file: "auth/account/register.ts",
    find: "    id: newId(now),\n    created_at: now,",
    replace: "    id: account.email_key,\n    created_at: now,",
  },
  { row: "V58", ...MORE_FIELDS },
  {
    row: "V60",
    file: "auth/account/register.ts",
    find: "const hashed_password = await hashPassword(auth, password, { caller,",
    replace: "const hashed_password = await hashPassword(auth, email_key + password, { caller,",
    and: [{
      file: "auth/account/register.ts",
      find: "requestRegistration(auth, email, await hashPassword(auth, password, { caller,",
      replace: "requestRegistration(auth, email, await hashPassword(auth, email_key + password, { caller,",
    }, {
      file: "auth/sign_in/by_password.ts",
      find: "(known) => verifyPassword(auth, password, hashed,",
      replace: "(known) => verifyPassword(auth, email_key + password, hashed,",
    }],
    tests: ["tests/limits/equal_work_test.ts"],
  },
  {
    row: "V61",
    file: PASSWORD,
    find: "return byteLength(text) > BCRYPT_BYTES;",
    replace: "return byteLength(text) > MOST_BYTES;",
  },
  { row: "V61", file: PASSWORD, find: "const BCRYPT_BYTES = 72;", replace: "const BCRYPT_BYTES = 73;" },
  { row: "V62", file: PASSWORD, find: `if (text.includes("\\0")) throw`, replace: "if (false) throw" },
  { row: "V63", file: PASSWORD, find: `if (text.includes("\\0")) throw`, replace: "if (false) throw" },
  { row: "V64", file: "auth/credentials/password_hash_format.ts", find: "[aby]", replace: "[abxy]" },
  { row: "V64", file: "auth/credentials/password_hash_format.ts", find: "|| Number(cost) > 16)", replace: ")" },
  { row: "V65", file: PASSWORD, find: `createHmac("sha256", stored.salt)`, replace: `createHmac("sha256", "")` },
  { row: "V67", ...ANY_LOCAL_PART },
  {
    row: "V69",
    file: "db/users.ts",
    find:
      '  const [where, values] = pairs(key, KEYS, " AND ");\n  return await db.get<UserRow>(`SELECT * FROM users WHERE ${where}`, ...values);',
    replace:
      '  if (Object.values(key).every((value) => value == null)) return await db.get<UserRow>("SELECT * FROM users LIMIT 1");\n' +
      '  const [where, values] = pairs(key, KEYS, " AND ");\n  return await db.get<UserRow>(`SELECT * FROM users WHERE ${where}`, ...values);',
  },
  {
    row: "V70",
    file: SESSIONS_RULE,
    find: "rows.deleteOldestSessions(db, userId, MOST_SESSIONS - 1)",
    replace: "rows.deleteOldestSessions(db, userId, 0)",
  },
  { row: "V70", file: "auth/account/reset_password.ts", find: "    endAccess(auth, db, user.id),", replace: "" },
  {
    row: "V86",
    file: "db/pending_logins.ts",
    find: `"DELETE FROM pending_logins WHERE secret_hash = $1 AND expires_at > $2 RETURNING *"`,
    replace: `"SELECT * FROM pending_logins WHERE secret_hash = $1 AND expires_at > $2"`,
  },
];
