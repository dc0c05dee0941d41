/**
 * The texts of mails in English, whose keys all languages share. `{app}`, `{name}` and `{minutes}` are filled in.
 *
 * @module
 */

/** Every text of a mail, by its key. */
export const en = {
  "hello": "Hello,",
  "helloName": "Hello {name},",
  "otherwise": "If the button doesn't work, open this address in your browser:",
  "code": "Or enter this code on the page that asks for it:",
  "codeNote": "The code is valid for {minutes} minutes. Nobody at {app} will ever ask you for it.",
  "when": "When:",
  "where": "IP address:",
  "device": "Device:",
  "newEmail": "New address:",
  "purgeAt": "Erased on:",
  "footer": "{app} sent this email automatically.",

  "register.subject": "Finish signing up for {app}",
  "register.title": "Welcome! One step left",
  "register.intro": "Someone, most likely you, signed up for {app} with this email address. Click the link to " +
    "confirm that it's yours and finish signing up.",
  "register.action": "Confirm and finish",
  "register.after": "The link is valid for 24 hours.",
  "register.notYou": "Didn't sign up? Just ignore this email and no account will be created. Never click the " +
    "link for a sign-up you didn't start yourself: it would open an account in your name with a password that " +
    "someone else knows.",

  "verify.subject": "Confirm your email address for {app}",
  "verify.title": "Confirm your email address",
  "verify.intro": "Please confirm that this email address belongs to your {app} account.",
  "verify.action": "Confirm address",
  "verify.after": "The link is valid for 24 hours.",
  "verify.notYou": "Don't have an account at {app}? Just ignore this email, and don't click the link.",

  "reset.subject": "Reset your password for {app}",
  "reset.title": "Choose a new password",
  "reset.intro": "Someone, most likely you, asked to reset the password of your {app} account. Nothing has " +
    "changed yet. Click the link to choose a new password.",
  "reset.action": "Choose a new password",
  "reset.after": "The link is valid for 30 minutes and works once.",
  "reset.notYou": "Didn't request this? Just ignore this email and nothing will change.",

  "already_registered.subject": "You already have an account at {app}",
  "already_registered.title": "You already have an account",
  "already_registered.intro": "Someone, most likely you, tried to sign up for {app} with this email address. You " +
    "already have an account, so nothing has changed: just log in.",
  "already_registered.action": "Log in",
  "already_registered.after": "Forgot your password? You can reset it from the login page.",
  "already_registered.notYou": "Wasn't you? There's nothing you need to do: nobody got into your account, and " +
    "whoever tried was not told that you have one.",

  "address_reserved.subject": "This email address can't be used at {app} yet",
  "address_reserved.title": "This address can't be used yet",
  "address_reserved.intro": "Someone, most likely you, wanted to use this email address for an account at {app}. " +
    "Another account had it until a few days ago, and its owner can still get it back, so nothing has changed.",
  "address_reserved.after": "Is that account yours, and you didn't change its address? Then click the link in our " +
    "email about that change. Otherwise, try again 4 days after the change.",
  "address_reserved.notYou": "Wasn't you? There's nothing you need to do.",

  "password_changed.subject": "Your password for {app} was changed",
  "password_changed.title": "Your password was changed",
  "password_changed.intro": "The password of your {app} account was changed. If this was you, there's nothing you " +
    "need to do.",
  "password_changed.notYou": "Wasn't you? Click the link within 72 hours: all devices are logged out, your " +
    "account is frozen, and we email you a link to choose a new password.",
  "password_changed.action": "It wasn't me",

  "change_email.subject": "Confirm your new email address for {app}",
  "change_email.title": "Confirm your new email address",
  "change_email.intro": "Someone, most likely you, wants to use this email address for an account at {app}. Click " +
    "the link to confirm that it's yours. Until then, nothing changes.",
  "change_email.action": "Confirm new address",
  "change_email.after": "The link is valid for 24 hours.",
  "change_email.notYou": "Don't recognize this? Just ignore this email, and don't click the link.",

  "change_email_notice.subject": "Email address change requested for your {app} account",
  "change_email_notice.title": "Email address change requested",
  "change_email_notice.intro": "Someone, most likely you, asked to change the email address of your {app} " +
    "account. Your current address keeps working until the new one is confirmed. If this was you, there's " +
    "nothing you need to do.",
  "change_email_notice.notYou": "Wasn't you? Then someone knows your password. Log in and change it right away: " +
    "that stops the change of address and logs out all other devices.",

  "email_changed.subject": "The email address of your {app} account was changed",
  "email_changed.title": "Your email address was changed",
  "email_changed.intro": "The email address of your {app} account was changed. From now on you log in with the " +
    "new address, and our emails go there. If this was you, there's nothing you need to do.",
  "email_changed.notYou": "Wasn't you? Click the link within 72 hours: all devices are logged out and the " +
    "account is frozen. With the password from before the change, you also get this address back.",
  "email_changed.action": "It wasn't me",

  "new_device.subject": "New login to your {app} account",
  "new_device.title": "Login from a new device",
  "new_device.intro": "Someone logged in to your {app} account from a device we haven't seen before. If this was " +
    "you, there's nothing you need to do.",
  "new_device.notYou": "Wasn't you? Click the link within 72 hours: all devices are logged out, your account is " +
    "frozen, and we email you a link to choose a new password.",
  "new_device.action": "It wasn't me",

  "account_closed.subject": "Your {app} account was closed",
  "account_closed.title": "Your account was closed",
  "account_closed.intro": "Your {app} account was closed and all devices were logged out. On the date below, " +
    "everything in it is erased for good.",
  "account_closed.notYou": "Changed your mind, or wasn't it you? Until that date, the link reopens the account. " +
    "If it wasn't you, choose a new password right afterwards.",
  "account_closed.action": "Reopen account",
};

/** The key of a text. */
export type MailWord = keyof typeof en;
/** The texts of one language. A missing text is shown in English. */
export type MailWords = Partial<Record<MailWord, string>>;
