/**
 * A browser without scripts, as far as the tests of pages need one: it reads the forms of a page and sends one with
 * typed values. Must not know a specific page.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Service } from "./service.ts";

/** The Accept header that Firefox sends when it opens an address. */
export const BROWSER_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/** A form of a page. */
interface PageForm {
  action: string;
  /** The fields with their current values. */
  fields: Map<string, string>;
}

/** All forms of a page, in order. */
function formsOf(text: string): PageForm[] {
  return [...text.matchAll(/<form ([^>]*)>([^]*?)<\/form>/g)].map(([, attributes, inside]) => {
    assert.equal(attributeOf(attributes, "method"), "post");
    const inputs = [...inside.matchAll(/<input ([^>]*?)\/?>/g)].map(([, input]) =>
      [attributeOf(input, "name")!, attributeOf(input, "value") ?? ""] as const
    );
    const selects = [...inside.matchAll(/<select ([^>]*)>([^]*?)<\/select>/g)].map(([, select, options]) =>
      [
        attributeOf(select, "name")!,
        attributeOf(/<option ([^>]*selected[^>]*)>/.exec(options)?.[1] ?? "", "value") ?? "",
      ] as const
    );
    return { action: attributeOf(attributes, "action")!, fields: new Map([...inputs, ...selects]) };
  });
}

/** The form that posts to this address, or the first one when no address is given. */
export function formOf(text: string, action?: string): PageForm {
  const form = formsOf(text).find((each) => action === undefined || each.action === action);
  assert.ok(form, `there is no form to ${action}`);
  return form;
}

/** Opens a page, fills in its form and sends it. Fails when a typed field does not exist. */
export async function submitForm(
  service: Service,
  path: string,
  typed: Record<string, string> = {},
  action?: string,
  session?: string,
): Promise<Response> {
  const headers = { accept: BROWSER_ACCEPT };
  const opened = await service.request("GET", path, { headers, session });
  const text = await opened.text();
  assert.equal(opened.status, 200, `${path} answers ${opened.status} ${opened.headers.get("location")}\n${text}`);
  const form = formOf(text, action);
  for (const [name, value] of Object.entries(typed)) {
    assert.ok(form.fields.has(name), `${form.action} has no field ${name}`);
    form.fields.set(name, value);
  }
  return await service.request("POST", form.action, { headers, session, form: Object.fromEntries(form.fields) });
}

/** Signs a user up in public and proves the mailbox. */
export async function signUp(service: Service, email: string, password: string): Promise<void> {
  await service.register(email, password);
  const [{ token }] = await service.mails();
  await service.send("PUT", "/verify_email", { verification_token: token });
}

/** A form that was refused and shown again. */
interface RefusedForm {
  status: number;
  /** The field that is marked as invalid and has the focus. */
  field: string | undefined;
  /** The message at that field. */
  message: string | undefined;
  /** The fields with the values that the page shows again. */
  typed: Map<string, string>;
}

/** Reads a refused form. Fails when it shows one of these secrets, or when not exactly one element has the focus. */
export async function readRefusedForm(response: Response, action: string, secrets: string[]): Promise<RefusedForm> {
  const text = await response.text();
  const marked = /<input id="([^"]+)"[^>]*autofocus[^>]*aria-invalid="true"[^>]*aria-describedby="([^"]+)"/.exec(text);
  const described = marked?.[2].split(" ")[0];
  const message = described && new RegExp(`id="${described}" role="alert">([^<]+)<`).exec(text)?.[1];
  for (const secret of secrets) assert.ok(!text.includes(`"${secret}"`), "a password is shown");
  assert.equal(text.match(/ autofocus/g)?.length, 1, "one thing has the focus");
  return { status: response.status, field: marked?.[1], message, typed: formOf(text, action).fields };
}

function attributeOf(attributes: string, name: string): string | undefined {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1];
  return value?.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity]);
}

const ENTITIES: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };
