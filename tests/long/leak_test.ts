/**
 * Memory and open files of a started service over fifty thousand mixed requests: neither may keep growing.
 *
 * @module
 */
import assert from "node:assert/strict";
import { mixedLoad } from "../kit/mixed_load.ts";
import { openFiles, residentMemory } from "../kit/process/processes.ts";
import { dataFolder, startService } from "../kit/process/started_service.ts";
import { emptyDatabase, ENGINES } from "../kit/service.ts";

const WARM_UP = 10_000, PART = 10_000, PARTS = 5;

for (const engine of ENGINES) {
  Deno.test(`F28: memory and open files do not grow over ${PART * PARTS} mixed requests [${engine}]`, async () => {
    await using data = await dataFolder(engine === "sqlite" ? {} : { DATABASE_URL: await emptyDatabase(engine) });
    await using service = await startService(data.options);
    const load = await mixedLoad(service);
    await load.send(WARM_UP);
    const memory: number[] = [], files: number[] = [];
    for (let part = 0; part < PARTS; part++) {
      await load.send(PART);
      memory.push(residentMemory(service.pid));
      files.push(openFiles(service.pid));
    }
    const shown = memory.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(", ");
    console.log(`RSS in MiB: ${shown}; open files: ${files.join(", ")}`);
    // The first part fills caches and the heap. One kilobyte kept for each request would be 30 MiB; a late garbage
    // collection changes the memory by less.
    assert.ok(Math.min(...memory.slice(-2)) - memory[1] < 16 * 2 ** 20, shown);
    assert.ok(files.at(-1)! <= files[0] + 5, files.join(", "));
  });
}
