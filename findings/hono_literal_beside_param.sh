#!/usr/bin/env bash
# Hono 4.13.19: one literal path beside `:param` under the same method, such as `/users/me` beside `/users/:id`, is
# beyond its RegExpRouter, in either order and also with a pattern for the parameter. Its default router then takes the
# TrieRouter for the whole app and says nothing; only `app.router.name` tells, after the first request. Under another
# method, and beside `*`, it stays. Who meets it: almost every app with "me" or "others" beside an id. What helps: one
# route `/:id` whose handler asks for the literal.
# Seen on 2026-11-28 with hono@4.13.19 of npm on Node; the lines after EXPECTED are what it printed.
# Needs bash, Node and npm. Fails when the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-package-lock hono@4.13.19 </dev/null

cat >routers.mjs <<'END'
import { Hono } from "hono";
const answer = (c) => c.text("");
const apps = [
  [["get", "/users/me"], ["get", "/users/:id"]],
  [["get", "/users/:id"], ["get", "/users/me"]],
  [["get", "/users/me"], ["get", "/users/:id{[0-9]+}"]],
  [["delete", "/users/me"], ["get", "/users/:id"]],
  [["get", "/users/me"], ["get", "/users/*"]],
];
for (const routes of apps) {
  const app = new Hono();
  for (const [method, path] of routes) app[method](path, answer);
  await app.request("/users/1");
  console.log(`${routes.map((route) => route.join(" ")).join(", ")}: ${app.router.name}`);
}
END
node routers.mjs | tee seen
diff seen - <<'EXPECTED'
get /users/me, get /users/:id: SmartRouter + TrieRouter
get /users/:id, get /users/me: SmartRouter + TrieRouter
get /users/me, get /users/:id{[0-9]+}: SmartRouter + TrieRouter
delete /users/me, get /users/:id: SmartRouter + RegExpRouter
get /users/me, get /users/*: SmartRouter + RegExpRouter
EXPECTED
