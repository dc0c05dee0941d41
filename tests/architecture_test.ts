/**
 * The promises of the layout: who may import whom, who alone may change what, how a file looks.
 *
 * @module
 */
import assert from "node:assert/strict";
import { isTest, type Module, moduleGraph, namedImports, places, SERVICE_FILES, SOURCES } from "./kit/sources.ts";

/** Outermost first: each may import itself and what comes after it. */
const LAYERS = ["main", "routes", "auth", "db"];
const DRIVERS = ["node:sqlite", "npm:/pg@"];
const MOST_LINES = 400;
/** TypeScript files in one folder, so that a reader sees it whole. */
const MOST_FILES = 16;

const RUNTIME = ["auth/runtime"];
const LIMITS = ["auth/limits", ...RUNTIME];
const CREDENTIALS = ["auth/credentials", ...LIMITS];
const SIGN_IN = ["auth/sign_in", ...CREDENTIALS];
const ACCOUNT = ["auth/account", ...SIGN_IN];
const MAIL = ["auth/mail", "auth/mail/texts", "auth/credentials", ...RUNTIME];
const ALL_AUTH = ["auth/admin", ...ACCOUNT, ...MAIL, "auth/maintenance"];
const PAGES = ["routes/pages", "routes/pages/kit", "routes/pages/words", "routes/pages/account"];

/**
 * What the files of each folder may import beside their own folder. Every folder of auth may also import the files of
 * `auth/` itself and `db/`; only maintenance and `open.ts` may import `db/maintenance` and the engines.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "main.ts": ["auth", "auth/open.ts", "auth/runtime", "routes/cli", "routes/server"],
  "routes/app.ts": ["auth", "auth/runtime", "routes/api", "routes/docs", "routes/http", "routes/pages"],
  "routes/server": ["auth", "auth/open.ts", ...ALL_AUTH, "routes/app.ts", "routes/http"],
  "routes/cli": ["auth", "auth/open.ts", ...ALL_AUTH],
  "routes/docs": ["auth", "routes/api", "routes/http"],
  "routes/pages": ["auth", ...ACCOUNT, ...PAGES, "routes/api", "routes/http"],
  "routes/pages/account": ["auth", ...ACCOUNT, ...PAGES, "routes/api", "routes/http"],
  "routes/pages/kit": ["auth", ...ACCOUNT, "routes/pages/words", "routes/api", "routes/http"],
  "routes/pages/words": ["auth"],
  "routes/api": ["auth", ...ACCOUNT, "auth/maintenance", "routes/http"],
  "routes/http": ["auth", ...SIGN_IN],
  "auth/open.ts": ["auth", ...ALL_AUTH, "db", "db/maintenance"],
  "auth/maintenance": ["auth", ...ALL_AUTH, "db", "db/engines", "db/maintenance"],
  "auth/admin": ["auth", ...ACCOUNT, ...MAIL, "db"],
  "auth/account": ["auth", ...SIGN_IN, "db"],
  "auth/mail": ["auth", ...MAIL, "db"],
  "auth/mail/texts": [],
  "auth/sign_in": ["auth", ...CREDENTIALS, "db"],
  "auth/credentials": ["auth", ...LIMITS, "db"],
  "auth/limits": ["auth", ...RUNTIME, "db"],
  "auth/runtime": ["auth", "db"],
  "auth": [...RUNTIME, "db"],
  "db": ["db/engines", "db/migrations"],
  "db/engines": ["db"],
  "db/maintenance": ["db", "db/engines"],
};
/** The files of `auth/` that know no rule and no context; the runtime may import these alone. */
const LEAVES = ["errors", "secrets", "email_addresses", "text", "languages"].map((name) => `auth/${name}.ts`);

/** Names that change what matters most, and the only files that may import them. */
const ONLY_IMPORTERS: readonly (readonly [from: string, name: string, importers: RegExp])[] = [
  ["db/sessions.ts", "addSession", /^auth\/sign_in\/sessions\.ts$/],
  ["auth/sign_in/sessions.ts", "startSession", /^auth\/sign_in\/sign_in\.ts$/],
  ["auth/sign_in/sign_in.ts", "signIn", /^auth\/sign_in\/(?:by_\w+|second_factor|exercise)\.ts$/],
  ["auth/sign_in/sign_in.ts", "continueSignIn", /^auth\/sign_in\/second_factor\.ts$/],
  [
    "auth/sign_in/sign_in.ts",
    "renewSession",
    /^auth\/(?:account\/(?:change_\w+|verify_email)|sign_in\/reauthentication)\.ts$/,
  ],
  ["db/pending_logins.ts", "addPendingLogin", /^auth\/sign_in\/sign_in\.ts$/],
  ["db/pending_logins.ts", "consumePendingLogin", /^auth\/sign_in\/sign_in\.ts$/],
  ["db/pending_logins.ts", "deletePendingLoginsOf", /^auth\/sign_in\/end_access\.ts$/],
  ["db/sessions.ts", "deleteSessionsOf", /^auth\/sign_in\/end_access\.ts$/],
  ["db/tokens.ts", "deleteTokensOf", /^auth\/sign_in\/end_access\.ts$/],
  // The second one takes over the users of the exercise's own programs, at the first start on their database.
  ["db/users.ts", "addUser", /^(?:auth\/account\/register|db\/maintenance\/classic_table)\.ts$/],
  ["db/users.ts", "importUsers", /^auth\/admin\/import_export\.ts$/],
  ["db/users.ts", "eraseUser", /^auth\/admin\/users\.ts$/],
  ["db/users.ts", "disableUser", /^auth\/admin\/users\.ts$/],
  ["db/users.ts", "enableUser", /^auth\/admin\/users\.ts$/],
  ["db/users.ts", "deleteUser", /^auth\/account\/close_account\.ts$/],
  ["db/users.ts", "closeUser", /^auth\/account\/close_account\.ts$/],
  ["db/users.ts", "freezeUser", /^auth\/account\/undo_change\.ts$/],
  ["db/users.ts", "changePassword", /^auth\/account\/change_password\.ts$/],
  ["db/users.ts", "resetPassword", /^auth\/account\/reset_password\.ts$/],
  ["db/sessions.ts", "deleteSession", /^auth\/sign_in\/sessions\.ts$/],
  ["db/sessions.ts", "deleteSessionById", /^auth\/sign_in\/sessions\.ts$/],
  ["db/sessions.ts", "endSession", /^auth\/sign_in\/sessions\.ts$/],
  ["db/sessions.ts", "takeSession", /^auth\/sign_in\/sessions\.ts$/],
  ["db/counters.ts", "increaseCounter", /^auth\/limits\//],
  ["db/counters.ts", "decreaseCounter", /^auth\/limits\//],
  ["db/counters.ts", "deleteCounter", /^auth\/limits\//],
  ["db/counters.ts", "findCounter", /^auth\/limits\//],
  ["db/guesses.ts", "takeGuess", /^auth\/limits\//],
  ["db/form_posts.ts", "claimFormPost", /^auth\/limits\/form_posts\.ts$/],
  ["db/form_posts.ts", "keepFormPost", /^auth\/limits\/form_posts\.ts$/],
  ["db/guesses.ts", "deleteGuesses", /^auth\/limits\//],
];

/** What routes may call of the rules outside an action: it changes nothing. */
const READERS = [
  "AuthError",
  "LOCALES",
  "asciiEmail",
  "describeUserAgent",
  "emailKeyOrUndefined",
  "emailOfLink",
  "exportAccount",
  "getAccount",
  "getUserFromSessionId",
  "isLive",
  "knownUserAgent",
  "listAccountEvents",
  "listSessions",
  "momentText",
  "noSession",
  "paletteOf",
  "requireReadiness",
  "requireUser",
  "typeset",
  "undoNeedsPassword",
  "waitText",
];

/** What remembers that a form was posted, so that a copy of it is no second action. It changes nothing of an account. */
const FORM_POSTS = ["beginFormPost", "endFormPost", "formIds", "formPostOf"];

/** Names that two folders of auth have each for their own. */
const TWICE = ["users.ts"];

const modules = await moduleGraph();
const imports = namedImports();
const isOurs = (specifier: string): boolean => modules.some(({ file }) => file === specifier);
const isDatabase = (file: string): boolean => file.startsWith("db/");
const layerOf = (file: string): string => file.includes("/") ? file.split("/")[0] : file.replace(/\.ts$/, "");

/** The folder of a file as the table names it; two files have a row of their own. */
function folderOf(file: string): string {
  if (file in MAY_IMPORT) return file;
  return file.slice(0, file.lastIndexOf("/"));
}

/** The imports that the table does not allow. */
function forbidden({ file, imports }: Module): string[] {
  const folder = folderOf(file);
  return imports.filter((target) => isOurs(target) || target.endsWith(".sql")).filter((target) => {
    const to = folderOf(target);
    if (to === folder) return false;
    if (folder === "auth/runtime" && to === "auth") return !LEAVES.includes(target);
    return !MAY_IMPORT[folder].includes(to);
  }).map((target) => `${file} -> ${target}`);
}

Deno.test("imports go from main to routes to auth to db, and never back", () => {
  const layers = new Set(modules.map(({ file }) => layerOf(file)));
  assert.deepEqual([...layers].sort(), [...LAYERS].sort());
  const wrong = modules.flatMap(({ file, imports }) =>
    imports.filter(isOurs)
      .filter((target) => LAYERS.indexOf(layerOf(target)) < LAYERS.indexOf(layerOf(file)))
      .map((target) => `${file} -> ${target}`)
  );
  assert.deepEqual(wrong, []);
});

Deno.test("every folder imports only what its row of the table allows", () => {
  const folders = new Set(modules.map(({ file }) => folderOf(file)));
  assert.deepEqual([...folders].sort(), Object.keys(MAY_IMPORT).sort());
  assert.deepEqual(modules.flatMap(forbidden), []);
});

Deno.test("routes never import db, and no part of the service imports a test", () => {
  const wrong = modules.flatMap(({ file, imports }) =>
    imports.filter((target) => (layerOf(file) === "routes" && isDatabase(target)) || isTest(target))
      .map((target) => `${file} -> ${target}`)
  );
  assert.deepEqual(wrong, []);
});

Deno.test("what makes a session, ends access, adds a user or counts a limit is imported where that belongs alone", () => {
  for (const [from, name, importers] of ONLY_IMPORTERS) {
    const text = SOURCES.get(from)!;
    assert.match(text, new RegExp(`^export (?:async )?function ${name}\\b`, "m"), `${from} has no ${name}`);
    const wrong = imports.filter((each) => each.from === from && each.name === name)
      .filter(({ file }) => !isTest(file) && !importers.test(file));
    assert.deepEqual(wrong.map(({ file }) => file), [], name);
  }
});

Deno.test("the exercise's own functions are imported by tests alone", () => {
  const users = modules.filter(({ imports }) => imports.includes("auth/sign_in/exercise.ts"));
  assert.deepEqual(users.map(({ file }) => file), []);
  assert.ok(imports.some(({ from }) => from === "auth/sign_in/exercise.ts"));
});

Deno.test("no file of routes names a row, also not by the type of what a function gives", () => {
  assert.deepEqual(places(/\b(?:User|Session|Token|Event|PendingLogin|Guess|Counter)Row\b/, isRoute), []);
  const inferred = [...SOURCES].filter(([file]) => isRoute(file)).flatMap(([file, text]) =>
    [...text.matchAll(/\b(?:ReturnType|Parameters)<typeof (\w+)/g)]
      .filter(([, name]) =>
        imports.some((each) => each.file === file && each.name === name && layerOf(each.from) === "auth")
      )
      .map(([what]) => `${file}: ${what}`)
  );
  assert.deepEqual(inferred, []);
});

Deno.test("every name of ours is imported in a way that these tests can see", () => {
  const wrong = SERVICE_FILES.flatMap((file) => {
    const text = SOURCES.get(file)!.replace(/^\s*(?:\/\*|\*|\/\/).*$/gm, "");
    const spaces = [...text.matchAll(/^import \* as (\w+) from "\.[^"]+";/gm)].map(([, name]) => name);
    return [
      ...text.matchAll(/^export \* /gm),
      // A dynamic import of ours names what it takes.
      ...text.matchAll(/(?<!\{[^{}]*\} = await )\bimport\("\.[^"]+"\)/g),
      ...text.matchAll(/\bimport\((?!")/g),
      ...spaces.flatMap((name) => [...text.matchAll(new RegExp(`\\b(?<!as )${name}\\b(?!\\.\\w|[:?])`, "g"))]),
    ].map(([what]) => `${file}: ${what}`);
  });
  assert.deepEqual(wrong.filter((each) => !/^routes\/docs\/endpoints\.ts: answers$/.test(each)), []);
});

Deno.test("routes change things by actions only: outside of one they call what reads, and never the database", () => {
  const rules = /^auth\/(?!runtime\/)/;
  const wrong = imports.filter(({ file, from, isType }) =>
    /^routes\/(?:pages|api)\//.test(file) && rules.test(from) && !isType
  )
    .filter(({ file, name }) => ![...READERS, ...FORM_POSTS].includes(name) && !isOnlyWork(SOURCES.get(file)!, name));
  assert.deepEqual(wrong.map(({ file, name }) => `${file}: ${name}`), []);
  const work = places(/\.work\b|\bwork\b[^=]*\} = /, isRoute);
  // The last one: locally whoever registers is signed in at once.
  const callers = ["routes/http/action.ts", "routes/pages/kit/action_form.ts", "routes/pages/register.tsx"];
  assert.deepEqual([...new Set(work.map((at) => at.split(":")[0]))].sort(), callers);
  assert.deepEqual(places(/\b(?:auth|view\.auth|\w+\.auth)\.db\b/, isRoute), []);
});

/** Whether every call of this name stands in the `work` of an action of this file. */
function isOnlyWork(text: string, name: string): boolean {
  const calls = (part: string): number => [...part.matchAll(new RegExp(`\\b${name}\\(`, "g"))].length;
  const works = [...text.matchAll(/^ {2}work: [^]*?(?=^ {2}\w+:|^\}\);)/gm)].map(([part]) => part);
  // The word stands in the import, and else in calls alone.
  const words = [...text.matchAll(new RegExp(`\\b${name}\\b`, "g"))].length;
  const called = calls(text);
  return called > 0 && words === called + 1 && called === works.reduce((sum, part) => sum + calls(part), 0);
}

Deno.test("no folder has more than 16 files, and no name stands twice in auth but those listed", () => {
  const folders = Map.groupBy(SERVICE_FILES, (file) => file.slice(0, file.lastIndexOf("/") + 1));
  const full = [...folders].filter(([, files]) => files.length > MOST_FILES);
  assert.deepEqual(full.map(([folder, files]) => `${folder} ${files.length}`), []);
  const names = Map.groupBy(
    SERVICE_FILES.filter((file) => layerOf(file) === "auth"),
    (file) => file.split("/").at(-1)!,
  );
  assert.deepEqual([...names].filter(([, files]) => files.length > 1).map(([name]) => name).sort(), TWICE);
});

Deno.test("no file imports itself by way of others", () => {
  const seen = new Map<string, "open" | "done">();
  const cycles: string[] = [];
  const visit = (file: string, path: string[]): void => {
    if (seen.get(file) === "open") cycles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    if (seen.has(file)) return;
    seen.set(file, "open");
    const { imports } = modules.find((module) => module.file === file)!;
    for (const target of new Set(imports.filter(isOurs))) visit(target, [...path, file]);
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
    for (const [, from] of SOURCES.get(file)!.matchAll(/^(?:import|export) (?!type)[^;]*? from "([^"]+)";/gm)) {
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
  for (const file of files) assert.ok(SOURCES.has(file), file);
  assert.deepEqual([...late, ...files].filter((name) => texts.has(name)), []);
});

Deno.test("only db/engines imports a driver", () => {
  const users = modules.filter(({ imports }) =>
    imports.some((target) => DRIVERS.some((driver) => target.startsWith(driver)))
  ).map(({ file }) => file);
  assert.deepEqual(users.sort(), [
    "db/engines/postgres.ts",
    "db/engines/postgres_errors.ts",
    "db/engines/postgres_lookups.ts",
    "db/engines/sqlite.ts",
    "db/engines/sqlite_backup.ts",
    "db/engines/sqlite_file.ts",
  ]);
});

Deno.test("only main.ts reads the environment", () => {
  const environment =
    /\bDeno\.env\b|\bprocess\.env\b|(?<!^import \{ (?:cpuUsage, threadCpuUsage|nextTick) \} from )"node:process"/;
  assert.deepEqual(places(environment, (file) => !isTest(file) && file !== "main.ts"), []);
  assert.equal(places(environment, (file) => file === "main.ts").length, 2);
});

Deno.test("F12: only the context's clock is asked for the time, and tests make it jump", () => {
  // A log line has the time of the machine, and a command without a clock of its own takes it.
  const now = /\bDate\.now\(\)|\bnew Date\(\)(?!\.toISOString\(\))|\bTemporal\.Now\b/;
  assert.deepEqual(places(now, (file) => !isTest(file)), []);
});

Deno.test("SQL stands in db alone, and each table is written by the file of its name alone", () => {
  const sql =
    /["`]\s*(?:SELECT\s[^"`]*\sFROM|INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+(?:TABLE|INDEX)|PRAGMA|BEGIN)\b/i;
  const outside = SERVICE_FILES.filter((file) => !isDatabase(file) && sql.test(SOURCES.get(file)!));
  assert.deepEqual(outside, []);
  const inside = SERVICE_FILES.filter((file) => isDatabase(file) && sql.test(SOURCES.get(file)!));
  assert.ok(inside.length > 10, "the search does not find the SQL that is there");
  const writes = inside.filter((file) => /^db\/\w+\.ts$/.test(file)).flatMap((file) =>
    [...SOURCES.get(file)!.matchAll(/\b(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)\b(?! =| SET \w+ = excluded)/g)]
      .map(([, table]) => ({ file, table })).filter(({ table }) => table !== "SET")
  );
  const foreign = writes.filter(({ file, table }) => file !== `db/${table}.ts`);
  assert.deepEqual(foreign.map(({ file, table }) => `${file}: ${table}`), []);
  assert.ok(writes.some(({ table }) => table === "pending_logins"));
});

Deno.test("every file opens by saying what it is for, and every export has a sentence", () => {
  const silent = [...SOURCES].filter(([, text]) => !/^\/\*\*\n \* [A-Z`][^]*?\n \* @module\n \*\/\n/.test(text));
  assert.deepEqual(silent.map(([file]) => file), []);
  const declared = /^export (?:default )?(?:async )?(?:function\*?|class|interface|type|const|abstract class) \*?(\w+)/;
  const bare = [...SOURCES].flatMap(([file, text]) => {
    const lines = text.split("\n");
    return lines.flatMap((line, index) => {
      const [, name] = declared.exec(line) ?? [];
      return name !== undefined && !hasSentence(lines.slice(0, index)) ? [`${file}: ${name}`] : [];
    });
  });
  assert.deepEqual(bare, []);
});

/** Whether the last of these lines end a documentation comment that says something. */
function hasSentence(lines: readonly string[]): boolean {
  if (!lines.at(-1)?.endsWith("*/")) return false;
  const start = lines.findLastIndex((line) => line.startsWith("/**"));
  const text = lines.slice(start).join(" ").replace(/\/\*\*|\*\/|(?<= )\*(?= )/g, " ").trim();
  return /[.:`)]$/.test(text) && text.split(/\s+/).length >= 2;
}

Deno.test("no file is longer than 400 lines", () => {
  const long = [...SOURCES].filter(([, text]) => text.split("\n").length - 1 > MOST_LINES);
  assert.deepEqual(long.map(([file]) => file), []);
});

Deno.test("nothing has the type any, and no check is switched off", () => {
  // Put together here, so that this file does not find itself.
  const any = new RegExp(["(?::|\\bas|<|\\|)\\s*", "any\\b"].join(""));
  const off = new RegExp(["deno-(?:lint|fmt)-", "ignore|@ts-(?:ignore|expect-error|nocheck)"].join(""));
  assert.deepEqual(places(any, () => true), []);
  assert.deepEqual([...SOURCES].filter(([, text]) => off.test(text)).map(([file]) => file), []);
});

function isRoute(file: string): boolean {
  return file.startsWith("routes/");
}
