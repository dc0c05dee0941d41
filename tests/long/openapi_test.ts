/**
 * The OpenAPI document and the service, compared by programs of others: real requests and answers pass a proxy that
 * refuses what the document does not describe.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runContractSteps } from "../kit/contract_steps.ts";
import { startValidatingProxy } from "../kit/process/openapi_tools.ts";
import { dataFolder, startService } from "../kit/process/started_service.ts";
import { sessionOf } from "../kit/service.ts";

const EMAIL = "anna@example.com", PASSWORD = "correct horse battery";
/** An id of the right form that no session has. */
const NO_SESSION = "e".repeat(43);

/**
 * Calls through the proxy, in the form in which the steps of the contract are written. Prism follows redirects itself,
 * so that a log-out, whose answer is a redirect, goes straight to the service.
 */
function calls(proxy: string, service: string) {
  const request = (
    method: string,
    path: string,
    { form, json, session }: { form?: Record<string, string>; json?: unknown; session?: string } = {},
  ) =>
    fetch((method === "DELETE" && path === "/sessions" ? service : proxy) + path, {
      method,
      redirect: "manual",
      body: json === undefined ? form && new URLSearchParams(form) : JSON.stringify(json),
      headers: {
        // Prism itself answers a request that has no cookie where the document asks for one.
        cookie: `session_id=${session ?? NO_SESSION}`,
        ...(json !== undefined && { "content-type": "application/json" }),
      },
    });
  return {
    request,
    send: async (method: string, path: string, form?: Record<string, string>, session?: string) => {
      const response = await request(method, path, { form, session });
      const text = await response.text();
      return [response.status, text === "" ? undefined : JSON.parse(text)] as [number, unknown];
    },
    logIn: async (email: string, password: string) => {
      const response = await request("POST", "/sessions", { form: { email, password } });
      assert.equal(response.status, 200, await response.text());
      return sessionOf(response)!;
    },
  };
}

/** Starts a service and a proxy in front of it. */
async function withProxy(answersOnly: boolean, work: (proxy: string, service: string) => Promise<void>) {
  await using data = await dataFolder();
  await using service = await startService(data.options);
  await using proxy = await startValidatingProxy(service.url, answersOnly);
  await work(proxy.url, service.url);
}

Deno.test("C3: the steps of the contract and a whole account pass a proxy that validates requests and answers", async () => {
  await withProxy(false, async (...urls) => {
    await runContractSteps(calls(...urls));
    const { request, logIn } = calls(...urls);
    const answered = async (status: number, ...[method, path, options]: Parameters<typeof request>) => {
      const response = await request(method, path, options);
      const text = await response.text();
      assert.equal(response.status, status, `${method} ${path}: ${text}`);
      return text === "" ? {} : JSON.parse(text);
    };
    const json = { email: EMAIL, password: PASSWORD };
    await answered(200, "POST", "/users", { json });
    let session = await logIn(EMAIL, PASSWORD);
    await logIn(EMAIL, PASSWORD);
    for (const path of ["/account", "/account/events", "/account/export", "/session", "/sessions", "/profile"]) {
      await answered(200, "GET", path, { session });
    }
    for (const path of ["/", "/healthz", "/readyz", "/openapi.json", "/dev/mailbox", "/account/events?limit=1"]) {
      await answered(200, "GET", path, { session });
    }
    await answered(200, "PATCH", "/account", { session, json: { name: "Anna", locale: "de" } });
    const { sessions } = await answered(200, "GET", "/sessions", { session });
    const other = sessions.find(({ current }: { current: boolean }) => !current);
    await answered(200, "DELETE", `/sessions/${other.id}`, { session });
    await answered(200, "DELETE", "/sessions/others", { session });
    await answered(200, "POST", "/verify_email", { json: { email: EMAIL } });
    const changed = await request("PUT", "/password", {
      session,
      json: { current_password: PASSWORD, new_password: "staple battery horse" },
    });
    assert.equal(changed.status, 200, await changed.text());
    session = sessionOf(changed) ?? session;
    await answered(200, "POST", "/change_email", {
      session,
      json: { new_email: "moved@example.com", password: "staple battery horse" },
    });
    await answered(200, "DELETE", "/account", { session, json: { password: "staple battery horse" } });
  });
});

Deno.test("C3: refusals pass a proxy that validates answers", async () => {
  await withProxy(true, async (...urls) => {
    const { request, logIn } = calls(...urls);
    const refused = async (status: number, ...[method, path, options]: Parameters<typeof request>) => {
      const response = await request(method, path, options);
      assert.equal(response.status, status, `${method} ${path}: ${await response.text()}`);
    };
    await request("POST", "/users", { json: { email: EMAIL, password: PASSWORD } }).then((each) => each.body?.cancel());
    const session = await logIn(EMAIL, PASSWORD);
    await refused(400, "POST", "/users", { form: { email: EMAIL, password: PASSWORD } });
    await refused(400, "POST", "/users", { json: { email: EMAIL } });
    await refused(400, "POST", "/sessions", { json: { email: EMAIL, password: 5 } });
    await refused(401, "POST", "/sessions", { form: { email: EMAIL, password: "wrong" } });
    await refused(401, "GET", "/session");
    for (const path of ["/profile", "/account", "/account/events", "/account/export", "/sessions"]) {
      await refused(403, "GET", path);
    }
    await refused(400, "GET", "/account/events?limit=x", { session });
    await refused(404, "DELETE", "/sessions/01970000-0000-7000-8000-000000000000", { session });
    await refused(403, "PUT", "/verify_email", { json: { verification_token: "e".repeat(43) } });
    await refused(403, "PUT", "/reset_password", {
      json: { email: EMAIL, reset_token: "e".repeat(43), new_password: PASSWORD },
    });
    await refused(403, "POST", "/undo", { json: { undo_token: "e".repeat(43), password: PASSWORD } });
    await refused(413, "POST", "/users", { json: { email: "x".repeat(20_000), password: PASSWORD } });
  });
});
