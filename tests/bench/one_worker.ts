/**
 * The service as one of several that share a port, for the ways of using all cores that `main.ts` does not take:
 * `deno serve --parallel`, and processes of their own. With the word `shared` it serves by itself.
 *
 * @module
 */
import { parseConfig } from "../../auth/config.ts";
import { openAuth } from "../../auth/open.ts";
import { createLog, standardOutput } from "../../auth/runtime/log.ts";
import { createApp } from "../../routes/app.ts";
import { startServer } from "../../routes/server/server.ts";

const config = parseConfig((name) => name === "WORKERS" ? "2" : Deno.env.get(name));
const auth = await openAuth(config, {
  folder: "/",
  log: createLog(standardOutput),
});
if (Deno.args[0] === "shared") {
  startServer(auth, config.port);
  console.error(`one of several listens on http://127.0.0.1:${config.port}`);
} else {
  setTimeout(
    () =>
      console.error(
        `in parallel it listens on http://127.0.0.1:${config.port}`,
      ),
    500,
  );
}

/** What `deno serve` serves. */
export default { fetch: createApp(auth).fetch };
