/**
 * The content of each mail: its blocks, their order and their language. Must not send a mail or make a token.
 *
 * @module
 */
import type { Locale } from "../languages.ts";
import type { MailKind } from "../mail_kinds.ts";
import { momentText, plainText, typeset } from "../text.ts";
import { knownUserAgent } from "../user_agents.ts";
import { type MailBlock, renderHtml, renderText } from "./render.ts";
import { de } from "./texts/de.ts";
import { en, type MailWord, type MailWords } from "./texts/en.ts";
import { es } from "./texts/es.ts";
import { fr } from "./texts/fr.ts";
import { pt } from "./texts/pt.ts";

/** The facts from which one mail is made. */
export interface MailContent {
  kind: MailKind;
  /** The reader's language. */
  locale: Locale;
  appName: string;
  /** The reader's name. Not used in mails to an address that nobody has proven. */
  name?: string;
  /** Target of the button. */
  link?: string;
  /** Eight digits that can be typed instead of opening the link. */
  code?: string;
  /** Lifetime of the code in minutes; 10 when absent. */
  codeMinutes?: number;
  /** Time of the event, in milliseconds since 1970. */
  time: number;
  /** Address of the client that made the request. */
  ip?: string;
  /** User-Agent header of that client. */
  userAgent?: string;
  /** The account's new address; shown partly masked. */
  newEmail?: string;
  /** When a closed account is erased, in milliseconds since 1970. */
  purgeAt?: number;
}

const MAIL_TEXTS: Readonly<Record<Locale, MailWords>> = { en, fr, de, es, pt };

/**
 * Mails about something that is done: first what happened, then what to do against it. All other mails ask for an
 * action.
 */
const NOTICES: readonly MailKind[] = [
  "password_changed",
  "change_email_notice",
  "email_changed",
  "new_device",
  "account_closed",
];

/**
 * Anybody can make the service send these mails to any address. So they also hold no name. Otherwise people could send
 * advertisements and phishing in the service's name.
 */
const TO_STRANGERS: readonly MailKind[] = ["register", "verify", "change_email", "address_reserved"];

/** Longest name in a greeting, in characters. */
const MOST_NAME = 60;

/** Gives the subject, the text and the HTML of a mail. The first link in text and HTML is that of the action. */
export function composeMail(content: MailContent): { subject: string; text: string; html: string } {
  const say = speaker(content);
  const blocks = (NOTICES.includes(content.kind) ? notice : request)(content, say).filter((block) =>
    block !== undefined
  );
  blocks.push({ type: "footer", text: say("footer")! });
  const subject = say(`${content.kind}.subject`)!;
  return { subject, text: renderText(blocks), html: renderHtml(blocks, content.locale, subject) };
}

/** Gives a text in the mail's language with its values filled in. Undefined when this kind of mail has no such text. */
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
  // Mails that no browser request caused, such as the notice to the old address, show no device.
  const device = ip || userAgent ? knownUserAgent(userAgent, locale) : undefined;
  const rows: [MailWord, string | undefined][] = [
    // Not in the mail to the new address: its reader knows that address.
    ["newEmail", newEmail === undefined || kind === "change_email" ? undefined : masked(plainText(newEmail))],
    ["purgeAt", purgeAt === undefined ? undefined : momentText(purgeAt, locale, "long")],
    ["when", momentText(content.time, locale, "long")],
    // The zone of an IPv6 address is free text.
    ["where", ip && /^[\d.:a-f]+$/i.test(ip) ? ip : undefined],
    ["device", device],
  ];
  return { type: "facts", rows: rows.flatMap(([label, value]) => value ? [[say(label)!, value] as const] : []) };
}

/** The owner recognises the address. Other readers of the old mailbox learn too little to write to it. */
function masked(email: string): string {
  const at = email.lastIndexOf("@");
  return `${at > 1 ? email[0] : ""}***${email.slice(Math.max(at, 0))}`;
}

/**
 * Undefined when a name must not be used, or when mail programs would turn a part of it into a link or a telephone
 * number. Somebody who took the account over can set the name.
 */
function nameOf({ kind, name }: MailContent): string | undefined {
  if (TO_STRANGERS.includes(kind)) return undefined;
  const plain = plainText(name ?? "");
  // Programs take other dots for a dot too (UTS 46, 2.3), and pass over joiners.
  const read = plain.normalize("NFKC").replace(/\p{Cf}/gu, "");
  if (plain === "" || [...plain].length > MOST_NAME) return undefined;
  if (/[/:@\\]|www[.\u3002]|[.\u3002]\p{L}{2}|(?:\p{N}\P{N}*){4}/iu.test(read)) return undefined;
  return plain;
}
