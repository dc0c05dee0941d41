/**
 * The texts of mails in Portuguese (você, as in Brazil).
 *
 * @module
 */
import type { MailWords } from "./en.ts";

/** The Portuguese texts; `en.ts` has the same keys. */
export const pt: MailWords = {
  "hello": "Olá,",
  "helloName": "Olá, {name},",
  "otherwise": "Se o botão não funcionar, abra este endereço no navegador:",
  "code": "Ou digite este código na página que o pede:",
  "codeNote": "O código é válido por {minutes} minutos. Ninguém de {app} vai pedi-lo a você.",
  "when": "Quando:",
  "where": "Endereço IP:",
  "device": "Dispositivo:",
  "newEmail": "Novo endereço:",
  "purgeAt": "Será apagada em:",
  "footer": "Esta mensagem foi enviada automaticamente por {app}.",

  "register.subject": "Conclua seu cadastro em {app}",
  "register.title": "Boas-vindas! Só falta um passo",
  "register.intro": "Alguém, provavelmente você, se cadastrou em {app} com este e-mail. Clique no link para " +
    "confirmar que ele é seu e concluir o cadastro.",
  "register.action": "Confirmar e concluir",
  "register.after": "O link é válido por 24 horas.",
  "register.notYou": "Não foi você que se cadastrou? Ignore este e-mail e nenhuma conta será criada. Nunca clique " +
    "no link por um cadastro que você mesmo não fez: isso abriria uma conta em seu nome com uma senha que " +
    "outra pessoa conhece.",

  "verify.subject": "Confirme seu e-mail para {app}",
  "verify.title": "Confirme seu e-mail",
  "verify.intro": "Confirme que este e-mail é o da sua conta em {app}.",
  "verify.action": "Confirmar endereço",
  "verify.after": "O link é válido por 24 horas.",
  "verify.notYou": "Não tem uma conta em {app}? Ignore este e-mail e não clique no link.",

  "reset.subject": "Redefina sua senha de {app}",
  "reset.title": "Escolha uma nova senha",
  "reset.intro": "Alguém, provavelmente você, pediu para redefinir a senha da sua conta em {app}. Nada mudou até " +
    "agora. Clique no link para escolher uma nova senha.",
  "reset.action": "Escolher nova senha",
  "reset.after": "O link é válido por 30 minutos e só funciona uma vez.",
  "reset.notYou": "Não foi você que pediu? Ignore este e-mail e nada mudará.",

  "already_registered.subject": "Você já tem uma conta em {app}",
  "already_registered.title": "Você já tem uma conta",
  "already_registered.intro": "Alguém, provavelmente você, tentou se cadastrar em {app} com este e-mail. Você já " +
    "tem uma conta, por isso nada mudou: basta entrar.",
  "already_registered.action": "Entrar",
  "already_registered.after": "Esqueceu sua senha? Você pode redefini-la na página de entrada.",
  "already_registered.notYou": "Não foi você? Não precisa fazer nada: ninguém entrou na sua conta, e quem tentou " +
    "não ficou sabendo que você tem uma.",

  "address_reserved.subject": "Este e-mail ainda não pode ser usado em {app}",
  "address_reserved.title": "Este endereço ainda não pode ser usado",
  "address_reserved.intro":
    "Alguém, provavelmente você, quis usar este e-mail em uma conta de {app}. Até poucos dias " +
    "atrás, ele era de outra conta, e o titular dela ainda pode recuperá-lo. Por isso, nada mudou.",
  "address_reserved.after": "A conta é sua e você não alterou o endereço? Então clique no link do nosso e-mail sobre " +
    "essa alteração. Caso contrário, tente de novo 4 dias depois da alteração.",
  "address_reserved.notYou": "Não foi você? Não precisa fazer nada.",

  "password_changed.subject": "Sua senha de {app} foi alterada",
  "password_changed.title": "Sua senha foi alterada",
  "password_changed.intro": "A senha da sua conta em {app} foi alterada. Se foi você, não precisa fazer nada.",
  "password_changed.notYou": "Não foi você? Clique no link em até 72 horas: todos os dispositivos serão " +
    "desconectados, sua conta será bloqueada e você receberá um link para escolher uma nova senha.",
  "password_changed.action": "Não fui eu",

  "change_email.subject": "Confirme seu novo e-mail para {app}",
  "change_email.title": "Confirme seu novo e-mail",
  "change_email.intro": "Alguém, provavelmente você, quer usar este e-mail em uma conta em {app}. Clique no link " +
    "para confirmar que ele é seu. Até lá, nada muda.",
  "change_email.action": "Confirmar novo endereço",
  "change_email.after": "O link é válido por 24 horas.",
  "change_email.notYou": "Não foi você que pediu? Ignore este e-mail e não clique no link.",

  "change_email_notice.subject": "Alteração de e-mail solicitada na sua conta em {app}",
  "change_email_notice.title": "Alteração de e-mail solicitada",
  "change_email_notice.intro": "Alguém, provavelmente você, pediu para alterar o e-mail da sua conta em {app}. O " +
    "endereço atual continua valendo até que o novo seja confirmado. Se foi você, não precisa fazer nada.",
  "change_email_notice.notYou": "Não foi você? Então alguém conhece sua senha. Entre e altere a senha " +
    "imediatamente: isso cancela a alteração do endereço e desconecta todos os outros dispositivos.",

  "email_changed.subject": "O e-mail da sua conta em {app} foi alterado",
  "email_changed.title": "Seu e-mail foi alterado",
  "email_changed.intro": "O e-mail da sua conta em {app} foi alterado. A partir de agora, você entra com o novo " +
    "endereço e é nele que recebe nossos e-mails. Se foi você, não precisa fazer nada.",
  "email_changed.notYou": "Não foi você? Clique no link em até 72 horas: todos os dispositivos serão " +
    "desconectados e a conta será bloqueada. Com a senha anterior à alteração, você também recupera este " +
    "endereço.",
  "email_changed.action": "Não fui eu",

  "new_device.subject": "Novo acesso à sua conta em {app}",
  "new_device.title": "Acesso de um novo dispositivo",
  "new_device.intro": "Alguém entrou na sua conta em {app} a partir de um dispositivo que ainda não conhecíamos. " +
    "Se foi você, não precisa fazer nada.",
  "new_device.notYou": "Não foi você? Clique no link em até 72 horas: todos os dispositivos serão desconectados, " +
    "sua conta será bloqueada e você receberá um link para escolher uma nova senha.",
  "new_device.action": "Não fui eu",

  "account_closed.subject": "Sua conta em {app} foi encerrada",
  "account_closed.title": "Sua conta foi encerrada",
  "account_closed.intro": "Sua conta em {app} foi encerrada e todos os dispositivos foram desconectados. Na data " +
    "indicada abaixo, tudo o que ela contém será apagado para sempre.",
  "account_closed.notYou": "Mudou de ideia, ou não foi você? Até essa data, o link reabre a conta. Se não foi " +
    "você, escolha uma nova senha logo em seguida.",
  "account_closed.action": "Reabrir conta",
};
