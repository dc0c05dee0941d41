/**
 * Mutants of the known vulnerabilities of requests: paths, headers, cookies, bodies, redirects, settings.
 *
 * @module
 */
import type { Line } from "./mutant.ts";

const COOKIES = "routes/http/cookies.ts";
const CLIENT_ADDRESS = "routes/http/client_address.ts";
const RETURN_TO = "routes/http/return_to.ts";
const BODY = "routes/http/body.ts";
const VALUES = "auth/config_values.ts";
const READ_SESSION = `return readCookie(c.req.header("cookie"), cookieName(auth, "session_id"));`;
/** The check of the origin looks at the path. */
const CHECKED_PATHS = {
  file: "routes/app.ts",
  find: `app.on(UNSAFE_METHODS, "*", checkOrigin(auth));`,
  replace: `app.on(UNSAFE_METHODS, ["/users", "/sessions"], checkOrigin(auth));`,
};

/** The rows of requests. */
export const VULNERABILITIES_REQUESTS: readonly Line[] = [
  { row: "V02", ...CHECKED_PATHS },
  { row: "V03", ...CHECKED_PATHS },
  {
    row: "V04",
    file: RETURN_TO,
    find: `const safe = written.startsWith("/") ? safePath(written) : safeUrl(written, origins);`,
    replace: "const safe = written;",
  },
  {
    row: "V11",
    file: CLIENT_ADDRESS,
    find: " || !isTrusted(trustedProxies, read(socket))) return socket;",
    replace: ") return socket;",
  },
  { row: "V11", file: CLIENT_ADDRESS, find: "of forwarded.reverse()", replace: "of forwarded" },
  {
    row: "V18",
    file: COOKIES,
    find: READ_SESSION,
    replace: `return readCookie(c.req.header("cookie"), cookieName(auth, "session_id")) ??
    /^\\S+ +(.*)$/.exec(c.req.header("authorization") ?? "")?.[1];`,
  },
  {
    row: "V18",
    file: COOKIES,
    find: READ_SESSION,
    replace: `return readCookie(c.req.header("cookie"), cookieName(auth, "session_id")) ??
    (atob(c.req.header("authorization")?.split(" ")[1] ?? "") || undefined);`,
  },
  {
    row: "V20",
    file: "routes/http/request_log.ts",
    find: `    c.set("headers", headers);`,
    replace: `    c.set("headers", headers);
    if (c.req.header("x-forwarded-host")) auth.origin = "https://" + c.req.header("x-forwarded-host");`,
  },
  {
    row: "V22",
    file: "auth/credentials/password_policy.ts",
    find: `if (config.profile === "local") return;`,
    replace: `if (config.profile === "local" || config.throttle === "observe") return;`,
  },
  {
    row: "V22",
    file: "routes/http/origin.ts",
    find: "const isTrusted = origin !== undefined && trustedOrigins.includes(origin);",
    replace: "const isTrusted = trustedOrigins.length > 0;",
  },
  {
    row: "V22",
    file: COOKIES,
    find: `auth.config.profile === "public" ? "; Secure" : ""`,
    replace: `auth.config.profile === "public" && auth.config.trustedProxies.length === 0 ? "; Secure" : ""`,
  },
  {
    row: "V28",
    file: "routes/http/origin.ts",
    find: "if (!isTrusted && isForeign(",
    replace: `if (/form/.test(c.req.header("content-type") ?? "") && !isTrusted && isForeign(`,
  },
  { row: "V29", file: BODY, find: `    if (!late) throw invalid("the body did not arrive whole");`, replace: "" },
  {
    row: "V32",
    file: COOKIES,
    find: READ_SESSION,
    replace: `return readCookie(c.req.header("cookie"), cookieName(auth, "session_id")) ??
    /^bearer +(.*)$/i.exec(c.req.header("authorization") ?? "")?.[1];`,
  },
  { row: "V33", file: COOKIES, find: "    if (found !== undefined) return undefined;", replace: "" },
  {
    row: "V33",
    file: COOKIES,
    find: "trimmed(pair.slice(0, equals)) !== name)",
    replace: "pair.slice(0, equals).trim() !== name)",
  },
  {
    row: "V33",
    file: COOKIES,
    find: "trimmed(pair.slice(0, equals)) !== name)",
    replace: "!trimmed(pair.slice(0, equals)).endsWith(name))",
  },
  {
    row: "V34",
    file: VALUES,
    find: `if (/^[^\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}<>"\\\\]{1,64}$/u.test(text)) return text;`,
    replace: "if (text.length <= 64) return text;",
  },
  { row: "V34", file: VALUES, find: " || !/^[a-z0-9.-]+$/.test(url.hostname)) {", replace: ") {" },
  {
    row: "V35",
    file: CLIENT_ADDRESS,
    find: "ipaddr.IPv4.isValidFourPartDecimal(bare)",
    replace: "ipaddr.IPv4.isValid(bare)",
  },
  {
    row: "V35",
    file: VALUES,
    find:
      `const plain = ipaddr.IPv4.isValidFourPartDecimal(address) || (address.includes(":") && !address.includes("%"));`,
    replace: "const plain = true;",
  },
  { row: "V35", file: CLIENT_ADDRESS, find: "return ipaddr.process(bare);", replace: "return ipaddr.parse(bare);" },
  {
    row: "V36",
    file: "routes/http/answers.ts",
    find: `"cache-control": "no-store",`,
    replace: `"cache-control": "private",`,
  },
  { row: "V36", ...CHECKED_PATHS, replace: `app.on(UNSAFE_METHODS, ["/sessions"], checkOrigin(auth));` },
  {
    row: "V40",
    file: "routes/http/input.ts",
    find: "    .max(most, `is longer than ${most} characters`);",
    replace: ";",
  },
  {
    row: "V43",
    file: "auth/mail/render.ts",
    find: `return text.replace(/[&<>"']/g,`,
    replace: "return text.replace(/(?!)/g,",
    tests: ["tests/mail/mail_content_test.ts"],
  },
  {
    row: "V43",
    file: "routes/pages/account/sessions.tsx",
    find: "<strong>{device}</strong>",
    replace: "<strong dangerouslySetInnerHTML={{ __html: device }}></strong>",
    tests: ["tests/pages/pages_test.ts"],
  },
  { row: "V45", file: CLIENT_ADDRESS, find: "if (!address) return socket;", replace: "if (!address) return part;" },
  { row: "V45", file: CLIENT_ADDRESS, find: "if (!address) return socket;", replace: "if (!address) continue;" },
  {
    row: "V46",
    file: "routes/api/forward_auth.ts",
    find: "const user = await getUserFromSessionId(auth, sessionCookie(auth, c));",
    replace: `const user = await getUserFromSessionId(auth, sessionCookie(auth, c))
      .catch(() => ({ id: "unknown", email: "unknown@localhost", name: null }) as SignedIn);`,
  },
  {
    row: "V49",
    file: COOKIES,
    find: READ_SESSION,
    replace: `return readCookie(c.req.header("cookie"), cookieName(auth, "session_id")) ??
    readCookie(c.req.header("cookie"), "session_id");`,
  },
  {
    row: "V59",
    file: RETURN_TO,
    find: "target === trusted || /^[/?#]/.test(target.slice(trusted.length))",
    replace: "target.startsWith(trusted)",
    and: [{ file: RETURN_TO, find: " || url.origin !== origin) return", replace: ") return" }],
  },
  {
    row: "V59",
    file: RETURN_TO,
    find: `return url.username === "" && url.password === "" ? url.href : undefined;`,
    replace: "return url.href;",
    and: [{
      file: RETURN_TO,
      find:
        "const origin = origins.find((trusted) => target === trusted || /^[/?#]/.test(target.slice(trusted.length)));",
      replace: "const origin = origins.find((trusted) => trusted === url?.origin);",
    }, { file: RETURN_TO, find: " || !target.startsWith(origin)", replace: "" }],
  },
  {
    row: "V66",
    file: BODY,
    find: `{ fatal: true, ignoreBOM: true }`,
    replace: `{ fatal: false, ignoreBOM: true }`,
  },
  {
    row: "V68",
    file: "db/engines/postgres_url.ts",
    find: `near ? "disable" : "verify-full"`,
    replace: `near ? "disable" : "require"`,
  },
  {
    row: "V68",
    file: "db/engines/postgres_url.ts",
    find: `    case "verify-ca":\n    case "verify-full":\n      return { rejectUnauthorized: true, ca };`,
    replace: `    case "verify-ca":\n    case "verify-full":\n      return false;`,
  },
];
