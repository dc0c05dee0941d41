/**
 * Settings that name trusted proxies and origins, and that no setting can add text to a header (V34).
 *
 * @module
 */
import assert from "node:assert/strict";
import { ConfigError, parseConfig, SETTINGS } from "../../auth/config.ts";

function parse(settings: Record<string, string>): ReturnType<typeof parseConfig> {
  return parseConfig((name) => settings[name]);
}

function assertRefused(name: string, text: string): void {
  const lines = (() => {
    try {
      parse({ [name]: text });
      return [];
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error));
      return error.message.split("\n");
    }
  })();
  assert.ok(lines.some((line) => line.startsWith(`${name}: `)), `${name}=${JSON.stringify(text)}`);
}

Deno.test("TRUSTED_PROXIES takes networks and single addresses, in canonical form only (V35)", () => {
  const good: [string, string[]][] = [
    ["", []],
    ["10.0.0.0/8", ["10.0.0.0/8"]],
    ["127.0.0.1", ["127.0.0.1/32"]],
    ["::1, fd00::/8 ,192.168.0.0/16", ["::1/128", "fd00::/8", "192.168.0.0/16"]],
    ["::ffff:10.0.0.0/104", ["::ffff:10.0.0.0/104"]],
  ];
  for (const [text, expected] of good) assert.deepEqual(parse({ TRUSTED_PROXIES: text }).trustedProxies, expected);
  const bad = ["10/8", "10.0.0.0/", "10.0.0.0/8/8", "10.0.0.0/-1", "10.0.0.0/33", "::/129", "0x0a.0.0.0/8", "127.1"];
  const more = [
    "proxy",
    "*",
    "10.0.0.0/8,",
    ",",
    "10.0.0.0/8;::1",
    "[::1]",
    "fe80::1%eth0",
    "0.0.0.0/0",
    "::/0",
    "::1/00",
  ];
  for (const text of [...bad, ...more, "010.0.0.0/8", "10.0.0.0/8\n::1"]) assertRefused("TRUSTED_PROXIES", text);
});

Deno.test("TRUSTED_ORIGINS takes exact https origins, or http ones on this machine (S67)", () => {
  const text = "https://app.example.com, https://app.example.com:8443,http://localhost:3000,http://[::1]:3000";
  assert.deepEqual(parse({ TRUSTED_ORIGINS: text }).trustedOrigins, text.split(/, ?/));
  const bad = [
    "*",
    "null",
    "https://*.example.com",
    "app.example.com",
    "https://app.example.com/",
    "https://app.example.com/path",
    "https://APP.example.com",
    "https://app.example.com:443",
    "https://user@app.example.com",
    "https://app.example.com?x",
    "http://app.example.com",
    "http://localhost.example.com",
    "ftp://localhost",
    "file://",
    "https://app.example.com,",
    "https://app.example.com https://b.example.com",
  ];
  for (const each of bad) assertRefused("TRUSTED_ORIGINS", each);
});

/** Settings that appear in headers, mails or cookies, with a valid value to modify. */
const SHOWN: Record<string, string> = {
  PUBLIC_URL: "https://accounts.example.com",
  MAIL_FROM: "accounts@example.com",
  APP_NAME: "Bienvenue",
  TRUSTED_ORIGINS: "https://app.example.com",
  TRUSTED_PROXIES: "10.0.0.0/8",
  HOST: "127.0.0.1",
  SESSION_MAX: "30d",
};

Deno.test("V34: a setting that becomes part of a header takes no line break, control character or semicolon", () => {
  for (const [name, good] of Object.entries(SHOWN)) {
    for (const evil of ["\r\nSet-Cookie: a=b", "\n", "\r", "\0", "\t", "\x1b[2J", "\u2028", "\u0085", "\u202e"]) {
      for (const text of [good + evil, evil + good]) {
        assertRefused(name, text);
      }
    }
    if (name !== "APP_NAME") assertRefused(name, `${good}; Domain=evil.example`);
  }
  // The host of a URL may hold such characters, and the host goes into the content policy.
  for (
    const host of ["www.example.com;script-src", "www.example.com,evil.example", "'self'", "*.example.com", "[::1]"]
  ) {
    assertRefused("APP_LOGO_URL", `https://${host}/logo.svg`);
  }
  assert.deepEqual(
    Object.keys(SHOWN).filter((name) => !Object.values(SETTINGS).some((each) => each.name === name)),
    [],
  );
});
