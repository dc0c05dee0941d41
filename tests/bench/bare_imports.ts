/**
 * The cost of the packages at the start: a bare Hono program with the imports that the service loads before its first
 * answer. The argument is the port.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { Hono } from "hono";
import { jsx } from "hono/jsx/jsx-runtime";
import { routePath } from "hono/route";
import { serialize } from "hono/utils/cookie";
import ipaddr from "ipaddr.js";
import { v7 } from "uuid";
import * as z from "zod";
import { answer, serve } from "./bare_answers.ts";

const database = new DatabaseSync(":memory:");
const packages = [database, serialize, jsx, routePath, ipaddr, v7, z];
const app = new Hono();
app.get(
  "/",
  () => answer({ message: `with ${packages.length} packages` }, 200, true),
);
serve(app.fetch, Number(Deno.args[0]));
