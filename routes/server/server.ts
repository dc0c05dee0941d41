/**
 * One server on one port: starts it, and stops it in order. Must not read a setting from anywhere but `auth`.
 *
 * @module
 */
import type { Auth } from "../../auth/auth.ts";
import { ConfigError } from "../../auth/config.ts";
import { deliverRegularly } from "../../auth/mail/outbox.ts";
import { sweepRegularly } from "../../auth/maintenance/sweep.ts";
import { closeAuth } from "../../auth/open.ts";
import { watchEventLoop } from "../../auth/runtime/event_loop.ts";
import { RequestCounts } from "../../auth/runtime/metrics.ts";
import { createApp } from "../app.ts";
import { ERROR_CODES } from "../http/errors.ts";

/**
 * How long a public service still takes requests after `/readyz` has begun to say no, in milliseconds. In this time the
 * load balancer asks `/readyz` again. A local service has no load balancer.
 */
const NOTICE = 2_000;
/** How long requests may take to finish after the server was told to stop, in milliseconds (F18). */
export const GRACE = 10_000;

/** A running server. */
export interface Server {
  /** Its URL, or the address that a platform sets by DENO_SERVE_ADDRESS instead of the settings. */
  url: string;
  /** The TCP port, which workers share. Undefined for another kind of address, which has no other workers. */
  port: number | undefined;
  counts: RequestCounts;
  /** Makes `/readyz` say no, soon refuses new connections, and lets requests finish for ten seconds at most. */
  drain(): Promise<void>;
  /** Closes the database; only after the last request. */
  close(): Promise<void>;
}

/**
 * Serves on the configured address. A worker passes the `port` that it shares with the others. Throws a ConfigError
 * when it cannot listen there.
 */
export async function startServer(auth: Auth, port?: number): Promise<Server> {
  const shared = auth.config.workers > 1;
  const counts = new RequestCounts(auth.metrics, ERROR_CODES);
  const app = createApp(auth, counts);
  const serve = () =>
    Deno.serve({
      hostname: auth.config.host,
      port: port ?? auth.config.port,
      reusePort: shared,
      onListen: () => {},
      // The app answers its own errors. Here only an answer that broke off arrives.
      onError: () => new Response(null, { status: 500 }),
    }, app.fetch);
  const server = await listening(auth, () => shared && port === undefined ? serveAlone(auth, serve) : serve());
  const url = addressToText(server.addr);
  if (auth.config.profile === "local") auth.origin = url;
  const stopWatch = auth.config.metrics === undefined ? undefined : watchEventLoop(auth.metrics);
  const stopSweep = sweepRegularly(auth);
  const stopMails = deliverRegularly(auth);
  return {
    url,
    port: (server.addr as Partial<Deno.NetAddr>).port,
    counts,
    drain: async () => {
      auth.stopping = true;
      if (auth.config.profile === "public") await new Promise((resolve) => setTimeout(resolve, NOTICE));
      let timer: ReturnType<typeof setTimeout>;
      const grace = new Promise((resolve) => timer = setTimeout(resolve, GRACE));
      await Promise.all([Promise.race([server.shutdown(), grace]), stopSweep(), stopMails()]);
      clearTimeout(timer!);
      stopWatch?.();
    },
    close: async () => {
      await closeAuth(auth);
      await auth.log.flush();
    },
  };
}

function addressToText(address: Deno.Addr): string {
  if (!("hostname" in address)) return "path" in address ? `unix:${address.path}` : address.transport;
  return `http://${address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname}:${address.port}`;
}

/** How often a start tries to get the lock on its port, and the pause between two tries in milliseconds. */
const TRIES = 100, PAUSE = 20;

/**
 * Serves on a port of which no other process has a part. SO_REUSEPORT, by which workers share a port, also shares it
 * with another service of the same user, and each would get some of the requests. So the port must first be free for a
 * listener that does not share it. Between that look and our own listening another start could look too: a UDP socket
 * on the same address is the lock around both. It conflicts with exactly the addresses that conflict for TCP, needs no
 * permission more, and is gone at once when the process is killed.
 */
async function serveAlone<T>({ config: { host: hostname, port } }: Auth, serve: () => T): Promise<T> {
  // The system never gives two listeners the same free port.
  if (port === 0) return serve();
  const lock = await lockPort(hostname, port);
  try {
    Deno.listen({ hostname, port }).close();
    return serve();
  } finally {
    lock.close();
  }
}

async function lockPort(hostname: string, port: number): Promise<Deno.DatagramConn> {
  for (let tries = 1;; tries++) {
    try {
      return Deno.listenDatagram({ transport: "udp", hostname, port });
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      // Another start holds it for a moment. Is it held for longer, another program uses it.
      if (tries === TRIES) throw new UdpPortInUse();
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** Another program holds the UDP port of the same number. */
class UdpPortInUse extends Error {}

/** Turns a failure to listen into a sentence for the operator. */
async function listening<T>({ config: { host, port } }: Auth, listen: () => T | Promise<T>): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    throw new ConfigError([`PORT: ${reasonOf(error, `${host}:${port}`)}`]);
  }
}

function reasonOf(error: unknown, address: string): string {
  if (error instanceof Deno.errors.AddrInUse) {
    return `another program listens on ${address}; stop it, or set PORT to another one`;
  }
  if (error instanceof UdpPortInUse) {
    return `another program uses the UDP port ${address}, which a start with several workers needs for a moment; ` +
      "set PORT to another one, or WORKERS=1";
  }
  return `cannot listen on ${address}: ${(error as Error).message}`;
}
