/**
 * The devices on which a user is logged in, with readable names. A device's own text is shown as plain text, because
 * the client chooses it (V43).
 *
 * @module
 */
import type { JSX } from "hono/jsx/jsx-runtime";
import type { SessionView } from "../../../auth/sign_in/sessions.ts";
import { describeUserAgent } from "../../../auth/user_agents.ts";
import type { Fault } from "../kit/faults.ts";
import { Facts } from "../kit/facts.tsx";
import { Form, Refusal } from "../kit/forms.tsx";
import { Moment } from "../kit/moment.tsx";
import type { View } from "../kit/view.ts";

/** In milliseconds. A use is saved only every few minutes, so one within ten minutes counts as now. */
const ACTIVE_WITHIN = 10 * 60_000;

/** The list of sessions, with buttons to end one of them or all others. */
export function Sessions(
  { view, sessions, fault }: { view: View; sessions: SessionView[]; fault?: Fault },
): JSX.Element {
  const { say } = view;
  // This session first: people who look for an unknown device start with the one that they know.
  const sorted = sessions.toSorted((one, other) => Number(other.current) - Number(one.current));
  return (
    <>
      {fault && <Refusal fault={fault} />}
      <ul class="list">{sorted.map((session) => Device(view, session))}</ul>
      {sessions.length > 1 && (
        <Form view={view} action="/account/devices/others">
          <button type="submit" class="button plain small">{say("devices.endOthers")}</button>
        </Form>
      )}
    </>
  );
}

function Device(view: View, session: SessionView): JSX.Element {
  const { say, locale } = view;
  const device = describeUserAgent(session.userAgent ?? undefined, locale);
  const active = session.current || view.auth.clock() - session.lastSeenAt < ACTIVE_WITHIN;
  return (
    <li class="device">
      <div>
        <strong>{device}</strong> {session.current && <span class="badge">{say("devices.this")}</span>}
        {Facts(
          active ? <span class="active">{say("devices.active")}</span> : (
            <>
              {say("devices.seen")} <Moment time={session.lastSeenAt} locale={locale} />
            </>
          ),
          <>
            {say("devices.since")} <Moment time={session.createdAt} locale={locale} />
          </>,
          session.ip,
        )}
      </div>
      {!session.current && (
        <Form view={view} action="/account/devices" hidden={{ id: session.id }}>
          <button type="submit" class="button plain small" aria-label={say("devices.endOne", { device })}>
            {say("devices.end")}
          </button>
        </Form>
      )}
    </li>
  );
}
