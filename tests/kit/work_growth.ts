/**
 * How work grows with what it is given: about in step, or with its square, which a client could use to keep the event
 * loop busy (ASVS 1.3.12). Must not judge how long anything takes.
 *
 * @module
 */
const SMALL = 1_000, FACTOR = 32, TIMES = 5;

/**
 * By how much longer 32 times as much takes: about 32 where work is in step with its input, about 1,000 where it grows
 * with its square. Each size is tried several times, and the shortest counts.
 */
export function measureGrowth(work: (size: number) => void): number {
  const shortest = (size: number, repeats: number): number => {
    let least = Infinity;
    for (let time = 0; time < TIMES; time++) {
      const start = performance.now();
      for (let repeat = 0; repeat < repeats; repeat++) work(size);
      least = Math.min(least, (performance.now() - start) / repeats);
    }
    return least;
  };
  // As many runs as it takes for a clock of limited resolution to see the small one.
  shortest(SMALL, FACTOR);
  return shortest(SMALL * FACTOR, 1) / shortest(SMALL, FACTOR);
}
