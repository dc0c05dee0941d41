/**
 * The client address of a request, as the list of sessions shows it to the owner.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Service, sessionOf, test } from "../kit/service.ts";

const EMAIL = "bob@example.com", PASSWORD = "correct horse 9";

/** The stored address of a login from this socket with this X-Forwarded-For. */
async function addressOf(service: Service, ip: string, forwarded?: string): Promise<unknown> {
  const headers: Record<string, string> = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
  const login = await service.request("POST", "/sessions", { ip, headers, form: { email: EMAIL, password: PASSWORD } });
  assert.equal(login.status, 200);
  const list = await service.request("GET", "/sessions", { session: sessionOf(login) });
  const { sessions } = await list.json() as { sessions: { ip: string; current: boolean }[] };
  return sessions.find((session) => session.current)!.ip;
}

const BEHIND_PROXIES: [socket: string, forwarded: string | undefined, expected: string, why: string][] = [
  ["10.1.2.3", "203.0.113.5", "203.0.113.5", "one proxy"],
  ["10.1.2.3", undefined, "10.1.2.3", "a proxy that says nothing"],
  ["192.0.2.9", "203.0.113.5", "192.0.2.9", "not a proxy"],
  ["10.1.2.3", "203.0.113.5, 10.9.9.9", "203.0.113.5", "two proxies"],
  ["10.1.2.3", "1.1.1.1, 203.0.113.5, 10.9.9.9,10.8.8.8", "203.0.113.5", "the client wrote the first itself"],
  ["10.1.2.3", "10.7.7.7, 10.9.9.9", "10.1.2.3", "nobody but proxies: anything else could be made up"],
  ["10.1.2.3", "garbage, 203.0.113.5", "203.0.113.5", "garbage before the first stranger is never read"],
  ["10.1.2.3", "203.0.113.5, garbage", "10.1.2.3", "garbage where an address is needed"],
  ["10.1.2.3", "203.0.113.5,", "10.1.2.3", "an empty part"],
  ["10.1.2.3", "010.0.0.1", "10.1.2.3", "octal to some programs"],
  ["10.1.2.3", "203.0.113", "10.1.2.3", "shortened"],
  ["10.1.2.3", "203.0.113.5:4711", "203.0.113.5", "with a port"],
  ["10.1.2.3", "[2001:db8::5]:4711", "2001:db8::5", "IPv6 with a port"],
  ["10.1.2.3", "[2001:db8::5]", "2001:db8::5", "IPv6 in brackets"],
  ["10.1.2.3", "2001:DB8:0:0::5", "2001:db8::5", "IPv6 in another spelling"],
  ["::ffff:10.1.2.3", "203.0.113.5", "203.0.113.5", "the proxy's own address in IPv6's clothes"],
  ["10.1.2.3", "203.0.113.5, ::ffff:10.9.9.9", "203.0.113.5", "another proxy's address in IPv6's clothes"],
  ["10.1.2.3", "::ffff:203.0.113.5", "203.0.113.5", "the client's address in IPv6's clothes"],
  ["fd00::1", "203.0.113.5", "203.0.113.5", "a proxy over IPv6"],
  ["192.0.2.77", "203.0.113.5", "203.0.113.5", "an address by itself in the list"],
  ["172.16.0.9", "203.0.113.5", "203.0.113.5", "a mapped network in the list"],
  ["172.32.0.9", "203.0.113.5", "172.32.0.9", "just outside of it"],
];

test("S70, V35: the client's address is the last one that is not a trusted proxy", async (service) => {
  await service.register(EMAIL, PASSWORD);
  for (const [socket, forwarded, expected, why] of BEHIND_PROXIES) {
    assert.equal(await addressOf(service, socket, forwarded), expected, why);
  }
}, { TRUSTED_PROXIES: "10.0.0.0/8, fd00::/8,192.0.2.77, ::ffff:172.16.0.0/108" });

test("S70: without trusted proxies the address is the socket's, whatever the headers", async (service) => {
  await service.register(EMAIL, PASSWORD);
  for (const forwarded of [undefined, "203.0.113.5", "127.0.0.1", "garbage"]) {
    assert.equal(await addressOf(service, "127.0.0.1", forwarded), "127.0.0.1");
  }
});
