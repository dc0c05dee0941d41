/**
 * Mutants of the rows S24 to S36: tokens, codes, and changes of an account.
 *
 * @module
 */
import type { Line } from "./mutant.ts";

const TOKENS = "db/tokens.ts";
const MAIL_TOKENS = "auth/credentials/mail_tokens.ts";
const MAIL_CODES = "auth/credentials/mail_codes.ts";
const SECRETS = "auth/secrets.ts";
const RESET = "auth/account/reset_password.ts";
const VERIFY = "auth/account/verify_email.ts";
const CHANGE_EMAIL = "auth/account/change_email.ts";
const MAIL_KINDS = "auth/mail_kinds.ts";
const END_ACCESS = "auth/sign_in/end_access.ts";

/** S24 to S36. */
export const ACCOUNTS: readonly Line[] = [
  {
    row: "S24",
    file: RESET,
    find: "user.email_key !== taken?.email_key) throw invalidToken();",
    replace: "user.email_key !== token.email_key) throw invalidToken();",
  },
  {
    row: "S24",
    file: TOKENS,
    find: `"DELETE FROM tokens WHERE purpose = $1 AND secret_hash = $2 AND expires_at > $3 RETURNING *"`,
    replace: `"SELECT * FROM tokens WHERE purpose = $1 AND secret_hash = $2 AND expires_at > $3"`,
    and: [{ file: END_ACCESS, find: `keep.tokens !== "all" && deleteTokensOf`, replace: "false && deleteTokensOf" }],
  },
  {
    row: "S25",
    file: SECRETS,
    find: "crypto.getRandomValues(new Uint8Array(32)).toBase64",
    replace: "crypto.getRandomValues(new Uint8Array(32)).fill(0, 4).toBase64",
  },
  {
    row: "S26",
    file: SECRETS,
    find: `digest.setFromHex(createHash("sha256").update(token).digest("hex"));`,
    replace: "return token;",
  },
  { row: "S26", file: MAIL_CODES, find: `createHmac("sha256", key)`, replace: `createHmac("sha256", "")` },
  {
    row: "S27",
    file: MAIL_KINDS,
    find: "lifetime: 30 * MINUTE, code: true",
    replace: "lifetime: 31 * MINUTE, code: true",
  },
  { row: "S27", file: RESET, find: "const LIFETIME = 30 * 60_000;", replace: "const LIFETIME = 31 * 60_000;" },
  {
    row: "S27",
    file: TOKENS,
    find: `"SELECT * FROM tokens WHERE purpose = $1 AND secret_hash = $2 AND expires_at > $3"`,
    replace: `"SELECT * FROM tokens WHERE purpose = $1 AND secret_hash = $2 AND expires_at > $3 - $3"`,
    and: [{
      file: TOKENS,
      find: `"DELETE FROM tokens WHERE purpose = $1 AND secret_hash = $2 AND expires_at > $3 RETURNING *"`,
      replace: `"DELETE FROM tokens WHERE purpose = $1 AND secret_hash = $2 AND expires_at > $3 - $3 RETURNING *"`,
    }],
  },
  {
    row: "S27",
    file: RESET,
    find: "addResetToken(auth, db, user, user.id, { hash: hashToken(token)",
    replace: "addResetToken(auth, db, user, newId(auth.clock()), { hash: hashToken(token)",
  },
  {
    row: "S27",
    file: "auth/account/change_password.ts",
    find: "    await endAccess(auth, db, user.id, { devices: { mark } });",
    replace: "",
  },
  { row: "S28", file: END_ACCESS, find: `keep.tokens !== "all" && deleteTokensOf`, replace: "false && deleteTokensOf" },
  {
    row: "S28",
    file: END_ACCESS,
    find: "    deleteSessionsOf(db, userId, session, auth.clock()),",
    replace: "    0,",
  },
  { row: "S28", file: RESET, find: "    endAccess(auth, db, user.id),", replace: "" },
  {
    row: "S28",
    file: CHANGE_EMAIL,
    find: `  await endAccess(auth, db, user.id, { devices: "all" });\n`,
    replace: "",
  },
  {
    row: "S28",
    file: TOKENS,
    find: `AND purpose <> $2 AND purpose <> $3";\n  return db.run(sql, userId, "undo", except);`,
    replace: `AND purpose <> $2";\n  return db.run(sql, userId, except === "undo" ? "" : except);`,
    tests: ["tests/account/moved_address_test.ts", "tests/credentials/tokens_test.ts"],
  },
  {
    row: "S29",
    why:
      "No code of a reset makes a session, so there is nothing to remove. tests/architecture_test.ts keeps the reset from importing the gate.",
  },
  {
    row: "S31",
    file: RESET,
    find: "if (email !== undefined && emailKeyOrUndefined(email) !== token.email_key) throw invalidToken();",
    replace: "",
  },
  {
    row: "S31",
    file: RESET,
    find: '  const token = await findMailToken(auth, ["reset"], mail, caller);',
    replace: `  const token = await findMailToken(auth, ["reset"], mail, caller);
  if (email !== undefined && emailKeyOrUndefined(email) !== token.email_key) await takeMailToken(auth, auth.db, token);`,
  },
  {
    row: "S32",
    file: "routes/http/request_log.ts",
    find: `    c.set("headers", headers);`,
    replace: `    c.set("headers", headers);
    auth.origin = "https://" + c.req.header("host");`,
  },
  {
    row: "S33",
    file: RESET,
    find: `mail: askedMail(mail, user && mailTo(user, "reset", { subject: user.id })),`,
    replace: `mail: askedMail(mail, user && { ...mailTo(user, "reset", { subject: user.id }), to: email }),`,
    and: [{ file: "auth/mail/outbox.ts", find: "if (waiting?.email !== request.to || ", replace: "if (!waiting || " }],
  },
  {
    row: "S34",
    file: CHANGE_EMAIL,
    find: "const user = await reauthenticate(auth, signedIn, proof, caller);",
    replace: "const user = (await findUserBy(auth.db, { id: signedIn.id }))!;",
  },
  {
    row: "S34",
    file: "auth/sign_in/reauthentication.ts",
    find: "} else if (user.hashed_password !== null) {",
    replace: "} else if (false) {",
  },
  {
    row: "S34",
    file: CHANGE_EMAIL,
    find: `      mail: mailTo(user, "change_email_notice", { newEmail }),`,
    replace: "",
  },
  { row: "S35", file: VERIFY, find: "  await endAccess(auth, db, user.id);", replace: "" },
  {
    row: "S35",
    file: VERIFY,
    find: "waiting > 1 ? null : taken.hashed_password;",
    replace: "taken.hashed_password;",
    and: [{
      file: "auth/account/register.ts",
      find: "!known && first && others === 0 ? hashed : null,",
      replace: "known ? null : hashed,",
    }, {
      file: "auth/account/register.ts",
      find: "      dropRegistrationPasswords(db, email_key, now),",
      replace: "      0,",
    }],
  },
  {
    row: "S36",
    file: "auth/limits/rate_limits.ts",
    find: "return (await countWithin(auth, LIMITS.addressMails, { of: [purpose, emailKey] })).within;",
    replace: "return (await countWithin(auth, LIMITS.addressMails, { of: [purpose, emailKey] })).until > 0;",
  },
  {
    row: "S36",
    file: MAIL_TOKENS,
    find: "return await findByToken(auth, purposes, token) !== undefined;",
    replace: `const row = await findByToken(auth, purposes, token);
  if (row) await consumeToken(auth.db, row.purpose, row.secret_hash, auth.clock());
  return row !== undefined;`,
  },
  {
    row: "S36",
    file: MAIL_TOKENS,
    find: "return (await findByToken(auth, [purpose], token))?.email ?? undefined;",
    replace: `const row = await findByToken(auth, [purpose], token);
  if (row) await consumeToken(auth.db, row.purpose, row.secret_hash, auth.clock());
  return row?.email ?? undefined;`,
  },
];
