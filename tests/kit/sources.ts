/**
 * The project's sources as data: every file, what it imports by name, and the graph as Deno resolves it. Must not know
 * a rule.
 *
 * @module
 */
import { PROJECT } from "./process/started_service.ts";

/** A module and what it imports: ours by path, the rest by specifier. */
export interface Module {
  file: string;
  imports: string[];
}

/** A name that a file imports from one of ours. */
interface Import {
  file: string;
  /** The file that it comes from. */
  from: string;
  name: string;
  /** Whether the name is a type only. */
  isType: boolean;
}

/** The text of every TypeScript file of the project, by its path. */
export const SOURCES: ReadonlyMap<string, string> = new Map(
  ["main.ts", ...["auth", "db", "routes", "tests"].flatMap(filesIn)].map((file) => [
    file,
    Deno.readTextFileSync(`${PROJECT}/${file}`),
  ]),
);

/** Whether a file is a test or serves tests. */
export function isTest(file: string): boolean {
  return file.startsWith("tests/");
}

/** The files of the service. */
export const SERVICE_FILES: readonly string[] = [...SOURCES.keys()].filter((file) => !isTest(file));

/** Every module of the service with what it imports, as Deno resolves it; types and dynamic imports count. */
export async function moduleGraph(): Promise<Module[]> {
  const modules = await graphFrom("main.ts");
  // Workers are started by their address, which is no import.
  for (const file of SERVICE_FILES) {
    if (modules.some((module) => module.file === file)) continue;
    modules.push(...(await graphFrom(file)).filter((found) => !modules.some((module) => module.file === found.file)));
  }
  return modules;
}

/** Every name that the project's files import from each other; of a namespace, each name that is used. */
export function namedImports(): Import[] {
  return [...SOURCES].flatMap(([file, text]) => [
    ...[...text.matchAll(/^(?:import|export) (type )?(?:\w+, )?\{([^}]*)\} from "(\.[^"]+)";/gm)].flatMap(
      ([, type, names, from]) => named(file, from, names, type !== undefined),
    ),
    ...[...text.matchAll(/\{([^{}]*)\} = await import\("(\.[^"]+)"\)/g)].flatMap(([, names, from]) =>
      named(file, from, names, false)
    ),
    ...[...text.matchAll(/^import \* as (\w+) from "(\.[^"]+)";/gm)].flatMap(([, space, from]) =>
      [...text.matchAll(new RegExp(`\\b${space}\\.(\\w+)`, "g"))].flatMap(([, name]) => named(file, from, name, false))
    ),
  ]);
}

/** The places `file:line` of these files where the pattern stands outside comments. */
export function places(pattern: RegExp, files: (file: string) => boolean): string[] {
  return [...SOURCES].filter(([file]) => files(file)).flatMap(([file, text]) =>
    text.split("\n").map((line, index) => ({ line, at: `${file}:${index + 1}` }))
      .filter(({ line }) => !/^\s*(?:\/\*|\*|\/\/)/.test(line) && pattern.test(line.replace(/\s\/\/ .*$/, "")))
      .map(({ at }) => at)
  );
}

function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(`${PROJECT}/${folder}`)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return name === "node_modules" ? [] : filesIn(path);
    return /\.tsx?$/.test(name) ? [path] : [];
  });
}

function named(file: string, specifier: string, names: string, allTypes: boolean): Import[] {
  const from = new URL(specifier, `file:///${file}`).pathname.slice(1);
  return names.split(",").map((each) => each.trim()).filter(Boolean).map((each) => ({
    file,
    from,
    name: each.replace(/^type /, "").split(" as ")[0].split(":")[0].trim(),
    isType: allTypes || each.startsWith("type "),
  }));
}

/** What `deno info --json` says of one module, as far as it is read here. */
interface Described {
  specifier: string;
  kind: string;
  dependencies?: { code?: { specifier?: string }; type?: { specifier?: string } }[];
}

async function graphFrom(entry: string): Promise<Module[]> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: PROJECT,
  });
  const output = JSON.parse(new TextDecoder().decode((await command.output()).stdout));
  const { modules, redirects }: { modules: Described[]; redirects: Record<string, string> } = output;
  const root = `file://${PROJECT}/`;
  const toPath = (specifier: string): string => {
    const found = redirects[specifier] ?? specifier;
    return found.startsWith(root) ? found.slice(root.length) : found;
  };
  return modules.filter(({ specifier, kind }) =>
    specifier.startsWith(root) && !specifier.includes("/node_modules/") && kind === "esm"
  ).map(({ specifier, dependencies = [] }) => ({
    file: toPath(specifier),
    imports: dependencies.flatMap(({ code, type }) =>
      [code?.specifier, type?.specifier].filter((found) => found !== undefined).map(toPath)
    ),
  }));
}
