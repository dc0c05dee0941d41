/**
 * `/dev/mailbox` for a developer's browser: the mails that a service without a mail server has caught. Must not exist
 * in the public profile.
 *
 * @module
 */
import { type Context, Hono, type Next } from "hono";
import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { CaughtMail, DevMailbox } from "../../auth/runtime/dev_mailbox.ts";
import type { RequestEnv } from "../http/answers.ts";
import { namesHtml } from "../http/accept.ts";
import { Facts } from "./kit/facts.tsx";
import { Moment } from "./kit/moment.tsx";
import { page, show } from "./kit/page.tsx";
import type { Site } from "./kit/site.ts";
import type { View } from "./kit/view.ts";

/** Handles `GET /dev/mailbox` for browsers. */
export function mailboxPages(site: Site): Hono<RequestEnv> {
  const show = page(site, (view) => mailboxPage(view, (view.auth.transport as DevMailbox).mails));
  return new Hono<RequestEnv>().get("/", (c: Context<RequestEnv>, next: Next) => namesHtml(c) ? show(c) : next());
}

function mailboxPage(view: View, mails: readonly CaughtMail[]): Response {
  const { say } = view;
  const title = say("mailbox");
  const body = (
    <>
      <div class="head">
        <div>
          <h1>{title}</h1>
          <p class="faint">{say("mailbox.text")}</p>
        </div>
        <a class="button plain small" href="/dev/mailbox">{say("mailbox.reload")}</a>
      </div>
      {mails.length === 0
        ? <section class="card">{say("mailbox.none")}</section>
        : mails.map((mail) => Mail(view, mail))}
    </>
  );
  return show(view, { title, body, self: "/dev/mailbox", wide: true });
}

function Mail(view: View, mail: CaughtMail): JSX.Element {
  return (
    <article class="card mail">
      <h2>{mail.subject}</h2>
      {Facts(view.say("mailbox.to", { email: mail.to }), <Moment time={mail.sentAt} locale={view.locale} />)}
      <pre>{mail.text.split(/(https?:\/\/\S+|^ {4}\d{8}$)/m).map((piece) => Piece(view, piece))}</pre>
    </article>
  );
}

/** Makes links to this service clickable, and codes easy to copy. Everything else stays text, whoever wrote it. */
function Piece(view: View, piece: string): Child {
  if (piece.startsWith(`${view.auth.origin}/`)) return <a href={piece.slice(view.auth.origin.length)}>{piece}</a>;
  if (!/^ {4}\d{8}$/.test(piece)) return piece;
  return (
    <>
      {"    "}
      <code data-copy={view.say("copy")} data-copied={view.say("copied")}>{piece.trim()}</code>
    </>
  );
}
