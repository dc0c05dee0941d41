/**
 * Compares programs in rounds: in each round every program has one slice of work, in random order. So whatever slows the
 * machine down for a while meets all of them, and no program always comes after the same other one. A ratio is taken
 * within a round, and its median over the rounds.
 *
 * @module
 */
import { isWide, median, ratio, spread } from "./table.ts";

/** What one slice measured, by name. */
export type Figures = Record<string, number>;

/** A program that takes part. */
export interface Contender {
  name: string;
  /** Does its share of work of one round. */
  slice(): Promise<Figures>;
  /** Does enough work to be compiled and cached; one slice when absent. */
  warmUp?(): Promise<void>;
}

/** A ratio that the table needs: the figure of one program over that of another. */
export interface Compared {
  key: string;
  name: string;
  against: string;
}

/** At most this many times the rounds that were asked for. */
const PATIENCE = 2;

/** Runs the rounds. More of them follow as long as the quartiles of a ratio are too far apart. */
export async function inRounds(contenders: Contender[], rounds: number, compared: Compared[]): Promise<Results> {
  const results = new Results();
  await warmUp(contenders);
  while (results.needsMore(rounds, compared)) results.add(await oneRound(contenders));
  return results;
}

/**
 * As {@linkcode inRounds}, with programs that are started anew after some rounds. V8 compiles a program a little
 * differently each time, so that one and the same can cost a tenth more or less until its end.
 */
export async function inLaunches(
  launch: () => Promise<Contender[]>,
  { launches, rounds }: { launches: number; rounds: number },
  compared: Compared[],
): Promise<Results> {
  const results = new Results();
  while (results.needsMore(launches * rounds, compared)) {
    const contenders = await launch();
    await warmUp(contenders);
    for (let round = 0; round < rounds; round++) results.add(await oneRound(contenders));
  }
  return results;
}

async function warmUp(contenders: Contender[]): Promise<void> {
  for (const { slice, warmUp } of contenders) await (warmUp ?? slice)();
}

async function oneRound(contenders: Contender[]): Promise<Map<string, Figures>> {
  const round = new Map<string, Figures>();
  for (const { name, slice } of shuffled(contenders)) round.set(name, await slice());
  return round;
}

/** The same things in random order (Fisher and Yates). */
export function shuffled<T>(things: readonly T[]): T[] {
  const list = [...things];
  for (let last = list.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [list[last], list[other]] = [list[other], list[last]];
  }
  return list;
}

/** What the rounds measured. */
export class Results {
  readonly #rounds: Map<string, Figures>[] = [];

  /** Takes one round. */
  add(round: Map<string, Figures>): void {
    this.#rounds.push(round);
  }

  /** The number of rounds. */
  get count(): number {
    return this.#rounds.length;
  }

  /** Whether the wanted rounds are not done, or did not show a ratio clearly and have not been doubled yet. */
  needsMore(wanted: number, compared: Compared[]): boolean {
    if (this.count < wanted) return true;
    return this.count < wanted * PATIENCE && compared.some((one) => isWide(this.ratios(one)));
  }

  /** A figure of a program in each round. */
  values(name: string, key: string): number[] {
    return this.#rounds.map((round) => round.get(name)![key]);
  }

  /** The ratio of a figure in each round. */
  ratios({ key, name, against }: Compared): number[] {
    return this.#rounds.map((round) => round.get(name)![key] / round.get(against)![key]);
  }

  /** The median of a figure. */
  median(name: string, key: string): number {
    return median(this.values(name, key));
  }

  /** A figure as text, with its quartiles. */
  spread(name: string, key: string): string {
    return spread(this.values(name, key));
  }

  /** A ratio as text, with its quartiles. */
  ratio(compared: Compared): string {
    return ratio(this.ratios(compared));
  }
}
