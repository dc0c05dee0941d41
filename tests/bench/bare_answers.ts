/**
 * Shared by the bare programs of the benchmark: an answer with the headers that the service sends, and the line that
 * prints the address. Must not be optimised: it stands for code that anybody would write by hand.
 *
 * @module
 */

/** The headers that the service sends with every answer (routes/http/answers.ts). */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "content-type": "application/json",
};

/** Answers JSON with the same seven headers as the service, or with only its type. */
export function answer(
  body: unknown,
  status: number,
  withHeaders: boolean,
): Response {
  const headers = withHeaders
    ? { ...HEADERS, "x-request-id": crypto.randomUUID() }
    : { "content-type": "application/json" };
  return new Response(JSON.stringify(body), { status, headers });
}

/** Serves on a free loopback port and prints the address in the format of the service. */
export function serve(
  fetch: (request: Request) => Response | Promise<Response>,
  port = 0,
): void {
  Deno.serve({
    hostname: "127.0.0.1",
    port,
    onListen: (address) =>
      console.error(
        `a bare program listens on http://127.0.0.1:${address.port}`,
      ),
  }, fetch);
}
