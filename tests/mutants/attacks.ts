/**
 * Mutants of the attacks A1 to A11.
 *
 * @module
 */
import type { Line } from "./mutant.ts";

const UNDO = "auth/account/undo_change.ts";
const REGISTER = "auth/account/register.ts";
const VERIFY = "auth/account/verify_email.ts";
const CHANGE_EMAIL = "auth/account/change_email.ts";
const EXPORT = "auth/account/export_account.ts";
const SLOTS = "auth/mail/slots.ts";
const OUTBOX = "auth/mail/outbox.ts";
const DEVICES = "auth/limits/known_devices.ts";
const SHARES = "auth/runtime/hash_shares.ts";
const PASSWORD = "auth/credentials/passwords.ts";
const COSTS = "auth/credentials/stored_costs.ts";
const CHAIN = ["tests/account/undo_chain_test.ts"];
const CONTESTED = ["tests/account/contested_change_test.ts"];
const STRANGE_LOGIN = ["tests/sign_in/first_login_test.ts"];
const MOVE = ["tests/maintenance/move_password_test.ts"];
const SLOTS_TEST = ["tests/mail/outbox_slots_test.ts"];

/** A1 to A11. */
export const ATTACKS: readonly Line[] = [
  {
    row: "A1",
    file: UNDO,
    find: "deleteUndoTokensAfter(db, user.id, taken.email_change!)",
    replace: "deleteUndoTokensAfter(db, user.id, -1)",
    tests: CHAIN,
  },
  {
    row: "A1",
    file: UNDO,
    find: "deleteUndoTokensAfter(db, user.id, taken.email_change!)",
    replace: "deleteUndoTokensAfter(db, user.id, -1)",
    tests: ["tests/account/account_theft_test.ts"],
  },
  {
    row: "A1",
    file: UNDO,
    find: "if (restored) await deleteUndoTokensAfter(db, user.id, taken.email_change!);\n      else if (moved)",
    replace: "if (!restored && moved)",
    tests: CHAIN,
  },
  {
    row: "A1",
    file: UNDO,
    find: "return user.email_changes !== token.email_change;",
    replace: "return user.email_key !== token.email_key;",
    tests: CHAIN,
  },
  {
    row: "A1",
    file: UNDO,
    find: "if (moved && !proven && taken.used_at !== null) throw wrongPassword();",
    replace: "",
    tests: CHAIN,
  },
  {
    row: "A1",
    file: "db/tokens.ts",
    find: "AND email_change <= $4 AND expires_at > $5",
    replace: "AND (email_change <= $4 OR 1 = 1) AND expires_at > $5",
    tests: CHAIN,
  },
  {
    row: "A2",
    file: VERIFY,
    find: "waiting > 1 ? null : taken.hashed_password;",
    replace: "taken.hashed_password;",
  },
  { row: "A2", file: REGISTER, find: "!known && first && others === 0", replace: "!known && others === 0" },
  { row: "A2", file: REGISTER, find: "!known && first && others === 0", replace: "!known && first" },
  {
    row: "A2",
    file: VERIFY,
    find: "  const login = await byMail(auth, user, caller);",
    replace: "  const login = undefined as Awaited<ReturnType<typeof byMail>>;",
  },
  {
    row: "A2",
    file: CHANGE_EMAIL,
    find: "(isOthers || await isContested(auth, db, user, taken.email_key))",
    replace: "isOthers",
    tests: CONTESTED,
  },
  {
    row: "A2",
    file: CHANGE_EMAIL,
    find: "(isOthers || await isContested(auth, db, user, taken.email_key))",
    replace: "await isContested(auth, db, user, taken.email_key)",
    tests: CONTESTED,
  },
  {
    row: "A2",
    file: CHANGE_EMAIL,
    find: "return registrations.length > 0 || changes.some(",
    replace: "return changes.some(",
    tests: CONTESTED,
  },
  {
    row: "A2",
    file: CHANGE_EMAIL,
    find: "changes.some(({ user_id }) => user_id !== user.id)",
    replace: "changes.length < 0",
    tests: CONTESTED,
  },
  {
    row: "A3",
    file: "auth/mail_kinds.ts",
    find: "return mail ? { ...mail, asked: true } : NO_MAIL;",
    replace: "return mail && { ...mail, asked: true };",
    tests: SLOTS_TEST,
  },
  {
    row: "A3",
    file: SLOTS,
    find: `wait("slot", pause + usual, signal)`,
    replace: `wait("slot", 0, signal)`,
    tests: SLOTS_TEST,
  },
  { row: "A3", file: SLOTS, find: "const usual = this.#usual.time;", replace: "const usual = 0;", tests: SLOTS_TEST },
  {
    row: "A3",
    file: OUTBOX,
    find: "{ tries: { least: 0, most: 0 }, slots: 8 }",
    replace: "{ tries: { least: 0, most: Number.MAX_SAFE_INTEGER }, slots: 8 }",
    tests: SLOTS_TEST,
  },
  {
    row: "A3",
    file: OUTBOX,
    find: `    await this.#pacing.wait("no mail", usual, signal);\n`,
    replace: "",
    tests: SLOTS_TEST,
  },
  {
    row: "A3",
    file: OUTBOX,
    find: "return { event, lease, mail: secrets && { request, secrets } };",
    replace: "return secrets && { event, lease, mail: { request, secrets } };",
    tests: SLOTS_TEST,
  },
  {
    row: "A3",
    file: "auth/limits/rate_limits.ts",
    find: "  await requireWithin(auth, LIMITS.siteRequests,",
    replace: "  if (false) await requireWithin(auth, LIMITS.siteRequests,",
    tests: ["tests/limits/mail_limits_test.ts"],
  },
  {
    row: "A3",
    file: OUTBOX,
    find: "|| ++this.#fullLists % IN_ORDER === 0) return due;",
    replace: ") return due;",
    tests: ["tests/mail/mail_worker_test.ts"],
  },
  {
    row: "A3",
    file: SLOTS,
    find: "    if (this.failing && !failed) this.#times.length = 0;\n",
    replace: "",
    tests: SLOTS_TEST,
  },
  { row: "A4", file: "auth/limits/limits.ts", find: "    refills: true,\n", replace: "" },
  {
    row: "A4",
    file: "db/counters.ts",
    find: "WHEN counters.expires_at > $6 THEN $6 ELSE counters.expires_at END",
    replace: "WHEN counters.expires_at > $6 AND 1 = 0 THEN $6 ELSE counters.expires_at END",
  },
  {
    row: "A5",
    file: "auth/sign_in/end_access.ts",
    find: `keep.tokens !== "all" && devices !== "all" && replaceDeviceMark`,
    replace: 'false && devices !== "all" && replaceDeviceMark',
  },
  { row: "A5", file: DEVICES, find: 'device_mark === null ? "" : `\\n${device_mark}`;', replace: '"";' },
  {
    row: "A5",
    file: "auth/limits/password_guesses.ts",
    find: "    { limit: LIMITS.allDeviceGuesses, id: ids.all },\n",
    replace: "",
  },
  {
    row: "A5",
    file: "auth/limits/limits.ts",
    find: "const BY_STRANGERS = 80, BY_DEVICES = 20;",
    replace: "const BY_STRANGERS = 100, BY_DEVICES = 20;",
  },
  {
    row: "A5",
    file: "auth/runtime/keyring.ts",
    find: "      for (const key of old) await deleteKey(db, key.id);\n",
    replace: "",
  },
  {
    row: "A5",
    file: "auth/admin/import_export.ts",
    find: "    device_mark: randomToken(),",
    replace: "    device_mark: null,",
    tests: ["tests/admin/transfer_test.ts"],
  },
  ...["SITE", "NET", "ACCOUNT"].map((field) => ({
    row: "A6",
    file: SHARES,
    find: "const LEVELS: readonly number[] = [SITE, NET, ACCOUNT];",
    replace: `const LEVELS: readonly number[] = [SITE, NET, ACCOUNT].filter((field) => field !== ${field});`,
  })),
  {
    row: "A6",
    file: SHARES,
    find: "return isEarlier(memory[one + TURNS + level], memory[other + TURNS + level]);",
    replace: "return isEarlier(memory[one + ARRIVED], memory[other + ARRIVED]);",
  },
  { row: "A6", file: SHARES, find: "const victim = this.#victimOf(place);", replace: "const victim = undefined;" },
  {
    row: "A6",
    file: SHARES,
    find: "held <= Math.max(own, SHARE) ||",
    replace: "held <= SHARE ||",
  },
  {
    row: "A6",
    file: SHARES,
    find: "LEVELS.every((field, level) => counts[level].get(keyOf(memory, at, field))! <= SHARE)",
    replace: "counts.length > 0",
  },
  {
    row: "A6",
    file: "auth/runtime/hash_queue.ts",
    find: "        if (!this.#shares.leave(place)) return;\n",
    replace: "",
    tests: ["tests/runtime/hash_queue_test.ts"],
  },
  {
    row: "A6",
    file: PASSWORD,
    find: "site: siteOf(caller?.ip), network: networkOf(caller?.ip), account, known };",
    replace: `site: "", network: "", account: "", known };`,
    tests: ["tests/limits/hash_storm_test.ts"],
  },
  {
    row: "A7",
    file: PASSWORD,
    find: "cost: withoutHash, prehashed",
    replace: "cost: auth.config.bcryptCost, prehashed",
  },
  {
    row: "A7",
    file: PASSWORD,
    find: "outdated: compared.cost !== auth.config.bcryptCost",
    replace: "outdated: compared.cost < auth.config.bcryptCost",
  },
  {
    row: "A7",
    file: COSTS,
    find: `createHmac("sha256", key).update(address).digest().readUIntBE(0, 6) / 2 ** 48;`,
    replace: `createHmac("sha256", key).update(address + Math.random()).digest().readUIntBE(0, 6) / 2 ** 48;`,
  },
  {
    row: "A7",
    file: COSTS,
    find: "row.closed_at === null && row.disabled_at === null &&",
    replace: "",
  },
  {
    row: "A8",
    file: EXPORT,
    find: "  if (!within) throw refusalOf(auth, LIMITS.exports, until);\n",
    replace: "",
  },
  {
    row: "A8",
    file: EXPORT,
    find: "    if (count > 0) await requireStill(auth, user, caller, until);\n",
    replace: "",
  },
  { row: "A8", file: EXPORT, find: "const PAGE = 100;", replace: "const PAGE = 10_000;" },
  { row: "A8", file: EXPORT, find: "  await nextTurn();\n", replace: "" },
  {
    row: "A8",
    file: "auth/account/account.ts",
    find: "    await requireWithin(auth, LIMITS.profileChanges, { of: [row.id], db });\n",
    replace: "",
  },
  {
    row: "A8",
    file: "auth/account/account.ts",
    find: "    if (Object.keys(given).length === 0) return accountOf(row);\n",
    replace: "",
  },
  {
    row: "A8",
    file: "auth/sign_in/reauthentication.ts",
    find: "  if (within) await recordEvent(",
    replace: "  if (within || true) await recordEvent(",
  },
  {
    row: "A8",
    file: "auth/account/change_password.ts",
    find: `  await limitAccountChanges(auth, "password", user.id);\n`,
    replace: "",
    tests: CONTESTED,
  },
  {
    row: "A8",
    file: CHANGE_EMAIL,
    find: `  await limitAccountChanges(auth, "address", user.id);\n`,
    replace: "",
    tests: CONTESTED,
  },
  { row: "A8", file: "routes/http/answers.ts", find: "closed ??= close();", replace: "closed = close();" },
  {
    row: "A9",
    file: "auth/mail/compose.ts",
    find: "const device = ip || userAgent ? knownUserAgent(userAgent, locale) : undefined;",
    replace: "const device = ip || userAgent ? (userAgent ?? knownUserAgent(userAgent, locale)) : undefined;",
  },
  {
    row: "A10",
    file: "tests/proxies/Caddyfile",
    find: "			request_header Connection (?i)remote not\n",
    replace: "",
  },
  {
    row: "A11",
    file: "auth/sign_in/sign_in.ts",
    find: `return user.signed_in_at === null && await hasEvent(auth.db, user.id, "registered" satisfies EventType);`,
    replace: "return user.signed_in_at === null;",
    tests: STRANGE_LOGIN,
  },
  {
    row: "A11",
    file: "auth/sign_in/sign_in.ts",
    find: `return user.signed_in_at === null && await hasEvent(auth.db, user.id, "registered" satisfies EventType);`,
    replace: "return false;",
    tests: STRANGE_LOGIN,
  },
  {
    row: "A11",
    file: "auth/limits/rate_limits.ts",
    find: "return embeddedIPv4(address as ipaddr.IPv6) ??",
    replace: "return undefined ??",
    tests: ["tests/limits/throttle_network_test.ts"],
  },
  { row: "A11", file: REGISTER, find: "  if (restorer !== undefined) {", replace: "  if (false) {", tests: CHAIN },
  {
    row: "A11",
    file: CHANGE_EMAIL,
    find: "  if (await findRestorer(db, email_key, user.id, now)) throw invalidToken();\n",
    replace: "",
    tests: CHAIN,
  },
  {
    row: "A11",
    file: "routes/cli/move.ts",
    find: "  if (URL.parse(word)?.password) {",
    replace: "  if (false) {",
    tests: MOVE,
  },
  {
    row: "A11",
    file: "routes/cli/move.ts",
    find: "    to: withPassword(to, outside.get),",
    replace: "    to,",
    tests: MOVE,
  },
];
