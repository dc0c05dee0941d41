/**
 * Limits on guessing a password, without a lock that strangers could turn against the owner: guesses from a device that
 * the account knows, and from everywhere else, are counted apart. Must not know whether an account exists.
 *
 * @module
 */
import { decreaseCounter, findCounter, increaseCounter } from "../../db/counters.ts";
import { deleteGuesses, findGuesses, returnGuess, takeGuess } from "../../db/guesses.ts";
import type { DB } from "../../db/db.ts";
import type { Auth } from "../auth.ts";
import type { Caller } from "../caller.ts";
import { isKnownDevice } from "./known_devices.ts";
import { AuthError } from "../errors.ts";
import { recordEvent } from "../events.ts";
import { DEVICE, NETWORK, STRANGERS } from "./limits.ts";
import { networkOf, secondsUntil } from "./rate_limits.ts";
import { hashToken } from "../secrets.ts";
import { METRIC } from "../runtime/metrics.ts";

/** Whose password is guessed at. */
export interface Target {
  /** The address in its unique spelling; undefined for what is no address. */
  emailKey: string | undefined;
  /** The user, to recognise a device by; undefined where there is none. */
  userId: string | undefined;
  /** The stored hash: a device's guesses are counted for one password, and a new one starts anew. */
  hashed: string | null | undefined;
}

/** What counted a guess. */
type ThrottledBy = "account" | "device" | "network";

/** A guess that was taken before the hash and awaits its outcome. */
interface Guess {
  /** Whether it comes from a device that the account knows, within what such a device may try. */
  known: boolean;
  /** Gives it back: the password was right, and what was guessed in a row is forgotten. */
  right(): Promise<void>;
  /** Keeps it, and writes down when it was the one after which guessing has to wait. */
  wrong(): Promise<void>;
  /** Gives it back: nothing was compared, since the line was full or the client had gone. */
  unmade(): Promise<void>;
}

/**
 * Runs the comparison of a password between taking a guess and settling it, and tells it whether the device is known,
 * whose guesses go before those of strangers: they are few (F24). Throws `throttled`, and what it throws.
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

/** Forgets the guesses of strangers at a password once its mailbox was proven (S18). */
export async function forgetGuesses(db: DB, emailKey: string): Promise<void> {
  await deleteGuesses(db, accountId(emailKey));
}

/** How guesses at a password stand, for whoever asks why it is refused. */
export interface GuessState {
  /** Wrong guesses of strangers in a row. */
  count: number;
  /** When the next may be made, in milliseconds since 1970; undefined when it may be made now. */
  until: number | undefined;
  /** Whether there were so many that only known devices get in, until the mailbox is proven. */
  knownDevicesOnly: boolean;
}

/** How guesses at the password of this address stand; takes none. */
export async function accountGuesses(auth: Auth, emailKey: string): Promise<GuessState> {
  const { count, next_at } = await findGuesses(auth.db, accountId(emailKey), auth.clock()) ?? { count: 0, next_at: 0 };
  const now = auth.clock();
  // A time further away than the longest wait is a clock's that was set back, and holds nobody up (see takeGuess).
  const waits = next_at > now && next_at <= now + STRANGERS.longest;
  return { count, until: waits ? next_at : undefined, knownDevicesOnly: count >= STRANGERS.most };
}

/** Until when this network is refused, in milliseconds since 1970, or undefined; takes no guess. */
export async function networkRefusedUntil(auth: Auth, network: string): Promise<number | undefined> {
  const counter = await findCounter(auth.db, `guess:${network}`);
  const refused = counter && counter.count >= NETWORK.most && counter.expires_at > auth.clock();
  return refused ? counter.expires_at : undefined;
}

/**
 * Takes a guess before the hash. Whoever may not is refused at once, by the same statements for known and unknown
 * addresses; in the `observe` mode the refusal is only counted. Throws `throttled`.
 */
async function beginGuess(auth: Auth, target: Target, caller: Caller): Promise<Guess> {
  const db = auth.db.relaxed;
  const device = await knownDevice(auth, target, caller);
  const [by, limit] = device === undefined ? ["account", STRANGERS] as const : ["device", DEVICE] as const;
  const id = device ?? (target.emailKey === undefined ? undefined : accountId(target.emailKey));
  const network = `guess:${networkOf(caller.ip)}`;
  // A known device counts against itself alone, so that strangers behind the same address do not keep it out.
  const inNetwork = device === undefined ? await increaseCounter(db, network, auth.clock(), NETWORK.window) : undefined;
  const overNetwork = inNetwork !== undefined && inNetwork.count > NETWORK.most;
  if (overNetwork) {
    if (inNetwork.count === NETWORK.most + 1) await note(auth, target, caller, "network");
    await refuse(auth, inNetwork.expires_at);
  }
  // Only whom the network's limit lets through makes a row: a flood of made-up addresses must not fill the table.
  const inRow = id === undefined ? undefined : await takeGuess(db, id, auth.clock(), limit);
  const returnNetwork = async () => void (inNetwork && await decreaseCounter(db, network));
  const returnRow = async () => void (id !== undefined && inRow && await returnGuess(db, id));
  if (overNetwork) {
    // Counted as refused already, and let through only because refusals are observed.
  } else if (id !== undefined && !inRow) {
    await refuse(auth, (await findGuesses(db, id, auth.clock()))?.next_at ?? auth.clock(), returnNetwork);
  } else if (inRow && inRow.count > limit.most) {
    if (inRow.count === limit.most + 1) await note(auth, target, caller, by);
    // Only the mailbox helps, for known and unknown addresses alike; the time says when it is worth looking again.
    await refuse(auth, auth.clock() + limit.longest, returnNetwork);
  }
  return {
    known: device !== undefined && inRow !== undefined && inRow.count <= limit.most,
    right: async () => void await Promise.all([returnNetwork(), id !== undefined && deleteGuesses(db, id)]),
    wrong: async () => void (inRow?.count === limit.free && await note(auth, target, caller, by)),
    unmade: async () => void await Promise.all([returnNetwork(), returnRow()]),
  };
}

/** Under which id this device's guesses are counted, or undefined for a strange one. */
async function knownDevice(auth: Auth, target: Target, caller: Caller): Promise<string | undefined> {
  // Asked where there is no user too: a refusal that comes a round trip earlier would tell who has an account (S17).
  const known = await isKnownDevice(auth, target.userId ?? "", caller.device);
  if (!known || target.userId === undefined) return undefined;
  const [device] = caller.device!.split(".");
  return `device:${target.userId}:${hashToken(`${target.hashed}\n${device}`)}`;
}

/** Gives back what the other counter took, and throws, unless refusals are only observed. */
async function refuse(auth: Auth, until: number, giveBack?: () => Promise<void>): Promise<void> {
  auth.metrics.add(METRIC.throttled);
  if (auth.config.throttle === "observe") return;
  await giveBack?.();
  const retryAfter = secondsUntil(auth, until);
  throw new AuthError("throttled", "too many wrong passwords; try again later, or reset your password", { retryAfter });
}

/** One event a counter and window, at the moment when it begins to refuse: a flood must not fill the table. */
async function note(auth: Auth, target: Target, caller: Caller, by: ThrottledBy): Promise<void> {
  const userId = by === "network" ? undefined : target.userId;
  await recordEvent(auth, auth.db, { type: "throttled", userId, caller, details: { by, mode: auth.config.throttle } });
}

function accountId(emailKey: string): string {
  return `account:${emailKey}`;
}
