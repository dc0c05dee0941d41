/**
 * Route patterns for Deno's own OpenTelemetry, which the operator switches on by OTEL_DENO. Spans get no URL, since
 * links in mails have their secrets there. Must not cost anything when it is off.
 *
 * @module
 */

import type { Span } from "@opentelemetry/api";

/** Deno registers its API under this symbol, only when it is switched on. */
const isOn = Symbol.for("opentelemetry.js.api.1") in globalThis;
const api = isOn ? await import("@opentelemetry/api") : undefined;

/** Attributes in which Deno puts a request's URL. */
const URL_ATTRIBUTES = ["url.full", "url.path", "url.query"];

if (api) keepUrlsOut(Object.getPrototypeOf(api.trace.getTracer("bienvenue").startSpan("none")));

/** Puts the route's pattern on the request's span; null for a path without a route. Undefined when tracing is off. */
export const traceRoute: ((method: string, route: string | null) => void) | undefined = api && ((method, route) => {
  const span = api.trace.getActiveSpan();
  span?.updateName(route === null ? method : `${method} ${route}`);
  if (route !== null) span?.setAttribute("http.route", route);
});

/**
 * Deno accepts no span processor, and an attribute that is set again is exported beside the first. So this refuses URLs
 * in the method by which all spans, Deno's own too, get their attributes.
 */
function keepUrlsOut(spans: Pick<Span, "setAttribute">): void {
  const { setAttribute } = spans;
  spans.setAttribute = function (this: Span, name, value) {
    return URL_ATTRIBUTES.includes(name) ? this : setAttribute.call(this, name, value);
  };
}
