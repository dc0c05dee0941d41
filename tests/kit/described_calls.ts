/**
 * Calls a service and compares each answer with the endpoint's description: status, code and body. Remembers the
 * answers it saw, so that a test can list described answers that never occur.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Auth } from "../../auth/auth.ts";
import { createApp } from "../../routes/app.ts";
import { Refusal } from "../../routes/docs/answer_schemas.ts";
import { type Endpoint, errorsOf } from "../../routes/docs/endpoint.ts";
import { ENDPOINTS } from "../../routes/docs/endpoints.ts";
import { profileOf } from "../../routes/docs/openapi.ts";
import { STATUS } from "../../routes/http/errors.ts";
import type { RequestOptions, Service } from "./service.ts";

/** Every endpoint, without the literal types. */
export const ALL_ENDPOINTS: readonly Endpoint[] = ENDPOINTS;

const seen = new Set<string>();

/** The described answers that no call has seen yet, as `METHOD /path code`; `ok` stands for success. */
export function missingAnswers(): string[] {
  const described = ALL_ENDPOINTS.flatMap((endpoint) =>
    ["ok", ...(["local", "public"] as const).flatMap((profile) => errorsOf(endpoint, profile).map(([code]) => code))]
      .map((code) => `${endpoint.method} ${endpoint.path} ${code}`)
  );
  return [...new Set(described)].filter((each) => !seen.has(each));
}

/** The endpoint for a method and path. Fails when there is none. */
function endpointFor(method: string, path: string): Endpoint {
  const plain = path.replace(/\?.*/, "");
  const found = ALL_ENDPOINTS.filter((each) => each.method === method).find(({ path }) =>
    path === plain || (path.includes(":") && !ALL_ENDPOINTS.some((other) => other.path === plain) &&
      new RegExp(`^${path.replace(/:\w+/g, "[^/]+")}$`).test(plain))
  );
  return found ?? assert.fail(`${method} ${path} is not described`);
}

/**
 * Calls the service, optionally with another context or app, and asserts that the answer is described with this code.
 */
export async function expectAnswer(
  service: Service,
  code: string,
  method: string,
  path: string,
  options: RequestOptions & { auth?: Auth; app?: ReturnType<typeof createApp> } = {},
): Promise<{ body: Record<string, unknown>; response: Response }> {
  const endpoint = endpointFor(method, path);
  const response = options.auth
    ? await requestWith(options.auth, method, path, options)
    : options.app
    ? await service.requestTo(options.app, method, path, options)
    : await service.request(method, path, options);
  const text = response.status === STATUS.body_too_slow
    ? await readFirstChunk(response)
    : await response.clone().text();
  const body = text === "" ? {} : JSON.parse(text);
  const name = `${method} ${endpoint.path}`;
  assert.equal(response.headers.get("error-code") ?? "ok", code, `${name}: ${text}`);
  if (code === "ok") {
    assert.equal(response.status, endpoint.answer?.status ?? 200, name);
    if (endpoint.output) endpoint.output.parse(body);
    else assert.equal(text, "", name);
  } else {
    const described = errorsOf(endpoint, profileOf(options.auth ?? service.auth));
    const [, status] = described.find(([each]) => each === code) ?? assert.fail(`${name} ${code} is not described`);
    assert.equal(response.status, status, `${name} ${code}`);
    Refusal.parse(body);
  }
  seen.add(`${name} ${code}`);
  return { body, response };
}

/** Reads the text before the connection breaks off, as after `body_too_slow`. */
async function readFirstChunk(response: Response): Promise<string> {
  const reader = response.body!.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value);
}

async function requestWith(auth: Auth, method: string, path: string, options: RequestOptions): Promise<Response> {
  const headers = new Headers(options.headers);
  const name = auth.config.profile === "local" ? "session_id" : "__Host-session_id";
  if (options.session !== undefined) headers.set("cookie", `${name}=${options.session}`);
  const body = options.form && new URLSearchParams(options.form);
  return await createApp(auth).request(path, { method, headers, body });
}
