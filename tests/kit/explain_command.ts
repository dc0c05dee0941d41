/**
 * Shared by the tests of `explain`: runs the command for programs and for people, and tries the login that it explains.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Cause, Explanation, Finding } from "../../auth/admin/explain_login.ts";
import { run, runJson } from "./command_line.ts";
import { PUBLIC_SETTINGS, type Service } from "./service.ts";

/** The user of the tests and two passwords; the second one is set by a reset. */
export const EMAIL = "guillaume@holberton.io", PASSWORD = "Tr1ckyEn0ugh!", NEW_PASSWORD = "An0therG00dOne";

/** The findings of `explain --json`. */
export async function explainFindings(service: Service, ...words: string[]): Promise<Finding[]> {
  return (await explainJson(service, ...words)).findings;
}

/** The whole answer of `explain --json`. */
export function explainJson(service: Service, ...words: string[]): Promise<Explanation> {
  return runJson<Explanation>(service, ["explain", EMAIL, ...words], { settings: settingsOf(service) });
}

function settingsOf(service: Service): Record<string, string> {
  const { profile, throttle } = service.auth.config;
  return { ...(profile === "public" && PUBLIC_SETTINGS), THROTTLE: throttle };
}

/** The sentences that `explain` prints for people. */
export async function explainText(service: Service): Promise<string> {
  return (await run(service, ["explain", EMAIL], { settings: settingsOf(service) })).printed;
}

/** Tries a login over HTTP and returns the status. */
export async function tryLogin(service: Service, password = PASSWORD): Promise<number> {
  const response = await service.request("POST", "/sessions", { form: { email: EMAIL, password } });
  await response.body?.cancel();
  return response.status;
}

/** Adds the user by the operator's command. */
export async function addUser(service: Service): Promise<void> {
  const words = ["users", "add", EMAIL, "--password-stdin"];
  assert.equal((await run(service, words, { input: PASSWORD, settings: settingsOf(service) })).code, 0);
}

/** The causes that block a login, in order. */
export function blockingCauses(findings: Finding[]): Cause[] {
  return findings.filter((finding) => finding.blocks).map((finding) => finding.cause);
}
