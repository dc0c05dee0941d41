/**
 * A data folder that a service on SQLite has used and closed cleanly, for tests of damage to it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type DataFolder, dataFolder, logIn, register, startInVain, startService } from "./process/started_service.ts";

/** The address of its only user. */
export const email = "a@b.cd";
/** The user's password. */
export const password = "secret";

/** Makes the folder: one database file, with one user who has a session. */
export async function usedFolder(): Promise<DataFolder & { session: string }> {
  const data = await dataFolder();
  await using service = await startService(data.options);
  await register(service, email, password);
  return { ...data, session: await logIn(service, email, password) };
}

/** The message of a start that fails on this folder, without its first line. */
export async function refusal(data: DataFolder, before?: string[]): Promise<string> {
  const { code, stdout, stderr } = await startInVain({ ...data.options, before });
  const [first, sentence, ...more] = stderr.trimEnd().split("\n");
  assert.deepEqual([code, stdout, first, more], [1, "", "Bienvenue does not start:", []], stderr);
  return sentence;
}
