/**
 * The promises of the layout: who may import whom, who may know SQL or the environment, how a file looks.
 *
 * @module
 */
import assert from "node:assert/strict";
import { PROJECT } from "./kit/process/started_service.ts";

/** Outermost first: each may import itself and what comes after it. */
const LAYERS = ["main", "routes", "auth", "db"];
const DRIVERS = ["node:sqlite", "npm:/pg@"];
const MOST_LINES = 400;

interface Module {
  file: string;
  imports: string[];
}

/** Every module of ours that the entry point reaches, with what it imports, ours by path and the rest by specifier. */
async function graph(entry: string): Promise<Module[]> {
  const command = new Deno.Command(Deno.execPath(), { args: ["info", "--json", entry], cwd: PROJECT });
  const { modules, redirects } = JSON.parse(new TextDecoder().decode((await command.output()).stdout));
  const shown = (specifier: string): string => {
    const found = redirects[specifier] ?? specifier;
    return found.startsWith(`file://${PROJECT}/`) ? found.slice(`file://${PROJECT}/`.length) : found;
  };
  return modules.filter(({ specifier, kind }: { specifier: string; kind: string }) =>
    specifier.startsWith(`file://${PROJECT}/`) && !specifier.includes("/node_modules/") && kind === "esm"
  ).map((module: { specifier: string; dependencies?: Record<string, { specifier?: string }>[] }) => ({
    file: shown(module.specifier),
    imports: (module.dependencies ?? []).flatMap((dependency) =>
      ["code", "type"].map((kind) => dependency[kind]?.specifier).filter((found) => found !== undefined).map(shown)
    ),
  }));
}

/** Every TypeScript file of the project, and the text of each. */
const sources = new Map(
  [".", "auth", "db", "routes", "tests"].flatMap((folder) => walk(folder)).map((file) => [
    file,
    Deno.readTextFileSync(`${PROJECT}/${file}`),
  ]),
);

function walk(folder: string): string[] {
  return [...Deno.readDirSync(`${PROJECT}/${folder}`)].flatMap(({ name, isDirectory }) => {
    const path = folder === "." ? name : `${folder}/${name}`;
    if (isDirectory) return folder === "." || name === "node_modules" ? [] : walk(path);
    return /\.tsx?$/.test(name) ? [path] : [];
  });
}

const isTest = (file: string): boolean => file.startsWith("tests/");
const isDatabase = (file: string): boolean => file.startsWith("db/");

const modules = await graph("main.ts");
// Workers are started by their address, which is no import.
for (const file of sources.keys()) {
  if (isTest(file) || modules.some((module) => module.file === file)) continue;
  modules.push(...(await graph(file)).filter((found) => !modules.some((module) => module.file === found.file)));
}
const ours = (specifier: string): boolean => modules.some(({ file }) => file === specifier);
const layerOf = (file: string): string => file.includes("/") ? file.split("/")[0] : file.replace(/\.ts$/, "");

/** The lines of files where the pattern stands outside comments. */
function uses(pattern: RegExp, files: (file: string) => boolean): string[] {
  return [...sources].filter(([file]) => files(file)).flatMap(([file, text]) =>
    text.split("\n").map((line, index) => ({ line, at: `${file}:${index + 1}` }))
      .filter(({ line }) => !/^\s*(?:\/\*|\*|\/\/)/.test(line) && pattern.test(line.replace(/\s\/\/ .*$/, "")))
      .map(({ at }) => at)
  );
}

Deno.test("imports go from main to routes to auth to db, and never back", () => {
  const layers = new Set(modules.map(({ file }) => layerOf(file)));
  assert.deepEqual([...layers].sort(), [...LAYERS].sort());
  const wrong = modules.flatMap(({ file, imports }) =>
    imports.filter(ours)
      .filter((target) => LAYERS.indexOf(layerOf(target)) < LAYERS.indexOf(layerOf(file)))
      .map((target) => `${file} -> ${target}`)
  );
  assert.deepEqual(wrong, []);
});

Deno.test("routes never import db, and no part of the service imports a test", () => {
  const wrong = modules.flatMap(({ file, imports }) =>
    imports.filter((target) => (layerOf(file) === "routes" && isDatabase(target)) || isTest(target))
      .map((target) => `${file} -> ${target}`)
  );
  assert.deepEqual(wrong, []);
});

Deno.test("no file imports itself by way of others", () => {
  const seen = new Map<string, "open" | "done">();
  const cycles: string[] = [];
  const visit = (file: string, path: string[]): void => {
    if (seen.get(file) === "open") cycles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    if (seen.has(file)) return;
    seen.set(file, "open");
    const { imports } = modules.find((module) => module.file === file)!;
    for (const target of new Set(imports.filter(ours))) visit(target, [...path, file]);
    seen.set(file, "done");
  };
  for (const { file } of modules) visit(file, []);
  assert.deepEqual(cycles, []);
  assert.equal(seen.size, modules.length);
});

Deno.test("a start loads no driver, mailer, hash or command that its first request does not need", () => {
  // What import() loads is in the same graph; so follow what stands at the top of files.
  const texts = new Set<string>();
  const follow = (file: string): void => {
    if (texts.has(file)) return;
    texts.add(file);
    for (const [, from] of sources.get(file)!.matchAll(/^(?:import|export) (?!type)[^;]*? from "([^"]+)";/gm)) {
      if (from.startsWith(".")) follow(new URL(from, `file:///${file}`).pathname.slice(1));
      else texts.add(from);
    }
  };
  follow("main.ts");
  assert.ok(texts.has("routes/app.ts") && texts.has("hono") && texts.size > 60, `${texts.size}`);
  const late = ["pg", "nodemailer", "bcrypt", "hash-wasm", "node:sqlite", "@opentelemetry/api"];
  const files = [
    "db/engines/sqlite.ts",
    "db/engines/postgres.ts",
    "routes/cli/cli.ts",
    "routes/docs/docs_page.ts",
    "routes/docs/openapi.ts",
    "routes/server/metrics.ts",
  ];
  assert.deepEqual([...late, ...files].filter((name) => texts.has(name)), []);
});

Deno.test("only db imports a driver", () => {
  const users = modules.filter(({ imports }) =>
    imports.some((target) => DRIVERS.some((driver) => target.startsWith(driver)))
  ).map(({ file }) => file);
  assert.deepEqual(users.filter((file) => !isDatabase(file)), []);
  assert.deepEqual(users.sort(), [
    "db/engines/postgres.ts",
    "db/engines/postgres_errors.ts",
    "db/engines/sqlite.ts",
    "db/engines/sqlite_backup.ts",
    "db/engines/sqlite_file.ts",
  ]);
});

Deno.test("only main.ts reads the environment", () => {
  assert.deepEqual(uses(/\bDeno\.env\b|\bprocess\.env\b/, (file) => !isTest(file) && file !== "main.ts"), []);
  assert.equal(uses(/\bDeno\.env\b/, (file) => file === "main.ts").length, 2);
});

Deno.test("F12: nobody asks the wall clock but by the context's clock, which tests make jump", () => {
  assert.deepEqual(uses(/\bDate\.now\(\)/, (file) => !isTest(file)), []);
});

Deno.test("SQL stands in db and in tests only", () => {
  const sql = /\b(?:SELECT .*\bFROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM|CREATE (?:TABLE|INDEX)|PRAGMA|BEGIN)\b/;
  assert.deepEqual(uses(sql, (file) => !isTest(file) && !isDatabase(file)), []);
  assert.ok(uses(sql, isDatabase).length > 10, "the search does not find the SQL that is there");
});

Deno.test("auth/limits imports the context, words of auth itself and db, and counting is imported there alone", () => {
  const limits = modules.filter(({ file }) => file.startsWith("auth/limits/"));
  const wrong = limits.flatMap(({ file, imports }) =>
    imports.filter(ours).filter((target) => !/^(?:db\/|auth\/(?:limits\/|runtime\/)?[^/]+$)/.test(target))
      .map((target) => `${file} -> ${target}`)
  );
  assert.deepEqual(wrong, []);
  assert.ok(limits.length > 3);
  const counting = /\b(?:increaseCounter|decreaseCounter|deleteCounter|findCounter|takeGuess|deleteGuesses)\b/;
  assert.deepEqual(uses(counting, (file) => !isTest(file) && !/^(?:auth\/limits|db)\//.test(file)), []);
});

Deno.test("every file opens by saying what it is for", () => {
  const silent = [...sources].filter(([, text]) => !/^\/\*\*\n \* [A-Z`][^]*?\n \* @module\n \*\/\n/.test(text));
  assert.deepEqual(silent.map(([file]) => file), []);
});

Deno.test("no file is longer than 400 lines", () => {
  const long = [...sources].filter(([, text]) => text.split("\n").length - 1 > MOST_LINES);
  assert.deepEqual(long.map(([file]) => file), []);
});

Deno.test("nothing has the type any, and no check is switched off", () => {
  // Put together here, so that this file does not find itself.
  const any = new RegExp(["(?::|\\bas|<|\\|)\\s*", "any\\b"].join(""));
  const off = new RegExp(["deno-(?:lint|fmt)-", "ignore|@ts-(?:ignore|expect-error|nocheck)"].join(""));
  assert.deepEqual(uses(any, () => true), []);
  assert.deepEqual([...sources].filter(([, text]) => off.test(text)).map(([file]) => file), []);
});
