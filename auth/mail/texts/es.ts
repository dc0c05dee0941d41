/**
 * The texts of mails in Spanish (tú).
 *
 * @module
 */
import type { MailWords } from "./en.ts";

/** The Spanish texts; `en.ts` has the same keys. */
export const es: MailWords = {
  "hello": "Hola:",
  "helloName": "Hola, {name}:",
  "otherwise": "Si el botón no funciona, abre esta dirección en tu navegador:",
  "code": "O introduce este código en la página que lo pide:",
  "codeNote": "El código es válido durante {minutes} minutos. Nadie de {app} te lo pedirá nunca.",
  "when": "Cuándo:",
  "where": "Dirección IP:",
  "device": "Dispositivo:",
  "newEmail": "Nueva dirección:",
  "purgeAt": "Se borrará el:",
  "footer": "{app} ha enviado este mensaje automáticamente.",

  "register.subject": "Termina tu registro en {app}",
  "register.title": "¡Te damos la bienvenida! Solo falta un paso",
  "register.intro": "Alguien, seguramente tú, se ha registrado en {app} con este correo electrónico. Pulsa el " +
    "enlace para confirmar que es tuyo y terminar el registro.",
  "register.action": "Confirmar y terminar",
  "register.after": "El enlace es válido durante 24 horas.",
  "register.notYou": "¿No te has registrado tú? Ignora este correo y no se creará ninguna cuenta. No pulses nunca " +
    "el enlace por un registro que no hayas hecho tú: abriría una cuenta a tu nombre con una contraseña que " +
    "conoce otra persona.",

  "verify.subject": "Confirma tu correo electrónico para {app}",
  "verify.title": "Confirma tu correo electrónico",
  "verify.intro": "Confirma que este correo electrónico es el de tu cuenta de {app}.",
  "verify.action": "Confirmar dirección",
  "verify.after": "El enlace es válido durante 24 horas.",
  "verify.notYou": "¿No tienes cuenta en {app}? Ignora este correo y no pulses el enlace.",

  "reset.subject": "Restablece tu contraseña de {app}",
  "reset.title": "Elige una contraseña nueva",
  "reset.intro": "Alguien, seguramente tú, ha pedido restablecer la contraseña de tu cuenta de {app}. De momento " +
    "no ha cambiado nada. Pulsa el enlace para elegir una contraseña nueva.",
  "reset.action": "Elegir contraseña",
  "reset.after": "El enlace es válido durante 30 minutos y solo sirve una vez.",
  "reset.notYou": "¿No lo has pedido tú? Ignora este correo y no cambiará nada.",

  "already_registered.subject": "Ya tienes una cuenta en {app}",
  "already_registered.title": "Ya tienes una cuenta",
  "already_registered.intro": "Alguien, seguramente tú, ha intentado registrarse en {app} con este correo " +
    "electrónico. Ya tienes una cuenta, así que no ha cambiado nada: solo tienes que iniciar sesión.",
  "already_registered.action": "Iniciar sesión",
  "already_registered.after": "¿Has olvidado tu contraseña? Puedes restablecerla en la página de inicio de sesión.",
  "already_registered.notYou": "¿No has sido tú? No tienes que hacer nada: nadie ha entrado en tu cuenta, y quien " +
    "lo intentó no sabe que tienes una.",

  "address_reserved.subject": "Este correo electrónico aún no se puede usar en {app}",
  "address_reserved.title": "Esta dirección aún no se puede usar",
  "address_reserved.intro": "Alguien, seguramente tú, ha querido usar este correo electrónico para una cuenta de " +
    "{app}. Hasta hace unos días era de otra cuenta, y su titular todavía puede recuperarlo, así que no ha cambiado " +
    "nada.",
  "address_reserved.after": "¿Esa cuenta es tuya y no has cambiado su dirección? Entonces pulsa el enlace de nuestro " +
    "correo sobre ese cambio. Si no, inténtalo de nuevo 4 días después del cambio.",
  "address_reserved.notYou": "¿No has sido tú? No tienes que hacer nada.",

  "password_changed.subject": "Se ha cambiado tu contraseña de {app}",
  "password_changed.title": "Se ha cambiado tu contraseña",
  "password_changed.intro": "Se ha cambiado la contraseña de tu cuenta de {app}. Si has sido tú, no tienes que " +
    "hacer nada.",
  "password_changed.notYou": "¿No has sido tú? Pulsa el enlace antes de 72 horas: se cerrará la sesión en todos " +
    "los dispositivos, se bloqueará tu cuenta y recibirás un enlace para elegir una contraseña nueva.",
  "password_changed.action": "No he sido yo",

  "change_email.subject": "Confirma tu nuevo correo electrónico para {app}",
  "change_email.title": "Confirma tu nuevo correo electrónico",
  "change_email.intro": "Alguien, seguramente tú, quiere usar este correo electrónico para una cuenta de {app}. " +
    "Pulsa el enlace para confirmar que es tuyo. Hasta entonces no cambia nada.",
  "change_email.action": "Confirmar nueva dirección",
  "change_email.after": "El enlace es válido durante 24 horas.",
  "change_email.notYou": "¿No lo has pedido tú? Ignora este correo y no pulses el enlace.",

  "change_email_notice.subject": "Cambio de correo electrónico solicitado en tu cuenta de {app}",
  "change_email_notice.title": "Cambio de correo electrónico solicitado",
  "change_email_notice.intro": "Alguien, seguramente tú, ha pedido cambiar el correo electrónico de tu cuenta de " +
    "{app}. Tu dirección actual sigue siendo válida hasta que se confirme la nueva. Si has sido tú, no tienes " +
    "que hacer nada.",
  "change_email_notice.notYou": "¿No has sido tú? Entonces alguien conoce tu contraseña. Inicia sesión y cámbiala " +
    "cuanto antes: así se anula el cambio de dirección y se cierra la sesión en los demás dispositivos.",

  "email_changed.subject": "Se ha cambiado el correo electrónico de tu cuenta de {app}",
  "email_changed.title": "Se ha cambiado tu correo electrónico",
  "email_changed.intro": "Se ha cambiado el correo electrónico de tu cuenta de {app}. A partir de ahora inicias " +
    "sesión con la nueva dirección y allí recibes nuestros correos. Si has sido tú, no tienes que hacer nada.",
  "email_changed.notYou": "¿No has sido tú? Pulsa el enlace antes de 72 horas: se cerrará la sesión en todos los " +
    "dispositivos y se bloqueará la cuenta. Con la contraseña anterior al cambio también recuperas esta " +
    "dirección.",
  "email_changed.action": "No he sido yo",

  "new_device.subject": "Nuevo inicio de sesión en tu cuenta de {app}",
  "new_device.title": "Inicio de sesión desde un dispositivo nuevo",
  "new_device.intro": "Alguien ha iniciado sesión en tu cuenta de {app} desde un dispositivo que no conocíamos. " +
    "Si has sido tú, no tienes que hacer nada.",
  "new_device.notYou": "¿No has sido tú? Pulsa el enlace antes de 72 horas: se cerrará la sesión en todos los " +
    "dispositivos, se bloqueará tu cuenta y recibirás un enlace para elegir una contraseña nueva.",
  "new_device.action": "No he sido yo",

  "account_closed.subject": "Se ha cerrado tu cuenta de {app}",
  "account_closed.title": "Se ha cerrado tu cuenta",
  "account_closed.intro": "Se ha cerrado tu cuenta de {app} y también la sesión en todos los dispositivos. En la " +
    "fecha indicada abajo se borrará definitivamente todo su contenido.",
  "account_closed.notYou": "¿Has cambiado de idea o no has sido tú? Hasta esa fecha, el enlace vuelve a abrir la " +
    "cuenta. Si no has sido tú, elige justo después una contraseña nueva.",
  "account_closed.action": "Reabrir la cuenta",
};
