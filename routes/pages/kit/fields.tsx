/**
 * Fields with their label, hint and fault. A faulty field has the focus and says what is wrong to screen readers; a
 * password is never written back into a page.
 *
 * @module
 */
import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { type Fault, faultAt } from "./faults.ts";
import { WayOut } from "./forms.tsx";
import type { View } from "./view.ts";

/** What a field is told. */
export interface FieldProps {
  /** What is sent. */
  name: string;
  /** What stands above. */
  label: string;
  /** What is wrong with the form, perhaps here. */
  fault?: Fault;
  /** The element's id, where a page has two fields of one name. */
  id?: string;
  /** What was typed. */
  value?: string;
  /** What stands below. */
  hint?: Child;
  /** Its kind. */
  type?: "text" | "email" | "password";
  /** What password managers and phones may fill in (WHATWG HTML 4.10.18.7). */
  autocomplete: string;
  /** The keyboard of phones. */
  inputmode?: "numeric" | "email";
  /** Least and most length. */
  minlength?: number;
  /** Most length. */
  maxlength?: number;
  /** Whether it may be left empty. */
  optional?: boolean;
  /** Whether the page begins here, unless something is wrong elsewhere. */
  focus?: boolean;
  /** More around the input. */
  wrap?: (input: Child) => Child;
}

/** A labelled input. */
export function Field(props: FieldProps): JSX.Element {
  const { name, label, fault, id = name, value, hint, type = "text", optional, wrap = (input) => input } = props;
  const text = faultAt(fault, name);
  const wrong = text !== undefined;
  const described = [wrong && `${id}-fault`, hint && `${id}-hint`].filter(Boolean).join(" ") || undefined;
  return (
    <div class={wrong ? "field wrong" : "field"}>
      <label for={id}>{label}</label>
      {wrap(
        <input
          id={id}
          name={name}
          type={type}
          value={type === "password" ? undefined : value}
          autocomplete={props.autocomplete}
          inputmode={props.inputmode}
          minlength={props.minlength}
          maxlength={props.maxlength}
          required={!optional}
          autofocus={fault === undefined ? props.focus : fault.field === name}
          aria-invalid={wrong ? "true" : undefined}
          aria-describedby={described}
        />,
      )}
      {wrong && (
        <p class="fault" id={`${id}-fault`} role="alert">{text}{fault?.field === name && <WayOut fault={fault} />}</p>
      )}
      {hint && <div class="hint" id={`${id}-hint`}>{hint}</div>}
    </div>
  );
}

/** The address by which somebody logs in; password managers know it as the user's name. */
export function EmailField(
  { view, fault, name = "email", label, value, focus, hint }: {
    view: View;
    fault?: Fault;
    name?: string;
    label?: string;
    value?: string;
    focus?: boolean;
    hint?: Child;
  },
): JSX.Element {
  return (
    <Field
      name={name}
      label={label ?? view.say("email")}
      fault={fault}
      value={value ?? view.given(name)}
      type="email"
      inputmode="email"
      maxlength={254}
      autocomplete={name === "email" ? "username" : "email"}
      focus={focus}
      hint={hint}
    />
  );
}

/** A password: the one that is, or a new one with the rules for it. */
export function PasswordField(
  { view, fault, name, id = name, label, fresh, focus, hint, optional }: {
    view: View;
    fault?: Fault;
    name: string;
    id?: string;
    label: string;
    fresh?: boolean;
    focus?: boolean;
    hint?: Child;
    optional?: boolean;
  },
): JSX.Element {
  const { say } = view;
  const least = fresh && view.auth.config.profile === "public" ? view.auth.config.passwordMinLength : undefined;
  return (
    <Field
      name={name}
      id={id}
      label={label}
      fault={fault}
      type="password"
      autocomplete={fresh ? "new-password" : "current-password"}
      minlength={least}
      focus={focus}
      optional={optional}
      wrap={(input) => (
        <div
          class="secret"
          data-show={say("show")}
          data-hide={say("hide")}
          data-show-label={say("showPassword")}
          data-hide-label={say("hidePassword")}
        >
          {input}
        </div>
      )}
      hint={hint ?? (least === undefined ? undefined : (
        <ul class="rules">
          <li data-least={least}>{say("rule.length", { count: least })}</li>
          <li>{say("rule.any")}</li>
        </ul>
      ))}
    />
  );
}

/** The code of a mail, which phones offer to fill in. */
export function CodeField({ view, fault, focus }: { view: View; fault?: Fault; focus?: boolean }): JSX.Element {
  return (
    <Field
      name="code"
      label={view.say("code")}
      fault={fault}
      value={view.given("code")}
      inputmode="numeric"
      autocomplete="one-time-code"
      maxlength={32}
      focus={focus}
      hint={view.say("codeHint")}
    />
  );
}

/**
 * Tells password managers whose password stands in a form without a field for the address (WHATWG HTML 4.10.18.7.1). It
 * is sent along where it has a name.
 */
export function UserName({ email, name }: { email: string; name?: string }): JSX.Element {
  return <input type="email" name={name} autocomplete="username" value={email} hidden readonly />;
}
