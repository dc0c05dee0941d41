#!/usr/bin/env bash
# Deno 2.9.6, Deno.serve: when many requests have arrived, it calls the handler for each of them in one turn of the event
# loop, and runs the microtasks after every single call. So work that a handler puts off by `queueMicrotask`, or after an
# `await`, runs before the next request is seen: it never meets two requests. What `process.nextTick` puts off runs after
# all of them, and meets many. In Node it is the other way round: nextTick runs before microtasks. Who meets it: a loader
# that gathers the lookups of one turn by microtasks. What helps: `nextTick` of node:process.
# Seen on 2026-11-28 with deno@2.9.6 of npm on Linux; the lines after EXPECTED are what it printed.
# Needs bash, Node and npm. Fails when the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-package-lock deno@2.9.6 </dev/null

cat >turns.ts <<'END'
import { nextTick } from "node:process";

/** The largest number of requests that were in hand when the put-off work ran. */
async function largest(putOff: (work: () => void) => void): Promise<number> {
  let waiting: (() => void)[] = [], most = 0;
  const answerAll = () => {
    most = Math.max(most, waiting.length);
    const all = waiting;
    waiting = [];
    for (const answer of all) answer();
  };
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () =>
    new Promise<Response>((resolve) => {
      if (waiting.push(() => resolve(new Response("."))) === 1) putOff(answerAll);
    }));
  const client = new Worker(import.meta.resolve("./client.ts"), { type: "module" });
  const done = new Promise((resolve) => client.onmessage = resolve);
  client.postMessage(`http://127.0.0.1:${server.addr.port}`);
  await done;
  client.terminate();
  return most;
}
console.log("queueMicrotask:", await largest(queueMicrotask) === 1 ? "one request at a time" : "several");
console.log("nextTick:", await largest(nextTick) > 1 ? "several requests" : "one at a time");
END
cat >client.ts <<'END'
self.onmessage = async ({ data: url }) => {
  const loop = async () => {
    for (let count = 0; count < 200; count++) await (await fetch(url)).text();
  };
  await Promise.all(Array.from({ length: 16 }, loop));
  self.postMessage("done");
};
END
node_modules/.bin/deno run --allow-net --allow-read turns.ts | tee seen
diff seen - <<'EXPECTED'
queueMicrotask: one request at a time
nextTick: several requests
EXPECTED
