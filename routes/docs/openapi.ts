/**
 * The OpenAPI 3.1 document, made from the table of endpoints and from the same schemas that parse the fields. Must not
 * add a fact that is not in the table.
 *
 * @module
 */
import * as z from "zod";
import type { Auth } from "../../auth/auth.ts";
import { MOST_BODY } from "../http/body.ts";
import { cookieName } from "../http/cookies.ts";
import { Refusal } from "./answer_schemas.ts";
import { type Endpoint, errorsOf, type RefusalStatus } from "./endpoint.ts";
import { ENDPOINTS } from "./endpoints.ts";

/** A JSON object of the document. */
export type Json = Record<string, unknown>;

const FORMS = ["application/x-www-form-urlencoded", "multipart/form-data", "application/json"];
/** A status without a sentence does not pass the type check: OpenAPI asks for a description of each response. */
const SUMMARY: Record<RefusalStatus, string> = {
  400: "The request or a field is wrong",
  401: "Wrong address or password",
  403: "Not allowed",
  404: "Not there",
  405: "The path has no such method",
  408: "The body did not arrive in time",
  413: `The body is larger than ${MOST_BODY} bytes`,
  415: "The content type is none of those",
  429: "Too many; `Retry-After` says when to try again",
  499: "The client left before its turn came",
  500: "A fault of the service",
  503: "Not now; `Retry-After` says when to try again",
};

/** The endpoints of this service: some exist in one profile only. */
export function endpointsOf(auth: Pick<Auth, "config">): Endpoint[] {
  const profile = profileOf(auth);
  const all: readonly Endpoint[] = ENDPOINTS;
  return all.filter((endpoint) => (endpoint.profile ?? profile) === profile);
}

/** The profile of this service. */
export function profileOf({ config }: Pick<Auth, "config">): "local" | "public" {
  return config.profile;
}

/** Makes the whole OpenAPI document. */
export function openApi(auth: Pick<Auth, "config" | "origin">): Json {
  const paths: Record<string, Json> = {};
  for (const endpoint of endpointsOf(auth)) {
    const path = endpoint.path.replace(/:(\w+)/g, "{$1}");
    (paths[path] ??= {})[endpoint.method.toLowerCase()] = operation(endpoint, profileOf(auth));
  }
  return {
    openapi: "3.1.0",
    info: {
      title: auth.config.appName,
      version: "1",
      description:
        "User accounts. A refusal carries its code in the header `error-code` and a sentence in its body; every " +
        "answer carries `x-request-id`, by which the operator finds it in the log.",
    },
    servers: [{ url: auth.origin }],
    paths,
    components: {
      securitySchemes: { session: { type: "apiKey", in: "cookie", name: cookieName(auth, "session_id") } },
      schemas: { Refusal: schemaOf(Refusal, "output") },
      headers: {
        RetryAfter: { description: "Seconds after which to try again", schema: { type: "integer" } },
      },
    },
  };
}

/** A zod schema as JSON Schema 2020-12: of what a caller sends, or of what is answered. */
export function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _dialect, "~standard": _standard, ...rest } = z.toJSONSchema(schema, { io }) as Json;
  return rest;
}

function operation(endpoint: Endpoint, profile: "local" | "public"): Json {
  const { summary, text, session, input } = endpoint;
  const parameters = parametersOf(endpoint);
  return {
    operationId: operationId(endpoint),
    summary,
    ...(text !== undefined && { description: text }),
    ...(session && { security: session === "read" ? [{ session: [] }, {}] : [{ session: [] }] }),
    ...(parameters.length > 0 && { parameters }),
    ...(input && { requestBody: bodyOf(endpoint, input) }),
    responses: { ...success(endpoint), ...refusals(endpoint, profile) },
  };
}

/** A unique name that is valid in most languages: `post_users`, `delete_sessions_id`. */
function operationId({ method, path }: Endpoint): string {
  const name = path.replace(/[^a-z]+/g, "_").replace(/^_|_$/g, "");
  return `${method.toLowerCase()}_${name === "" ? "home" : name}`;
}

function parametersOf({ path, query }: Endpoint): Json[] {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const { properties = {}, required = [] } = query
    ? schemaOf(query, "input") as { properties?: Json; required?: string[] }
    : {};
  const inQuery = Object.entries(properties).map(([name, schema]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema,
  }));
  return [...inPath, ...inQuery];
}

function bodyOf({ example }: Endpoint, input: z.ZodType): Json {
  const schema = schemaOf(input, "input");
  const content = Object.fromEntries(FORMS.map((form) => [form, { schema, ...(example && { example }) }]));
  // A missing body counts as a body without fields. The refusal then names the first missing field.
  return { required: true, content };
}

function success({ output, answer, summary }: Endpoint): Json {
  const status = answer?.status ?? 200;
  const sets = answer?.sets === undefined ? "" : `; sets ${answer.sets}`;
  const content = output && { "application/json": { schema: schemaOf(output, "output") } };
  return { [status]: { description: `${summary}${sets}`, ...(content && { content }) } };
}

/** One response for each status, with the codes that it can have. */
function refusals(endpoint: Endpoint, profile: "local" | "public"): Json {
  const statuses = Map.groupBy(errorsOf(endpoint, profile), ([, status]) => status);
  return Object.fromEntries([...statuses].map(([status, codes]) => {
    const retry = status === 429 || status === 503;
    return [status, {
      description: SUMMARY[status],
      headers: {
        "error-code": {
          description: "The reason, for programs",
          schema: { type: "string", enum: codes.map(([code]) => code) },
        },
        ...(retry && { "retry-after": { $ref: "#/components/headers/RetryAfter" } }),
      },
      content: { "application/json": { schema: { $ref: "#/components/schemas/Refusal" } } },
    }];
  }));
}
