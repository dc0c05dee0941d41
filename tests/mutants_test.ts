/**
 * The mutants of tests/mutants/ still fit the code and tests/security.md. Must not run them: `deno task mutants` does.
 *
 * @module
 */
import assert from "node:assert/strict";
import { PROJECT } from "./kit/process/started_service.ts";
import { securityRows } from "./kit/security_rows.ts";
import { editsOf, mutated } from "./mutants/mutant.ts";
import { EXCUSES, MUTANTS } from "./mutants/mutants.ts";

/** The kinds of rows that must have a mutant or an excuse. */
const COVERED = /^[SVFABCD]/;

const files = new Map(securityRows().map((row) => [row.id, row.files]));
const read = (file: string): string => Deno.readTextFileSync(`${PROJECT}/${file}`);

Deno.test("every mutant applies: each of its texts stands exactly once in the code", () => {
  const stale = MUTANTS.flatMap((mutant) => {
    try {
      const texts = mutated(mutant, read);
      return [...texts].every(([file, text]) => text === read(file)) ? [`${mutant.row}: changes nothing`] : [];
    } catch (error) {
      return [(error as Error).message];
    }
  });
  assert.deepEqual(stale, []);
});

Deno.test("every row has a mutant, or an excuse and no mutant", () => {
  const mutants = new Set(MUTANTS.map(({ row }) => row));
  const excuses = EXCUSES.map(({ row }) => row);
  const wanted = [...files.keys()].filter((id) => COVERED.test(id));
  assert.deepEqual(wanted.filter((id) => !mutants.has(id) && !excuses.includes(id)), [], "neither");
  assert.deepEqual(excuses.filter((id) => mutants.has(id) || !files.has(id)), [], "both, or no row");
  assert.deepEqual([...mutants].filter((id) => !files.has(id)), [], "no row");
  assert.deepEqual(EXCUSES.filter(({ why }) => why.length < 20), []);
});

Deno.test("mutants change the service or the printed proxies alone, and run tests that their row names", () => {
  const wrong = MUTANTS.flatMap((mutant) => [
    ...editsOf(mutant).map(({ file }) => file).filter((file) =>
      !/^(?:main\.ts|deno\.json|(?:auth|db|routes|tests\/proxies)\/)/.test(file)
    ),
    ...(mutant.tests ?? []).filter((file) => !files.get(mutant.row)?.includes(file)).map((file) =>
      `${mutant.row} ${file}`
    ),
  ]);
  assert.deepEqual(wrong, []);
});
