/**
 * The page that describes the endpoints, and the typed client made from the same table.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createApp } from "../../routes/app.ts";
import { createClient } from "../../routes/docs/client.ts";
import { errorsOf } from "../../routes/docs/endpoint.ts";
import { endpointsOf } from "../../routes/docs/openapi.ts";
import { PROJECT } from "../kit/process/started_service.ts";
import { PUBLIC_SETTINGS, sessionOf, test } from "../kit/service.ts";

for (const [profile, settings] of [["local", {}], ["public", PUBLIC_SETTINGS]] as const) {
  test(
    `GET /docs lists every endpoint with fields, codes and a curl command, in the ${profile} profile`,
    async (service) => {
      const response = await service.request("GET", "/docs");
      assert.equal(response.status, 200);
      const page = await response.text();
      const sections = page.split("<section ").slice(1);
      assert.equal(sections.length, endpointsOf(service.auth).length);
      for (const [index, endpoint] of endpointsOf(service.auth).entries()) {
        const section = sections[index];
        const holds = (text: string) =>
          assert.ok(section.includes(text), `${endpoint.method} ${endpoint.path}: ${text}`);
        holds(`<code>${endpoint.path}</code>`);
        holds("curl");
        assert.equal(section.includes(" -b cookies.txt"), endpoint.session !== undefined, endpoint.path);
        for (const name of Object.keys({ ...endpoint.input?.shape, ...endpoint.query?.shape })) {
          holds(`<code>${name}</code>`);
        }
        for (const [code] of errorsOf(endpoint, profile)) holds(`<code>${code}</code>`);
      }
    },
    settings,
  );
}

test("S66: GET /docs has no script, loads nothing, and allows only its own style", async (service) => {
  const response = await service.request("GET", "/docs");
  const page = await response.text();
  assert.doesNotMatch(page, /<script|<img|<link|<iframe|<form|<object| on\w+=|style="|@import|url\(/i);
  const styles = [...page.matchAll(/<style>([^]*?)<\/style>/g)].map(([, style]) => style);
  assert.equal(styles.length, 1);
  const hash = createHash("sha256").update(styles[0]).digest("base64");
  const policy = response.headers.get("content-security-policy")!;
  assert.deepEqual(policy.split("; ").sort(), [
    "base-uri 'none'",
    "default-src 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    `style-src 'sha256-${hash}'`,
  ]);
  const head = await service.request("HEAD", "/docs");
  assert.equal(head.headers.get("content-length"), String(new TextEncoder().encode(page).length));
  // Every link leads to a place on the page or in the service.
  for (const [, link] of page.matchAll(/href="([^"]*)"/g)) {
    if (link.startsWith("#")) assert.ok(page.includes(`id="${link.slice(1)}"`), link);
    else assert.equal((await service.request("GET", link)).status, 200, link);
  }
});

test("APP_NAME is escaped on the page", async (service) => {
  const auth = { ...service.auth, config: { ...service.auth.config, appName: `<b onload="x">&` } };
  const page = await (await createApp(auth).request("/docs")).text();
  assert.ok(page.includes("&lt;b onload=&quot;x&quot;&gt;&amp;"));
  assert.doesNotMatch(page, /<b onload/);
});

test("the typed client can register, log in, read the profile and be refused", async (service) => {
  const app = createApp(service.auth);
  let session = "";
  const client = createClient("http://localhost", {
    fetch: async (input: RequestInfo | URL, init?: RequestInit) => {
      const headers = new Headers(init?.headers);
      headers.set("cookie", `session_id=${session}`);
      return await app.request(new Request(input, { ...init, headers }));
    },
  });
  const email = "guillaume@holberton.io", password = "b4l0u";
  const registered = await client.users.$post({ json: { email, password } });
  assert.ok(registered.ok);
  const { message } = await registered.json();
  const created: "user created" = message;
  assert.equal(created, "user created");
  const login = await client.sessions.$post({ json: { email, password } });
  session = sessionOf(login)!;
  const profile = await client.profile.$get();
  assert.ok(profile.ok);
  const who: string = (await profile.json()).email;
  assert.equal(who, email);
  const ended = await client.sessions[":id"].$delete({ param: { id: "nobody" } });
  assert.equal(ended.status, 404);
  const events = await client.account.events.$get({ query: { limit: "1" } });
  if (events.ok) assert.equal((await events.json()).events.length, 1);
});

/** The compiler's errors for a program that uses the client, by line. */
async function faults(lines: string[]): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "bienvenue-client-" });
  try {
    const text = [`import { createClient } from "file://${PROJECT}/routes/docs/client.ts";`, ...lines].join("\n");
    await Deno.writeTextFile(`${folder}/program.ts`, text);
    const { stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--config", `${PROJECT}/deno.json`, `${folder}/program.ts`],
      cwd: PROJECT,
      env: { NO_COLOR: "1" },
    }).output();
    const said = new TextDecoder().decode(stderr);
    return [...said.matchAll(/^(TS\d+) \[ERROR\][^]*?program\.ts:(\d+):/gm)].map(([, code, line]) => `${code} ${line}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the compiler knows the client's fields and answers, and rejects others", async () => {
  assert.deepEqual(
    await faults([
      'const client = createClient("http://localhost");',
      'const login = await client.sessions.$post({ json: { email: "a@b.cd", password: "x" } });',
      'if (login.ok) { const said: "logged in" = (await login.json()).message; console.log(said); }',
      "else { const said: string = (await login.json()).message; console.log(said); }",
      'client.sessions.$post({ json: { email: "a@b.cd" } });',
      "client.nowhere.$get();",
      "client.profile.$post();",
      "const profile = await client.profile.$get();",
      "if (profile.ok) { const id: number = (await profile.json()).email; console.log(id); }",
    ]),
    ["TS2741 6", "TS2339 7", "TS2339 8", "TS2322 10"],
  );
});
