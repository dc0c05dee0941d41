/**
 * What doctor says of one part of the installation. Must not check anything.
 *
 * @module
 */

/** The result of one check. */
export interface Check {
  check: string;
  /** `fail` means that somebody must act soon. */
  state: "ok" | "warn" | "fail";
  found: string;
  /** What to do; absent when all is well. */
  todo?: string;
}
