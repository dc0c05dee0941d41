/**
 * What is piped in, as text. Must not take more into memory than it is told.
 *
 * @module
 */
import { Misuse } from "./command.ts";

/** Longest line, in characters; what is longer is no line of ours. */
const MOST_LINE = 100_000;

/** All of the input, which must be valid UTF-8 and no longer than this many bytes. Throws a Misuse. */
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

/** The lines of the input, one at a time. Throws a Misuse for what is not valid UTF-8 and for a line without end. */
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

/** Bad bytes would make two passwords or addresses equal that are not (V66). */
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
