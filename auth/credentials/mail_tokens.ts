/**
 * What proves a mailbox: the token out of a mail's link, or its code together with the address. Must not take what it
 * finds; the flow does, in its transaction.
 *
 * @module
 */
import { findToken, listTokensWithCode, type Purpose, type TokenRow } from "../../db/tokens.ts";
import type { Auth } from "../auth.ts";
import type { Client } from "../caller.ts";
import { countCodeTry, matchCode } from "./mail_codes.ts";
import { emailKeyOrUndefined } from "../email_addresses.ts";
import { AuthError } from "../errors.ts";
import { hashToken, isToken } from "../secrets.ts";

/** A token by itself, or a code with its address. */
export type Proof = { token: string } | { email: string; code: string };

/** With how many of an address's live codes one is compared: twice as many as an hour's mails (S36). */
const MOST_TOKENS = 10;

/** The live token that this proves, of one of these purposes. Throws `invalid_token`, `too_many_attempts`. */
export async function findProof(
  auth: Auth,
  purposes: Purpose[],
  proof: Proof,
  client: Client = {},
): Promise<TokenRow> {
  const found = "token" in proof
    ? await findByToken(auth, purposes, proof.token)
    : await findByCode(auth, purposes, proof, client);
  if (!found) throw invalidToken();
  return found;
}

/** Whether a link's token still opens something; nothing is taken, so that programs may open links too (S36). */
export async function isLive(auth: Auth, purposes: Purpose[], token: string): Promise<boolean> {
  return await findByToken(auth, purposes, token) !== undefined;
}

/** Whose mailbox a link's token went to, while it still opens something; takes nothing. */
export async function emailOfLink(auth: Auth, purpose: Purpose, token: string): Promise<string | undefined> {
  return (await findByToken(auth, [purpose], token))?.email ?? undefined;
}

/** One code for wrong, used, expired and somebody else's: which of them it was helps only who guesses. */
export function invalidToken(): AuthError {
  return new AuthError("invalid_token", "the token or code is wrong, used or too old; ask for a new one");
}

async function findByToken(auth: Auth, purposes: Purpose[], token: string): Promise<TokenRow | undefined> {
  if (!isToken(token)) return undefined;
  for (const purpose of purposes) {
    const found = await findToken(auth.db, purpose, hashToken(token), auth.clock());
    if (found) return found;
  }
  return undefined;
}

async function findByCode(
  auth: Auth,
  purposes: Purpose[],
  { email, code }: { email: string; code: string },
  client: Client,
): Promise<TokenRow | undefined> {
  const key = emailKeyOrUndefined(email);
  if (key === undefined) return undefined;
  await countCodeTry(auth, key, client);
  const rows = [];
  for (const purpose of purposes) {
    rows.push(...await listTokensWithCode(auth.db, purpose, key, auth.clock(), MOST_TOKENS));
  }
  return await matchCode(auth, rows, code);
}
