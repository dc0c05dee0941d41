/**
 * What a row of the table of limits says. Must not hold a row.
 *
 * @module
 */
import type { Waiting } from "../../db/guesses.ts";
import type { AuthErrorCode } from "../errors.ts";

/** The keys of a person in the ids of counters. */
export type PersonKey = "emailKey" | "userId";

/**
 * Whose tries a row counts together. `personal` lists the keys of a person in its ids. Those counters are erased with
 * the account, or `outlives` says why not.
 */
type Subject =
  | { scope: "network" | "link"; personal: readonly [] }
  | { scope: "address"; personal: readonly ["emailKey"] }
  // Where there is no user, the address takes the place of the user id: the work must be the same (S16).
  | { scope: "account"; personal: readonly ["userId"] | readonly ["emailKey", "userId"] }
  | { scope: "device"; personal: readonly ["userId"]; outlives: string };

/** The error beyond a limit. */
export interface Refusal {
  code: AuthErrorCode;
  message: string;
}

interface Row {
  /** Its name in `details.by` of the event `throttled`. */
  name: string;
  /** The start of its ids. Running databases hold such ids, so it must not change. */
  prefix: `${string}:`;
  /** Between the prefix and the subject in the id; each kind has its own count. */
  kinds?: readonly string[];
  /** Whether the local profile counts it too. */
  profile: "both" | "public";
  /** Whether an event is recorded when it begins to refuse. */
  noted: boolean;
  /** Whether it only counts with `THROTTLE=observe`. */
  observable: boolean;
  /** Undefined: beyond the limit the answer stays the same. */
  refusal: Refusal | undefined;
}

/** A limit for a window of time. */
export type WindowLimit = Row & Subject & {
  most: number;
  /** Milliseconds from the first that was counted. With `refills`, how long an empty budget takes to fill. */
  window: number;
  /**
   * Absent: the count starts anew when the window ends. True: one comes back after each part of the window, so that
   * nobody can use up the whole window at its beginning.
   */
  refills?: true;
  /** Undefined: it is counted but not limited. */
  readme: { counted: string; beyond: string; why: string } | undefined;
};

/** A limit on wrong guesses in a row. Some are free, then each has to wait, and in the end none is allowed. */
export type RowLimit = Row & Subject & Waiting & {
  /** After so many in a row, none is allowed. */
  most: number;
  /** Undefined: then only the mailbox helps. */
  readme: { counted: string; beyond?: string; why: string };
};

/** A row of the table. */
export type Limit = WindowLimit | RowLimit;
