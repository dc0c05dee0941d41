/**
 * Guessing at many accounts from one network: the network is counted by its real address, in one spelling. Headers and
 * paths that a client writes change nothing.
 *
 * @module
 */
import assert from "node:assert/strict";
import { LIMITS } from "../../auth/limits/limits.ts";
import { networkOf, siteOf } from "../../auth/limits/rate_limits.ts";
import { sweep } from "../../auth/maintenance/sweep.ts";
import { createApp } from "../../routes/app.ts";
import { recordHashes } from "../kit/hash_recorder.ts";
import { deviceOf, type RequestOptions, type Service, test } from "../kit/service.ts";

const { networkGuesses: NETWORK, strangerGuesses: STRANGERS } = LIMITS;
const EMAIL = "bob@example.com", PASSWORD = "correct horse 9", WRONG = "wrong horse 99";

let guesses = 0;
/** A guess at a new account each time, so that only the network counts. */
async function spray(service: Service, ip: string, headers: Record<string, string> = {}): Promise<number> {
  guesses++;
  const form = { email: `user${guesses}@example.com`, password: WRONG };
  return (await service.request("POST", "/sessions", { ip, headers, form })).status;
}

/** Uses up the guesses of a network; the address is a function of the guess's number. */
async function exhaust(service: Service, ip: (index: number) => string, headers?: (index: number) => HeadersOf) {
  for (let index = 0; index < NETWORK.most; index++) {
    assert.equal(await spray(service, ip(index), headers?.(index)), 401, `guess ${index}`);
  }
}

type HeadersOf = Record<string, string>;

function attempt(service: Service, options: RequestOptions): Promise<Response> {
  return service.request("POST", "/sessions", { form: { email: EMAIL, password: PASSWORD }, ...options });
}

test("S20: after 100 wrong passwords in ten minutes a network must wait, on every instance", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const device = deviceOf(await attempt(service, { ip: "192.0.2.1" }))!;
  const other = await service.another();
  for (let index = 0; index < NETWORK.most; index++) {
    assert.equal(await spray(index % 2 === 0 ? service : other, "192.0.2.1"), 401);
  }
  const restarted = await service.another();
  for (const each of [service, other, restarted]) {
    const refused = await attempt(each, { ip: "192.0.2.1" });
    assert.deepEqual([refused.status, refused.headers.get("error-code")], [429, "throttled"]);
    const wait = Number(refused.headers.get("retry-after"));
    assert.ok(wait > 0 && wait <= NETWORK.window / 1_000);
  }
  assert.equal((await attempt(service, { ip: "192.0.2.2" })).status, 200, "from another network");
  assert.equal((await attempt(service, { ip: "192.0.2.1", device })).status, 200, "from a known device behind it");
  service.clock.now += NETWORK.window;
  assert.equal((await attempt(service, { ip: "192.0.2.1" })).status, 200, "ten minutes later");
});

test("S19: a right password gives the network only its own guess back", async (service) => {
  await service.register(EMAIL, PASSWORD);
  for (let index = 0; index < NETWORK.most - 1; index++) await spray(service, "192.0.2.1");
  for (let index = 0; index < 5; index++) assert.equal((await attempt(service, { ip: "192.0.2.1" })).status, 200);
  assert.equal(await spray(service, "192.0.2.1"), 401);
  assert.equal(await spray(service, "192.0.2.1"), 429);
});

test("a guess refused for its network does not count for the account, and the reverse", async (service) => {
  await service.register(EMAIL, PASSWORD);
  await exhaust(service, () => "192.0.2.1");
  const wrong = { form: { email: EMAIL, password: WRONG } };
  for (let index = 0; index < 20; index++) {
    assert.equal((await attempt(service, { ip: "192.0.2.1", ...wrong })).status, 429);
  }
  for (let index = 0; index < STRANGERS.free; index++) {
    assert.equal((await attempt(service, { ip: "192.0.2.2", ...wrong })).status, 401);
  }
  for (let index = 0; index < 200; index++) {
    assert.equal((await attempt(service, { ip: "192.0.2.3", ...wrong })).status, 429);
  }
  assert.equal(await spray(service, "192.0.2.3"), 401);
});

test("S20: guesses at made-up addresses leave at most as many rows as the network may guess, for a month", async (service) => {
  await exhaust(service, () => "192.0.2.1");
  for (let index = 0; index < 200; index++) assert.equal(await spray(service, "192.0.2.1"), 429);
  const rows = async () => (await service.rows("SELECT id FROM guesses")).length;
  assert.equal(await rows(), NETWORK.most);
  // One account is guessed at until it must wait, and is then remembered for longer.
  const form = { email: `user${guesses - 200}@example.com`, password: WRONG };
  for (let made = 1; made < STRANGERS.free; made++) {
    assert.equal((await attempt(service, { ip: "192.0.2.2", form })).status, 401);
  }
  service.clock.now += STRANGERS.shortMemory;
  await sweep(service.auth);
  assert.equal(await rows(), 1);
  service.clock.now += STRANGERS.memory - STRANGERS.shortMemory;
  await sweep(service.auth);
  assert.equal(await rows(), 0);
});

test("V37: of 250 concurrent guesses from one network at many accounts, 100 reach the hash", async (service) => {
  const { auth, costs } = recordHashes(service.auth);
  const app = createApp(auth);
  const remoteAddr = { transport: "tcp", hostname: "192.0.2.1", port: 1 };
  const statuses: number[] = [];
  // In two parts, because the hash queue holds 128.
  for (const half of [0, 1]) {
    statuses.push(
      ...await Promise.all(Array.from({ length: 125 }, async (_, index) => {
        const body = new URLSearchParams({ email: `user${half}.${index}@example.com`, password: WRONG });
        return (await app.request("/sessions", { method: "POST", body }, { remoteAddr })).status;
      })),
    );
  }
  assert.equal(costs.length, NETWORK.most);
  assert.equal(statuses.filter((status) => status === 429).length, 250 - NETWORK.most);
});

test("V10: all addresses of an IPv6 /64 are one network, and the next /64 is another", async (service) => {
  await exhaust(service, (index) => `2001:db8:1:2:${(index * 77).toString(16)}::${index.toString(16)}`);
  for (const ip of ["2001:db8:1:2::1", "2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:0db8:0001:0002:0:0:0:5"]) {
    assert.equal(await spray(service, ip), 429, ip);
  }
  assert.equal(await spray(service, "2001:db8:1:3::1"), 401);
});

test("V10, V35: an IPv4 address and its IPv4-mapped IPv6 spellings are one network", async (service) => {
  const spellings = ["1.2.3.4", "::ffff:1.2.3.4", "::ffff:102:304", "0:0:0:0:0:ffff:1.2.3.4", "::FFFF:1.2.3.4"];
  await exhaust(service, (index) => spellings[index % spellings.length]);
  for (const ip of spellings) assert.equal(await spray(service, ip), 429, ip);
  assert.equal(await spray(service, "::ffff:1.2.3.5"), 401);
});

Deno.test("V35: networkOf takes any text without a fault", () => {
  assert.equal(networkOf("fe80::1%eth0"), networkOf("fe80::2%wlan0"));
  for (const text of [undefined, "", "x", "1.2.3.4.5", "::g", "[::1]", "1.2.3.4, 5.6.7.8", "%", "\0"]) {
    assert.equal(networkOf(text), "unknown", `${text}`);
  }
});

Deno.test("A11: an IPv6 address with an IPv4 address inside counts as the IPv4 address", () => {
  const same: Record<string, string[]> = {
    "192.0.2.33": [
      "192.0.2.33",
      "::ffff:192.0.2.33",
      "::ffff:c000:221",
      // NAT64 and SIIT.
      "64:ff9b::192.0.2.33",
      "64:FF9B:0:0:0:0:C000:0221",
      "64:ff9b:1::192.0.2.33",
      "64:ff9b:1:fffe::192.0.2.33",
      "64:ff9b:1:abcd:12:3456:c000:221",
      "::ffff:0:192.0.2.33",
      // The example of RFC 6052 for a prefix of 48 bits, in the prefix of RFC 8215.
      "64:ff9b:1:c000:2:2100::",
      // 6to4 and Teredo.
      "2002:c000:221::1",
      "2002:c000:221:ffff:1:2:3:4",
      "2001:0:4136:e378:8000:63bf:3fff:fdde",
    ],
    "10.1.2.3": ["64:ff9b::10.1.2.3", "64:ff9b:1::10.1.2.3", "2002:a01:203::"],
    "2001:db8:1:2::/64": ["2001:db8:1:2::1", "2001:db8:1:2:c000:221:3:4"],
    // Neighbours of the prefixes are networks of their own.
    "64:ff9b:2::/64": ["64:ff9b:2::192.0.2.33"],
    "64:ff9b:0:1::/64": ["64:ff9b:0:1::192.0.2.33"],
    "2003:c000:221::/64": ["2003:c000:221::1"],
    "2001:1::/64": ["2001:1::3fff:fdde"],
  };
  for (const [network, addresses] of Object.entries(same)) {
    for (const address of addresses) assert.equal(networkOf(address), network, address);
  }
});

test("A11: clients behind a translator from IPv4 do not share one limit", async (service) => {
  for (const prefix of ["64:ff9b::", "64:ff9b:1::", "::ffff:0:"]) {
    await exhaust(service, () => `${prefix}192.0.2.33`);
    assert.equal(await spray(service, `${prefix}192.0.2.33`), 429, prefix);
    assert.equal(await spray(service, "192.0.2.33"), 429, "the same client without the translator");
    assert.equal(await spray(service, `${prefix}192.0.2.34`), 401, "another client");
    await service.rows("DELETE FROM counters");
  }
});

const LIES = (index: number): HeadersOf => ({
  "x-forwarded-for": `203.0.113.${index % 250}`,
  forwarded: `for=203.0.113.${index % 250}`,
  "x-real-ip": `203.0.113.${index % 250}`,
  "cf-connecting-ip": `203.0.113.${index % 250}`,
  "true-client-ip": `203.0.113.${index % 250}`,
  "x-client-ip": `203.0.113.${index % 250}`,
});

test("S70, V11, V45: without a trusted proxy no header changes the network of a client", async (service) => {
  await exhaust(service, () => "192.0.2.1", LIES);
  assert.equal(await spray(service, "192.0.2.1", LIES(101)), 429);
  // A client cannot count its guesses for another network either.
  assert.equal(await spray(service, "203.0.113.1"), 401);
});

test("V11: behind a proxy that appends, addresses written by the client are ignored", async (service) => {
  const behind = (index: number) => ({ "x-forwarded-for": `203.0.113.${index % 250}, 198.51.100.7` });
  await exhaust(service, () => "10.0.0.1", behind);
  assert.equal(await spray(service, "10.0.0.1", behind(101)), 429);
  assert.equal(
    await spray(service, "10.0.0.1", { "x-forwarded-for": "198.51.100.8" }),
    401,
    "another client behind it",
  );
  assert.equal(await spray(service, "192.0.2.1", { "x-forwarded-for": "198.51.100.7" }), 401, "who is no proxy");
}, { TRUSTED_PROXIES: "10.0.0.0/8" });

test("V45: an invalid forwarded address does not bypass the limit", async (service) => {
  const garbage = ["", " ", "unknown", "1.2.3", "0x7f.1", "1.2.3.4, ,", "\u00e9", "a".repeat(5_000), "::1%", "'--"];
  await exhaust(service, () => "10.0.0.1", (index) => ({ "x-forwarded-for": garbage[index % garbage.length] }));
  for (const text of garbage) assert.equal(await spray(service, "10.0.0.1", { "x-forwarded-for": text }), 429, text);
}, { TRUSTED_PROXIES: "10.0.0.0/8" });

const SAME_PATH = ["/sessions", "/sessions/", "/./sessions", "/x/../sessions", "/%73essions", "/sessions?x=1"];
const OTHER_PATH = [
  "//sessions",
  "/sessions//",
  "/SESSIONS",
  "/Sessions",
  "/sessions;x=1",
  "/sessions%2f",
  "/sessions.json",
];

test("V02, V03: every spelling of a path is either the same path to each check, or answers 404", async (service) => {
  await service.register(EMAIL, PASSWORD);
  const wrong = { email: EMAIL, password: WRONG };
  for (let index = 0; index < STRANGERS.free; index++) {
    const { status } = await service.request("POST", SAME_PATH[index % SAME_PATH.length], { form: wrong });
    assert.equal(status, 401);
  }
  const form = { email: EMAIL, password: PASSWORD };
  const evil = { origin: "https://evil.example" };
  for (const path of SAME_PATH) {
    assert.equal((await service.request("POST", path, { form })).status, 429, path);
    assert.equal((await service.request("POST", path, { form, headers: evil })).status, 403, path);
    const host = await service.request("POST", path, { form, headers: { host: "evil.example" } });
    assert.equal(host.headers.get("error-code"), "host_refused", path);
  }
  for (const path of OTHER_PATH) {
    const response = await service.request("POST", path, { form });
    assert.deepEqual([response.status, response.headers.getSetCookie()], [404, []], path);
    assert.equal((await service.request("POST", path, { form, headers: evil })).status, 403, path);
  }
});

Deno.test("A6: a site is an IPv6 /48, and for every other address the network", () => {
  assert.equal(siteOf("2001:db8:7:1::1"), "2001:db8:7::/48");
  assert.equal(siteOf("2001:db8:7:ffff::9"), "2001:db8:7::/48");
  assert.notEqual(siteOf("2001:db8:8::1"), "2001:db8:7::/48");
  for (const other of ["192.0.2.1", "::ffff:192.0.2.1", "64:ff9b::192.0.2.1", "2002:c000:201::1", "x", undefined]) {
    assert.equal(siteOf(other), networkOf(other));
  }
});
