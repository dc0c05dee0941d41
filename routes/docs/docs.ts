/**
 * `/openapi.json` and `/docs`: the description of the API, for programs and for people. The code that makes it is
 * loaded at the first request, so that no start pays for it. The result is kept for later requests.
 *
 * @module
 */
import { Hono } from "hono";
import type { Auth } from "../../auth/auth.ts";
import { answer, html, type RequestEnv } from "../http/answers.ts";
import type { openApi } from "./openapi.ts";

/** Serves `GET /openapi.json`. */
export function openApiDocument(auth: Auth): Hono<RequestEnv> {
  let made: ReturnType<typeof openApi> | undefined;
  return new Hono<RequestEnv>().get("/", async (c) => {
    const { openApi } = await import("./openapi.ts");
    made ??= openApi(auth);
    return answer(c, made);
  });
}

/** Serves `GET /docs`. */
export function docs(auth: Auth): Hono<RequestEnv> {
  let made: string | undefined;
  return new Hono<RequestEnv>().get("/", async (c) => {
    const { docsPage, DOCS_POLICY } = await import("./docs_page.ts");
    made ??= docsPage(auth);
    return html(c, made, 200, { "content-security-policy": DOCS_POLICY });
  });
}
