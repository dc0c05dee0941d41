/**
 * Sign-in by a proof of the account's mailbox. Must not make a session: `sign_in.ts` does. Must not check the proof:
 * the flow that took its token does.
 *
 * @module
 */
import type { UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { type SignIn, signIn } from "./sign_in.ts";

/**
 * Signs in to an account that has no password, after its mailbox was proven: the owner has no other way in, and chooses
 * the first password then. Undefined for every other account. A password must stay needed where there is one, and a
 * frozen account waits for a reset, which lifts the freeze.
 */
export async function byMail(auth: Auth, user: UserRow, caller: Caller): Promise<SignIn | undefined> {
  if (user.hashed_password !== null || user.frozen_at !== null) return undefined;
  return await signIn(auth, { user, method: "mail" }, caller);
}
