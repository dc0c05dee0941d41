/**
 * HTTP as bytes over a socket to a service on a free port, for requests that no client library would send. Must not
 * know what the service answers.
 *
 * @module
 */
import { createApp } from "../../../routes/app.ts";
import type { Service } from "../service.ts";

/** A raw answer; a connection that closed without an answer has the status 0. */
interface RawResponse {
  status: number;
  headers: Headers;
  body: string;
}

/** Sends bytes and returns the first answer. Characters up to U+00FF stand for bytes. */
export type Exchange = (text: string, options?: { thenClose?: boolean }) => Promise<RawResponse>;

/** Serves the app on a port while the work runs. */
export async function withServer(
  service: Service,
  work: (exchange: Exchange, origin: string) => Promise<void>,
  fetch: Deno.ServeHandler<Deno.NetAddr> = createApp(service.auth).fetch,
): Promise<void> {
  const onError = () => new Response(null, { status: 500 });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {}, onError }, fetch);
  const { port } = server.addr;
  try {
    await work((text, options = {}) => exchange(port, text, options.thenClose ?? false), `http://127.0.0.1:${port}`);
  } finally {
    await server.shutdown();
  }
}

async function exchange(port: number, text: string, thenClose: boolean): Promise<RawResponse> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  let sent = Uint8Array.from(text, (char) => char.charCodeAt(0));
  try {
    while (sent.length > 0) sent = sent.subarray(await connection.write(sent));
    if (thenClose) await connection.closeWrite();
  } catch {
    // The service may answer and close before it has read everything.
  }
  let received = "";
  const buffer = new Uint8Array(65_536);
  try {
    while (!isWhole(received, text.startsWith("HEAD "))) {
      const length = await connection.read(buffer);
      if (length === null) break;
      received += String.fromCharCode(...buffer.subarray(0, length));
    }
  } catch {
    // A reset after the answer keeps the bytes that arrived.
  }
  return parse(received);
}

function isWhole(received: string, headOnly: boolean): boolean {
  if (!received.includes("\r\n\r\n")) return false;
  const { headers, body } = parse(received);
  return headOnly || body.length >= Number(headers.get("content-length") ?? 0);
}

function parse(received: string): RawResponse {
  const end = received.indexOf("\r\n\r\n");
  const [first, ...lines] = received.slice(0, Math.max(0, end)).split("\r\n");
  const headers = new Headers();
  for (const line of lines) headers.append(line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim());
  return { status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0), headers, body: received.slice(end + 4) };
}
