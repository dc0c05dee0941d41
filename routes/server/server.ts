/**
 * One server on one port: starts it, and stops it in good order. Must not read a setting of its own.
 *
 * @module
 */
import type { Auth } from "../../auth/auth.ts";
import { ConfigError } from "../../auth/config.ts";
import { deliverRegularly } from "../../auth/mail/outbox.ts";
import { sweepRegularly } from "../../auth/maintenance/sweep.ts";
import { closeAuth } from "../../auth/open.ts";
import { watchEventLoop } from "../../auth/runtime/event_loop.ts";
import { createApp } from "../app.ts";
import { RequestCounts } from "../http/request_counts.ts";

/**
 * How long a public service goes on as before after `/readyz` has begun to say no, so that whoever shares requests out
 * among instances asks it in time, in milliseconds. In front of a local one there is nobody.
 */
const NOTICE = 2_000;
/** How long requests may take to finish once the server was told to stop, in milliseconds (F18). */
export const GRACE = 10_000;

/** A server that listens. */
export interface Server {
  /** Where: a URL, or what a platform says instead of the settings, by DENO_SERVE_ADDRESS. */
  url: string;
  /** The TCP port, which workers share; undefined where it listens otherwise, and so alone. */
  port: number | undefined;
  /** What it counts of its requests. */
  counts: RequestCounts;
  /**
   * Says that it is not ready any more, refuses new connections a little later, and lets requests finish for ten seconds
   * at most.
   */
  drain(): Promise<void>;
  /** Closes the database, after the last request. */
  close(): Promise<void>;
}

/**
 * Serves on the configured address; with `port`, beside other workers on that one port. Throws a ConfigError when it
 * cannot listen there.
 */
export function startServer(auth: Auth, port?: number): Server {
  const shared = auth.config.workers > 1;
  const counts = new RequestCounts(auth.metrics);
  const app = createApp(auth, counts);
  const server = listening(auth, () => {
    // Sharing a port among workers (SO_REUSEPORT) would share it with another service of the same user as well, and
    // each would get some of the requests: so the port must be free for one that does not share.
    if (shared && port === undefined) Deno.listen({ hostname: auth.config.host, port: auth.config.port }).close();
    return Deno.serve({
      hostname: auth.config.host,
      port: port ?? auth.config.port,
      reusePort: shared,
      onListen: () => {},
      // The app answers its own errors; here arrives only that an answer broke off.
      onError: () => new Response(null, { status: 500 }),
    }, app.fetch);
  });
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
      auth.log.flush();
    },
  };
}

function addressToText(address: Deno.Addr): string {
  if (!("hostname" in address)) return "path" in address ? `unix:${address.path}` : address.transport;
  return `http://${address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname}:${address.port}`;
}

/** Turns what keeps a server from listening into a sentence. */
function listening<T>({ config: { host, port } }: Auth, listen: () => T): T {
  try {
    return listen();
  } catch (error) {
    const reason = error instanceof Deno.errors.AddrInUse
      ? `another program listens on ${host}:${port}; stop it, or set PORT to another one`
      : `cannot listen on ${host}:${port}: ${(error as Error).message}`;
    throw new ConfigError([`PORT: ${reason}`]);
  }
}
