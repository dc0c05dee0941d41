/**
 * Every SQL text of the folder db/, read from its source, for tests that hold all of them to a rule.
 *
 * @module
 */

/** A statement as it stands in a file; `${…}` marks what is put in when it runs. */
export interface SqlText {
  /** The file, from the folder of deno.json. */
  file: string;
  /** The statement on one line. */
  sql: string;
}

const FOLDER = new URL("../../db/", import.meta.url);
/** A text in quotes or backticks; the layout of the code (deno fmt) leaves no third kind. */
const LITERAL = /"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g;
/** The first word of a statement; upper case, as everywhere in db/. */
const STATEMENT =
  /^\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|ALTER|DROP|TRUNCATE|MERGE|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|SET|PRAGMA|LISTEN|NOTIFY|LOCK|CALL|DO|COPY|VACUUM|ATTACH|EXPLAIN|GRANT|REPLACE)\b/;

/** The statements in a TypeScript source: its literals that begin as a statement does. */
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

/** The files of db/migrations, in the order of their names. */
export function migrationFiles(): { file: string; sql: string }[] {
  const folder = new URL("migrations/", FOLDER);
  const names = [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
  return names.map((name) => ({ file: name, sql: Deno.readTextFileSync(new URL(name, folder)) }));
}
