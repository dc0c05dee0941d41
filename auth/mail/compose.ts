/**
 * What each mail says: which blocks, in which order, in which language. Must not send anything, nor make a token.
 *
 * @module
 */
import type { Locale } from "../languages.ts";
import type { MailKind } from "../mail_kinds.ts";
import { plainText, typeset } from "../text.ts";
import { describeUserAgent, knownUserAgent } from "../user_agents.ts";
import { type MailBlock, renderHtml, renderText } from "./render.ts";
import { de } from "./texts/de.ts";
import { en, type MailWord, type MailWords } from "./texts/en.ts";
import { es } from "./texts/es.ts";
import { fr } from "./texts/fr.ts";
import { pt } from "./texts/pt.ts";

/** All that a mail is made from. */
export interface MailContent {
  /** What it is about. */
  kind: MailKind;
  /** The language of who reads it. */
  locale: Locale;
  /** What the operator calls the app. */
  appName: string;
  /** What the reader is called; not used in mails to an address that nobody has proven. */
  name?: string;
  /** Where its button leads. */
  link?: string;
  /** The eight digits that may be typed in place of the link. */
  code?: string;
  /** How long the code is good for; 10 when absent. */
  codeMinutes?: number;
  /** When it happened, in milliseconds since 1970. */
  time: number;
  /** The address of the client that asked for it. */
  ip?: string;
  /** What that client said about itself. */
  userAgent?: string;
  /** The address that an account gets; shown partly masked. */
  newEmail?: string;
  /** When a closed account is erased, in milliseconds since 1970. */
  purgeAt?: number;
}

const MAIL_TEXTS: Readonly<Record<Locale, MailWords>> = { en, fr, de, es, pt };

/** News of something done: what happened comes first, then what to do against it. All others ask for something. */
const NOTICES: readonly MailKind[] = [
  "password_changed",
  "change_email_notice",
  "email_changed",
  "new_device",
  "account_closed",
];

/**
 * Mails that anybody can have sent to anybody: they carry no text of whoever asked, or the service would be a way to
 * send advertisements and lures under a good name.
 */
const TO_STRANGERS: readonly MailKind[] = ["register", "verify", "change_email"];

/** Longest name that a greeting repeats, in characters. */
const MOST_NAME = 60;

/** The mail as subject, text and HTML; the first link in each is the action's. */
export function composeMail(content: MailContent): { subject: string; text: string; html: string } {
  const say = speaker(content);
  const blocks = (NOTICES.includes(content.kind) ? notice : request)(content, say).filter((block) =>
    block !== undefined
  );
  blocks.push({ type: "footer", text: say("footer")! });
  const subject = say(`${content.kind}.subject`)!;
  return { subject, text: renderText(blocks), html: renderHtml(blocks, content.locale, subject) };
}

/** Gives a text of the mail's language with its values filled in, or undefined where this kind of mail has none. */
type Speaker = (word: string) => string | undefined;

function speaker(content: MailContent): Speaker {
  const values: Record<string, string> = {
    app: plainText(content.appName),
    name: nameOf(content) ?? "",
    minutes: String(content.codeMinutes ?? 10),
  };
  return (word) => {
    const template = MAIL_TEXTS[content.locale][word as MailWord] ?? en[word as MailWord];
    // One pass: a value that looks like a placeholder stays as it is.
    return template && typeset(template, content.locale).replace(/\{(\w+)\}/g, (_, key: string) => values[key]);
  };
}

function request(content: MailContent, say: Speaker): (MailBlock | undefined)[] {
  return [
    ...opening(content, say),
    action(content, say),
    paragraph(say(`${content.kind}.after`)),
    content.code === undefined ? undefined : {
      type: "code",
      label: say("code")!,
      code: content.code,
      note: say("codeNote")!,
    },
    facts(content, say),
    paragraph(say(`${content.kind}.notYou`)),
  ];
}

function notice(content: MailContent, say: Speaker): (MailBlock | undefined)[] {
  return [
    ...opening(content, say),
    facts(content, say),
    paragraph(say(`${content.kind}.notYou`)),
    action(content, say),
  ];
}

function opening(content: MailContent, say: Speaker): (MailBlock | undefined)[] {
  return [
    { type: "heading", text: say(`${content.kind}.title`)! },
    paragraph(say(nameOf(content) === undefined ? "hello" : "helloName")),
    paragraph(say(`${content.kind}.intro`)),
  ];
}

function paragraph(text: string | undefined): MailBlock | undefined {
  return text === undefined ? undefined : { type: "paragraph", text };
}

function action(content: MailContent, say: Speaker): MailBlock | undefined {
  const label = say(`${content.kind}.action`);
  if (label === undefined || content.link === undefined) return undefined;
  return { type: "action", label, link: content.link, otherwise: say("otherwise")! };
}

function facts(content: MailContent, say: Speaker): MailBlock {
  const { kind, locale, newEmail, purgeAt, ip, userAgent } = content;
  // What nobody at a browser began, as the word to the old address, says nothing of a device.
  const described = ip || userAgent ? describeUserAgent(userAgent, locale) : undefined;
  const device = TO_STRANGERS.includes(kind) ? knownUserAgent(userAgent, locale) : described;
  const rows: [MailWord, string | undefined][] = [
    // The mail to the new address need not say it; whoever reads it has it.
    ["newEmail", newEmail === undefined || kind === "change_email" ? undefined : masked(plainText(newEmail))],
    ["purgeAt", purgeAt === undefined ? undefined : momentOf(purgeAt, locale)],
    ["when", momentOf(content.time, locale)],
    ["where", ip && plainText(ip)],
    ["device", device],
  ];
  return { type: "facts", rows: rows.flatMap(([label, value]) => value ? [[say(label)!, value] as const] : []) };
}

/** In UTC, and says so: nobody knows where the reader is. */
function momentOf(time: number, locale: Locale): string {
  const format = { dateStyle: "long", timeStyle: "short", timeZone: "UTC" } as const;
  // Day before month and 24 hours, which all readers of English understand.
  return `${new Intl.DateTimeFormat(locale === "en" ? "en-GB" : locale, format).format(time)} UTC`;
}

/** Enough for the owner to know it again, too little for whoever else reads the old mailbox to write to it. */
function masked(email: string): string {
  const at = email.lastIndexOf("@");
  return `${at > 1 ? email[0] : ""}***${email.slice(Math.max(at, 0))}`;
}

/** Undefined where a name must not be used, or where mail programs would turn a part of it into a link. */
function nameOf({ kind, name }: MailContent): string | undefined {
  if (TO_STRANGERS.includes(kind)) return undefined;
  const plain = plainText(name ?? "");
  if (plain === "" || [...plain].length > MOST_NAME || /[/:@\\]|www\.|\.\p{L}{2}/iu.test(plain)) return undefined;
  return plain;
}
