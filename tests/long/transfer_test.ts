/**
 * As many users as a large application brings along.
 *
 * @module
 */
import { ENGINES } from "../kit/service.ts";
import { streamUsers } from "../kit/user_stream.ts";

for (const engine of ENGINES) {
  Deno.test(`100,000 users come in and go out as a stream [${engine}]`, () => streamUsers(engine, 100_000));
}
