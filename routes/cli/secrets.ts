/**
 * The commands `secrets`: the service's own keys. Must not show a key.
 *
 * @module
 */
import { type Command, JSON_OPTION, Misuse, withAuth } from "./command.ts";
import { json } from "./output.ts";

/** What each key signs, and what a new one ends. */
const ENDED = {
  device: "No device is known any more. The next login of each user from any device counts as one from a new " +
    "device: it has no guesses of its own, and the owner gets a mail about it. Sessions stay.",
  code: "Codes in mails that are on their way do not work any more. The links in these mails do.",
} as const;

/** The commands about keys. */
export const SECRET_COMMANDS: Readonly<Record<string, Command>> = {
  rotate: {
    summary: "replace the key of known devices or of codes",
    help: `Makes a new random key and deletes the older ones. The word says which: device or code. Instances that run
use the new key within a minute.

device: the key that signs the cookies by which a device is known. ${ENDED.device} Use it when somebody may have read
the database or a backup.

code: the key under which the codes of mails are stored. ${ENDED.code}`,
    words: ["device|code"],
    options: JSON_OPTION,
    run: (given, outside) =>
      withAuth(outside, async (auth) => {
        const [purpose] = given.words;
        if (purpose !== "device" && purpose !== "code") throw new Misuse("the key is neither device nor code");
        const key = await auth.keyring.rotate(purpose, auth.clock());
        outside.print(given.flag("json") ? json({ key }) : `The new key is ${key}. ${ENDED[purpose]}`);
      }),
  },
};
