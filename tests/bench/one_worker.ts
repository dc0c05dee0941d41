/**
 * The service as one of several that share a port, for two ways of using all cores that `main.ts` does not use: `deno
 * serve --parallel`, and separate processes. With the argument `shared` it serves by itself.
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

/** The app for `deno serve`. */
export default { fetch: createApp(auth).fetch };
