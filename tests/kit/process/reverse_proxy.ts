/**
 * Runs nginx or Caddy with the configurations of tests/proxies/ that the README shows: TLS on a loopback port,
 * Bienvenue and another application behind it. Only ports, paths and names are replaced. Must not change a rule of a
 * configuration.
 *
 * @module
 */
import { makeAuthority } from "../certificates.ts";
import { freePort } from "./postgres_server.ts";
import { bareEnvironment, PROJECT } from "./started_service.ts";

/** The proxies, each with the command that prints its version. */
export const PROXIES = { nginx: ["nginx", "-v"], caddy: ["caddy", "version"] } as const;

/** The name of one of the proxies. */
export type ProxyName = keyof typeof PROXIES;

/** A prepared proxy: its address is known before the servers behind it are started. */
export interface ReverseProxy extends AsyncDisposable {
  /** `https://app.example.com:<port>`; curl resolves this name to the loopback address. */
  origin: string;
  /** File of the authority that signed its certificate. */
  authority: string;
  /** TCP port of https. */
  port: number;
  /** TCP port of http. */
  plainPort: number;
  /** Sends a request by curl, which keeps cookies as a browser does. */
  curl(url: string, ...args: string[]): Promise<CurlAnswer>;
  /** Starts the proxy in front of these two loopback ports. */
  start(bienvenue: number, application: number): Promise<void>;
}

/** An answer as curl shows it. */
export interface CurlAnswer {
  status: number;
  /** Names in lower case, in order of arrival. */
  headers: [string, string][];
  body: string;
  /** The value of the header with this name. Fails when there are two. */
  header(name: string): string | undefined;
}

/** The usual host name of both servers, and a second one. */
export const HOST = "app.example.com", OTHER_HOST = "wiki.example.com";

/** Prepares a proxy in a new folder. */
export async function prepareProxy(name: ProxyName): Promise<ReverseProxy> {
  const authority = await makeAuthority();
  const folder = await Deno.makeTempDir({ prefix: "bienvenue-proxy-" });
  const { certificate, key } = await authority.sign(`DNS:${HOST},DNS:${OTHER_HOST}`);
  const [port, plainPort] = [freePort(), freePort()];
  let child: Deno.ChildProcess | undefined;
  return {
    origin: `https://${HOST}:${port}`,
    authority: authority.file,
    port,
    plainPort,
    curl: async (url, ...args) => {
      const resolve = [HOST, OTHER_HOST].flatMap((host) =>
        [port, plainPort].flatMap((each) => ["--resolve", `${host}:${each}:127.0.0.1`])
      );
      const jar = `${folder}/cookies`;
      const always = ["-sS", "-i", "--max-time", "30", "--cacert", authority.file, "-b", jar, "-c", jar, ...resolve];
      const output = await new Deno.Command("curl", { args: [...always, ...args, url], stderr: "piped" }).output();
      if (!output.success) throw new Error(`curl ${url}: ${new TextDecoder().decode(output.stderr)}`);
      return parsed(new TextDecoder().decode(output.stdout));
    },
    start: async (bienvenue, application) => {
      const write = { nginx: nginxConfig, caddy: caddyConfig }[name];
      const text =
        (await Deno.readTextFile(`${PROJECT}/tests/proxies/${name === "nginx" ? "nginx.conf" : "Caddyfile"}`))
          .replaceAll("127.0.0.1:5000", `127.0.0.1:${bienvenue}`).replaceAll(
            "127.0.0.1:3000",
            `127.0.0.1:${application}`,
          );
      const [command, ...args] = await write(text, { folder, certificate, key, port, plainPort });
      const env = { ...bareEnvironment(), HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
      child = new Deno.Command(command, { args, clearEnv: true, env, stdout: "null", stderr: "piped" }).spawn();
      await listens(child, port);
    },
    [Symbol.asyncDispose]: async () => {
      if (child) {
        child.kill("SIGTERM");
        await Promise.all([child.status, child.stderr.locked || child.stderr.cancel()]);
      }
      await Deno.remove(folder, { recursive: true });
      await authority[Symbol.asyncDispose]();
    },
  };
}

interface Places {
  folder: string;
  certificate: string;
  key: string;
  port: number;
  plainPort: number;
}

/**
 * Writes the configuration as a file of conf.d, and a main file that keeps all paths in the folder. Returns the
 * command.
 */
async function nginxConfig(text: string, { folder, certificate, key, port, plainPort }: Places): Promise<string[]> {
  const own = text.replaceAll("listen 80;", `listen 127.0.0.1:${plainPort};`)
    .replaceAll("listen 443", `listen 127.0.0.1:${port}`)
    .replaceAll(`server_name ${HOST};`, `server_name ${HOST} ${OTHER_HOST};`)
    .replaceAll(`/etc/ssl/${HOST}.pem`, certificate).replaceAll(`/etc/ssl/${HOST}.key`, key);
  await Deno.writeTextFile(`${folder}/site.conf`, own);
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  await Deno.writeTextFile(
    `${folder}/nginx.conf`,
    `daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  ${kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(" ")}
  include ${folder}/site.conf;
}
`,
  );
  return ["nginx", "-e", "stderr", "-c", `${folder}/nginx.conf`];
}

/** Writes the configuration with the test's certificate, so that Caddy requests none. */
async function caddyConfig(text: string, { folder, certificate, key, port, plainPort }: Places): Promise<string[]> {
  const options = ["admin off", `http_port ${plainPort}`, `https_port ${port}`, "default_bind 127.0.0.1"];
  const own = text.replace("{\n\tservers", `{\n\t${options.join("\n\t")}\n\tservers`)
    .replace(`${HOST} {`, `${HOST}, ${OTHER_HOST} {\n\ttls ${certificate} ${key}`);
  await Deno.writeTextFile(`${folder}/Caddyfile`, own);
  return ["caddy", "run", "--config", `${folder}/Caddyfile`, "--adapter", "caddyfile"];
}

/** Waits until the port accepts connections. Fails with the program's output when it ended instead. */
async function listens(child: Deno.ChildProcess, port: number): Promise<void> {
  let ended = false;
  child.status.then(() => ended = true);
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      if (ended) throw new Error(`the proxy did not start: ${await new Response(child.stderr).text()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function parsed(text: string): CurlAnswer {
  const end = text.indexOf("\r\n\r\n");
  const [first, ...lines] = text.slice(0, end).split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return {
    status: Number(first.split(" ")[1]),
    headers,
    body: text.slice(end + 4),
    header: (name) => {
      const values = headers.filter(([each]) => each === name).map(([, value]) => value);
      if (values.length > 1) throw new Error(`${name} came ${values.length} times: ${values.join(" | ")}`);
      return values[0];
    },
  };
}
