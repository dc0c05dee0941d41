/**
 * Deno's own OpenTelemetry, where the operator switched it on by OTEL_DENO: route patterns on the spans, and no URL, since
 * the links of mails carry their secrets there. Must not cost anything where it is off.
 *
 * @module
 */

import type { Span } from "@opentelemetry/api";

/** The place where Deno registers itself, only when it is switched on. */
const isOn = Symbol.for("opentelemetry.js.api.1") in globalThis;
const api = isOn ? await import("@opentelemetry/api") : undefined;

/** What Deno puts on a span out of a request's URL. */
const URL_ATTRIBUTES = ["url.full", "url.path", "url.query"];

if (api) keepUrlsOut(Object.getPrototypeOf(api.trace.getTracer("bienvenue").startSpan("none")));

/**
 * Puts the route's pattern on the request's span; null for a path that no route takes. Undefined where nothing is traced.
 */
export const traceRoute: ((method: string, route: string | null) => void) | undefined = api && ((method, route) => {
  const span = api.trace.getActiveSpan();
  span?.updateName(route === null ? method : `${method} ${route}`);
  if (route !== null) span?.setAttribute("http.route", route);
});

/**
 * Deno takes no span processor, and an attribute that is set again is exported beside the first: so what carries a URL is
 * refused where every span, Deno's own too, is told its attributes.
 */
function keepUrlsOut(spans: Pick<Span, "setAttribute">): void {
  const { setAttribute } = spans;
  spans.setAttribute = function (this: Span, name, value) {
    return URL_ATTRIBUTES.includes(name) ? this : setAttribute.call(this, name, value);
  };
}
