/**
 * Mutants of the rows S62 to S74: what a request may bring, what an answer may show, and what the process may do.
 *
 * @module
 */
import type { Line } from "./mutant.ts";

const RETURN_TO = "routes/http/return_to.ts";
const ORIGIN = "routes/http/origin.ts";
const ANSWERS = "routes/http/answers.ts";
const CORS = "routes/http/cors.ts";
const CLIENT_ADDRESS = "routes/http/client_address.ts";
const BODY = "routes/http/body.ts";
const REQUEST_LOG = "routes/http/request_log.ts";

/** S62 to S74. */
export const REQUESTS: readonly Line[] = [
  { row: "S62", file: RETURN_TO, find: "!/^[\\x21-\\x7e]+$/.test(target)", replace: 'target === ""' },
  { row: "S62", file: RETURN_TO, find: `return path.startsWith("//") ? undefined : path;`, replace: "return path;" },
  {
    row: "S62",
    file: RETURN_TO,
    find: "if (url?.origin !== BASE) return undefined;",
    replace: "if (!url) return undefined;",
  },
  {
    row: "S62",
    file: RETURN_TO,
    find: "target === trusted || /^[/?#]/.test(target.slice(trusted.length))",
    replace: "target.startsWith(trusted)",
    and: [{ file: RETURN_TO, find: " || url.origin !== origin) return", replace: ") return" }],
  },
  {
    row: "S64",
    file: "auth/admin/users.ts",
    find: "  if (!user) throw emailTaken(email);",
    replace: `  if (!user && hashed_password !== null) {
    const found = (await users.findUserBy(auth.db, { email_key }))!;
    await updateUser(auth.db, found.id, { hashed_password });
    return { id: found.id, email };
  }
  if (!user) throw emailTaken(email);`,
  },
  { row: "S65", file: "routes/app.ts", find: `  app.on(UNSAFE_METHODS, "*", checkOrigin(auth));`, replace: "" },
  {
    row: "S65",
    file: ORIGIN,
    find: `if (site !== undefined) return site !== "same-origin" && site !== "none";`,
    replace: `if (site !== undefined) return site === "cross-site";`,
  },
  { row: "S65", file: ORIGIN, find: "return origin !== undefined && !isOwn(origin);", replace: "return false;" },
  {
    row: "S65",
    file: ORIGIN,
    find: "return origin !== undefined && !isOwn(origin);",
    replace: `return origin !== undefined && origin !== "null" && !isOwn(origin);`,
  },
  { row: "S65", file: ORIGIN, find: `["POST", "PUT", "PATCH", "DELETE"]`, replace: `["POST", "PUT", "DELETE"]` },
  { row: "S66", file: ANSWERS, find: `  "x-content-type-options": "nosniff",\n`, replace: "" },
  {
    row: "S66",
    file: ANSWERS,
    find: `"default-src 'none'; frame-ancestors 'none'; base-uri 'none'"`,
    replace: `"default-src 'none'"`,
  },
  { row: "S66", file: ANSWERS, find: `"max-age=31536000; includeSubDomains"`, replace: `"max-age=3600"` },
  {
    row: "S66",
    file: "routes/pages/kit/site.ts",
    find: `"script-src 'self'",`,
    replace: `"script-src 'self' 'unsafe-inline'",`,
  },
  { row: "S66", file: "routes/pages/kit/site.ts", find: `    "frame-ancestors 'none'",\n`, replace: "" },
  {
    row: "S67",
    file: CORS,
    find: "!trustedOrigins.includes(origin)",
    replace: "!trustedOrigins.some((trusted) => origin.startsWith(trusted))",
  },
  { row: "S67", file: CORS, find: "|| !trustedOrigins.includes(origin)", replace: "" },
  {
    row: "S67",
    file: "auth/config_values.ts",
    find: "if (!url || url.origin !== part || !PLAIN_HOST.test(url.hostname)) {",
    replace: "if (!url) {",
  },
  { row: "S68", file: REQUEST_LOG, find: `    response.headers.set("allow", allowed.join(", "));`, replace: "" },
  {
    row: "S68",
    file: REQUEST_LOG,
    find: "if (allowed.length === 0) return answerError",
    replace: "if (allowed.length < 100) return answerError",
  },
  {
    row: "S69",
    file: "routes/http/errors.ts",
    find: `{ message: "something went wrong; the log knows more by the request id" }`,
    replace: "{ message: String(error) }",
  },
  {
    row: "S69",
    file: "routes/http/errors.ts",
    find: `      error: error instanceof Error ? error.stack ?? error.message : String(error),\n`,
    replace: "",
  },
  {
    row: "S70",
    file: CLIENT_ADDRESS,
    find: " || !isTrusted(trustedProxies, read(socket))) return socket;",
    replace: ") return socket;",
  },
  { row: "S70", file: CLIENT_ADDRESS, find: "of forwarded.reverse()", replace: "of forwarded" },
  {
    row: "S70",
    file: CLIENT_ADDRESS,
    find: "socket === undefined || trustedProxies.length === 0 || !isTrusted(trustedProxies, read(socket))",
    replace: "socket === undefined",
  },
  {
    row: "S71",
    file: REQUEST_LOG,
    find: "      route,\n      status,",
    replace: "      route: c.req.url,\n      status,",
    tests: ["tests/http/request_log_test.ts"],
  },
  {
    row: "S71",
    file: "routes/http/tracing.ts",
    find: "URL_ATTRIBUTES.includes(name) ? this :",
    replace: "false ? this :",
    tests: ["tests/http/tracing_test.ts"],
  },
  {
    row: "S71",
    file: "db/engines/postgres_url.ts",
    find: 'host.startsWith("/") ? `postgres ${database} on ${host}` : `postgres://${host}:${port}/${database}`;',
    replace: "`${text} ${host}${port}${database}`;",
    tests: ["tests/config_test.ts"],
  },
  { row: "S72", file: BODY, find: "MOST_BODY = 16_384;", replace: "MOST_BODY = 16_384_000;" },
  { row: "S72", file: BODY, find: "      if (length > MOST_BODY) throw tooLarge();\n", replace: "" },
  {
    row: "S72",
    file: "auth/runtime/hash_shares.ts",
    find: "MOST_WAITING + (known ? MOST_KNOWN : 0)",
    replace: "Infinity",
    and: [{
      file: "auth/runtime/hash_shares.ts",
      find: "const PLACES = 2 * MOST_WAITING;",
      replace: "const PLACES = 8 * MOST_WAITING;",
    }],
  },
  {
    row: "S72",
    file: "routes/http/input.ts",
    find: "    .max(most, `is longer than ${most} characters`);",
    replace: ";",
  },
  {
    row: "S73",
    file: "deno.json",
    find: `"write": [\n        "data"\n      ]`,
    replace: `"write": [\n        "/"\n      ]`,
  },
  {
    row: "S73",
    file: "deno.json",
    find: `      "sys": [\n        "statfs"\n      ],`,
    replace: `      "run": true,\n      "sys": [\n        "statfs"\n      ],`,
  },
  {
    row: "S74",
    file: "auth/mail_kinds.ts",
    find: `email_changed: { path: "/undo", purpose: "undo", lifetime: 3 * DAY,`,
    replace: `email_changed: { path: "/undo", purpose: "undo", lifetime: 30 * DAY,`,
  },
  {
    row: "S74",
    file: "db/tokens.ts",
    find: "AND purpose = $2 AND created_at <= $3 AND email_change <= $4",
    replace: "AND purpose = $2 AND (created_at <= $3 OR 1 = 1) AND email_change <= $4",
  },
];
