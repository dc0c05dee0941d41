/**
 * Import and export of as many users as a large application has.
 *
 * @module
 */
import { ENGINES } from "../kit/service.ts";
import { streamUsers } from "../kit/user_stream.ts";

for (const engine of ENGINES) {
  Deno.test(`users import and export stream 100,000 users [${engine}]`, () => streamUsers(engine, 100_000));
}
