/**
 * The texts of mails in French (vous). `text.ts` adds real apostrophes and no-break spaces.
 *
 * @module
 */
import type { MailWords } from "./en.ts";

/** The French texts; `en.ts` has the same keys. */
export const fr: MailWords = {
  "hello": "Bonjour,",
  "helloName": "Bonjour {name},",
  "otherwise": "Si le bouton ne fonctionne pas, ouvrez cette adresse dans votre navigateur :",
  "code": "Ou saisissez ce code sur la page qui le demande :",
  "codeNote": "Ce code est valable {minutes} minutes. Personne chez {app} ne vous le demandera jamais.",
  "when": "Quand :",
  "where": "Adresse IP :",
  "device": "Appareil :",
  "newEmail": "Nouvelle adresse :",
  "purgeAt": "Effacement le :",
  "footer": "Cet e-mail a été envoyé automatiquement par {app}.",

  "register.subject": "Terminez votre inscription sur {app}",
  "register.title": "Bienvenue ! Plus qu'une étape",
  "register.intro": "Quelqu'un, sans doute vous, s'est inscrit sur {app} avec cette adresse e-mail. Cliquez sur " +
    "le lien pour confirmer qu'elle est bien à vous et terminer l'inscription.",
  "register.action": "Confirmer et terminer",
  "register.after": "Le lien est valable 24 heures.",
  "register.notYou": "Vous ne vous êtes pas inscrit ? Ignorez cet e-mail : aucun compte ne sera créé. Ne cliquez " +
    "jamais sur le lien pour une inscription que vous n'avez pas faite vous-même : cela ouvrirait à votre nom " +
    "un compte dont quelqu'un d'autre connaît le mot de passe.",

  "verify.subject": "Confirmez votre adresse e-mail pour {app}",
  "verify.title": "Confirmez votre adresse e-mail",
  "verify.intro": "Merci de confirmer que cette adresse e-mail est bien celle de votre compte {app}.",
  "verify.action": "Confirmer l'adresse",
  "verify.after": "Le lien est valable 24 heures.",
  "verify.notYou": "Vous n'avez pas de compte {app} ? Ignorez cet e-mail et ne cliquez pas sur le lien.",

  "reset.subject": "Réinitialisez votre mot de passe {app}",
  "reset.title": "Choisissez un nouveau mot de passe",
  "reset.intro": "Quelqu'un, sans doute vous, a demandé à réinitialiser le mot de passe de votre compte {app}. " +
    "Rien n'a changé pour l'instant. Cliquez sur le lien pour choisir un nouveau mot de passe.",
  "reset.action": "Choisir un mot de passe",
  "reset.after": "Le lien est valable 30 minutes et ne sert qu'une fois.",
  "reset.notYou": "Vous n'avez rien demandé ? Ignorez cet e-mail et rien ne changera.",

  "already_registered.subject": "Vous avez déjà un compte {app}",
  "already_registered.title": "Vous avez déjà un compte",
  "already_registered.intro": "Quelqu'un, sans doute vous, a essayé de s'inscrire sur {app} avec cette adresse " +
    "e-mail. Vous avez déjà un compte, rien n'a donc changé : il vous suffit de vous connecter.",
  "already_registered.action": "Se connecter",
  "already_registered.after": "Mot de passe oublié ? Vous pouvez le réinitialiser depuis la page de connexion.",
  "already_registered.notYou": "Ce n'était pas vous ? Vous n'avez rien à faire : personne n'est entré dans votre " +
    "compte, et la personne qui a essayé n'a pas appris que vous en avez un.",

  "address_reserved.subject": "Cette adresse e-mail n'est pas encore disponible sur {app}",
  "address_reserved.title": "Cette adresse n'est pas encore disponible",
  "address_reserved.intro": "Quelqu'un, sans doute vous, a voulu utiliser cette adresse e-mail pour un compte {app}. " +
    "Un autre compte l'utilisait il y a encore quelques jours et son titulaire peut toujours la récupérer : rien n'a " +
    "donc changé.",
  "address_reserved.after":
    "Ce compte est le vôtre et vous n'avez pas changé son adresse ? Cliquez alors sur le lien " +
    "de notre e-mail à propos de ce changement. Sinon, réessayez 4 jours après le changement.",
  "address_reserved.notYou": "Ce n'était pas vous ? Vous n'avez rien à faire.",

  "password_changed.subject": "Votre mot de passe {app} a été modifié",
  "password_changed.title": "Votre mot de passe a été modifié",
  "password_changed.intro": "Le mot de passe de votre compte {app} vient d'être modifié. Si c'était vous, vous " +
    "n'avez rien à faire.",
  "password_changed.notYou": "Ce n'était pas vous ? Cliquez sur le lien dans les 72 heures : tous les appareils " +
    "seront déconnectés, votre compte sera bloqué et vous recevrez un lien pour choisir un nouveau mot de " +
    "passe.",
  "password_changed.action": "Ce n'était pas moi",

  "change_email.subject": "Confirmez votre nouvelle adresse e-mail pour {app}",
  "change_email.title": "Confirmez votre nouvelle adresse e-mail",
  "change_email.intro": "Quelqu'un, sans doute vous, souhaite utiliser cette adresse e-mail pour un compte {app}. " +
    "Cliquez sur le lien pour confirmer qu'elle est bien à vous. D'ici là, rien ne change.",
  "change_email.action": "Confirmer la nouvelle adresse",
  "change_email.after": "Le lien est valable 24 heures.",
  "change_email.notYou": "Vous n'avez rien demandé ? Ignorez cet e-mail et ne cliquez pas sur le lien.",

  "change_email_notice.subject": "Changement d'adresse e-mail demandé pour votre compte {app}",
  "change_email_notice.title": "Changement d'adresse e-mail demandé",
  "change_email_notice.intro": "Quelqu'un, sans doute vous, a demandé à changer l'adresse e-mail de votre compte " +
    "{app}. Votre adresse actuelle reste valable tant que la nouvelle n'est pas confirmée. Si c'était vous, " +
    "vous n'avez rien à faire.",
  "change_email_notice.notYou": "Ce n'était pas vous ? Alors quelqu'un connaît votre mot de passe. Connectez-vous " +
    "et changez-le tout de suite : cela annule le changement d'adresse et déconnecte tous les autres appareils.",

  "email_changed.subject": "L'adresse e-mail de votre compte {app} a été modifiée",
  "email_changed.title": "Votre adresse e-mail a été modifiée",
  "email_changed.intro": "L'adresse e-mail de votre compte {app} a été modifiée. Désormais, vous vous connectez " +
    "avec la nouvelle adresse et c'est là que nous vous écrivons. Si c'était vous, vous n'avez rien à faire.",
  "email_changed.notYou": "Ce n'était pas vous ? Cliquez sur le lien dans les 72 heures : tous les appareils " +
    "seront déconnectés et le compte sera bloqué. Avec le mot de passe d'avant la modification, vous récupérez " +
    "aussi cette adresse.",
  "email_changed.action": "Ce n'était pas moi",

  "new_device.subject": "Nouvelle connexion à votre compte {app}",
  "new_device.title": "Connexion depuis un nouvel appareil",
  "new_device.intro": "Quelqu'un s'est connecté à votre compte {app} depuis un appareil que nous ne connaissions " +
    "pas. Si c'était vous, vous n'avez rien à faire.",
  "new_device.notYou": "Ce n'était pas vous ? Cliquez sur le lien dans les 72 heures : tous les appareils " +
    "seront déconnectés, votre compte sera bloqué et vous recevrez un lien pour choisir un nouveau mot de " +
    "passe.",
  "new_device.action": "Ce n'était pas moi",

  "account_closed.subject": "Votre compte {app} a été fermé",
  "account_closed.title": "Votre compte a été fermé",
  "account_closed.intro": "Votre compte {app} a été fermé et tous les appareils ont été déconnectés. À la date " +
    "indiquée ci-dessous, tout son contenu sera définitivement effacé.",
  "account_closed.notYou": "Vous avez changé d'avis, ou ce n'était pas vous ? Jusqu'à cette date, le lien " +
    "rouvre le compte. Si ce n'était pas vous, choisissez aussitôt un nouveau mot de passe.",
  "account_closed.action": "Rouvrir le compte",
};
