/**
 * The events of an account, in words. Must not show more of an event than its time, its device and its client address.
 *
 * @module
 */
import type { JSX } from "hono/jsx/jsx-runtime";
import type { AccountEvent, EventType } from "../../../auth/events.ts";
import { knownUserAgent } from "../../../auth/user_agents.ts";
import { Facts } from "../kit/facts.tsx";
import { Moment } from "../kit/moment.tsx";
import type { View } from "../kit/view.ts";
import type { PageWord } from "../words/en.ts";

/** The text of each event. A new event without a text fails the type check. */
const EVENT_WORDS: Readonly<Record<EventType, PageWord>> = {
  account_closed: "event.account_closed",
  account_disabled: "event.account_disabled",
  account_enabled: "event.account_enabled",
  account_purged: "event.account_purged",
  account_reopened: "event.account_reopened",
  account_updated: "event.account_updated",
  change_undone: "event.change_undone",
  email_change_announced: "event.email_change_announced",
  email_change_requested: "event.email_change_requested",
  email_changed: "event.email_changed",
  email_verified: "event.email_verified",
  logged_in: "event.logged_in",
  logged_out: "event.logged_out",
  login_failed: "event.login_failed",
  mail_given_up: "event.mail_given_up",
  mail_refused: "event.mail_refused",
  mail_sent: "event.mail_sent",
  password_changed: "event.password_changed",
  password_compromised: "event.password_compromised",
  password_reset: "event.password_reset",
  password_reset_requested: "event.password_reset_requested",
  registered: "event.registered",
  registration_requested: "event.registration_requested",
  second_factor_asked: "event.second_factor_asked",
  session_ended: "event.session_ended",
  sessions_ended: "event.sessions_ended",
  throttled: "event.throttled",
  // Belongs to no user, so no user's list has it.
  users_imported: "event.other",
  verification_requested: "event.verification_requested",
};

/** Events that the user should look at carefully. */
const ALARMING: readonly string[] = [
  "login_failed",
  "throttled",
  "change_undone",
  "mail_refused",
] satisfies EventType[];

/** The list of events, with links to older and to the newest ones. */
export function Activity(
  { view, since, events, next, before }: {
    view: View;
    /** When the account was made, in milliseconds since 1970. */
    since: number;
    events: AccountEvent[];
    next?: string;
    before?: string;
  },
): JSX.Element {
  const { say } = view;
  return (
    <>
      {events.length === 0 && <p>{say("activity.none")}</p>}
      <ul class="list">{events.map((event) => EventItem(view, event, since))}</ul>
      {(next ?? before) && (
        <p class="pager">
          {next && <a href={`/account?before=${next}#activity`}>{say("activity.older")}</a>}
          {before && <a href="/account#activity">{say("activity.newest")}</a>}
        </p>
      )}
    </>
  );
}

/**
 * A registration request from before the account existed was made by its owner. A later one was made by somebody else.
 */
function wordOf({ type, createdAt }: AccountEvent, since: number): PageWord {
  if (type === "registration_requested" && createdAt <= since) return "event.registration_begun";
  // A newer version of the service may have written a type that this one does not know.
  return Object.hasOwn(EVENT_WORDS, type) ? EVENT_WORDS[type as EventType] : "event.other";
}

function EventItem(view: View, event: AccountEvent, since: number): JSX.Element {
  const { say, locale } = view;
  const device = event.userAgent === null ? undefined : knownUserAgent(event.userAgent, locale);
  return (
    <li>
      <span class={ALARMING.includes(event.type) ? "alarming" : undefined}>{say(wordOf(event, since))}</span>
      {Facts(<Moment time={event.createdAt} locale={locale} />, device, event.ip)}
    </li>
  );
}
