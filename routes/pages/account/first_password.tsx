/**
 * The page that asks for a first password, after a proof of the mailbox signed its owner in. Must not change anything:
 * its form is that of the account page.
 *
 * @module
 */
import type { Fault } from "../kit/faults.ts";
import { PasswordField, UserName } from "../kit/fields.tsx";
import { Done, Form } from "../kit/forms.tsx";
import { show } from "../kit/page.tsx";
import type { View } from "../kit/view.ts";

/** Shows the address: an attacker's link signs in to the attacker's account, and people see whose password this is. */
export function firstPasswordPage(view: View, refused?: Fault): Response {
  const { say } = view;
  const fault = refused?.code === "login_required" ? tooLate(view, refused) : refused;
  const email = view.account?.email ?? "";
  const title = say("first.title");
  const body = (
    <section class="card">
      <h1>{title}</h1>
      <Done view={view} />
      <p>{say("reset.for", { email })}</p>
      <Form view={view} action="/account/password" fault={fault}>
        <UserName email={email} />
        <PasswordField view={view} fault={fault} name="new_password" label={say("password")} fresh focus />
        <button type="submit" class="button">{say("first.action")}</button>
      </Form>
      <p class="below">
        <a href={view.returnTo ?? "/account"}>{say("first.later")}</a>
      </p>
    </section>
  );
  return show(view, { title, body, fault });
}

/** There is no password yet to log in with again: only the mailbox helps. */
function tooLate(view: View, fault: Fault): Fault {
  const { say, account } = view;
  const link = { href: view.href("/forgot", { email: account?.email }), text: say("forgot.action") };
  return { ...fault, text: say("error.login_required.mail"), link };
}
