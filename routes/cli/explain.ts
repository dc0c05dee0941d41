/**
 * The command `explain`: says why somebody cannot log in, in words for the person who must answer that question.
 *
 * @module
 */
import { explain, type Explanation, type Finding } from "../../auth/admin/explain_login.ts";
import { LIMITS } from "../../auth/limits/limits.ts";
import type { MailStatus } from "../../auth/mail/delivery_status.ts";
import { type Command, JSON_OPTION, withAuth } from "./command.ts";
import { json, moment, plain } from "./output.ts";

/** Explains why a login with an address is refused now. */
export const EXPLAIN: Command = {
  summary: "why somebody cannot log in",
  help:
    `Says why a login with this address is refused now: every reason that holds, the strongest first, and what helps.
It looks at the account, its mails, and the limits on guessing, also those of networks that the user was seen from; when
the user comes from elsewhere, --ip asks about that address too. Nothing is changed.`,
  words: ["email"],
  options: { ip: { value: "address", help: "the client's address, if known" }, ...JSON_OPTION },
  run: (given, outside) =>
    withAuth(outside, async (auth) => {
      const explanation = await explain(auth, given.words[0], given.text("ip"));
      outside.print(given.flag("json") ? json(explanation) : toText(explanation));
    }),
};

function toText(explanation: Explanation): string {
  const { email, findings, signedInAt, sessions, observed } = explanation;
  const lines = findings.map((finding) => `- ${sentenceOf(finding)}`);
  if (explanation.userId !== undefined) {
    lines.push(`  Last login: ${moment(signedInAt)}; live sessions: ${sessions}.`);
  }
  if (observed) lines.push("  THROTTLE=observe: limits on guessing are only counted, and refuse nobody.");
  return [plain(email), ...lines.map(plain)].join("\n");
}

/** A finding in words: the reason, until when it holds, and what helps. */
function sentenceOf(finding: Finding): string {
  const { at, until, network, mail } = finding;
  switch (finding.cause) {
    case "invalid_address":
      return "This is not an e-mail address that the service takes; look for a typing mistake.";
    case "never_registered":
      return "Nobody has registered with this address, or the link of the registration was not used within 24 hours.";
    case "registration_waits":
      return `Somebody registered at ${moment(at)}, and the link in the mail was not used yet; it waits until ` +
        `${moment(until)}. ${mailSentence("The mail", mail)}`;
    case "disabled":
      return `The account is disabled since ${moment(at)}; users enable lets it in again.`;
    case "closed":
      return `The owner closed the account at ${moment(at)}; it is erased at ${
        moment(until)
      }. Until then the link in ` +
        "the mail about it opens it again.";
    case "frozen":
      return `The account is frozen since ${
        moment(at)
      }: a change was undone by the link in its mail. A password reset ` +
        `opens it. ${mailSentence("The reset mail", mail)}`;
    case "no_password":
      return `The account has no password; a reset sets one. ${mailSentence("The reset mail", mail)}`;
    case "unverified":
      return `The address is not proven yet. ${mailSentence("The mail for it", mail)}`;
    case "known_devices_only":
      return `Strangers gave ${LIMITS.strangerGuesses.most} wrong passwords in a row or more: the right one works from devices that ` +
        "have logged in before, and elsewhere once the mailbox is proven by a password reset.";
    case "throttled_account":
      return `Too many wrong passwords for this account: the next one is taken at ${
        moment(until)
      }. Devices that have ` +
        "logged in before are not held up, and a password reset ends it.";
    case "throttled_network":
      return `Too many wrong passwords from the network ${network}: it is refused until ${moment(until)}.`;
    case "throttled_devices":
      return `Devices that have logged in before gave ${LIMITS.allDeviceGuesses.most} wrong passwords in a row ` +
        "together: they count as strangers now. A password reset ends that.";
    case "throttled_codes":
      return `Too many wrong codes out of mails: they are refused until ${moment(until)}. The links of the mails work.`;
    case "mail":
      return mailSentence(mail?.kind === undefined ? "The last mail" : `The last mail (${mail.kind})`, mail);
    case "wrong_password":
      return `The last attempt, at ${
        moment(at)
      }, was refused; if nothing above stood in its way, the password was wrong.`;
    case "nothing_wrong":
      return "Nothing keeps the right password from working.";
  }
}

function mailSentence(mail: string, news: MailStatus | undefined): string {
  switch (news?.state) {
    case "waiting":
      return `${mail} waits to be sent since ${moment(news.at)} (tried ${news.tries} times; given up at ` +
        `${moment(news.until)}): look at the mail server, and whether the service runs.`;
    case "sent":
      return `${mail} was taken by the mail server at ${moment(news.at)}: look in the spam folder.`;
    case "refused":
      return `${mail} was refused by the mail server at ${moment(news.at)}: the mailbox may not exist.`;
    case "given_up":
      return `${mail} could not be sent and was given up at ${moment(news.at)}: look at the mail server.`;
    case "none":
    case undefined:
      return news?.until === undefined
        ? `${mail} was never asked for, or that is too long ago.`
        : `${mail} was not sent, since there were too many to this address; that is so until ${moment(news.until)}.`;
  }
}
