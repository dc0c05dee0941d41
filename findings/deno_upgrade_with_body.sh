#!/usr/bin/env bash
# Deno 2.9.6: Deno.serve answers an HTTP/1.1 request that asks for an upgrade and has a body with an empty 400 of its
# own. The handler never hears of it, whatever the upgrade is (h2c, websocket) and however the body is framed. RFC 9110
# 7.8 lets a server ignore Upgrade, and RFC 9113 3.1 has retired h2c. Without a body the handler is called, and so it is
# when only Upgrade is sent without "Connection: Upgrade". node:http in the same Deno answers all of them.
# Who meets it: Java's HttpClient by default and `curl --http2`, over plain http with a body. What helps:
# HttpClient.Version.HTTP_1_1, `curl --http1.1`, or a proxy that drops Upgrade. No option of Deno.serve changes it.
# Seen on 2026-11-28 with deno@2.9.6 of npm on Linux; the lines after "expected" below are what it printed.
# Needs bash, Node and npm. Fails when the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-package-lock deno@2.9.6 </dev/null

cat >serve.ts <<'END'
import http from "node:http";
const serve = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) =>
  new Response(`handler ${request.method} ${await request.text()}`));
const node = http.createServer((request, response) => {
  let body = "";
  request.on("data", (part) => body += part);
  request.on("end", () => response.end(`handler ${request.method} ${body}`));
});
await new Promise<void>((resolve) => node.listen(0, "127.0.0.1", resolve));
const ports = { "Deno.serve": serve.addr.port, "node:http": (node.address() as { port: number }).port };

const ASK = "Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA\r\n";
const SIZED = "Content-Length: 3\r\n\r\na=b", CHUNKED = "Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\n\r\n";
const requests: [name: string, head: string][] = [
  ["POST", `POST / HTTP/1.1\r\n${SIZED}`],
  ["GET, h2c", `GET / HTTP/1.1\r\n${ASK}Upgrade: h2c\r\n\r\n`],
  ["POST, h2c", `POST / HTTP/1.1\r\n${ASK}Upgrade: h2c\r\n${SIZED}`],
  ["POST, h2c, chunked", `POST / HTTP/1.1\r\n${ASK}Upgrade: h2c\r\n${CHUNKED}`],
  ["POST, websocket", `POST / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${SIZED}`],
  ["POST, Upgrade without Connection", `POST / HTTP/1.1\r\nUpgrade: h2c\r\n${SIZED}`],
];
for (const [server, port] of Object.entries(ports)) {
  for (const [name, text] of requests) {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode(text.replace("\r\n", "\r\nHost: localhost\r\n")));
    const buffer = new Uint8Array(4_096);
    let answer = "";
    while (!/\r\n\r\n(?:handler|$)/.test(answer)) {
      const length = await connection.read(buffer);
      if (length === null) break;
      answer += new TextDecoder().decode(buffer.subarray(0, length));
    }
    connection.close();
    const [, status] = answer.split(" ");
    console.log(`${server}: ${name}: ${status} ${answer.split("\r\n\r\n")[1] || "(empty)"}`);
  }
}
Deno.exit();
END

./node_modules/.bin/deno run --no-prompt --no-check --allow-net=127.0.0.1 serve.ts >seen
# expected
cat >expected <<'END'
Deno.serve: POST: 200 handler POST a=b
Deno.serve: GET, h2c: 200 handler GET 
Deno.serve: POST, h2c: 400 (empty)
Deno.serve: POST, h2c, chunked: 400 (empty)
Deno.serve: POST, websocket: 400 (empty)
Deno.serve: POST, Upgrade without Connection: 200 handler POST a=b
node:http: POST: 200 handler POST a=b
node:http: GET, h2c: 200 handler GET 
node:http: POST, h2c: 200 handler POST a=b
node:http: POST, h2c, chunked: 200 handler POST a=b
node:http: POST, websocket: 200 handler POST a=b
node:http: POST, Upgrade without Connection: 200 handler POST a=b
END
if diff expected seen; then echo "as it was: deno@2.9.6 refuses an upgrade with a body by itself"; else exit 1; fi
