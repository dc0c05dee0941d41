/**
 * A thousand clients that never finish their headers, and a hundred with slow bodies, in front of a proxy with the
 * configuration of the README: other requests are answered, and none of the slow ones reaches Bienvenue.
 *
 * @module
 */
import assert from "node:assert/strict";
import { openFiles } from "../kit/process/processes.ts";
import { logIn, type ProxiedService, withProxiedService } from "../kit/process/proxied_service.ts";
import { HOST, PROXIES, type ProxyName } from "../kit/process/reverse_proxy.ts";
import { testWith } from "../kit/programs.ts";

const HEADERS = 1_000, BODIES = 100;
/** How long a proxy may take to cut them, in milliseconds: its own ten seconds, and time for a busy machine. */
const PATIENCE = 60_000;

/** A TLS connection that has sent the beginning of a request. */
async function begin(proxied: ProxiedService, text: string): Promise<Deno.TlsConn> {
  const caCerts = [await Deno.readTextFile(proxied.proxy.authority)];
  const plain = await Deno.connect({ hostname: "127.0.0.1", port: proxied.proxy.port });
  const connection = await Deno.startTls(plain, { hostname: HOST, caCerts });
  await connection.write(new TextEncoder().encode(text));
  return connection;
}

/** Opens many, fifty at a time, so that the machine can follow. */
async function beginMany(proxied: ProxiedService, count: number, text: string): Promise<Deno.TlsConn[]> {
  const all: Deno.TlsConn[] = [];
  while (all.length < count) {
    all.push(...await Promise.all(Array.from({ length: 50 }, () => begin(proxied, text))));
  }
  return all;
}

/** Sends a byte a second and settles when the other side closes. */
async function trickle(connection: Deno.TlsConn): Promise<void> {
  const timer = setInterval(() => connection.write(new Uint8Array([120])).catch(() => {}), 1_000);
  const buffer = new Uint8Array(4_096);
  try {
    // Reads what it answers before it closes.
    while (await connection.read(buffer) !== null);
  } catch {
    // A reset counts as a close.
  } finally {
    clearInterval(timer);
    connection.close();
  }
}

for (const name of Object.keys(PROXIES) as ProxyName[]) {
  const programs = [[...PROXIES[name]], ["curl", "--version"], ["openssl", "version"]];
  testWith(
    programs,
    `F13: slow headers and bodies delay nobody and do not reach Bienvenue [${name}]`,
    () =>
      withProxiedService(name, async (proxied) => {
        const { proxy, service } = proxied;
        await logIn(proxied);
        // From another address than the slow clients, because nginx counts the requests of each.
        const others = async () =>
          (await proxy.curl(`${proxy.origin}/profile`, "--interface", "127.0.0.2", "--max-time", "5")).status;
        const before = openFiles(service.pid);
        const unfinished = `GET /profile HTTP/1.1\r\nHost: ${HOST}\r\nX-Slow: `;
        const slow = await beginMany(proxied, HEADERS, unfinished);
        const cut = Promise.all(slow.map(trickle));
        for (let round = 0; round < 20; round++) assert.equal(await others(), 200);
        assert.ok(openFiles(service.pid) <= before + 20, "slow headers stay at the proxy");
        const patience = setTimeout(() => slow.forEach((connection) => connection.close()), PATIENCE);
        const start = performance.now();
        await cut;
        clearTimeout(patience);
        assert.ok(performance.now() - start < PATIENCE, "the proxy cuts them");
        const type = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000";
        const bodies = await beginMany(
          proxied,
          BODIES,
          `POST /users HTTP/1.1\r\nHost: ${HOST}\r\n${type}\r\n\r\nemail=`,
        );
        const trickling = bodies.map(trickle);
        for (let round = 0; round < 20; round++) assert.equal(await others(), 200);
        assert.ok(openFiles(service.pid) <= before + BODIES + 20);
        for (const connection of bodies) await connection.closeWrite().catch(() => {});
        await Promise.all(trickling);
        assert.equal(await others(), 200);
      }),
  );
}
