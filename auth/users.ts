/**
 * Users as every rule sees them: what others may know, whether an account is active, how a user is recognised. Must not
 * ask the database.
 *
 * @module
 */
import type { UserRow } from "../db/users.ts";

/** What others may know of a user. */
export interface User {
  /** UUID v7. */
  id: string;
  /** The address as its owner typed it. */
  email: string;
}

/** A way to recognise a user. */
export type Method = "password" | "mail" | "passkey" | "provider" | "totp" | "recovery_code";

/** What an account needs beside its first factor. */
export interface SignInPolicy {
  /** Whether this user must show a second factor. */
  needsSecondFactor(user: UserRow): boolean;
}

/** The current policy: no account has a second factor. */
export const FIRST_FACTOR_ONLY: SignInPolicy = { needsSecondFactor: () => false };

/** Whether the account is neither closed by its owner nor disabled by the operator. Every sign-in asks this (V48). */
export function isActive(user: Pick<UserRow, "closed_at" | "disabled_at">): boolean {
  return user.closed_at === null && user.disabled_at === null;
}
