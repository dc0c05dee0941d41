/**
 * Every SQL text of the folder db/, read from its source, for tests that check a rule for all of them.
 *
 * @module
 */

/** A statement as written in a file; `${…}` marks values that are inserted at run time. */
interface SqlText {
  /** The path, relative to the folder of deno.json. */
  file: string;
  /** The statement on one line. */
  sql: string;
}

const FOLDER = new URL("../../db/", import.meta.url);
/** A text in quotes or backticks; deno fmt leaves no third kind. */
const LITERAL = /"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g;
/** The first word of a statement, in upper case as everywhere in db/. */
const STATEMENT =
  /^\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|ALTER|DROP|TRUNCATE|MERGE|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|SET|PRAGMA|LISTEN|NOTIFY|LOCK|CALL|DO|COPY|VACUUM|ATTACH|EXPLAIN|GRANT|REPLACE)\b/;

/** The statements in a TypeScript source: its literals that begin like a statement. */
export function statementsIn(source: string): string[] {
  const code = source.replace(/^\s*(?:\/\*\*?|\*|\/\/).*$/gm, "");
  const literals = [...code.matchAll(LITERAL)].map(([, quoted, template]) => quoted ?? template);
  return literals.filter((text) => STATEMENT.test(text)).map((text) => text.replace(/\s+/g, " ").trim());
}

/** All statements of the TypeScript files of db/. */
export function sqlTexts(): SqlText[] {
  const files = ["", "engines/", "maintenance/"].flatMap((folder) =>
    [...Deno.readDirSync(new URL(folder, FOLDER))].map((entry) => `${folder}${entry.name}`)
  ).filter((name) => name.endsWith(".ts")).sort();
  return files.flatMap((name) =>
    statementsIn(Deno.readTextFileSync(new URL(name, FOLDER))).map((sql) => ({ file: `db/${name}`, sql }))
  );
}

/** The files of db/migrations, ordered by name. */
export function migrationFiles(): { file: string; sql: string }[] {
  const folder = new URL("migrations/", FOLDER);
  const names = [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
  return names.map((name) => ({ file: name, sql: Deno.readTextFileSync(new URL(name, folder)) }));
}
