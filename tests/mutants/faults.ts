/**
 * Mutants of the faults F01 to F30.
 *
 * @module
 */
import type { Line } from "./mutant.ts";

const SQLITE = "db/engines/sqlite.ts";
const POSTGRES = "db/engines/postgres.ts";
const HASH_QUEUE = "auth/runtime/hash_queue.ts";
const HASH_SHARES = "auth/runtime/hash_shares.ts";
const BODY = "routes/http/body.ts";
const OUTBOX = "auth/mail/outbox.ts";
/** An answer leaves before its change is written. */
const LATE_COMMIT = {
  file: SQLITE,
  find: `await attempted(waits, () => connection.run("BEGIN IMMEDIATE", []));`,
  replace: `if (!connection.isTransaction) connection.run("BEGIN IMMEDIATE", []);`,
  and: [{
    file: SQLITE,
    find: `await attempted(waits, () => connection.run("COMMIT", []));`,
    replace: `setTimeout(() => connection.isTransaction && connection.run("COMMIT", []), 300);`,
  }, {
    file: SQLITE,
    find: `if (this.#reader !== this.#writer && sql.startsWith("SELECT")) {`,
    replace: "if (false) {",
  }],
};
/** A transaction whose statements each stand for themselves. */
const NO_TRANSACTION = {
  file: "db/db.ts",
  find: "if (!this.#outer) return await work(this);",
  replace: "if (this.#outer) return await work(this);",
};
const UNIQUE_KEY = {
  file: "db/users.ts",
  find: "ON CONFLICT (email_key) DO NOTHING RETURNING *`",
  replace: "ON CONFLICT (email_key) DO UPDATE SET hashed_password = excluded.hashed_password RETURNING *`",
};

/** F01 to F30. */
export const FAULTS: readonly Line[] = [
  { row: "F01", ...LATE_COMMIT, tests: ["tests/process/crash_test.ts"] },
  { row: "F02", ...LATE_COMMIT, tests: ["tests/process/crash_test.ts"] },
  { row: "F02", ...NO_TRANSACTION, tests: ["tests/long/crash_test.ts"] },
  { row: "F03", file: SQLITE, find: `"PRAGMA synchronous = FULL"`, replace: `"PRAGMA synchronous = NORMAL"` },
  { row: "F04", file: SQLITE, find: `  [FULL, "the disk is full"],\n`, replace: "" },
  { row: "F04", file: "auth/runtime/fault_log.ts", find: "    if (open) {", replace: "    if (false && open) {" },
  { row: "F05", file: SQLITE, find: `  [READONLY, "it is read-only"],\n`, replace: "" },
  {
    row: "F05",
    file: "auth/sign_in/current_user.ts",
    find: "if (!(error instanceof DatabaseUnavailable)) throw error;",
    replace: "throw error;",
  },
  { row: "F06", file: SQLITE, find: `const DAMAGED = [CORRUPT, NOTADB];`, replace: "const DAMAGED: number[] = [];" },
  { row: "F06", file: "db/engines/sqlite_file.ts", find: "  if (size === 0) {", replace: "  if (size === -1) {" },
  { row: "F07", file: SQLITE, find: `"BEGIN IMMEDIATE"`, replace: `"BEGIN DEFERRED"` },
  { row: "F07", file: SQLITE, find: "const BUSY_REQUEST = 1_000;", replace: "const BUSY_REQUEST = 20_000;" },
  {
    row: "F07",
    file: SQLITE,
    find: `if (this.#reader !== this.#writer && sql.startsWith("SELECT")) {`,
    replace: "if (false) {",
  },
  {
    row: "F08",
    file: "db/engines/postgres_errors.ts",
    find: `if (code === undefined) return new DatabaseUnavailable("it cannot be reached", error);`,
    replace: "if (code === undefined) return error;",
    tests: ["tests/long/postgres_faults_test.ts"],
  },
  {
    row: "F09",
    file: POSTGRES,
    find: "export const QUERY_TIMEOUT = 5_000;",
    replace: "export const QUERY_TIMEOUT = 50_000;",
  },
  {
    row: "F09",
    file: POSTGRES,
    find: "if (error instanceof DatabaseUnavailable) lookups.forEach",
    replace: "if (false) lookups.forEach",
    tests: ["tests/db/batch_test.ts"],
  },
  {
    row: "F10",
    file: POSTGRES,
    find: "if (!(stale || DO_AGAIN.includes(state)) || tries === MOST_TRIES) throw error;",
    replace:
      "if (!(stale || DO_AGAIN.includes(state) || error instanceof DatabaseUnavailable) || tries === MOST_TRIES) throw error;",
  },
  {
    row: "F11",
    file: OUTBOX,
    find: "await postponeMail(deliveryDb(auth), event.id, lease, auth.clock() + pause);",
    replace: "await finishMail(deliveryDb(auth), event.id, lease);",
    tests: ["tests/mail/mail_worker_test.ts"],
  },
  {
    row: "F11",
    file: "auth/events.ts",
    find: "if (event.mail) auth.mails.wake();",
    replace:
      'if (event.mail) await auth.transport.send({ id: newId(now), to: event.mail.to, subject: "", text: "", html: "" });',
    tests: ["tests/mail/mail_worker_test.ts", "tests/mail/smtp_test.ts"],
  },
  { row: "F12", file: "db/guesses.ts", find: "OR guesses.next_at > $3 + $6 OR", replace: "OR" },
  {
    row: "F12",
    file: "db/counters.ts",
    find: "WHEN counters.expires_at <= $3 OR counters.expires_at > $2 THEN $2",
    replace: "WHEN counters.expires_at <= $3 THEN $2",
  },
  { row: "F13", file: BODY, find: "BODY_DEADLINE = 10_000;", replace: "BODY_DEADLINE = 1_000_000;" },
  {
    row: "F14",
    file: BODY,
    find: "      if (length > MOST_BODY) throw tooLarge();\n",
    replace: "",
    tests: ["tests/long/slow_body_test.ts"],
  },
  {
    row: "F15",
    file: "routes/http/multipart.ts",
    find: `if (preamble !== "" || end === undefined || !/^--[ \\t]*(?:\\r\\n)?$/.test(end)) throw malformed();`,
    replace: `if (end === undefined) throw malformed();`,
  },
  {
    row: "F15",
    file: "routes/http/multipart.ts",
    find: "if (name === undefined || headers.has(name.toLowerCase())) throw malformed();",
    replace: "if (name === undefined) throw malformed();",
  },
  { row: "F15", file: "routes/http/multipart.ts", find: "  if (head === undefined) throw malformed();", replace: "" },
  { row: "F16", file: BODY, find: "if (hasNul(name) || hasNul(value)) throw", replace: "if (false) throw" },
  { row: "F16", file: BODY, find: `{ fatal: true, ignoreBOM: true }`, replace: `{ fatal: true }` },
  { row: "F16", file: BODY, find: `{ fatal: true, ignoreBOM: true }`, replace: `{ ignoreBOM: true }` },
  {
    row: "F17",
    file: BODY,
    find: '    throw invalid("the body is not valid JSON");',
    replace: "    value = JSON.parse(text);",
    tests: ["tests/http/fuzz_test.ts"],
  },
  {
    row: "F18",
    file: "routes/server/server.ts",
    find: "await Promise.all([Promise.race([server.shutdown(), grace]), stopSweep(), stopMails()]);",
    replace: "await Promise.all([stopSweep(), stopMails()]);",
  },
  {
    row: "F18",
    file: "main.ts",
    find: "if (performance.now() - toldAt >= HASTE_AFTER) Deno.exit(1);",
    replace: "",
    tests: ["tests/process/stop_test.ts"],
  },
  { row: "F18", file: "routes/server/server.ts", find: "      auth.stopping = true;\n", replace: "" },
  {
    row: "F19",
    file: "db/migrations.ts",
    find: "      if (known.some((row) => row.name === name)) return;\n",
    replace: "",
  },
  {
    row: "F19",
    file: POSTGRES,
    find: "SELECT pg_advisory_xact_lock(${MIGRATION_LOCK}); ",
    replace: "",
  },
  {
    row: "F20",
    file: "db/migrations.ts",
    find: "      refuseNewer(known.map((row) => row.name), migrations);\n",
    replace: "",
  },
  {
    row: "F21",
    file: "auth/account/reset_password.ts",
    find: "user.email_key !== taken?.email_key) throw invalidToken();",
    replace: "user.email_key !== token.email_key) throw invalidToken();",
  },
  { row: "F22", ...UNIQUE_KEY },
  {
    row: "F23",
    file: "db/users.ts",
    find: "WHERE id = $2 AND closed_at IS NULL AND disabled_at IS NULL AND hashed_password = $3 RETURNING *`",
    replace:
      "WHERE id = $2 AND closed_at IS NULL AND disabled_at IS NULL AND (hashed_password = $3 OR 1 = 1) RETURNING *`",
  },
  {
    row: "F23",
    file: "db/users.ts",
    find: "WHERE id = $2 AND closed_at IS NULL AND disabled_at IS NULL AND hashed_password = $3 RETURNING *`",
    replace: "WHERE id = $2 AND hashed_password = $3 RETURNING *`",
  },
  {
    row: "F24",
    file: HASH_SHARES,
    find: "memory[RUNNING] < allowed",
    replace: "memory[RUNNING] < 100 * allowed",
  },
  {
    row: "F24",
    file: HASH_SHARES,
    find: "MOST_WAITING + (known ? MOST_KNOWN : 0)",
    replace: "Infinity",
    and: [{
      file: HASH_SHARES,
      find: "const PLACES = 2 * MOST_WAITING;",
      replace: "const PLACES = 8 * MOST_WAITING;",
    }],
  },
  { row: "F24", file: HASH_SHARES, find: "MOST_WAITING + (known ? MOST_KNOWN : 0)", replace: "MOST_WAITING" },
  {
    row: "F24",
    file: HASH_SHARES,
    find: "const candidates = first.length === 0 || strangersTurn ? rest : first;",
    replace: "const candidates = all;",
  },
  {
    row: "F25",
    file: "auth/sign_in/current_user.ts",
    find: "const hash = isToken(sessionId) ? hashToken(sessionId) : undefined;",
    replace: "const hash = sessionId === undefined ? undefined : hashToken(sessionId);",
  },
  {
    row: "F25",
    file: "auth/sign_in/current_user.ts",
    find: "  if (!session || hash === undefined) {",
    replace: `  if (hash !== undefined) await rows.touchSession(auth.db, hash, now, now);
  if (!session || hash === undefined) {`,
  },
  { row: "F26", file: HASH_QUEUE, find: "if (!HASH.test(hash)) throw", replace: "if (false) throw" },
  {
    row: "F26",
    file: HASH_QUEUE,
    find:
      `      throw new AuthError("hashing_unavailable", "passwords cannot be checked now, try again", { cause: error });`,
    replace: `      return String(error);`,
  },
  {
    row: "F26",
    file: "auth/runtime/wasm_bcrypt_pool.ts",
    find: "      // Its state is unknown, so it does not get another job.\n      this.#terminate(worker);",
    replace: "",
  },
  {
    row: "F27",
    file: "db/engines/sqlite_backup.ts",
    find: "    await backup(source, draft, {",
    replace: "    Deno.copyFileSync(file, draft);\n    if (false) await backup(source, draft, {",
  },
  {
    row: "F27",
    file: "auth/maintenance/backup.ts",
    find: "  if (faults.length > 0) throw new DatabaseRefused(",
    replace: "  if (false) throw new DatabaseRefused(",
  },
  {
    row: "F28",
    file: "routes/http/request_log.ts",
    find: `    c.set("headers", headers);`,
    replace: `    c.set("headers", headers);
    Object.assign(globalThis, { kept: [(globalThis as { kept?: unknown }).kept, c.req.raw, new Uint8Array(20_000).fill(1)] });`,
  },
  {
    row: "F29",
    file: "auth/config.ts",
    find: "      wrong.push(`${setting.name}: ${(error as Error).message}`);",
    replace: "      if (wrong.length === 0) wrong.push(`${setting.name}: ${(error as Error).message}`);",
  },
  {
    row: "F30",
    file: "auth/runtime/keyring.ts",
    find: "rows.map((row) => row.secret)",
    replace: "rows.slice(0, 1).map((row) => row.secret)",
  },
  {
    row: "F30",
    file: "auth/runtime/keyring.ts",
    find: "rows.map((row) => row.secret)",
    replace: "rows.map((row) => row.secret).reverse()",
  },
];
