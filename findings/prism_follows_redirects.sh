#!/usr/bin/env bash
# @stoplight/prism-cli 5.16.0: `prism proxy` follows a redirect of the upstream itself. The client gets 200 instead of
# 302 and never sees `Location`. With `--errors` a document that describes the 302 makes Prism answer 500: "Unable to
# match the returned status code". Log-outs and OAuth redirects cannot be validated through it.
set -euo pipefail
folder=$(mktemp -d)
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-package-lock @stoplight/prism-cli@5.16.0 >/dev/null

cat >document.json <<'JSON'
{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{"/old":{"get":{"responses":{"302":{"description":"moved"}}}}}}
JSON
cat >upstream.mjs <<'JS'
import { createServer } from "node:http";
import { writeFileSync } from "node:fs";
const server = createServer((request, response) => {
  if (request.url === "/old") response.writeHead(302, { location: "/new" }).end();
  else response.writeHead(200, { "content-type": "application/json" }).end("{}");
});
server.listen(0, "127.0.0.1", () => writeFileSync("port", String(server.address().port)));
JS
node upstream.mjs &
pids+=($!)
while [ ! -s port ]; do sleep 0.1; done
prism_port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
node_modules/.bin/prism proxy document.json "http://127.0.0.1:$(cat port)" --errors -p "$prism_port" >prism.log 2>&1 &
pids+=($!)
for _ in $(seq 100); do grep -q 'is listening' prism.log && break; sleep 0.2; done

direct=$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$(cat port)/old")
proxied=$(curl -s -o answer -w '%{http_code}' "http://127.0.0.1:$prism_port/old")
echo "upstream: $direct; through prism: $proxied"
grep -o 'Unable to match the returned status code' answer
[ "$direct" = 302 ] && [ "$proxied" = 500 ]
