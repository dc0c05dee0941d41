/**
 * Form fields with label, hint and fault. A wrong field gets the focus, and tells screen readers what is wrong. Must
 * not write a password back into a page.
 *
 * @module
 */
import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { type Fault, faultAt } from "./faults.ts";
import { HelpLink } from "./forms.tsx";
import type { View } from "./view.ts";

interface FieldProps {
  name: string;
  label: string;
  fault?: Fault;
  /** The element's id, if a page has two fields of one name. */
  id?: string;
  value?: string;
  hint?: Child;
  type?: "text" | "email" | "password";
  /** What password managers and phones may fill in (WHATWG HTML 4.10.18.7). */
  autocomplete: string;
  /** The keyboard of phones. */
  inputmode?: "numeric" | "email";
  minlength?: number;
  maxlength?: number;
  optional?: boolean;
  /** Whether the field gets the focus when the form has no fault. */
  focus?: boolean;
  /** Puts further elements around the input. */
  wrap?: (input: Child) => Child;
}

/** An input with its label, hint and fault. */
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
        <p class="fault" id={`${id}-fault`} role="alert">{text}{fault?.field === name && <HelpLink fault={fault} />}</p>
      )}
      {hint && <div class="hint" id={`${id}-hint`}>{hint}</div>}
    </div>
  );
}

/** The address with which a user logs in. Password managers know it as the user name. */
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

/** The current password, or with `fresh` a new one with its rules. */
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
      maxlength={100}
      focus={focus}
      hint={view.say("codeHint")}
    />
  );
}

/**
 * Tells password managers whose password is in a form without an address field (WHATWG HTML 4.10.18.7.1). With a `name`
 * the address is sent too.
 */
export function UserName({ email, name }: { email: string; name?: string }): JSX.Element {
  return <input type="email" name={name} autocomplete="username" value={email} hidden readonly />;
}
