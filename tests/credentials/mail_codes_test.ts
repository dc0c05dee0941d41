/**
 * The 8-digit codes of mails: their form, their lifetime, how they are stored, and the limit of tries.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { randomCode } from "../../auth/credentials/mail_codes.ts";
import {
  ANNA,
  BERT,
  dump,
  HOUR,
  logIn,
  mailTo,
  MINUTE,
  NEW_PASSWORD,
  NOBODY,
  outcome,
  PASSWORD,
  signUp,
} from "../kit/people.ts";
import { PUBLIC_SETTINGS, type Service, test } from "../kit/service.ts";

/** A code that differs from this one. */
function wrong(code: string): string {
  return String((Number(code) + 1) % 100_000_000).padStart(8, "0");
}

async function resetCode(service: Service, email = ANNA): Promise<string> {
  await service.send("POST", "/reset_password", { email });
  return (await mailTo(service, email)).code;
}

function useReset(service: Service, code: string, email = ANNA, new_password = NEW_PASSWORD) {
  return outcome(service, "PUT", "/reset_password", { form: { email, code, new_password } });
}

Deno.test("codes are 8 digits, with leading zeros, and evenly spread", () => {
  const codes = Array.from({ length: 10_000 }, randomCode);
  assert.ok(codes.every((code) => /^\d{8}$/.test(code)));
  for (let place = 0; place < 8; place++) {
    const counts = Array(10).fill(0);
    for (const code of codes) counts[Number(code[place])]++;
    // 1,000 of each are expected, with a standard deviation of 30; seven deviations are allowed.
    assert.ok(counts.every((count) => count > 790 && count < 1_210), `place ${place}: ${counts}`);
  }
  assert.ok(new Set(codes).size > 9_980);
});

test("a code is valid for 10 minutes after its mail was sent, the link for longer", async (service) => {
  await signUp(service);
  await service.send("POST", "/reset_password", { email: ANNA });
  service.clock.now += 5 * MINUTE;
  const { code, token } = await mailTo(service, ANNA);
  service.clock.now += 10 * MINUTE;
  assert.deepEqual(await useReset(service, code), [403, "invalid_token"]);
  service.clock.now -= 1;
  assert.deepEqual(await useReset(service, code), [200, null]);
  assert.deepEqual(await useReset(service, code), [403, "invalid_token"]);
  const form = { email: ANNA, reset_token: token, new_password: PASSWORD };
  assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form }), [403, "invalid_token"]);
}, PUBLIC_SETTINGS);

test(
  "S26: the database holds neither codes nor their plain hashes, and no stored value works as a code",
  async (service) => {
    await signUp(service);
    const code = await resetCode(service);
    const [row] = await service.rows<{ code_hash: string; subject: string }>(
      "SELECT * FROM tokens WHERE purpose = 'reset'",
    );
    const left = await dump(service);
    for (const text of [code, `reset\n${row.subject}\n${code}`, `${row.subject}${code}`]) {
      for (const encoding of ["hex", "base64", "base64url"] as const) {
        assert.ok(!left.includes(createHash("sha256").update(text).digest(encoding)));
      }
    }
    assert.ok(!left.replaceAll(/\d{9,}/g, "").includes(code));
    assert.deepEqual(await useReset(service, row.code_hash.slice(0, 32)), [403, "invalid_token"]);
  },
  PUBLIC_SETTINGS,
);

test("the hash of a code is keyed with the stored key, and no code is hashed without one", async (service) => {
  await signUp(service);
  const code = await resetCode(service);
  const [{ secret }] = await service.rows<{ secret: string }>("SELECT secret FROM keys WHERE purpose = 'code'");
  const [row] = await service.rows<{ subject: string; code_hash: string }>(
    "SELECT subject, code_hash FROM tokens WHERE purpose = 'reset'",
  );
  const keyed = (key: string) => createHmac("sha256", key).update(`reset\n${row.subject}\n${code}`).digest("base64url");
  assert.ok(secret.length >= 43, "the key has 256 random bits");
  assert.equal(row.code_hash, keyed(secret));
  // Whoever reads the database without the key must not find the code among 10^8: not with an empty or a known key.
  for (const guessed of ["", "code", "code-1", row.subject]) assert.notEqual(row.code_hash, keyed(guessed));
  // A hash under an empty key is refused, so that nobody who writes to the table can make a code.
  await service.rows("UPDATE tokens SET code_hash = $1 WHERE purpose = 'reset'", keyed(""));
  assert.deepEqual(await useReset(service, code), [403, "invalid_token"]);
  await service.rows("UPDATE tokens SET code_hash = $1 WHERE purpose = 'reset'", keyed(secret));
  assert.deepEqual(await useReset(service, code), [200, null]);
}, PUBLIC_SETTINGS);

test("S51: an account has five tries, over all mails, purposes, networks and instances", async (service) => {
  await signUp(service);
  const { session } = await logIn(service);
  const other = await service.another();
  const statuses = [];
  for (let index = 0; index < 5; index++) {
    const code = index % 2 === 0 ? await resetCode(service) : "00000000";
    const on = index % 2 === 0 ? service : other;
    const ip = `192.0.2.${index}`;
    const path = ["/reset_password", "/verify_email", "/change_email"][index % 3];
    const form = { email: ANNA.toUpperCase(), code: wrong(code), new_password: NEW_PASSWORD };
    statuses.push((await outcome(on, "PUT", path, { form, ip, session }))[0]);
  }
  assert.deepEqual(statuses, Array(5).fill(403));
  service.clock.now += 10 * MINUTE;
  const code = await resetCode(service);
  const form = { email: ANNA, code, new_password: NEW_PASSWORD };
  const refused = await service.request("PUT", "/reset_password", { form });
  assert.deepEqual([refused.status, refused.headers.get("error-code")], [429, "too_many_attempts"]);
  assert.equal(refused.headers.get("retry-after"), String(50 * 60));
  service.clock.now += 50 * MINUTE;
  assert.deepEqual(await useReset(service, await resetCode(service)), [200, null]);
}, PUBLIC_SETTINGS);

test(
  "S51: a right code or link resets the tries, and a wrong address uses up nobody else's",
  async (service) => {
    await signUp(service);
    await signUp(service, BERT);
    for (let round = 0; round < 2; round++) {
      const code = await resetCode(service);
      for (let tries = 0; tries < 4; tries++) {
        assert.deepEqual(await useReset(service, wrong(code)), [403, "invalid_token"]);
      }
      assert.deepEqual(await useReset(service, code), [200, null]);
      service.clock.now += 11 * MINUTE;
    }
    for (let tries = 0; tries < 6; tries++) await useReset(service, "00000000");
    const code = await resetCode(service, BERT);
    assert.deepEqual(await useReset(service, code, ANNA), [429, "too_many_attempts"]);
    assert.deepEqual(await useReset(service, code, BERT), [200, null]);
    // The link is not counted: the reader of the mail can always use it, whatever strangers do.
    await service.send("POST", "/reset_password", { email: ANNA });
    const { token } = await mailTo(service, ANNA);
    const form = { email: ANNA, reset_token: token, new_password: PASSWORD };
    assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form }), [200, null]);
  },
  PUBLIC_SETTINGS,
);

test("S51: tries are counted the same for unknown addresses, and a counter ends after an hour", async (service) => {
  for (let tries = 0; tries < 5; tries++) {
    assert.deepEqual(await useReset(service, "00000000", NOBODY), [403, "invalid_token"]);
  }
  assert.deepEqual(await useReset(service, "00000000", NOBODY), [429, "too_many_attempts"]);
  service.clock.now += HOUR;
  assert.deepEqual(await useReset(service, "00000000", NOBODY), [403, "invalid_token"]);
}, PUBLIC_SETTINGS);

test("S51, V37: of 50 concurrent wrong codes at most five are compared", async (service) => {
  await signUp(service);
  const code = await resetCode(service);
  const other = await service.another();
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, index) => useReset([service, other][index % 2], wrong(code))),
  );
  assert.equal(results.filter(([status]) => status === 403).length, 5);
  assert.equal(results.filter(([status]) => status === 429).length, 45);
}, PUBLIC_SETTINGS);

test("a weak new password does not use up a try of the right code", async (service) => {
  await signUp(service);
  const code = await resetCode(service);
  for (let tries = 0; tries < 6; tries++) {
    assert.deepEqual(await useReset(service, code, ANNA, "short"), [400, "weak_password"]);
  }
  assert.deepEqual(await useReset(service, code), [200, null]);
}, PUBLIC_SETTINGS);

test("registrations by others for the same address do not displace a code", async (service) => {
  await service.register(ANNA, PASSWORD);
  const { code } = await mailTo(service, ANNA);
  for (let index = 0; index < 12; index++) {
    service.clock.now += 1;
    const form = { email: ANNA, password: `somebody else's ${index}` };
    assert.deepEqual(await outcome(service, "POST", "/users", { form, ip: "192.0.2.1" }), [200, null]);
  }
  await service.mails();
  assert.deepEqual(await outcome(service, "PUT", "/verify_email", { form: { email: ANNA, code } }), [200, null]);
}, PUBLIC_SETTINGS);
