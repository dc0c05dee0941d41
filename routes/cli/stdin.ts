/**
 * Reads standard input as text. Must not hold more in memory than its limits allow.
 *
 * @module
 */
import { Misuse } from "./command.ts";

/** Longest line, in characters. */
const MOST_LINE = 100_000;

/** Reads the whole input. Throws a Misuse when it is not valid UTF-8, or longer than `most` bytes. */
export async function readAll(input: ReadableStream<Uint8Array> | undefined, most: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of input ?? []) {
    size += chunk.length;
    if (size > most) throw new Misuse("standard input is too long");
    chunks.push(chunk);
  }
  const bytes = await new Blob(chunks as Uint8Array<ArrayBuffer>[]).bytes();
  return decoded(strictDecoder(), bytes, false);
}

/** Gives the input line by line. Throws a Misuse when it is not valid UTF-8, or when a line is too long. */
export async function* linesOf(input: ReadableStream<Uint8Array> | undefined): AsyncGenerator<string> {
  const decoder = strictDecoder();
  let rest = "";
  for await (const chunk of input ?? []) {
    const lines = (rest + decoded(decoder, chunk, true)).split("\n");
    rest = lines.pop()!;
    if (rest.length > MOST_LINE) throw new Misuse(`a line of the input is longer than ${MOST_LINE} characters`);
    yield* lines;
  }
  rest += decoded(decoder, undefined, false);
  if (rest !== "") yield rest;
}

/** Refuses invalid bytes: replacing them could make two different passwords or addresses equal (V66). */
function decoded(decoder: TextDecoder, bytes: Uint8Array | undefined, stream: boolean): string {
  try {
    return decoder.decode(bytes, { stream });
  } catch {
    throw new Misuse("the input is not valid UTF-8");
  }
}

function strictDecoder(): TextDecoder {
  return new TextDecoder("utf-8", { fatal: true });
}
