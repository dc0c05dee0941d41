/**
 * Reads the bytes of a body into named fields. It is strict: what two programs could read differently is refused. Must
 * not know which fields an endpoint takes.
 *
 * @module
 */
import type { HonoRequest } from "hono";
import { fieldToText, RequestError } from "./errors.ts";
import { parseMultipart } from "./multipart.ts";

/** Largest body, in bytes (S72). */
export const MOST_BODY = 16_384;

/** Longest time for a body to arrive, in milliseconds. A slow body would hold its connection for ever (F13). */
export const BODY_DEADLINE = 10_000;

/** Forms give texts, JSON gives any value. */
type Fields = Map<string, unknown>;

/**
 * Reads the fields of a request's body: urlencoded, multipart or JSON. Without a body there are no fields. `deadline`
 * is in milliseconds. Throws a RequestError: `body_too_large`, `body_too_slow`, `unsupported_media_type`,
 * `invalid_body`.
 */
export async function readFields(request: HonoRequest, deadline = BODY_DEADLINE): Promise<Fields> {
  const bytes = await readBytes(request, deadline);
  const type = request.header("content-type");
  if (bytes.length === 0 && type === undefined) return new Map();
  const [media, ...parameters] = (type ?? "").split(";").map((part) => part.trim().toLowerCase());
  const read = READERS.get(media);
  const charsets = parameters.filter((parameter) => /^charset\s*=/.test(parameter));
  const isUtf8 = charsets.every((charset) => /^charset="?utf-?8"?$/.test(charset));
  const encoding = request.header("content-encoding") ?? "identity";
  if (!read || !isUtf8 || encoding.toLowerCase() !== "identity") {
    throw new RequestError(
      "unsupported_media_type",
      "send the fields as application/x-www-form-urlencoded, multipart/form-data or application/json, in UTF-8",
    );
  }
  if (bytes.length === 0) return new Map();
  const fields = unique(read(bytes, type!));
  for (const [name, value] of fields) {
    if (hasNul(name) || hasNul(value)) throw invalid(`${fieldToText(name)} holds a NUL character`);
    if (!isWellFormed(name) || !isWellFormed(value)) throw invalid(`${fieldToText(name)} is not valid Unicode text`);
  }
  return fields;
}

type Reader = (bytes: Uint8Array, type: string) => [string, unknown][];

/** A Map, because an object has inherited keys: `Content-Type: constructor` would find a function. */
const READERS = new Map<string, Reader>([
  ["application/json", readJson],
  ["application/x-www-form-urlencoded", readUrlencoded],
  // Invalid bytes are an error: replacing them could make two different passwords equal (V66).
  ["multipart/form-data", (bytes, type) => parseMultipart(decode(bytes, "the body"), type)],
]);

/** Counts the bytes that really arrive: Content-Length may be wrong or absent (V29). */
async function readBytes(request: HonoRequest, deadline: number): Promise<Uint8Array> {
  if (Number(request.header("content-length") ?? 0) > MOST_BODY) throw tooLarge();
  if (request.raw.body === null) return new Uint8Array();
  const reader = request.raw.body.getReader();
  let late = false;
  // Ends the pending read, so that a refused request leaves nothing behind.
  const timer = setTimeout(() => {
    late = true;
    reader.cancel().catch(() => {});
  }, deadline);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      length += part.value.length;
      if (length > MOST_BODY) throw tooLarge();
      chunks.push(part.value);
    }
  } catch (error) {
    if (error instanceof RequestError) {
      reader.cancel().catch(() => {});
      throw error;
    }
    // The sender broke the body off, so it must not be a 500 or an alarm in the log.
    if (!late) throw invalid("the body did not arrive whole");
  } finally {
    clearTimeout(timer);
  }
  if (late) throw new RequestError("body_too_slow", `the body took longer than ${deadline / 1000} seconds to arrive`);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function readJson(bytes: Uint8Array): [string, unknown][] {
  const text = decode(bytes, "the body");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid("the body is not valid JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid("the body is not a JSON object");
  }
  const values = new Map(Object.entries(value));
  return keysOf(text).map((name) => [name, values.get(name)]);
}

/** The keys of the outermost object, with repetitions: JSON.parse silently keeps the last of two (S15). */
function keysOf(json: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  // In valid JSON a quote outside a string begins one, and a string before a colon is a key.
  for (const [token, string, colon] of json.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g)) {
    if (string === undefined) depth += token === "{" || token === "[" ? 1 : -1;
    else if (colon !== undefined && depth === 1) keys.push(JSON.parse(string));
  }
  return keys;
}

function readUrlencoded(bytes: Uint8Array): [string, unknown][] {
  const pairs = split(bytes, AMPERSAND).filter((pair) => pair.length > 0);
  return pairs.map((pair) => {
    const equals = pair.indexOf(EQUALS);
    const name = decode(unescapePercent(equals < 0 ? pair : pair.subarray(0, equals)), "the name of a field");
    const value = equals < 0 ? new Uint8Array() : unescapePercent(pair.subarray(equals + 1));
    return [name, decode(value, fieldToText(name))];
  });
}

/** Refuses a name that comes twice: some programs take the first value, others the last (S15). */
function unique(pairs: [string, unknown][]): Fields {
  const fields: Fields = new Map();
  for (const [name, value] of pairs) {
    if (fields.has(name)) throw invalid(`${fieldToText(name)} is given more than once`);
    fields.set(name, value);
  }
  return fields;
}

const AMPERSAND = 0x26, EQUALS = 0x3d, PERCENT = 0x25, PLUS = 0x2b, SPACE = 0x20;

function split(bytes: Uint8Array, separator: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(separator); end >= 0; end = bytes.indexOf(separator, start)) {
    parts.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return [...parts, bytes.subarray(start)];
}

/** Keeps a percent sign without two hexadecimal digits, like the WHATWG URL standard. */
function unescapePercent(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const digits = bytes[at] === PERCENT ? String.fromCharCode(...bytes.subarray(at + 1, at + 3)) : "";
    if (/^[0-9A-Fa-f]{2}$/.test(digits)) {
      out[length++] = parseInt(digits, 16);
      at += 2;
    } else out[length++] = bytes[at] === PLUS ? SPACE : bytes[at];
  }
  return out.subarray(0, length);
}

function decode(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid(`${what} is not valid UTF-8`);
  }
}

function hasNul(value: unknown): boolean {
  return typeof value === "string" && value.includes("\0");
}

function isWellFormed(value: unknown): boolean {
  return typeof value !== "string" || value.isWellFormed();
}

function invalid(message: string): RequestError {
  return new RequestError("invalid_body", message);
}

function tooLarge(): RequestError {
  return new RequestError("body_too_large", `the body is larger than ${MOST_BODY} bytes`);
}
