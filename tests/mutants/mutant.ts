/**
 * A mutant: the service with one protection removed. Must not run anything.
 *
 * @module
 */

/** One replacement in one file. */
export interface Edit {
  /** The path from the folder of deno.json. */
  file: string;
  /** Text that stands exactly once in the file. */
  find: string;
  replace: string;
}

/** The removal of a protection that a row of tests/security.md names. A test with the row's id must fail. */
export interface Mutant extends Edit {
  /** The id of the row. */
  row: string;
  /** Further replacements, where one is not enough to remove the protection. */
  and?: readonly Edit[];
  /** The likeliest of the row's test files, where the others would only take time. */
  tests?: readonly string[];
}

/** A row that names no code of its own, so that there is nothing to remove. */
export interface Excuse {
  /** The id of the row. */
  row: string;
  why: string;
}

/** A line of the tables in this folder. */
export type Line = Mutant | Excuse;

/** All replacements of a mutant. */
export function editsOf(mutant: Mutant): Edit[] {
  return [mutant, ...mutant.and ?? []];
}

/** The texts of the files that a mutant changes, by path. Throws an Error when a text does not stand exactly once. */
export function mutated(mutant: Mutant, read: (file: string) => string): Map<string, string> {
  const texts = new Map<string, string>();
  for (const { file, find, replace } of editsOf(mutant)) {
    const text = texts.get(file) ?? read(file);
    const times = text.split(find).length - 1;
    if (times !== 1) throw new Error(`${mutant.row}: ${times} times in ${file}: ${find}`);
    // A function: a replacement text with `$` is a pattern otherwise.
    texts.set(file, text.replace(find, () => replace));
  }
  return texts;
}
