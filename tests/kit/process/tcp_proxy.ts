/**
 * A TCP proxy on loopback in front of a database server: tests cut or stall connections, redirect them, and count what
 * passes. Must not change a byte.
 *
 * @module
 */

/** A running proxy and its controls. */
export interface TcpProxy extends AsyncDisposable {
  /** Its port on 127.0.0.1. */
  port: number;
  /** The port for new connections; tests change it. */
  target: number;
  /** The number of open connections. */
  open(): number;
  /** Cuts all connections at once. */
  cut(): void;
  /** Called before bytes of a client are passed on; `false` cuts the connection after they were passed on. */
  onRequest?: (bytes: Uint8Array) => boolean;
  /** Called with bytes of the server before they are passed on; may delay them. */
  onAnswer?: (bytes: Uint8Array) => void | Promise<void>;
}

interface Pair {
  client: Deno.TcpConn;
  server?: Deno.TcpConn;
}

/** Starts a proxy to a port on 127.0.0.1. */
export function startProxy(target: number): TcpProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const pairs = new Set<Pair>();
  const proxy: TcpProxy = {
    port: (listener.addr as Deno.NetAddr).port,
    target,
    open: () => pairs.size,
    cut: () => pairs.forEach(close),
    [Symbol.asyncDispose]: async () => {
      listener.close();
      proxy.cut();
      await accepting;
      await Promise.allSettled(serving);
    },
  };
  const close = (pair: Pair): void => {
    if (!pairs.delete(pair)) return;
    pair.client.close();
    pair.server?.close();
  };
  const serve = async (pair: Pair): Promise<void> => {
    try {
      pair.server = await Deno.connect({ hostname: "127.0.0.1", port: proxy.target });
      if (!pairs.has(pair)) return pair.server.close();
      await Promise.race([upstream(pair, proxy), downstream(pair, proxy)]);
    } catch {
      // When one side closes, close the other.
    } finally {
      close(pair);
    }
  };
  const serving: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const client of listener) {
      const pair: Pair = { client };
      pairs.add(pair);
      serving.push(serve(pair));
    }
  })();
  return proxy;
}

async function upstream({ client, server }: Pair, proxy: TcpProxy): Promise<void> {
  for await (const bytes of chunksOf(client)) {
    const goesOn = proxy.onRequest?.(bytes) ?? true;
    await writeAll(server!, bytes);
    if (!goesOn) return;
  }
}

async function downstream({ client, server }: Pair, proxy: TcpProxy): Promise<void> {
  for await (const bytes of chunksOf(server!)) {
    await proxy.onAnswer?.(bytes);
    await writeAll(client, bytes);
  }
}

async function* chunksOf(connection: Deno.TcpConn): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const length = await connection.read(buffer);
    if (length === null) return;
    yield buffer.slice(0, length);
  }
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}
