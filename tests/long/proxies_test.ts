/**
 * Both nginx and Caddy in front of the public profile, and as gatekeepers of another application on the same host, with
 * the configurations of the README.
 *
 * @module
 */
import assert from "node:assert/strict";
import { EMAIL, logIn, PASSWORD, type ProxiedService, withProxiedService } from "../kit/process/proxied_service.ts";
import { type CurlAnswer, HOST, OTHER_HOST, PROXIES, type ProxyName } from "../kit/process/reverse_proxy.ts";
import { testWith } from "../kit/programs.ts";

const HTML = ["-H", "accept: text/html,*/*;q=0.8"];

/** No header except Set-Cookie may occur twice, neither from the proxy nor from the service. */
function assertHeaders(answer: CurlAnswer, label: string): void {
  const names = answer.headers.map(([name]) => name).filter((name) => name !== "set-cookie");
  assert.deepEqual(names, [...new Set(names)], label);
  assert.equal(answer.header("strict-transport-security"), "max-age=31536000; includeSubDomains", label);
  assert.equal(answer.header("cache-control"), "no-store", label);
  assert.doesNotMatch(answer.header("server") ?? "", /[\d/]|Caddy/, `${label} tells which version it is`);
}

for (const name of Object.keys(PROXIES) as ProxyName[]) {
  const test = (title: string, work: (proxied: ProxiedService) => Promise<void>): void =>
    testWith(
      [[...PROXIES[name]], ["curl", "--version"], ["openssl", "version"]],
      `${title} [${name}]`,
      () => withProxiedService(name, work),
    );

  test("S42, S66: behind the proxy a user can register, log in, read the profile and log out, without duplicate headers", async (proxied) => {
    const { send, mail, proxy } = proxied;
    const registered = await send("POST", "/users", { email: EMAIL, password: PASSWORD });
    assert.deepEqual([registered.status, JSON.parse(registered.body)], [200, {
      email: EMAIL,
      message: "user created",
    }]);
    assert.equal((await send("POST", "/sessions", { email: EMAIL, password: PASSWORD })).status, 401);
    const [{ text }] = await mail.arrived(1);
    const [link, verification_token] = /https:\S+[?&]token=([\w-]+)/.exec(text)!;
    assert.ok(link.startsWith(`${proxy.origin}/`), link);
    const verified = await send("PUT", "/verify_email", { verification_token });
    assert.equal(verified.status, 200, verified.body);
    const login = await send("POST", "/sessions", { email: EMAIL, password: PASSWORD });
    assert.equal(login.status, 200, login.body);
    const cookies = login.headers.filter(([header]) => header === "set-cookie").map(([, value]) => value);
    assert.match(
      cookies[0],
      /^__Host-session_id=[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Lax; Expires=[^;]+ GMT$/,
    );
    assert.equal(cookies.length, 2);
    const profile = await send("GET", "/profile");
    assert.deepEqual([profile.status, JSON.parse(profile.body)], [200, { email: EMAIL }]);
    const logout = await send("DELETE", "/sessions");
    assert.deepEqual([logout.status, logout.header("location")], [302, "/logout/done"]);
    const after = await send("GET", "/profile");
    assert.equal(after.status, 403);
    for (const answer of [registered, verified, login, profile, logout, after]) {
      assertHeaders(answer, String(answer.status));
    }
  });

  test("C4: behind the proxy a logout's redirect ends at Bienvenue, not at the application's 401", async (proxied) => {
    const { proxy, send, reached } = proxied;
    await logIn(proxied);
    const logout = await send("DELETE", "/sessions");
    assert.equal(logout.status, 302);
    for (const method of ["GET", "DELETE"]) {
      const end = await send(method, logout.header("location")!);
      assert.deepEqual([end.status, JSON.parse(end.body)], [200, { message: "Bienvenue" }], method);
      assertHeaders(end, method);
    }
    const page = await proxy.curl(proxy.origin + logout.header("location")!, ...HTML);
    assert.match(page.body, /<h1>You’re logged out<\/h1>/);
    assert.deepEqual(reached, []);
  });

  test("http is redirected to https and reaches no application", async ({ proxy, reached }) => {
    const answer = await proxy.curl(`http://${HOST}:${proxy.plainPort}/wiki?a=b`);
    assert.ok([301, 308].includes(answer.status), String(answer.status));
    assert.match(answer.header("location")!, /^https:\/\/app\.example\.com(?::\d+)?\/wiki\?a=b$/);
    assert.deepEqual(reached, []);
  });

  test("S70, V11: the client's address is the one that the proxy saw, whatever the client's headers say", async (proxied) => {
    const { proxy, send } = proxied;
    await logIn(proxied);
    const form = ["-d", `email=${EMAIL}`, "--data-urlencode", `password=${PASSWORD}`];
    const spoofed = ["X-Forwarded-For: 203.0.113.7", "X-Real-IP: 203.0.113.7", "Forwarded: for=203.0.113.7"];
    const headers = spoofed.flatMap((header) => ["-H", header]);
    const login = await proxy.curl(`${proxy.origin}/sessions`, "--interface", "127.0.0.2", ...headers, ...form);
    assert.equal(login.status, 200, login.body);
    const { sessions } = JSON.parse((await send("GET", "/sessions")).body);
    assert.equal(sessions.find((session: { current: boolean }) => session.current).ip, "127.0.0.2");
  });

  test("as gatekeeper: a browser without a session is redirected to the login and back, a program gets 401", async ({ proxy, reached }) => {
    const page = "/wiki?page=a%20b&next=%2Fc";
    for (const method of [[], ["-I"], ["-d", "a=b"]]) {
      const browser = await proxy.curl(proxy.origin + page, ...method, ...HTML);
      assert.equal(browser.status, 302, browser.body);
      const location = new URL(browser.header("location")!, proxy.origin);
      assert.equal(location.origin + location.pathname, `${proxy.origin}/login`);
      assert.deepEqual([...location.searchParams], [["return_to", page]]);
      assertHeaders(browser, "the way to the login page");
    }
    for (const [asked, kept] of [["/s?q=a\\b", "/s?q=a%5Cb"], [`/${"x".repeat(7_000)}`, `/${"x".repeat(7_000)}`]]) {
      const browser = await proxy.curl(proxy.origin + asked, ...HTML);
      assert.equal(browser.status, 302, browser.body);
      const location = browser.header("location")!;
      assert.equal(new URL(location, proxy.origin).searchParams.get("return_to"), kept);
      assert.equal((await proxy.curl(proxy.origin + location, ...HTML)).status, 200);
    }
    const spoofed = [
      "X-Forwarded-Uri: //evil.example",
      "X-Original-URI: //evil.example",
      "X-Forwarded-Host: evil.example",
    ];
    const lured = await proxy.curl(`${proxy.origin}/wiki`, ...HTML, ...spoofed.flatMap((header) => ["-H", header]));
    assert.equal(lured.header("location"), "/login?return_to=%2Fwiki");
    const program = await proxy.curl(proxy.origin + page, "-H", "accept: application/json");
    assert.deepEqual([program.status, JSON.parse(program.body)], [401, { message: "not logged in" }]);
    assert.equal((await proxy.curl(`${proxy.origin}/session`, "-H", "accept: */*")).status, 401);
    assert.deepEqual(reached, [], "nobody came through");
  });

  test("as gatekeeper: the application receives the user's identity, and never a value sent by the client", async (proxied) => {
    const { proxy, reached, send } = proxied;
    await logIn(proxied);
    const account = JSON.parse((await send("GET", "/account")).body);
    const names = [
      "Remote-User",
      "remote-user",
      "REMOTE-EMAIL",
      "Remote-Name",
      "Remote_User",
      "remote_name",
      "Remote_Email",
    ];
    const spoofed = names.flatMap((header) => ["-H", `${header}: root`]);
    const seen = async (): Promise<Record<string, string>> => {
      const answer = await proxy.curl(`${proxy.origin}/wiki?a=b`, ...spoofed);
      assert.deepEqual([answer.status, answer.body], [200, "the application"]);
      const { ":path": path, ...headers } = reached.at(-1)!;
      assert.equal(path, "/wiki?a=b");
      assert.ok(!Object.values(headers).includes("root"), JSON.stringify(headers));
      return headers;
    };
    const first = await seen();
    assert.equal(first["remote-user"], account.id);
    assert.equal(first["remote-email"], EMAIL);
    assert.equal(first["remote-name"], undefined, "she has no name, and the client's is gone");
    assert.equal((await send("PATCH", "/account", { name: "Anna Müller" })).status, 200);
    assert.equal((await seen())["remote-name"], "Anna M%C3%BCller");
  });

  test("A10: as gatekeeper: a client's Connection header takes no identity away, and no address", async (proxied) => {
    const { proxy, reached, send } = proxied;
    await logIn(proxied);
    assert.equal((await send("PATCH", "/account", { name: "Anna" })).status, 200);
    const account = JSON.parse((await send("GET", "/account")).body);
    // A proxy drops the headers that this one lists (RFC 9110 7.6.1), and may do so after it has set them itself.
    const lists = [
      ["Remote-User"],
      ["close, remote-user, REMOTE-EMAIL,Remote-Name"],
      ["keep-alive", "Remote-User"],
      ["ReRemotemote-User, RemoteRemote-User-User"],
      ["Upgrade, Remote-User"],
      ["X-Forwarded-Uri, X-Forwarded-For, X-Forwarded-Method"],
    ];
    for (const values of lists) {
      const list = ["-H", "Upgrade: websocket", ...values.flatMap((value) => ["-H", `Connection: ${value}`])];
      const answer = await proxy.curl(`${proxy.origin}/wiki`, "--http1.1", ...list);
      assert.deepEqual([answer.status, answer.body], [200, "the application"], String(values));
      const seen = reached.at(-1)!;
      const identity = ["remote-user", "remote-email", "remote-name"].map((header) => seen[header]);
      assert.deepEqual(identity, [account.id, EMAIL, "Anna"], String(values));
      // A proxy that lets sockets of the application through still does.
      if (name === "caddy") assert.equal(seen.upgrade, /Upgrade/.test(values[0]) ? "websocket" : undefined);
    }
    await proxy.curl(`${proxy.origin}/sessions`, "--http1.1", "-H", "Connection: X-Forwarded-For", "-X", "DELETE");
    const form = ["-d", `email=${EMAIL}`, "--data-urlencode", `password=${PASSWORD}`];
    const hidden = ["--http1.1", "--interface", "127.0.0.2", "-H", "Connection: X-Forwarded-For"];
    assert.equal((await proxy.curl(`${proxy.origin}/sessions`, ...hidden, ...form)).status, 200);
    const { sessions } = JSON.parse((await send("GET", "/sessions")).body);
    assert.equal(sessions.find((session: { current: boolean }) => session.current).ip, "127.0.0.2");
  });

  test("S40: as gatekeeper: a logout has effect at once", async (proxied) => {
    const { proxy, reached, send } = proxied;
    await logIn(proxied);
    const visit = async () => (await proxy.curl(`${proxy.origin}/wiki`, ...HTML)).status;
    assert.deepEqual([await visit(), reached.length], [200, 1]);
    // Sends the cookie again: the server must have ended the session, not only the browser.
    const cookie = reached[0].cookie;
    assert.match(cookie, /__Host-session_id=/);
    assert.equal((await send("DELETE", "/sessions")).status, 302);
    assert.equal(await visit(), 302);
    assert.equal((await proxy.curl(`${proxy.origin}/wiki`, "-H", `cookie: ${cookie}`)).status, 401);
    assert.equal(reached.length, 1);
  });

  test("V46: as gatekeeper: no request passes while Bienvenue is down", async (proxied) => {
    const { proxy, reached, service } = proxied;
    await logIn(proxied);
    await service.stop();
    const answer = await proxy.curl(`${proxy.origin}/wiki`, ...HTML);
    assert.ok(answer.status >= 500, String(answer.status));
    assert.deepEqual(reached, []);
  });

  test("limitation: a login on one host name is not valid on another, because of the __Host- cookie", async (proxied) => {
    const { proxy, reached } = proxied;
    await logIn(proxied);
    assert.equal((await proxy.curl(`https://${HOST}:${proxy.port}/wiki`)).status, 200);
    const other = await proxy.curl(`https://${OTHER_HOST}:${proxy.port}/wiki`, ...HTML);
    assert.equal(other.status, 302);
    assert.equal(other.header("location"), "/login?return_to=%2Fwiki");
    assert.equal(reached.length, 1);
  });

  test("F14: the proxy refuses headers and bodies beyond the limits", async ({ proxy, reached, send }) => {
    const large = await proxy.curl(`${proxy.origin}/profile`, "--http1.1", "-H", `x-large: ${"x".repeat(64_000)}`);
    assert.ok([400, 431].includes(large.status), String(large.status));
    const form = (length: number) => ({ email: EMAIL, password: "x".repeat(length) });
    assert.equal((await send("POST", "/users", form(20_000))).status, 413, "Bienvenue's own limit");
    // Caddy 2.6 notices it while it passes the body on, and then either answers or cuts the stream.
    const body = await send("POST", "/users", form(70_000)).then(({ status }) => status, String);
    assert.ok(body === 413 || body === 502 || /curl: \(92\)/.test(String(body)), String(body));
    assert.equal((await send("GET", "/profile")).status, 403, "others go on");
    assert.deepEqual(reached, []);
  });
}
