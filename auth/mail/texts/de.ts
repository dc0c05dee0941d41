/**
 * The texts of mails in German (Sie).
 *
 * @module
 */
import type { MailWords } from "./en.ts";

/** The German texts; `en.ts` has the same keys. */
export const de: MailWords = {
  "hello": "Guten Tag,",
  "helloName": "Guten Tag {name},",
  "otherwise": "Falls die Schaltfläche nicht funktioniert, öffnen Sie diese Adresse im Browser:",
  "code": "Oder geben Sie diesen Code auf der Seite ein, die danach fragt:",
  "codeNote": "Der Code ist {minutes} Minuten gültig. Niemand von {app} wird Sie jemals danach fragen.",
  "when": "Wann:",
  "where": "IP-Adresse:",
  "device": "Gerät:",
  "newEmail": "Neue Adresse:",
  "purgeAt": "Löschung am:",
  "footer": "Diese E-Mail wurde automatisch von {app} gesendet.",

  "register.subject": "Schließen Sie Ihre Registrierung bei {app} ab",
  "register.title": "Willkommen! Nur noch ein Schritt",
  "register.intro": "Jemand, vermutlich Sie, hat sich mit dieser E-Mail-Adresse bei {app} registriert. Klicken " +
    "Sie auf den Link, um zu bestätigen, dass die Adresse Ihnen gehört, und die Registrierung " +
    "abzuschließen.",
  "register.action": "Bestätigen und abschließen",
  "register.after": "Der Link ist 24 Stunden gültig.",
  "register.notYou": "Sie haben sich nicht registriert? Ignorieren Sie diese E-Mail, und es wird kein Konto " +
    "angelegt. Klicken Sie nie auf den Link, wenn Sie sich nicht selbst registriert haben: So entstünde " +
    "ein Konto in Ihrem Namen, dessen Passwort jemand anderes kennt.",

  "verify.subject": "Bestätigen Sie Ihre E-Mail-Adresse für {app}",
  "verify.title": "E-Mail-Adresse bestätigen",
  "verify.intro": "Bitte bestätigen Sie, dass diese E-Mail-Adresse zu Ihrem Konto bei {app} gehört.",
  "verify.action": "Adresse bestätigen",
  "verify.after": "Der Link ist 24 Stunden gültig.",
  "verify.notYou": "Sie haben kein Konto bei {app}? Ignorieren Sie diese E-Mail, und klicken Sie nicht auf den " +
    "Link.",

  "reset.subject": "Passwort für {app} zurücksetzen",
  "reset.title": "Neues Passwort wählen",
  "reset.intro": "Jemand, vermutlich Sie, möchte das Passwort Ihres Kontos bei {app} zurücksetzen. Bisher hat " +
    "sich nichts geändert. Klicken Sie auf den Link, um ein neues Passwort zu wählen.",
  "reset.action": "Neues Passwort wählen",
  "reset.after": "Der Link ist 30 Minuten gültig und funktioniert nur einmal.",
  "reset.notYou": "Sie haben das nicht angefordert? Ignorieren Sie diese E-Mail, und es ändert sich nichts.",

  "already_registered.subject": "Sie haben bereits ein Konto bei {app}",
  "already_registered.title": "Sie haben bereits ein Konto",
  "already_registered.intro": "Jemand, vermutlich Sie, wollte sich mit dieser E-Mail-Adresse bei {app} " +
    "registrieren. Sie haben bereits ein Konto, deshalb hat sich nichts geändert: Melden Sie sich einfach an.",
  "already_registered.action": "Anmelden",
  "already_registered.after": "Passwort vergessen? Auf der Anmeldeseite können Sie es zurücksetzen.",
  "already_registered.notYou": "Waren Sie das nicht? Sie müssen nichts tun: Niemand ist in Ihr Konto gelangt, und " +
    "wer es versucht hat, hat nicht erfahren, dass Sie eines haben.",

  "address_reserved.subject": "Diese E-Mail-Adresse ist bei {app} noch nicht verfügbar",
  "address_reserved.title": "Diese Adresse ist noch nicht verfügbar",
  "address_reserved.intro": "Jemand, vermutlich Sie, wollte diese E-Mail-Adresse für ein Konto bei {app} verwenden. " +
    "Sie gehörte bis vor wenigen Tagen zu einem anderen Konto, dessen Inhaber sie noch zurückholen kann. Deshalb " +
    "hat sich nichts geändert.",
  "address_reserved.after": "Ist das Ihr Konto, und Sie haben die Adresse nicht geändert? Dann klicken Sie auf den " +
    "Link in unserer E-Mail über diese Änderung. Sonst versuchen Sie es 4 Tage nach der Änderung noch einmal.",
  "address_reserved.notYou": "Waren Sie das nicht? Sie müssen nichts tun.",

  "password_changed.subject": "Ihr Passwort für {app} wurde geändert",
  "password_changed.title": "Ihr Passwort wurde geändert",
  "password_changed.intro": "Das Passwort Ihres Kontos bei {app} wurde geändert. Wenn Sie das waren, müssen Sie " +
    "nichts tun.",
  "password_changed.notYou": "Waren Sie das nicht? Klicken Sie innerhalb von 72 Stunden auf den Link: " +
    "Alle Geräte werden abgemeldet, Ihr Konto wird gesperrt, und Sie erhalten einen Link, mit dem Sie ein neues " +
    "Passwort wählen.",
  "password_changed.action": "Das war ich nicht",

  "change_email.subject": "Bestätigen Sie Ihre neue E-Mail-Adresse für {app}",
  "change_email.title": "Neue E-Mail-Adresse bestätigen",
  "change_email.intro": "Jemand, vermutlich Sie, möchte diese E-Mail-Adresse für ein Konto bei {app} verwenden. " +
    "Klicken Sie auf den Link, um zu bestätigen, dass sie Ihnen gehört. Bis dahin ändert sich nichts.",
  "change_email.action": "Neue Adresse bestätigen",
  "change_email.after": "Der Link ist 24 Stunden gültig.",
  "change_email.notYou": "Sie wissen davon nichts? Ignorieren Sie diese E-Mail, und klicken Sie nicht auf den " +
    "Link.",

  "change_email_notice.subject": "Änderung der E-Mail-Adresse Ihres Kontos bei {app} angefordert",
  "change_email_notice.title": "Änderung der E-Mail-Adresse angefordert",
  "change_email_notice.intro": "Jemand, vermutlich Sie, möchte die E-Mail-Adresse Ihres Kontos bei {app} ändern. " +
    "Ihre jetzige Adresse gilt weiter, bis die neue bestätigt ist. Wenn Sie das waren, müssen Sie nichts tun.",
  "change_email_notice.notYou": "Waren Sie das nicht? Dann kennt jemand Ihr Passwort. Melden Sie sich an und " +
    "ändern Sie es sofort: Das stoppt die Änderung der Adresse und meldet alle anderen Geräte ab.",

  "email_changed.subject": "Die E-Mail-Adresse Ihres Kontos bei {app} wurde geändert",
  "email_changed.title": "Ihre E-Mail-Adresse wurde geändert",
  "email_changed.intro": "Die E-Mail-Adresse Ihres Kontos bei {app} wurde geändert. Ab jetzt melden Sie sich mit " +
    "der neuen Adresse an und erhalten dort unsere E-Mails. Wenn Sie das waren, müssen Sie nichts tun.",
  "email_changed.notYou": "Waren Sie das nicht? Klicken Sie innerhalb von 72 Stunden auf den Link: Alle " +
    "Geräte werden abgemeldet, und das Konto wird gesperrt. Mit dem Passwort von vor der Änderung erhalten Sie " +
    "auch diese Adresse zurück.",
  "email_changed.action": "Das war ich nicht",

  "new_device.subject": "Neue Anmeldung in Ihrem Konto bei {app}",
  "new_device.title": "Anmeldung von einem neuen Gerät",
  "new_device.intro": "Jemand hat sich von einem Gerät, das wir noch nicht kannten, in Ihrem Konto bei {app} " +
    "angemeldet. Wenn Sie das waren, müssen Sie nichts tun.",
  "new_device.notYou": "Waren Sie das nicht? Klicken Sie innerhalb von 72 Stunden auf den Link: Alle " +
    "Geräte werden abgemeldet, Ihr Konto wird gesperrt, und Sie erhalten einen Link, mit dem Sie ein neues " +
    "Passwort wählen.",
  "new_device.action": "Das war ich nicht",

  "account_closed.subject": "Ihr Konto bei {app} wurde geschlossen",
  "account_closed.title": "Ihr Konto wurde geschlossen",
  "account_closed.intro": "Ihr Konto bei {app} wurde geschlossen, und alle Geräte wurden abgemeldet. Am unten " +
    "genannten Tag wird alles, was dazu gespeichert ist, endgültig gelöscht.",
  "account_closed.notYou": "Haben Sie es sich anders überlegt, oder waren Sie das nicht? Bis dahin öffnet der " +
    "Link das Konto wieder. Wenn Sie es nicht waren, wählen Sie danach sofort ein neues Passwort.",
  "account_closed.action": "Konto wieder öffnen",
};
