/**
 * The page that describes every endpoint to people: fields, answers, refusals and a curl command. It is made from the
 * same table as the OpenAPI document. Must not need a script, or anything from another host.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { html, raw } from "hono/html";
import type { Auth } from "../../auth/auth.ts";
import { cookieName } from "../http/cookies.ts";
import style from "./docs.css" with { type: "text" };
import { type Endpoint, errorsOf } from "./endpoint.ts";
import { endpointsOf, type Json, profileOf, schemaOf } from "./openapi.ts";

type Html = ReturnType<typeof html>;

/** Content-Security-Policy: allows this one style, but no script, image, frame or form (S66). */
export const DOCS_POLICY: string =
  `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; ` +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Gives the whole page as HTML. */
export function docsPage(auth: Auth): string {
  return String(page(auth));
}

function page(auth: Auth): Html {
  const endpoints = endpointsOf(auth);
  const { appName } = auth.config;
  const groups = [...Map.groupBy(endpoints, ({ path }) => groupOf(path))];
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${appName}: API</title>
        <style>${raw(style)}</style>
      </head>
      <body>
        <nav aria-label="Endpoints">
    <strong>${appName}</strong>
    ${groups.map(([group, list]) =>
      html`<div><em>${group}</em>${
        list.map((each) => html`<a href="#${anchor(each)}">${badge(each)}<span>${each.path}</span></a>`)
      }</div>`
    )}
        </nav>
        <main>
    <h1>${appName} API</h1>
    <p>Fields travel in the body, as a form (<code>curl -d</code>, <code>curl -F</code>) or as JSON; answers are JSON. Who is
    logged in is told by the cookie <code>${cookieName(
      auth,
      "session_id",
    )}</code>. A refusal carries a code for programs in its header
    <code>error-code</code> and a sentence for people in its body, <code>{"message": …}</code>. Every answer carries
    <code>x-request-id</code>, by which the operator finds it in the log. With 429 and 503 comes <code>Retry-After</code>, in
    seconds. For programs this page is <a href="/openapi.json">/openapi.json</a>.</p>
    ${endpoints.map((each) => section(auth, each))}
        </main>
      </body>
    </html>
  `;
}

function section(auth: Auth, endpoint: Endpoint): Html {
  const { path, summary, text, session, input, query, output, answer } = endpoint;
  const status = answer?.status ?? 200;
  return html`
    <section id="${anchor(endpoint)}">
    <h2>${badge(endpoint)} <code>${path}</code></h2>
    <p class="summary">${summary}.${session
      ? html`
        <span class="tag">${session === "read" ? "reads" : "needs"} the session cookie</span>
      `
      : ""}</p>
    ${text === undefined ? "" : html`<p>${text}</p>`}
    ${input ? fieldTable("Fields", schemaOf(input, "input")) : ""}
    ${query ? fieldTable("Parameters of the query", schemaOf(query, "input")) : ""}
    <pre><code>${curlLine(auth, endpoint)}</code></pre>
    <h3>Answer <span class="status ok">${status}</span></h3>
    ${answer?.sets === undefined ? "" : html`<p>Sets ${words(answer.sets)}.</p>`}
    ${output ? html`<pre class="shape"><code>${shape(schemaOf(output, "output"))}</code></pre>` : ""}
    ${refusals(errorsOf(endpoint, profileOf(auth)))}
    </section>
  `;
}

function refusals(codes: ReturnType<typeof errorsOf>): Html | string {
  if (codes.length === 0) return "";
  const list = codes.map(([code, refused]) =>
    html`<li><span class="status">${refused}</span><code>${code}</code></li>`
  );
  return html`
    <h3>Refusals</h3>
    <ul class="codes">${list}</ul>
  `;
}

function badge({ method }: Endpoint): Html {
  return html`<b class="method ${method.toLowerCase()}">${method}</b>`;
}

function groupOf(path: string): string {
  if (["/", "/healthz", "/readyz", "/openapi.json", "/dev/mailbox"].includes(path)) return "Service";
  return path.split("/")[1].replace("_", " ").replace(/^./, (first) => first.toUpperCase());
}

function anchor({ method, path }: Endpoint): string {
  return `${method.toLowerCase()}${path.replace(/[^a-z]+/g, "-")}`;
}

/** Shows the parts of a text between backticks as code. */
function words(text: string): (Html | string)[] {
  return text.split("`").map((part, index) => index % 2 === 1 ? html`<code>${part}</code>` : part);
}

interface JsonSchema {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  format?: string;
  pattern?: string;
  maxLength?: number;
  default?: unknown;
  description?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
}

function fieldTable(title: string, schema: Json): Html {
  const { properties = {}, required = [] } = schema as JsonSchema;
  return html`
    <h3>${title}</h3>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Value</th>
            <th scope="col">Needed</th>
          </tr>
        </thead>
        <tbody>${Object.entries(properties).map(([name, field]) =>
          html`
            <tr>
              <td><code>${name}</code></td>
              <td>${valueOf(field)}</td>
              <td>${required.includes(name) ? "required" : html`<i>optional</i>`}</td>
            </tr>
          `
        )}</tbody>
      </table>
    </div>
  `;
}

function valueOf({ type, enum: values, pattern, maxLength, default: fallback }: JsonSchema): string {
  const kind = values ? `one of ${values.join(", ")}` : type === "string" ? "text" : type ?? "any";
  const most = maxLength === undefined ? "" : `, at most ${maxLength} characters`;
  const form = pattern === undefined ? "" : `, of the form ${pattern}`;
  return `${kind}${most}${form}${fallback === undefined || fallback === "" ? "" : `; ${fallback} unless given`}`;
}

/** Shows the JSON that a schema allows, with a type in place of each value that varies. */
function shape(schema: JsonSchema, indent = ""): string {
  if (schema.anyOf) return schema.anyOf.map((each) => shape(each, indent)).join(indent === "" ? "\nor\n" : " or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array") return `[${shape(schema.items ?? {}, indent)}, …]`;
  const note = schema.description === undefined ? "" : ` (${schema.description})`;
  if (!schema.properties) return `${schema.format ?? schema.type ?? "any"}${note}`;
  const lines = Object.entries(schema.properties).map(([name, value]) =>
    `${indent}  ${JSON.stringify(name)}: ${shape(value, `${indent}  `)}`
  );
  return `{\n${lines.join(",\n")}\n${indent}}`;
}

function curlLine(auth: Auth, { method, path, session, input, example = {}, answer }: Endpoint): string {
  const url = auth.origin + path.replace(":id", "01970000-0000-7000-8000-000000000000");
  const cookies = session ? " -b cookies.txt" : "";
  const keeps = answer?.sets?.includes("cookie") ? " -c cookies.txt" : "";
  const verb = method === "GET" || (method === "POST" && input) ? "" : ` -X ${method}`;
  const fields = Object.entries(example).map(([name, value]) => ` \\\n  --data-urlencode '${name}=${value}'`).join("");
  return `curl${verb}${cookies}${keeps} ${url}${fields}`;
}
