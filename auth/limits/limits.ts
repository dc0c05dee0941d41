/**
 * The table of limits: one row for each thing that is counted. The rules, the erasure of an account, `explain` and the
 * README read it. The numbers are not settings: a mistake in them would help whoever guesses. Must not count.
 *
 * @module
 */
import type { Limit, Refusal, WindowLimit } from "./limit_rows.ts";

const SECOND = 1_000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

/**
 * At most 100 wrong guesses in a row at one password, whoever makes them (NIST SP 800-63B-4, 3.2.2): 80 by strangers,
 * and 20 by all known devices together. So neither uses up the guesses of the other.
 */
const BY_STRANGERS = 80, BY_DEVICES = 20;

/**
 * After the free guesses, one every 30 seconds, doubling to 15 minutes. The count is kept for 30 days, and from the
 * first wait on for a year. Nine guesses a month are about the 100 that NIST allows. Made-up addresses are forgotten
 * early.
 */
const IN_A_ROW = { first: 30 * SECOND, longest: 15 * MINUTE, shortMemory: 30 * DAY, memory: 365 * DAY } as const;

/** A device or all devices of a user. No wait: further guesses count as a stranger's. */
const BY_DEVICE = {
  scope: "device",
  personal: ["userId"],
  outlives: "An id holds the user's id, which the event `account_purged` keeps too, and a hash; no address. Only a " +
    "search through the whole table finds it. The row ends 30 days after the last guess, a year once it was full.",
} as const;

const PASSWORDS = {
  profile: "both",
  noted: true,
  observable: true,
  refusal: { code: "throttled", message: "too many wrong passwords; try again later, or reset your password" },
} as const;

const FROM_NETWORK: Refusal = {
  code: "rate_limited",
  message: "too many requests from your network, try again later",
};

/** Every limit, in the order of the README. */
export const LIMITS = {
  strangerGuesses: {
    name: "account",
    prefix: "account:",
    scope: "address",
    personal: ["emailKey"],
    ...PASSWORDS,
    ...IN_A_ROW,
    free: 10,
    most: BY_STRANGERS,
    readme: {
      counted: "wrong passwords in a row for an account, from devices that it does not know",
      why: "strangers are slowed and then stopped, at one account whoever they are; the owner's own devices go on",
    },
  },
  deviceGuesses: {
    name: "device",
    prefix: "device:",
    ...BY_DEVICE,
    ...PASSWORDS,
    ...IN_A_ROW,
    free: 10,
    most: 10,
    readme: {
      counted: "wrong passwords in a row from a device that the account knows",
      beyond: "the device counts as a stranger",
      why: "strangers do not keep it out, and a stolen device does not use up what the others have",
    },
  },
  allDeviceGuesses: {
    name: "devices",
    prefix: "devices:",
    ...BY_DEVICE,
    ...PASSWORDS,
    ...IN_A_ROW,
    free: BY_DEVICES,
    most: BY_DEVICES,
    readme: {
      counted: "wrong passwords in a row from all devices that the account knows, together",
      beyond: "each of them counts as a stranger",
      why: "who has logged in once could make any number of known devices; with the strangers' 80 it is 100 in all",
    },
  },
  networkGuesses: {
    name: "network",
    prefix: "guess:",
    scope: "network",
    personal: [],
    ...PASSWORDS,
    most: 100,
    window: 10 * MINUTE,
    readme: {
      counted: "wrong passwords from a network (an IPv4 address, an IPv6 /64), for any account",
      beyond: "429 until the window ends",
      why: "one password tried at many accounts; high enough for an office behind one address",
    },
  },
  /** Counts all mails and purposes of an account together (S51). */
  codes: {
    name: "codes",
    prefix: "code:",
    scope: "address",
    personal: ["emailKey"],
    profile: "both",
    noted: true,
    observable: false,
    refusal: { code: "too_many_attempts", message: "too many wrong codes, ask for a new mail in an hour" },
    most: 5,
    window: HOUR,
    readme: {
      counted: "wrong codes of mails for an account",
      beyond: "429; the link in the mail goes on to work",
      why: "8 digits can be guessed; a link's 256 bits cannot, and are not counted",
    },
  },
  networkCodes: {
    name: "codes of a network",
    prefix: "code-network:",
    scope: "network",
    personal: [],
    profile: "both",
    noted: true,
    observable: false,
    refusal: { code: "too_many_attempts", message: "too many codes from your network, try again later" },
    most: 100,
    window: 10 * MINUTE,
    readme: {
      counted: "codes of mails from a network, for any account",
      beyond: "429 until the window ends",
      why: "one code tried at many accounts, or at addresses that somebody makes up",
    },
  },
  formerPasswords: {
    name: "former passwords",
    prefix: "undo:",
    scope: "link",
    // Its id is that of the event that the link undoes: random, and deleted after the hour.
    personal: [],
    profile: "both",
    noted: true,
    observable: false,
    refusal: { code: "too_many_attempts", message: "too many wrong passwords, try again in an hour" },
    most: 5,
    window: HOUR,
    readme: {
      counted: "wrong former passwords for a link that undoes a change",
      beyond: "429 until the window ends",
      why: "only the mailbox has the link, so strangers cannot use up the owner's tries",
    },
  },
  registrations: {
    name: "registrations",
    prefix: "register:",
    scope: "network",
    personal: [],
    profile: "public",
    noted: true,
    observable: false,
    refusal: FROM_NETWORK,
    most: 20,
    window: HOUR,
    readme: {
      counted: "registrations from a network",
      beyond: "429",
      why: "each costs a hash and sends a mail to an address that somebody typed",
    },
  },
  /** The second one leaves no registration its password: nobody knows whose mail the owner will use. */
  addressRegistrations: {
    name: "registrations of an address",
    prefix: "register-address:",
    scope: "address",
    personal: ["emailKey"],
    profile: "public",
    noted: false,
    observable: false,
    refusal: undefined,
    most: 1,
    window: 7 * DAY,
    readme: {
      counted: "registrations of an address",
      beyond: "the same answer; the account has no password, and the proof of the mailbox asks for one",
      why: "who registers somebody else's address has no part in the account that its owner makes",
    },
  },
  networkMails: {
    name: "mails",
    prefix: "mail-network:",
    scope: "network",
    personal: [],
    profile: "public",
    noted: true,
    observable: false,
    refusal: FROM_NETWORK,
    most: 20,
    window: HOUR,
    readme: {
      counted: "requests for a mail from a network",
      beyond: "429",
      why: "nobody uses this service to flood other people's mailboxes",
    },
  },
  /** One connection may own 65,536 networks: each of them alone would be within its limits. */
  siteRequests: {
    name: "requests of a site",
    prefix: "site:",
    scope: "network",
    personal: [],
    profile: "public",
    noted: true,
    observable: false,
    refusal: FROM_NETWORK,
    most: 200,
    window: HOUR,
    readme: {
      counted: "registrations and requests for a mail from an IPv6 /48",
      beyond: "429",
      why: "one connection may own all networks of a /48, and nobody's mails wait behind its requests",
    },
  },
  addressMails: {
    name: "mails to an address",
    prefix: "mail:",
    kinds: ["register", "verify", "reset", "change"],
    scope: "address",
    personal: ["emailKey"],
    profile: "public",
    noted: true,
    observable: false,
    refusal: undefined,
    most: 5,
    window: HOUR,
    // A link for a reset lives 30 minutes. Without refills, five requests would shut its owner out for the other 30.
    refills: true,
    readme: {
      counted: "mails to an address that ask for something, each kind by itself",
      beyond: "the same answer and no mail; the last link stays good",
      why:
        "a mailbox is not flooded from many networks either, nobody learns whether it has an account, and nobody can " +
        "use up the owner's resets by other forms",
    },
  },
  accountMails: {
    name: "mails about an account",
    prefix: "account-mail:",
    scope: "account",
    personal: ["emailKey", "userId"],
    profile: "public",
    noted: false,
    observable: false,
    refusal: undefined,
    most: 1,
    window: DAY,
    readme: {
      counted: "mails to an address that say that it has an account already",
      beyond: "the same answer, and no mail",
      why: "once is enough to hear it",
    },
  },
  deviceMails: {
    name: "mails about devices",
    prefix: "device-mail:",
    scope: "account",
    personal: ["userId"],
    profile: "public",
    noted: false,
    observable: false,
    refusal: undefined,
    most: 5,
    window: HOUR,
    readme: {
      counted: "mails to an account about new devices",
      beyond: "no mail; the event is kept",
      why: "who has the password floods no mailbox, and the owner was told",
    },
  },
  /** Without it, a program with one session would fill the table of events: a change costs no hash. */
  profileChanges: {
    name: "profile changes",
    prefix: "profile:",
    scope: "account",
    personal: ["userId"],
    profile: "public",
    noted: false,
    observable: false,
    refusal: { code: "rate_limited", message: "too many changes of this account, try again later" },
    most: 20,
    window: HOUR,
    readme: {
      counted: "changes of a name or language",
      beyond: "429",
      why: "each is kept as an event, and nobody fills the database with them",
    },
  },
  /** Each sends a mail that nobody may miss: a thief could otherwise bury the first one under any number of others. */
  accountChanges: {
    name: "account changes",
    prefix: "account-change:",
    kinds: ["password", "address"],
    scope: "account",
    personal: ["userId"],
    profile: "public",
    noted: false,
    observable: false,
    refusal: { code: "rate_limited", message: "too many changes of this account, try again later" },
    most: 20,
    window: HOUR,
    readme: {
      counted: "changes of a password, and requests for another address, each by itself",
      beyond: "429; a reset goes on to work",
      why: "each is told to the mailbox, and who has the password does not bury the first mail under others",
    },
  },
  /** Refuses none. Who knows the password is not stopped by the limits on guesses, since a right one ends their count. */
  ownFailures: {
    name: "own wrong passwords",
    prefix: "own-failure:",
    scope: "account",
    personal: ["userId"],
    profile: "both",
    noted: false,
    observable: false,
    refusal: undefined,
    most: 20,
    window: HOUR,
    readme: {
      counted: "wrong passwords of a logged-in user that are kept as events",
      beyond: "the log has them, the account's events do not",
      why: "who knows the password does not fill the database by wrong ones in between",
    },
  },
  /** The count is taken back when an export ends. The window is for a process that ended in the middle of one. */
  exports: {
    name: "exports",
    prefix: "export:",
    scope: "account",
    personal: ["userId"],
    profile: "public",
    noted: false,
    observable: false,
    refusal: { code: "rate_limited", message: "an export of this account is running, try again when it has ended" },
    most: 1,
    window: 5 * MINUTE,
    readme: {
      counted: "exports of an account at the same time",
      beyond: "429 until the other one ends; it may take 5 minutes",
      why: "an export is the longest answer, and nobody slows others down by many of them",
    },
  },
  /** Limits nothing. Counting costs one write, as the event of a known account does (S17). */
  failedLogins: {
    name: "failed logins",
    prefix: "login-failed:",
    scope: "network",
    personal: [],
    profile: "both",
    noted: false,
    observable: false,
    refusal: undefined,
    most: Infinity,
    window: HOUR,
    readme: undefined,
  },
} as const satisfies Record<string, Limit>;

/** The id of a counter: the row's prefix and its subject. Stored ids of running databases depend on this form. */
export function limitId(limit: Limit, ...parts: readonly string[]): string {
  return limit.prefix + parts.join(":");
}

/** After how many milliseconds one comes back, for a limit that refills. */
export function intervalOf({ most, window }: WindowLimit): number {
  return window / most;
}
