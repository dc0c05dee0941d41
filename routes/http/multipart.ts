/**
 * Parses multipart bodies (RFC 7578) strictly. The platform's parser accepts a truncated body, silently drops parts and
 * byte order marks, and lets the last of two headers win. So two passwords could become equal, and a field could change
 * its name (F15, F16). Must not know which fields an endpoint takes.
 *
 * @module
 */
import { fieldToText, RequestError } from "./errors.ts";

/** Longest header of a part, in characters. It bounds the work of patterns that look at a space more than once. */
const LONGEST_HEADER = 1_000;
/**
 * One parameter of a Content-Disposition. Without backslashes: some programs read them as escapes, others as letters.
 */
const PARAMETER = /[ \t]*;[ \t]*([a-z*]+)=(?:"([^"\\]*)"|([^\s";\\]+))/gi;
/** Charsets in which ASCII text has the same bytes as in UTF-8. Some clients name one in every part. */
const ASCII_CHARSETS = ["us-ascii", "iso-8859-1"];

/** Parses a body into names and texts. `type` is the whole Content-Type. Throws a RequestError: `invalid_body`. */
export function parseMultipart(text: string, type: string): [string, string][] {
  // A delimiter counts at the start of a line only. The added line break makes the first line like the others.
  const [preamble, ...parts] = `\r\n${text}`.split(`\r\n--${boundaryOf(type)}`);
  const end = parts.pop();
  // Some programs read text around the parts as a part. Without the closing delimiter the body was cut off.
  if (preamble !== "" || end === undefined || !/^--[ \t]*(?:\r\n)?$/.test(end)) throw malformed();
  return parts.map(fieldOf);
}

function boundaryOf(type: string): string {
  const found = [...type.matchAll(/;\s*boundary=(?:"([^"]{1,70})"|([^\s;,"]{1,70}))\s*(?=;|$)/gi)];
  if (found.length !== 1) throw malformed();
  return found[0][1] ?? found[0][2];
}

function fieldOf(part: string): [string, string] {
  const [, head, value] = /^[ \t]*\r\n((?:[^\r\n]+\r\n)*)\r\n(.*)$/s.exec(part) ?? [];
  if (head === undefined) throw malformed();
  const headers = new Map<string, string>();
  for (const line of head.split("\r\n").slice(0, -1)) {
    if (line.length > LONGEST_HEADER) throw malformed();
    const [, name, content] = /^([A-Za-z0-9-]+):[ \t]*(.*?)[ \t]*$/s.exec(line) ?? [];
    // Of two headers with one name, some programs read the first and some the last.
    if (name === undefined || headers.has(name.toLowerCase())) throw malformed();
    headers.set(name.toLowerCase(), content);
  }
  const field = nameOf(headers.get("content-disposition") ?? "");
  if (!isPlainText(headers, value)) throw refused(`${fieldToText(field)} must be plain text in UTF-8`);
  return [field, value];
}

function nameOf(disposition: string): string {
  const [kind] = disposition.split(/[ \t;]/, 1);
  const parameters = [...disposition.matchAll(PARAMETER)];
  const whole = kind + parameters.map(([text]) => text).join("") === disposition;
  const names = parameters.filter(([, key]) => key.toLowerCase() === "name");
  const files = parameters.filter(([, key]) => /^filename\*?$/i.test(key));
  const known = names.length + files.length === parameters.length;
  if (kind.toLowerCase() !== "form-data" || !whole || !known || names.length !== 1) throw malformed();
  const [[, , quoted, bare]] = names;
  const name = quoted ?? bare;
  if (files.length > 0) throw refused(`${fieldToText(name)} must be text, not a file`);
  return name;
}

/** The value is read as the bytes that arrived, in UTF-8. The part's headers must not say anything else. */
function isPlainText(headers: Map<string, string>, value: string): boolean {
  const [media, ...parameters] = (headers.get("content-type") ?? "text/plain").toLowerCase().split(/\s*;\s*/);
  const charsets = parameters.map((parameter) => /^charset="?([^"]*)"?$/.exec(parameter)?.[1] ?? "utf-8");
  const encoding = headers.get("content-transfer-encoding")?.toLowerCase() ?? "8bit";
  const isAscii = !/[^\0-\x7f]/.test(value);
  return media === "text/plain" && ["7bit", "8bit", "binary"].includes(encoding) &&
    charsets.every((charset) => /^utf-?8$/.test(charset) || (isAscii && ASCII_CHARSETS.includes(charset)));
}

function malformed(): RequestError {
  return refused("the body is not valid multipart/form-data");
}

function refused(message: string): RequestError {
  return new RequestError("invalid_body", message);
}
