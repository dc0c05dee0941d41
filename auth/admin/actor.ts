/**
 * The person who acts on another user's account. Each act writes its actor into the event. Must not decide what an
 * actor may do.
 *
 * @module
 */
import type { SignedIn } from "../sign_in/current_user.ts";

/** The operator on the command line, or an administrator who is signed in. */
export type Actor = { operator: true } | { admin: SignedIn };

/** Anybody who can run the command line. */
export const OPERATOR: Actor = { operator: true };

/** The actor in the details of an event: `operator`, or the administrator's user id. */
export function byActor(actor: Actor): { by: string } {
  return { by: "operator" in actor ? "operator" : actor.admin.id };
}
