/**
 * Bienvenue in the public profile and another application behind one reverse proxy on one host, with a mail server,
 * each as its own process. Must not call Bienvenue without the proxy.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type CurlAnswer, prepareProxy, type ProxyName, type ReverseProxy } from "./reverse_proxy.ts";
import { startSmtpServer, type TestSmtpServer } from "./smtp_server.ts";
import { dataFolder, type StartedService, startService } from "./started_service.ts";

/** The user of the tests. */
export const EMAIL = "anna@example.com", PASSWORD = "correct horse battery";

/** The proxy and everything behind it. */
export interface ProxiedService {
  proxy: ReverseProxy;
  /** Bienvenue in the public profile. */
  service: StartedService;
  /** The mail server of Bienvenue. */
  mail: TestSmtpServer;
  /** The requests that reached the application: headers by lower-case name, and `:path`. */
  reached: Record<string, string>[];
  /** Sends form fields by curl. */
  send(method: string, path: string, form?: Record<string, string>): Promise<CurlAnswer>;
}

/** Starts everything, runs the work and stops everything. */
export async function withProxiedService(
  name: ProxyName,
  work: (proxied: ProxiedService) => Promise<void>,
): Promise<void> {
  await using data = await dataFolder();
  await using proxy = await prepareProxy(name);
  const mail = await startSmtpServer();
  const reached: Record<string, string>[] = [];
  const application = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname, search } = new URL(request.url);
    reached.push({ ...Object.fromEntries(request.headers), ":path": pathname + search });
    return new Response("the application");
  });
  try {
    const env = {
      ...data.options.env,
      HOST: "127.0.0.1",
      TRUSTED_PROXIES: "127.0.0.1",
      WORKERS: "1",
      PUBLIC_URL: proxy.origin,
      MAIL_URL: mail.url,
      MAIL_FROM: "accounts@example.com",
    };
    await using service = await startService({ ...data.options, env });
    await proxy.start(Number(new URL(service.url).port), application.addr.port);
    const send: ProxiedService["send"] = (method, path, form = {}) =>
      proxy.curl(
        proxy.origin + path,
        "-X",
        method,
        ...Object.entries(form).flatMap(([field, value]) => ["--data-urlencode", `${field}=${value}`]),
      );
    await work({ proxy, service, mail, reached, send });
  } finally {
    await application.shutdown();
    await mail.stop();
  }
}

/** Registers by mail and logs in, all through the proxy. */
export async function logIn({ send, mail }: ProxiedService): Promise<void> {
  assert.equal((await send("POST", "/users", { email: EMAIL, password: PASSWORD })).status, 200);
  const [{ text }] = await mail.arrived(1);
  const [, verification_token] = /[?&]token=([\w-]+)/.exec(text)!;
  assert.equal((await send("PUT", "/verify_email", { verification_token })).status, 200);
  assert.equal((await send("POST", "/sessions", { email: EMAIL, password: PASSWORD })).status, 200);
}
