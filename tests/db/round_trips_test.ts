/**
 * The number of round trips to PostgreSQL for each request. Between two machines each of them costs the network's
 * delay, so users rely on these numbers.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createApp } from "../../routes/app.ts";
import { BROWSER_ACCEPT, formOf } from "../kit/form_browser.ts";
import { openService } from "../kit/opened_service.ts";
import { startProxy, type TcpProxy } from "../kit/process/tcp_proxy.ts";
import { shownRoundTrips } from "../kit/readme.ts";
import { emptyDatabase, ENGINES } from "../kit/service.ts";

/** The simulated delay of the server, in milliseconds: long enough that bytes sent together arrive together. */
const DISTANCE = 20;

/** The number of round trips while the work runs. */
async function roundTrips(proxy: TcpProxy, work: () => Promise<number>): Promise<number> {
  let count = 0, waiting = false;
  proxy.onRequest = () => {
    if (!waiting) count++;
    return waiting = true;
  };
  proxy.onAnswer = async () => {
    await new Promise((resolve) => setTimeout(resolve, DISTANCE));
    waiting = false;
  };
  const status = await work();
  assert.ok(status < 400, `${status}`);
  return count;
}

Deno.test("a session check takes one round trip to PostgreSQL, and other requests few", {
  ignore: !ENGINES.includes("postgres"),
}, async () => {
  const url = new URL(await emptyDatabase("postgres"));
  await using proxy = startProxy(Number(url.port));
  url.port = String(proxy.port);
  await using service = await openService(url.href);
  const { status } = service;
  const email = "ada@example.com", password = "correct horse";
  const token = async (): Promise<string> =>
    (await (await service.send("POST", "/reset_password", { email })).json()).reset_token;
  const other = "grace@example.com";
  await status("POST", "/users", { email, password });
  const session = await service.logIn(email, password);
  const [last, reset_token] = [await service.logIn(email, password), await token()];
  const measured = {
    "GET /": await roundTrips(proxy, () => status("GET", "/")),
    "GET /profile": await roundTrips(proxy, () => status("GET", "/profile", undefined, session)),
    "GET /profile, five minutes later": await roundTrips(proxy, () => {
      service.clock.now += 5 * 60_000;
      return status("GET", "/profile", undefined, session);
    }),
    "POST /users": await roundTrips(proxy, () => status("POST", "/users", { email: other, password })),
    "POST /sessions": await roundTrips(proxy, () => status("POST", "/sessions", { email, password })),
    "POST /sessions, with a cookie": await roundTrips(
      proxy,
      () => status("POST", "/sessions", { email, password }, session),
    ),
    "DELETE /sessions": await roundTrips(proxy, () => status("DELETE", "/sessions", undefined, last)),
    "POST /reset_password": await roundTrips(proxy, () => status("POST", "/reset_password", { email: other })),
    "PUT /reset_password": await roundTrips(
      proxy,
      () => status("PUT", "/reset_password", { email, reset_token, new_password: password }),
    ),
  };
  const ended = await service.logIn(email, password);
  const { sessions } = await (await service.send("GET", "/sessions", undefined, ended)).json();
  const { id } = sessions.find(({ current }: { current: boolean }) => current);
  const mine = await service.logIn(email, password);
  const trips = (method: string, path: string, form?: Record<string, string>) =>
    roundTrips(proxy, () => status(method, path, form, mine));
  const ofOneself = {
    "GET /account": await trips("GET", "/account"),
    "PATCH /account": await trips("PATCH", "/account", { name: "Ada" }),
    "GET /sessions": await trips("GET", "/sessions"),
    "DELETE /sessions/:id": await trips("DELETE", `/sessions/${id}`),
    "DELETE /sessions/others": await trips("DELETE", "/sessions/others"),
    "POST /change_email": await trips("POST", "/change_email", { new_email: "ada@example.net", password }),
    "PUT /password": await trips("PUT", "/password", { current_password: password, new_password: "horse correct" }),
  };
  // A form of a page costs two more than what it does: one before it and one after it.
  const app = createApp(service.auth);
  const headers = { accept: BROWSER_ACCEPT, cookie: `session_id=${await service.logIn(email, "horse correct")}` };
  const page = await app.request("/account", { headers });
  headers.cookie += `; ${page.headers.getSetCookie()[0].split(";")[0]}`;
  const fields = Object.fromEntries(formOf(await page.text(), "/account/profile").fields);
  const post = (form: Record<string, string>) =>
    roundTrips(proxy, async () => {
      const body = new URLSearchParams({ ...fields, ...form });
      return (await app.request("/account/profile", { method: "POST", headers, body })).status;
    });
  const bare = await post({ name: "Eve", form_id: "" });
  const ofForms = { "POST /account/profile, the form": await post({ name: "Eva" }) };
  assert.equal(ofForms["POST /account/profile, the form"], bare + 2);
  assert.deepEqual({ ...measured, ...ofOneself, ...ofForms }, shownRoundTrips());
});
