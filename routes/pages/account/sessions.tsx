/**
 * The devices on which somebody is logged in, by names that people understand. What a device says about itself is shown
 * as plain text: whoever logs in writes it (V43).
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

/** A use is noted only every few minutes, so one of the last ten counts as now. */
const NOW = 10 * 60_000;

/** The list, with a way to end each one and all others. */
export function Sessions(
  { view, sessions, fault }: { view: View; sessions: SessionView[]; fault?: Fault },
): JSX.Element {
  const { say } = view;
  // This one first: whoever looks for a stranger starts from what they know.
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
  const active = session.current || view.auth.clock() - session.lastSeenAt < NOW;
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
