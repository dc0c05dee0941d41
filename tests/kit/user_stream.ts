/**
 * Many users through `users import` and `users export`, never all in memory at once.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runOn } from "./command_line.ts";
import { emptyDatabase, type Engine } from "./service.ts";

/** A test vector of crypt_blowfish (Openwall), in three spellings of one scheme. */
export const VECTORS = {
  password: "U*U*",
  /** The hashes at cost 5. */
  hashes: ["a", "b", "y"].map((letter) => `$2${letter}$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK`),
};

/** Lines in one piece of the stream. */
const PIECE = 1_000;

/** Imports and exports this many users. Fails unless each comes back once. */
export async function streamUsers(engine: Engine, count: number): Promise<void> {
  const url = await emptyDatabase(engine);
  let made = 0;
  const input = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (made === count) return controller.close();
      let text = "";
      for (let index = 0; index < PIECE; index++) {
        text += `{"email":"user-${made++}@x.test","hashed_password":"${VECTORS.hashes[made % 3]}"}\n`;
      }
      controller.enqueue(new TextEncoder().encode(text));
    },
  }, { highWaterMark: 1 });
  const into = await runOn(url, ["users", "import"], { input });
  assert.equal(into.code, 0, into.noted);
  assert.match(into.printed, new RegExp(`^${count} users are new, 0 were there already, 0 lines were refused`));
  const seen = new Set<string>();
  let lines = 0;
  const out = await runOn(url, ["users", "export"], {
    onPrint: (line) => {
      lines++;
      seen.add(JSON.parse(line).email);
    },
  });
  assert.equal(out.code, 0, out.noted);
  assert.deepEqual([seen.size, lines], [count, count]);
}
