/**
 * The bcrypt package alone, with one running hash for each core. Arguments: cost and number of hashes. Prints hashes
 * per second.
 *
 * @module
 */
// @ts-types="@types/bcrypt"
import { hash } from "bcrypt";

const [cost, count] = Deno.args.map(Number);
await hash("warm", 4);
let left = count;
const start = performance.now();
await Promise.all(
  Array.from({ length: navigator.hardwareConcurrency }, async () => {
    while (left-- > 0) await hash("correct horse", cost);
  }),
);
console.log(count / (performance.now() - start) * 1_000);
