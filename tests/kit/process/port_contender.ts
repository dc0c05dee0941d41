/**
 * A process that tries to serve on a port whenever it is told to, so that two of them can try at the same moment again
 * and again. A line in is `{ host, port, workers }`, or `stop`; a line out is the URL, the reason why not, or `stopped`.
 *
 * @module
 */
import type { Auth } from "../../../auth/auth.ts";
import { ConfigError } from "../../../auth/config.ts";
import { openAuth } from "../../../auth/open.ts";
import { startServer } from "../../../routes/server/server.ts";
import { testConfig } from "../service.ts";

/** Where a contender tries to serve. */
export interface Place {
  host: string;
  port: number;
  workers: number;
}

/** A contender's process. */
export interface Contender extends AsyncDisposable {
  /** Sends a line and gives the answer. */
  tell(line: string): Promise<string>;
}

/** Starts a contender. */
export function startContender(): Contender {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "-P=test", import.meta.filename!],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const input = child.stdin.getWriter();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  return {
    tell: async (line) => {
      await input.write(new TextEncoder().encode(`${line}\n`));
      let answer = "";
      while (!answer.endsWith("\n")) {
        const { value, done } = await output.read();
        if (done) throw new Error(`the contender ended: ${answer}`);
        answer += value;
      }
      return answer.trimEnd();
    },
    [Symbol.asyncDispose]: async () => {
      await input.close();
      await output.cancel();
      await child.status;
    },
  };
}

/** Serves at the place, and gives the answer and what ends it. */
async function contend(auth: Auth, place: Place): Promise<[answer: string, stop: () => Promise<void>]> {
  try {
    const server = await startServer({ ...auth, config: { ...auth.config, ...place } });
    return [server.url, server.drain];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [error.message, () => Promise.resolve()];
  }
}

if (import.meta.main) {
  const auth = await openAuth(testConfig({}), {
    folder: "/tmp",
    log: { write: () => {}, writeRequest: () => {}, flush: () => {} },
  });
  let stop = (): Promise<void> => Promise.resolve();
  for await (const line of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    let answer = "stopped";
    if (line === "stop\n") await stop();
    else [answer, stop] = await contend(auth, JSON.parse(line));
    console.log(answer);
  }
  Deno.exit();
}
