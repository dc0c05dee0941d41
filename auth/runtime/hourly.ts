/**
 * A value that takes long to find out, and may be an hour old. Must not know what the value is.
 *
 * @module
 */

/** How long a value is used, in milliseconds. */
const FRESH = 60 * 60_000;
/** How long the first callers wait for it, in milliseconds. */
const PATIENCE = 2_000;

/** A value that is found out anew at the first use after an hour, while the older one is still used. */
export class Hourly<T> {
  readonly #find: () => Promise<T>;
  #value: T | undefined;
  #foundAt = -Infinity;
  #finding: Promise<void> | undefined;

  constructor(find: () => Promise<T>) {
    this.#find = find;
  }

  /** The value. Undefined when the first search fails or takes long. Never throws: the next call searches again. */
  async get(): Promise<T | undefined> {
    if (performance.now() - this.#foundAt >= FRESH) this.#finding ??= this.#search();
    if (this.#value === undefined && this.#finding) {
      let timer: ReturnType<typeof setTimeout>;
      const patience = new Promise<void>((resolve) => timer = setTimeout(resolve, PATIENCE));
      await Promise.race([this.#finding, patience]).finally(() => clearTimeout(timer));
    }
    return this.#value;
  }

  async #search(): Promise<void> {
    try {
      this.#value = await this.#find();
      this.#foundAt = performance.now();
    } catch {
      // The database is away. Requests that need it say so.
    } finally {
      this.#finding = undefined;
    }
  }
}
