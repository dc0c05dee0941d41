/**
 * The benchmark itself: what it compares, when it refuses a figure, and that it loses no CPU time. Nothing here is
 * measured.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Contender, inRounds, shuffled } from "./rounds.ts";
import { ratio } from "./table.ts";

/** A program whose slices cost these figures in turn, and then the last one. */
function costs(name: string, ...figures: number[]): Contender & { slices: number } {
  const contender = {
    name,
    slices: 0,
    slice: () => Promise.resolve({ cpu: figures[Math.min(contender.slices++, figures.length - 1)] }),
  };
  return contender;
}

const compared = { key: "cpu", name: "one", against: "other" };

Deno.test("a program beside itself costs 1.0, however the machine's speed changes from round to round", async () => {
  const speeds = [1, 3, 0.5, 8, 2, 1, 7];
  const contenders = [costs("one", ...speeds), costs("other", ...speeds)];
  const results = await inRounds(contenders, 5, [compared]);
  assert.equal(results.ratio(compared), "1.00 (1.00-1.00)");
  assert.equal(results.count, 5);
});

Deno.test("each program has one slice for its warm-up and one in each round", async () => {
  const contenders = [costs("one", 2), costs("other", 1)];
  const results = await inRounds(contenders, 4, [compared]);
  assert.deepEqual(contenders.map(({ slices }) => slices), [5, 5]);
  assert.deepEqual(results.values("one", "cpu"), [2, 2, 2, 2]);
  assert.equal(results.ratio(compared), "2.00 (2.00-2.00)");
});

Deno.test("a warm-up of its own replaces the slice that does not count", async () => {
  let warm = 0;
  const one = { ...costs("one", 1), warmUp: () => Promise.resolve(void warm++) };
  const results = await inRounds([one, costs("other", 1)], 3, [compared]);
  assert.deepEqual([warm, results.count], [1, 3]);
});

Deno.test("the order within a round is random, and nothing gets lost", () => {
  const orders = new Set(Array.from({ length: 500 }, () => shuffled(["a", "b", "c"]).join("")));
  assert.deepEqual([...orders].sort(), ["abc", "acb", "bac", "bca", "cab", "cba"]);
});

Deno.test("a ratio with quartiles far apart gets more rounds, and is not printed if they do not help", async () => {
  const wild = [costs("one", 1, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2), costs("other", 1)];
  const results = await inRounds(wild, 4, [compared]);
  assert.equal(results.count, 8, "twice the rounds and no more");
  assert.equal(results.ratio(compared), "not measurable now");
  const calmed = [costs("one", 1, 2, 2, 2, 1), costs("other", 1)];
  const later = await inRounds(calmed, 8, [compared]);
  assert.equal(later.count, 12, "no more rounds than needed");
  assert.equal(later.ratio(compared), "1.00 (1.00-1.25)");
});

Deno.test("below 1 the quartiles may be 0.3 of the ratio apart, since 0.3 would allow anything", () => {
  assert.equal(ratio([0.04, 0.05, 0.06, 0.05, 0.05]), "0.050 (0.050-0.050)");
  assert.match(ratio([0.02, 0.02, 0.05, 0.08, 0.08]), /^not measurable now$/);
  assert.match(ratio([1.5, 1.6, 1.7, 1.75, 1.8]), /^1\.70/);
  assert.match(ratio([10, 10, 12, 14, 14]), /^not measurable now$/);
});

/** Runs a program with all permissions, which the files of other processes need, and returns its last line. */
async function lineOf(program: string): Promise<string> {
  const imports = `import { CpuClock } from ${JSON.stringify(import.meta.resolve("./cpu.ts"))};`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", imports + program],
    cwd: "/tmp",
  }).output();
  const [line] = new TextDecoder().decode(stdout).trimEnd().split("\n").slice(-1);
  return line || new TextDecoder().decode(stderr);
}

Deno.test("the CPU time of a process is counted, and kept when it has ended", async () => {
  const line = await lineOf(`
    const loop = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo done; read -r end";
    const child = new Deno.Command("sh", { args: ["-c", loop], stdin: "piped", stdout: "piped" }).spawn();
    const clock = new CpuClock(() => [child.pid]);
    const reader = child.stdout.getReader();
    await reader.read();
    const before = clock.read();
    await child.stdin.close();
    await child.status;
    console.log(before > 0, clock.read() >= before);`);
  assert.equal(line, "true true");
});

Deno.test("the CPU time of a thread that ended unseen is in the sum of its process", async () => {
  // The kernel tells that sum in ticks of ten milliseconds.
  const line = await lineOf(`
    const clock = new CpuClock(() => [Deno.pid]);
    const loop = new Blob(["for (let i = 0; i < 2e8; i++); postMessage(0)"]);
    const worker = new Worker(URL.createObjectURL(loop), { type: "module" });
    await new Promise((resolve) => worker.onmessage = resolve);
    worker.terminate();
    const whole = () => {
      const fields = Deno.readTextFileSync("/proc/self/stat").replace(/^.*\\) /s, "").split(" ");
      return (Number(fields[11]) + Number(fields[12])) * 10;
    };
    const timeOf = ({ name }) => {
      try {
        return Number(Deno.readTextFileSync("/proc/self/task/" + name + "/schedstat").split(" ")[0]) / 1e6;
      } catch {
        return 0;
      }
    };
    const living = () => [...Deno.readDirSync("/proc/self/task")].map(timeOf).reduce((sum, time) => sum + time, 0);
    while (living() >= whole()) await new Promise((resolve) => setTimeout(resolve, 5));
    const least = whole();
    console.log(clock.read() >= least);`);
  assert.equal(line, "true");
});
