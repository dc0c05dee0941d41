/**
 * Puts tables into docs/speed.md, between the two comments that name their part. Must not touch the other text.
 *
 * @module
 */
import { PROJECT } from "../kit/process/started_service.ts";

const FILE = `${PROJECT}/docs/speed.md`;

/** Replaces the tables of a part. Fails when the file has no place for them. */
export async function put(part: string, tables: string): Promise<void> {
  const place = new RegExp(`(<!-- bench ${part} -->\n)[^]*?(<!-- end ${part} -->)`);
  const text = await Deno.readTextFile(FILE);
  if (!place.test(text)) throw new Error(`docs/speed.md has no place for the part ${part}`);
  await Deno.writeTextFile(FILE, text.replace(place, (_, begin, end) => `${begin}\n${tables}\n${end}`));
  // The columns of a table are as wide as their longest cell.
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", FILE], cwd: PROJECT }).output();
}
