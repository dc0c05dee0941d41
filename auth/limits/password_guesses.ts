/**
 * Limits on guessing a password. Guesses from a device that the account knows are counted apart from those of strangers,
 * so that strangers cannot lock the owner out. Must not know whether an account exists.
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
  /** Undefined for what is not an address. */
  emailKey: string | undefined;
  userId: string | undefined;
  /** The stored hash: a new password begins the count of a device anew. */
  hashed: string | null | undefined;
}

/** A guess that was counted before the hash and awaits its outcome. */
interface Guess {
  /** Whether it comes from a device that the account knows, within that device's limit. */
  known: boolean;
  /** The password was right: gives the guess back to the network, and forgets the guesses in a row. */
  right(): Promise<void>;
  /** Keeps the guess, and records an event when it is the one from which on guessing has to wait. */
  wrong(): Promise<void>;
  /** Gives the guess back: nothing was compared, since the queue was full or the client had gone. */
  unmade(): Promise<void>;
}

/**
 * Counts a guess, compares the password, and settles the guess by the outcome. `compare` is told whether the device is
 * known: guesses of known devices are few, and are hashed first (F24). Throws `throttled`, and what `compare` throws.
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

/** Forgets the guesses of strangers, once the mailbox was proven (S18). */
export async function forgetGuesses(db: DB, emailKey: string): Promise<void> {
  await deleteGuesses(db, accountId(emailKey));
}

/** The guesses of strangers at one password, for the operator who asks why it is refused. */
export interface GuessState {
  /** Wrong guesses in a row. */
  count: number;
  /** When the next may be made, in milliseconds since 1970; undefined when it may be made now. */
  until: number | undefined;
  /** Whether only known devices get in, until the mailbox is proven. */
  knownDevicesOnly: boolean;
}

/** The guesses of strangers at the password of this address. Counts none. */
export async function accountGuesses(auth: Auth, emailKey: string): Promise<GuessState> {
  const { longest, most } = LIMITS.strangerGuesses;
  const { count, next_at } = await findGuesses(auth.db, accountId(emailKey), auth.clock()) ?? { count: 0, next_at: 0 };
  const now = auth.clock();
  // A later time than the longest wait comes from a clock that was set back; takeGuess ignores it too (F12).
  const waits = next_at > now && next_at <= now + longest;
  return { count, until: waits ? next_at : undefined, knownDevicesOnly: count >= most };
}

/**
 * The refusals of a user's own devices that hold now, one for each device: until when, in milliseconds since 1970.
 * Undefined is until the password is new. Counts none.
 */
export async function deviceRefusals(
  auth: Auth,
  userId: string,
  passwordChangedAt: number,
): Promise<(number | undefined)[]> {
  const { memory, most } = LIMITS.deviceGuesses;
  const now = auth.clock();
  // A new password begins the count of each device anew, under another id.
  const counting = (await listGuesses(auth.db, limitId(LIMITS.deviceGuesses, userId, ""))).filter((row) =>
    row.expires_at > now && row.expires_at - memory > passwordChangedAt
  );
  return counting.flatMap((row) => {
    if (row.count >= most) return [undefined];
    return row.next_at > now ? [row.next_at] : [];
  });
}

/**
 * Counts a guess before the hash. Beyond a limit it is refused at once, by the same statements for known and unknown
 * addresses (S17). In the `observe` mode the refusal is only counted. Throws `throttled`.
 */
async function beginGuess(auth: Auth, target: Target, caller: Caller): Promise<Guess> {
  const db = auth.db.relaxed;
  const device = await knownDevice(auth, target, caller);
  const limit: RowLimit = device === undefined ? LIMITS.strangerGuesses : LIMITS.deviceGuesses;
  const id = device ?? (target.emailKey === undefined ? undefined : accountId(target.emailKey));
  const network = networkOf(caller.ip);
  // A known device counts against itself alone, so that strangers in the same network do not keep it out.
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
    // Counted as refused already, and goes on only because refusals are observed.
  } else if (id !== undefined && !inRow) {
    await refuse(auth, (await findGuesses(db, id, auth.clock()))?.next_at ?? auth.clock(), returnNetwork);
  } else if (inRow && inRow.count > limit.most) {
    if (inRow.count === limit.most + 1) await note();
    // Only the mailbox helps, for known and unknown addresses alike. Retry-After says when to look again.
    await refuse(auth, auth.clock() + limit.longest, returnNetwork);
  }
  return {
    known: device !== undefined && inRow !== undefined && inRow.count <= limit.most,
    right: async () => void await Promise.all([returnNetwork(), id !== undefined && deleteGuesses(db, id)]),
    wrong: async () => void (inRow?.count === limit.free && await note()),
    unmade: async () => void await Promise.all([returnNetwork(), returnRow()]),
  };
}

/** The id of the guesses of this device, or undefined for a strange one. */
async function knownDevice(auth: Auth, target: Target, caller: Caller): Promise<string | undefined> {
  // Also where there is no user: a refusal that comes one round trip earlier would tell who has an account (S17).
  const known = await isKnownDevice(auth, target.userId ?? "", caller.device);
  if (!known || target.userId === undefined) return undefined;
  const [device] = caller.device!.split(".");
  return limitId(LIMITS.deviceGuesses, target.userId, hashToken(`${target.hashed}\n${device}`));
}

/** Gives back what the other counter counted, and throws, unless refusals are only observed. */
async function refuse(auth: Auth, until: number, giveBack?: () => Promise<void>): Promise<void> {
  auth.metrics.add(METRIC.throttled);
  if (auth.config.throttle === "observe") return;
  await giveBack?.();
  throw refusalOf(auth, LIMITS.strangerGuesses, until);
}

function accountId(emailKey: string): string {
  return limitId(LIMITS.strangerGuesses, emailKey);
}
