/**
 * Limits on guessing a password. Guesses from a known device are counted apart from those of strangers, so that
 * strangers cannot lock the owner out. Beyond its own limit, or that of all known devices together, a known device
 * counts as a stranger. Must not know whether an account exists.
 *
 * @module
 */
import { decreaseCounter } from "../../db/counters.ts";
import type { DB } from "../../db/db.ts";
import { deleteGuesses, findGuesses, returnGuesses, takeGuess } from "../../db/guesses.ts";
import type { UserRow } from "../../db/users.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { METRIC } from "../runtime/metrics.ts";
import { hashToken } from "../secrets.ts";
import { isKnownDevice } from "./known_devices.ts";
import type { RowLimit } from "./limit_rows.ts";
import { limitId, LIMITS } from "./limits.ts";
import { countWithin, networkOf, noteThrottled, refusalOf } from "./rate_limits.ts";

/** Whose password is guessed at. */
export interface Target {
  /** Undefined if the input is not an address. */
  emailKey: string | undefined;
  /** The stored hash is part of the ids of devices: a new password restarts their counts. */
  user: Pick<UserRow, "id" | "hashed_password" | "device_mark"> | undefined;
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

/** Whether the guesses of all known devices of this user are used up, for the operator. Counts none. */
export async function devicesUsedUp(auth: Auth, user: NonNullable<Target["user"]>): Promise<boolean> {
  const found = await findGuesses(auth.db, allDevicesId(user), auth.clock());
  return found !== undefined && found.count >= LIMITS.allDeviceGuesses.most;
}

/**
 * Counts a guess before the hash. Beyond a limit it refuses at once, by the same statements for known and unknown
 * addresses (S17). In the `observe` mode the refusal is only counted. Throws `throttled`.
 */
async function beginGuess(auth: Auth, target: Target, caller: Caller): Promise<Guess> {
  // Also checked without a user: a refusal that is one round trip earlier would show who has an account (S17).
  const isKnown = await isKnownDevice(auth, target.user, caller.device);
  if (!target.user || !isKnown) return await beginStrangerGuess(auth, target, caller);
  const ids = deviceIds(target.user, caller);
  const guess = await beginDeviceGuess(auth, target.user, ids, caller);
  if (guess) return guess;
  const asStranger = await beginStrangerGuess(auth, target, caller);
  const right = async () => void await Promise.all([asStranger.right(), forgetDevice(auth.db.relaxed, ids)]);
  return { ...asStranger, right };
}

async function beginStrangerGuess(auth: Auth, target: Target, caller: Caller): Promise<Guess> {
  const db = auth.db.relaxed;
  const limit = LIMITS.strangerGuesses;
  const id = target.emailKey === undefined ? undefined : accountId(target.emailKey);
  const network = networkOf(caller.ip);
  const inNetwork = await countWithin(auth, LIMITS.networkGuesses, { of: [network], noted: () => ({ caller }) });
  const overNetwork = !inNetwork.within;
  if (overNetwork) await refuse(auth, inNetwork.until);
  // After the network's limit: a flood of made-up addresses must not fill the table with rows.
  const inRow = id === undefined ? undefined : await takeGuess(db, id, auth.clock(), limit);
  const note = () => noteThrottled(auth, limit, { caller, userId: target.user?.id });
  const networkId = limitId(LIMITS.networkGuesses, network);
  const returnNetwork = async () => void await decreaseCounter(db, networkId);
  const returnRow = async () => void (id !== undefined && inRow && await returnGuesses(db, id, 1));
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
    known: false,
    right: async () => void await Promise.all([returnNetwork(), id !== undefined && deleteGuesses(db, id)]),
    wrong: async () => void (inRow?.count === limit.free && await note()),
    unmade: async () => void await Promise.all([returnNetwork(), returnRow()]),
  };
}

/**
 * Counts a guess from a known device. It has only its own count and that of all devices, so that strangers in the same
 * network cannot keep it out. Undefined when one of both is used up: then nothing is counted.
 */
async function beginDeviceGuess(
  auth: Auth,
  user: NonNullable<Target["user"]>,
  ids: DeviceIds,
  caller: Caller,
): Promise<Guess | undefined> {
  const db = auth.db.relaxed;
  const counts = [
    { limit: LIMITS.deviceGuesses, id: ids.own },
    { limit: LIMITS.allDeviceGuesses, id: ids.all },
  ];
  const taken: { limit: RowLimit; id: string; count: number }[] = [];
  const unmade = async () => void await Promise.all(taken.map(({ id }) => returnGuesses(db, id, 1)));
  for (const { limit, id } of counts) {
    const inRow = await takeGuess(db, id, auth.clock(), limit);
    if (inRow) taken.push({ limit, id, count: inRow.count });
    if (inRow && inRow.count <= limit.most) continue;
    await unmade();
    return undefined;
  }
  return {
    known: true,
    right: () => forgetDevice(db, ids),
    wrong: async () => {
      for (const { limit, count } of taken) {
        if (count === limit.most) await noteThrottled(auth, limit, { caller, userId: user.id });
      }
    },
    unmade,
  };
}

/** Forgets the guesses of one device. What other devices took from all stays taken: they may be a thief's. */
async function forgetDevice(db: DB, { own, all }: DeviceIds): Promise<void> {
  await returnGuesses(db, all, await deleteGuesses(db, own));
}

/** The ids of the guesses of one device, and of all known devices of its user. */
interface DeviceIds {
  own: string;
  all: string;
}

function deviceIds(user: NonNullable<Target["user"]>, caller: Caller): DeviceIds {
  const [device] = caller.device!.split(".");
  const own = limitId(LIMITS.deviceGuesses, user.id, hashToken(`${user.hashed_password}\n${device}`));
  return { own, all: allDevicesId(user) };
}

function allDevicesId(user: NonNullable<Target["user"]>): string {
  return limitId(LIMITS.allDeviceGuesses, user.id, hashToken(`${user.hashed_password}`));
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
