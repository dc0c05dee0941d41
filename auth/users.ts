/**
 * Whether an account can be used at all, whatever proof of identity comes with the wish. Must not know why somebody asks.
 *
 * @module
 */
import type { UserRow } from "../db/users.ts";

/** What the outside may know of a user. */
export interface User {
  /** UUID v7. */
  id: string;
  /** The address as its owner typed it. */
  email: string;
}

/** Whether it is neither closed by its owner nor disabled by the operator; every way in asks this (V48). */
export function isActive(user: Pick<UserRow, "closed_at" | "disabled_at">): boolean {
  return user.closed_at === null && user.disabled_at === null;
}
