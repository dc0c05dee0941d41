/**
 * The limits on guessing and on what strangers can make this service do: one table from which the rules and the README
 * take the numbers. They are no settings, since whoever guesses would thank for a mistake in them. Must not count.
 *
 * @module
 */
import type { Waiting } from "../../db/guesses.ts";

const SECOND = 1_000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

/** So many within a window of time, in milliseconds; the rest waits for the next window. */
export interface WindowLimit {
  /** How many. */
  most: number;
  /** The window, from the first that was counted. */
  window: number;
}

/** So many in a row without waiting, then one after each wait, and in the end none. */
export interface RowLimit extends Waiting {
  /** After so many in a row only the mailbox helps (NIST SP 800-63B-4, 3.2.2: at most 100 for each authenticator). */
  most: number;
}

/**
 * In a row: ten free guesses, then one every 30 seconds, doubling to 15 minutes. Remembered for a year from the first
 * wait on, and for 30 days before: nine a month are about the 100 that NIST allows, and made-up addresses are forgotten.
 */
const IN_A_ROW: RowLimit = {
  free: 10,
  first: 30 * SECOND,
  longest: 15 * MINUTE,
  shortMemory: 30 * DAY,
  memory: 365 * DAY,
  most: 100,
};

/** Wrong passwords for one account from devices that it does not know; also for addresses that nobody has. */
export const STRANGERS: RowLimit = IN_A_ROW;
/** Wrong passwords from one device that the account knows. */
export const DEVICE: RowLimit = IN_A_ROW;
/** Wrong passwords from one network, for whatever account, from devices that it does not know. */
export const NETWORK: WindowLimit = { most: 100, window: 10 * MINUTE };
/** Wrong codes for one account, over all its mails and purposes (S51). */
export const CODES: WindowLimit = { most: 5, window: HOUR };
/** Codes from one network, for whatever account: each for an address that somebody makes up writes a row. */
export const NETWORK_CODES: WindowLimit = { most: 100, window: 10 * MINUTE };
/** Wrong former passwords for one link that undoes a change. */
export const FORMER_PASSWORDS: WindowLimit = { most: 5, window: HOUR };
/** Registrations from one network, in the public profile. */
export const REGISTRATIONS: WindowLimit = { most: 20, window: HOUR };
/** Requests for a mail from one network, in the public profile. */
export const NETWORK_MAILS: WindowLimit = { most: 20, window: HOUR };
/** Mails of one kind to one address, in the public profile. */
export const ADDRESS_MAILS: WindowLimit = { most: 5, window: HOUR };
/** Mails to one address that say that it has an account already, in the public profile. */
export const ACCOUNT_MAILS: WindowLimit = { most: 1, window: DAY };
/** Mails to one account about new devices, in the public profile. */
export const DEVICE_MAILS: WindowLimit = { most: 5, window: HOUR };

/** The README's table: what is counted, how much of it is free, what follows, and why. */
export function limitTable(): string {
  const rows = [
    ["what is counted", "limit", "beyond it", "why"],
    ["---", "---", "---", "---"],
    [
      "wrong passwords in a row for an account, from devices that it does not know",
      ...inARow(STRANGERS),
      "strangers are slowed and then stopped, at one account whoever they are; the owner's own devices go on",
    ],
    [
      "wrong passwords in a row from a device that the account knows",
      ...inARow(DEVICE),
      "a stolen device guesses no faster than a stranger, and keeps no other device out",
    ],
    [
      "wrong passwords from a network (an IPv4 address, an IPv6 /64), for any account",
      ...withinWindow(NETWORK, "429 until the window ends"),
      "one password tried at many accounts; high enough for an office behind one address",
    ],
    [
      "wrong codes of mails for an account",
      ...withinWindow(CODES, "429; the link in the mail goes on to work"),
      "8 digits can be guessed; a link's 256 bits cannot, and are not counted",
    ],
    [
      "codes of mails from a network, for any account",
      ...withinWindow(NETWORK_CODES, "429 until the window ends"),
      "one code tried at many accounts, or at addresses that somebody makes up",
    ],
    [
      "wrong former passwords for a link that undoes a change",
      ...withinWindow(FORMER_PASSWORDS, "429 until the window ends"),
      "only the mailbox has the link, so strangers cannot use up the owner's tries",
    ],
    [
      "registrations from a network, public profile",
      ...withinWindow(REGISTRATIONS, "429"),
      "each costs a hash and sends a mail to an address that somebody typed",
    ],
    [
      "requests for a mail from a network, public profile",
      ...withinWindow(NETWORK_MAILS, "429"),
      "nobody uses this service to flood other people's mailboxes",
    ],
    [
      "mails to an address that ask for something, each kind by itself, public profile",
      ...withinWindow(ADDRESS_MAILS, "the same answer, and no mail; the last link stays good"),
      "a mailbox is not flooded from many networks either, nobody learns whether it has an account, and nobody can use " +
      "up the owner's resets by other forms",
    ],
    [
      "mails to an address that say that it has an account already, public profile",
      ...withinWindow(ACCOUNT_MAILS, "the same answer, and no mail"),
      "once is enough to hear it",
    ],
    [
      "mails to an account about new devices, public profile",
      ...withinWindow(DEVICE_MAILS, "no mail; the event is kept"),
      "who has the password floods no mailbox, and the owner was told",
    ],
  ];
  return rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function inARow({ free, first, longest, most }: RowLimit): [string, string] {
  return [
    `${free} free, ${most} in all`,
    `one every ${duration(first)}, doubling to ${duration(longest)}; after ${most} only once the mailbox is proven`,
  ];
}

function withinWindow({ most, window }: WindowLimit, then: string): [string, string] {
  return [`${most} in ${duration(window)}`, then];
}

function duration(time: number): string {
  if (time % HOUR === 0) return time === HOUR ? "an hour" : `${time / HOUR} hours`;
  return time % MINUTE === 0 ? `${time / MINUTE} minutes` : `${time / SECOND} seconds`;
}
