/**
 * A reset of an account that may not be used, because its owner closed it or the operator disabled it. Nothing of it is
 * mailed, and a token that is left over sets no password.
 *
 * @module
 */
import assert from "node:assert/strict";
import { NO_MAIL_TEXT } from "../../auth/mail_kinds.ts";
import { getResetPasswordToken, requestPasswordReset, updatePassword } from "../../auth/account/reset_password.ts";
import { ANNA, mailTo, NEW_PASSWORD, outcome, PASSWORD, signUp } from "../kit/people.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

/** Set directly, so that nothing but the check of the account itself is left to refuse. */
const STATES = {
  closed: "UPDATE users SET closed_at = 1, purge_at = 9000000000000",
  disabled: "UPDATE users SET disabled_at = 1",
};

async function resetToken(service: Service): Promise<string> {
  if (service.auth.config.profile === "local") return await getResetPasswordToken(service.auth, ANNA);
  await requestPasswordReset(service.auth, ANNA);
  return (await mailTo(service, ANNA)).token;
}

for (const [state, sql] of Object.entries(STATES)) {
  for (const [profile, settings] of [["local", {}], ["public", PUBLIC_SETTINGS]] as const) {
    test(
      `a reset token of a ${state} account sets no password, and stays for later, ${profile} profile`,
      async (service) => {
        if (profile === "public") await signUp(service);
        else await service.register(ANNA, PASSWORD);
        const token = await resetToken(service);
        const before = await service.rows("SELECT hashed_password FROM users");
        await service.rows(sql);
        const form = { email: ANNA, reset_token: token, new_password: NEW_PASSWORD };
        assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form }), [403, "invalid_token"]);
        await assert.rejects(updatePassword(service.auth, token, NEW_PASSWORD), { code: "invalid_token" });
        assert.deepEqual(await service.rows("SELECT hashed_password FROM users"), before);
        await service.rows("UPDATE users SET closed_at = NULL, purge_at = NULL, disabled_at = NULL");
        assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form }), [200, null]);
      },
      settings,
    );
  }

  test(`no reset mail is asked for a ${state} account, and no token is made, public profile`, async (service) => {
    await signUp(service);
    await service.rows(sql);
    await requestPasswordReset(service.auth, ANNA);
    // The outbox would not send such a mail either, so look before it does.
    const tokens = await service.rows<{ user_id: string | null; email_key: string | null }>(
      "SELECT user_id, email_key FROM tokens WHERE purpose = 'reset'",
    );
    assert.deepEqual(tokens.map(({ user_id, email_key }) => [user_id, email_key]), [[null, null]]);
    const events = await service.rows<{ mail: string | null }>(
      "SELECT mail FROM events WHERE type = 'password_reset_requested'",
    );
    // It stands in the place of a mail, so that the outbox has equal work.
    assert.deepEqual(events.map(({ mail }) => mail), [NO_MAIL_TEXT]);
    assert.deepEqual(await service.mails(), []);
  }, PUBLIC_SETTINGS);

  test(`POST /reset_password hands out no token of a ${state} account, local profile`, async (service) => {
    await service.register(ANNA, PASSWORD);
    await service.rows(sql);
    const form = { email: ANNA };
    assert.deepEqual(await outcome(service, "POST", "/reset_password", { form }), [403, "unknown_email"]);
    assert.deepEqual(await service.rows("SELECT purpose FROM tokens"), []);
  });
}
