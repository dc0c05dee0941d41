/**
 * All mutants, and the rows that have none. Must not say what a row means: tests/security.md does.
 *
 * @module
 */
import { ATTACKS } from "./attacks.ts";
import { FAULTS } from "./faults.ts";
import type { Excuse, Line, Mutant } from "./mutant.ts";
import { ACCOUNTS } from "./requirements_accounts.ts";
import { PASSWORDS } from "./requirements_passwords.ts";
import { REQUESTS } from "./requirements_requests.ts";
import { SESSIONS } from "./requirements_sessions.ts";
import { TRIALS } from "./trials.ts";
import { VULNERABILITIES_ACCOUNTS } from "./vulnerabilities_accounts.ts";
import { VULNERABILITIES_REQUESTS } from "./vulnerabilities_requests.ts";

const LINES: readonly Line[] = [
  ...PASSWORDS,
  ...ACCOUNTS,
  ...SESSIONS,
  ...REQUESTS,
  ...VULNERABILITIES_ACCOUNTS,
  ...VULNERABILITIES_REQUESTS,
  ...FAULTS,
  ...ATTACKS,
  ...TRIALS,
];

/** Every mutant, in the order of the tables. */
export const MUTANTS: readonly Mutant[] = LINES.filter((line) => "find" in line);

/** The rows without a mutant. */
export const EXCUSES: readonly Excuse[] = LINES.filter((line) => "why" in line);
