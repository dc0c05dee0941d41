/**
 * What the tests of `explain` share: asking it as programs and people do, and the login that it speaks of.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Cause, Explanation, Finding } from "../../auth/admin/explain_login.ts";
import { run, runJson } from "./command_line.ts";
import { PUBLIC_SETTINGS, type Service } from "./service.ts";

/** Whom the tests ask about, and the passwords, the second for after a reset. */
export const EMAIL = "guillaume@holberton.io", PASSWORD = "Tr1ckyEn0ugh!", NEW_PASSWORD = "An0therG00dOne";

/** What `explain` finds. */
export async function explainFindings(service: Service, ...words: string[]): Promise<Finding[]> {
  return (await explainJson(service, ...words)).findings;
}

/** All that `explain` answers to a program. */
export function explainJson(service: Service, ...words: string[]): Promise<Explanation> {
  return runJson<Explanation>(service, ["explain", EMAIL, ...words], { settings: settingsOf(service) });
}

function settingsOf(service: Service): Record<string, string> {
  const { profile, throttle } = service.auth.config;
  return { ...(profile === "public" && PUBLIC_SETTINGS), THROTTLE: throttle };
}

/** The sentences for people. */
export async function explainText(service: Service): Promise<string> {
  return (await run(service, ["explain", EMAIL], { settings: settingsOf(service) })).printed;
}

/** Logs in through the door, and gives the status. */
export async function tryLogin(service: Service, password = PASSWORD): Promise<number> {
  const response = await service.request("POST", "/sessions", { form: { email: EMAIL, password } });
  await response.body?.cancel();
  return response.status;
}

/** Adds the user as the operator does. */
export async function addUser(service: Service): Promise<void> {
  const words = ["users", "add", EMAIL, "--password-stdin"];
  assert.equal((await run(service, words, { input: PASSWORD, settings: settingsOf(service) })).code, 0);
}

/** What blocks, in order. */
export function blockingCauses(findings: Finding[]): Cause[] {
  return findings.filter((finding) => finding.blocks).map((finding) => finding.cause);
}
