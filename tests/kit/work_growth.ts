/**
 * Measures how work grows with the size of its input: in proportion, or with its square, which a client could use to
 * block the event loop (ASVS 1.3.12). Must not judge how long anything takes.
 *
 * @module
 */
const SMALL = 1_000, FACTOR = 32, TIMES = 5;

/**
 * The ratio of times for an input that is 32 times larger: about 32 for proportional work, about 1,000 for quadratic
 * work. Each size is tried several times, and the shortest time counts.
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
  // Repeated, because the clock's resolution is too low for one run of the small size.
  shortest(SMALL, FACTOR);
  return shortest(SMALL * FACTOR, 1) / shortest(SMALL, FACTOR);
}
