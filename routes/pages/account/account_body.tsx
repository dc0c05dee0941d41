/**
 * The content of the account page, part by part. Must not read or change anything.
 *
 * @module
 */
import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Account } from "../../../auth/account/account.ts";
import type { AccountEvent } from "../../../auth/events.ts";
import { type Locale, LOCALES } from "../../../auth/languages.ts";
import type { SessionView } from "../../../auth/sign_in/sessions.ts";
import type { Fault } from "../kit/faults.ts";
import { EmailField, Field, PasswordField, UserName } from "../kit/fields.tsx";
import { Done, Form } from "../kit/forms.tsx";
import type { View } from "../kit/view.ts";
import { LANGUAGE_NAMES } from "../kit/words.ts";
import { Activity } from "./activity.tsx";
import { Sessions } from "./sessions.tsx";

interface AccountBodyProps {
  view: View;
  account: Account;
  sessions: SessionView[];
  events: AccountEvent[];
  /** Id of the last event shown, if there are older ones. */
  next?: string;
  /** Id of the event before which the shown events are. */
  before?: string;
  fault?: Fault;
  /** The part whose form has the fault. */
  part?: string;
}

const PARTS = ["profile", "password", "email", "devices", "activity", "data", "close"] as const;
/** The values of `done` that each part can show; see {@linkcode Done}. */
const DONE_WORDS: Partial<Record<typeof PARTS[number], string[]>> = {
  profile: ["profile"],
  password: ["password"],
  email: ["email", "confirmed"],
  devices: ["session", "others"],
  data: ["export"],
};

/** The whole content of the account page. */
export function AccountBody(props: AccountBodyProps): JSX.Element {
  const { view, account, sessions, events, next, before } = props;
  const { say } = view;
  const part = (id: typeof PARTS[number], text: string | undefined, children: Child) => Part(view, id, text, children);
  /** The fault, if it is about the form of this part. */
  const faultIn = (here: string): Fault | undefined => here === props.part ? props.fault : undefined;
  return (
    <>
      <div class="head">
        <div>
          <h1>{say("account.title")}</h1>
          <p class="faint">{account.email}</p>
        </div>
        <Form view={view} action="/logout">
          <button type="submit" class="button plain small">{say("account.logOut")}</button>
        </Form>
      </div>
      <div class="columns">
        <nav class="parts" aria-label={say("account.title")}>
          <ul>{PARTS.map((each) => PartLink(view, each))}</ul>
        </nav>
        <div>
          {part("profile", undefined, <Profile view={view} account={account} fault={faultIn("profile")} />)}
          {part(
            "password",
            account.hasPassword ? say("password.text") : undefined,
            <Password view={view} account={account} fault={faultIn("password")} />,
          )}
          {part("email", say("email.text"), <Email view={view} account={account} fault={faultIn("email")} />)}
          {part(
            "devices",
            say("devices.text"),
            <Sessions view={view} sessions={sessions} fault={faultIn("devices")} />,
          )}
          {part(
            "activity",
            say("activity.text"),
            <Activity view={view} since={account.createdAt} events={events} next={next} before={before} />,
          )}
          {part(
            "data",
            say("data.text"),
            <a class="button plain small" href="/account/download">{say("data.export")}</a>,
          )}
          {part("close", say("close.text"), <Close view={view} account={account} fault={faultIn("close")} />)}
        </div>
      </div>
    </>
  );
}

function PartLink(view: View, part: typeof PARTS[number]): JSX.Element {
  return (
    <li>
      <a href={`#${part}`}>{view.say(`${part}.title`)}</a>
    </li>
  );
}

/** A form redirects to its own part, so the notice is shown there: the top of the page would be out of sight. */
function Part(view: View, id: typeof PARTS[number], text: string | undefined, children: Child): JSX.Element {
  return (
    <section class="card part" id={id} aria-labelledby={`${id}-title`}>
      <div class="about">
        <h2 id={`${id}-title`}>{view.say(`${id}.title`)}</h2>
        {text && <p class="faint">{text}</p>}
      </div>
      <div>
        {(DONE_WORDS[id] ?? []).includes(view.given("done")) && <Done view={view} />}
        {children}
      </div>
    </section>
  );
}

function Profile({ view, account, fault }: { view: View; account: Account; fault?: Fault }): JSX.Element {
  const { say } = view;
  const chosen = fault && LOCALES.find((locale) => locale === view.given("locale")) || view.locale;
  return (
    <Form view={view} action="/account/profile" fault={fault} name={say("profile.title")}>
      <Field
        name="name"
        label={say("profile.name")}
        fault={fault}
        value={fault ? view.given("name") : account.name ?? ""}
        autocomplete="name"
        maxlength={100}
        hint={say("profile.nameHint")}
        optional
      />
      <div class="field">
        <label for="locale">{say("profile.language")}</label>
        <select id="locale" name="locale" autocomplete="language">
          {LOCALES.map((locale) => LanguageOption(locale, chosen))}
        </select>
      </div>
      <button type="submit" class="button small">{say("account.save")}</button>
    </Form>
  );
}

function LanguageOption(locale: Locale, current: Locale): JSX.Element {
  return <option value={locale} lang={locale} selected={locale === current}>{LANGUAGE_NAMES[locale]}</option>;
}

function Password({ view, account, fault }: { view: View; account: Account; fault?: Fault }): JSX.Element {
  const { say } = view;
  return (
    <Form view={view} action="/account/password" fault={fault} name={say("password.title")}>
      <UserName email={account.email} />
      {account.hasPassword && (
        <PasswordField view={view} fault={fault} name="current_password" label={say("password.current")} />
      )}
      <PasswordField view={view} fault={fault} name="new_password" label={say("newPassword")} fresh />
      <button type="submit" class="button small">
        {say(account.hasPassword ? "password.action" : "first.action")}
      </button>
    </Form>
  );
}

function Email({ view, account, fault }: { view: View; account: Account; fault?: Fault }): JSX.Element {
  const { say } = view;
  return (
    <>
      <p>{say("email.now", { email: account.email })}</p>
      <Form view={view} action="/account/email" fault={fault} name={say("email.title")}>
        <UserName email={account.email} />
        <EmailField
          view={view}
          fault={fault}
          name="new_email"
          label={say("email.new")}
          value={fault ? view.given("new_email") : ""}
        />
        {account.hasPassword && (
          <PasswordField
            view={view}
            fault={fault}
            name="password"
            id="email-password"
            label={say("password.current")}
          />
        )}
        <button type="submit" class="button small">{say("email.action")}</button>
      </Form>
    </>
  );
}

function Close({ view, account, fault }: { view: View; account: Account; fault?: Fault }): JSX.Element {
  const { say } = view;
  return (
    <Form view={view} action="/account/close" fault={fault} name={say("close.title")}>
      <UserName email={account.email} />
      {account.hasPassword && (
        <PasswordField view={view} fault={fault} name="password" id="close-password" label={say("password.current")} />
      )}
      <button type="submit" class="button danger small">{say("close.action")}</button>
    </Form>
  );
}
