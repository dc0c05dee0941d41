/**
 * Tools of others for the OpenAPI document: a validator, and a proxy that compares requests and answers with it. Their
 * packages are in `tests/openapi/`, with a lock file of their own, so that the service never loads them.
 *
 * @module
 */
import { bareEnvironment } from "./started_service.ts";
import { freePort } from "./postgres_server.ts";

const FOLDER = `${import.meta.dirname}/../../openapi`;

/** Installs the packages once. */
let installed: Promise<void> | undefined;

async function install(): Promise<void> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["install", "--frozen", "--quiet"],
    cwd: FOLDER,
    stdout: "null",
  });
  if (!(await command.output()).success) throw new Error("the packages of tests/openapi cannot be installed");
}

function tool(name: string, args: string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", `node_modules/.bin/${name}`, ...args],
    cwd: FOLDER,
    env: bareEnvironment(),
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  });
}

/** What `@seriousme/openapi-schema-validator` says of a document; `undefined` when it is valid. */
export async function faultsOf(document: unknown): Promise<unknown> {
  await (installed ??= install());
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(file, JSON.stringify(document));
    const { stdout } = await tool("validate-api", [file]).output();
    const { valid, errors } = JSON.parse(new TextDecoder().decode(stdout));
    return valid === true ? undefined : errors ?? "no answer";
  } finally {
    await Deno.remove(file);
  }
}

/** A running Prism proxy. */
export interface ValidatingProxy extends AsyncDisposable {
  /** Its origin. */
  url: string;
}

/**
 * Starts Prism in front of a service. It answers 422 to a request that the document does not describe, and 500 to such
 * an answer of the service; `answersOnly` lets every request pass.
 */
export async function startValidatingProxy(upstream: string, answersOnly = false): Promise<ValidatingProxy> {
  await (installed ??= install());
  const file = await Deno.makeTempFile({ suffix: ".json" });
  const document = await fetch(`${upstream}/openapi.json`);
  await Deno.writeTextFile(file, await document.text());
  const port = freePort();
  const child = tool("prism", [
    "proxy",
    file,
    upstream,
    "--errors",
    "--cors=false",
    `--validate-request=${!answersOnly}`,
    `--port=${port}`,
  ]).spawn();
  const said = child.stdout.pipeThrough(new TextDecoderStream());
  let printed = "";
  const { promise: listens, resolve } = Promise.withResolvers<boolean>();
  const read = (async () => {
    for await (const text of said) {
      printed += text;
      if (printed.includes("is listening on")) resolve(true);
    }
    resolve(false);
  })();
  if (!await listens) throw new Error(`Prism did not start:\n${printed}`);
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.status;
      await read;
      await Deno.remove(file);
    },
  };
}
