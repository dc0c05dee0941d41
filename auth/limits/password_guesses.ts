/**
 * Limits on guessing a password. Guesses from a known device are counted apart from those of strangers, so that
 * strangers cannot lock the owner out. Must not know whether an account exists.
 *
 * @module
 */
import { decreaseCounter } from "../../db/counters.ts";
import type { DB } from "../../db/db.ts";
import { deleteGuesses, findGuesses, listGuesses, returnGuess, takeGuess } from "../../db/guesses.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { METRIC } from "../runtime/metrics.ts";
import { hashToken } from "../secrets.ts";
import { isKnownDevice } from "./known_devices.ts";
import { limitId, LIMITS, type RowLimit } from "./limits.ts";
import { countWithin, networkOf, noteThrottled, refusalOf } from "./rate_limits.ts";

/** Whose password is guessed at. */
export interface Target {
  /** Undefined if the input is not an address. */
  emailKey: string | undefined;
  userId: string | undefined;
  /** The stored hash: a new password restarts the count of a device. */
  hashed: string | null | undefined;
}

/** A guess that was counted before the hash; its outcome comes later. */
interface Guess {
  /** Whether it comes from a known device within that device's limit. */
  known: boolean;
  /** After a right password: takes the guess back from the network's count, and forgets the guesses in a row. */
  right(): Promise<void>;
  /** Keeps the guess. Records an event if the next guess has to wait for the first time. */
  wrong(): Promise<void>;
  /** Takes the guess back: nothing was compared, because the queue was full or the client had left. */
  unmade(): Promise<void>;
}

/**
 * Counts a guess, compares the password, and settles the guess by the outcome. `compare` learns whether the device is
 * known: such guesses are few, and are hashed first (F24). Throws `throttled`, and what `compare` throws.
 */
export async function withGuessCounted<T extends { valid: boolean }>(
  auth: Auth,
  target: Target,
  caller: Caller,
  compare: (known: boolean) => Promise<T>,
): Promise<T> {
  const guess = await beginGuess(auth, target, caller);
  let verdict: T;
  try {
    verdict = await compare(guess.known);
  } catch (error) {
    await guess.unmade();
    throw error;
  }
  await (verdict.valid ? guess.right() : guess.wrong());
  return verdict;
}

/** Forgets the guesses of strangers after the mailbox was proven (S18). */
export async function forgetGuesses(db: DB, emailKey: string): Promise<void> {
  await deleteGuesses(db, accountId(emailKey));
}

/** The guesses of strangers at one password. */
interface GuessState {
  /** Wrong guesses in a row. */
  count: number;
  /** When the next guess is allowed, in milliseconds since 1970. Undefined means now. */
  until: number | undefined;
  /** Whether only known devices can log in, until the mailbox is proven. */
  knownDevicesOnly: boolean;
}

/** The guesses of strangers at the password of this address, for the operator. Counts none. */
export async function accountGuesses(auth: Auth, emailKey: string): Promise<GuessState> {
  const { longest, most } = LIMITS.strangerGuesses;
  const { count, next_at } = await findGuesses(auth.db, accountId(emailKey), auth.clock()) ?? { count: 0, next_at: 0 };
  const now = auth.clock();
  // A time beyond the longest wait comes from a clock that was set back. `takeGuess` ignores it too (F12).
  const waits = next_at > now && next_at <= now + longest;
  return { count, until: waits ? next_at : undefined, knownDevicesOnly: count >= most };
}

/**
 * The current refusals of a user's devices: for each device the end, in milliseconds since 1970. Undefined means until
 * a new password. Counts none.
 */
export async function deviceRefusals(
  auth: Auth,
  userId: string,
  passwordChangedAt: number,
): Promise<(number | undefined)[]> {
  const { memory, most } = LIMITS.deviceGuesses;
  const now = auth.clock();
  // Rows of an earlier password do not count: with a new one, each device has another id.
  const counting = (await listGuesses(auth.db, limitId(LIMITS.deviceGuesses, userId, ""))).filter((row) =>
    row.expires_at > now && row.expires_at - memory > passwordChangedAt
  );
  return counting.flatMap((row) => {
    if (row.count >= most) return [undefined];
    return row.next_at > now ? [row.next_at] : [];
  });
}

/**
 * Counts a guess before the hash. Beyond a limit it refuses at once, by the same statements for known and unknown
 * addresses (S17). In the `observe` mode the refusal is only counted. Throws `throttled`.
 */
async function beginGuess(auth: Auth, target: Target, caller: Caller): Promise<Guess> {
  const db = auth.db.relaxed;
  const device = await knownDevice(auth, target, caller);
  const limit: RowLimit = device === undefined ? LIMITS.strangerGuesses : LIMITS.deviceGuesses;
  const id = device ?? (target.emailKey === undefined ? undefined : accountId(target.emailKey));
  const network = networkOf(caller.ip);
  // A known device has only its own count, so that strangers in the same network cannot keep it out.
  const inNetwork = device === undefined
    ? await countWithin(auth, LIMITS.networkGuesses, { of: [network], noted: () => ({ caller }), db })
    : undefined;
  const overNetwork = inNetwork !== undefined && !inNetwork.within;
  if (overNetwork) await refuse(auth, inNetwork.until);
  // After the network's limit: a flood of made-up addresses must not fill the table with rows.
  const inRow = id === undefined ? undefined : await takeGuess(db, id, auth.clock(), limit);
  const note = () => noteThrottled(auth, limit, { caller, userId: target.userId });
  const networkId = limitId(LIMITS.networkGuesses, network);
  const returnNetwork = async () => void (inNetwork && await decreaseCounter(db, networkId));
  const returnRow = async () => void (id !== undefined && inRow && await returnGuess(db, id));
  if (overNetwork) {
    // This refusal is counted already. Only the `observe` mode comes here.
  } else if (id !== undefined && !inRow) {
    await refuse(auth, (await findGuesses(db, id, auth.clock()))?.next_at ?? auth.clock(), returnNetwork);
  } else if (inRow && inRow.count > limit.most) {
    if (inRow.count === limit.most + 1) await note();
    // Only the mailbox helps now, for known and unknown addresses alike. Retry-After says when to look again.
    await refuse(auth, auth.clock() + limit.longest, returnNetwork);
  }
  return {
    known: device !== undefined && inRow !== undefined && inRow.count <= limit.most,
    right: async () => void await Promise.all([returnNetwork(), id !== undefined && deleteGuesses(db, id)]),
    wrong: async () => void (inRow?.count === limit.free && await note()),
    unmade: async () => void await Promise.all([returnNetwork(), returnRow()]),
  };
}

/** The id of this device's guesses, or undefined for an unknown device. */
async function knownDevice(auth: Auth, target: Target, caller: Caller): Promise<string | undefined> {
  // Also checked without a user: a refusal that is one round trip earlier would show who has an account (S17).
  const known = await isKnownDevice(auth, target.userId ?? "", caller.device);
  if (!known || target.userId === undefined) return undefined;
  const [device] = caller.device!.split(".");
  return limitId(LIMITS.deviceGuesses, target.userId, hashToken(`${target.hashed}\n${device}`));
}

/** Counts a refusal, takes the guess back from the other counter, and throws. In the `observe` mode it only counts. */
async function refuse(auth: Auth, until: number, giveBack?: () => Promise<void>): Promise<void> {
  auth.metrics.add(METRIC.throttled);
  if (auth.config.throttle === "observe") return;
  await giveBack?.();
  throw refusalOf(auth, LIMITS.strangerGuesses, until);
}

function accountId(emailKey: string): string {
  return limitId(LIMITS.strangerGuesses, emailKey);
}
