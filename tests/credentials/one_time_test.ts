/**
 * Every token and code of a mail works once, for its purpose, its owner and its lifetime: any single fault is enough to
 * refuse it.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  ANNA,
  BERT,
  type Browser,
  dump,
  logIn,
  mailTo,
  NEW_PASSWORD,
  outcome,
  PASSWORD,
  signUp,
} from "../kit/people.ts";
import { PUBLIC_SETTINGS, type RequestOptions, type Service, test } from "../kit/service.ts";

/** A kind of token, how it is mailed and how it is used. */
interface Kind {
  /** Makes the mail and returns its token and code. */
  make(service: Service, anna: Browser): Promise<{ token: string; code: string }>;
  /** The request that uses the token. */
  use: [method: string, path: string, field: string, more: Record<string, string>];
  /** Whether the mail has a code, which is used with the address or with the session. */
  code?: "email" | "session";
  /** Lifetime after the sending, in milliseconds. */
  lifetime: number;
}

const MINUTE = 60_000, DAY = 1_440 * MINUTE;
const NEW = "anna@example.org";
const REGISTERING = "new@example.com";

const KINDS: Record<string, Kind> = {
  register: {
    make: async (service) => {
      await service.register(REGISTERING, PASSWORD);
      return await mailTo(service, REGISTERING);
    },
    use: ["PUT", "/verify_email", "verification_token", {}],
    code: "email",
    lifetime: DAY,
  },
  verify: {
    make: async (service) => {
      await service.rows("UPDATE users SET email_verified_at = NULL WHERE email_key = $1", ANNA);
      await service.send("POST", "/verify_email", { email: ANNA });
      return await mailTo(service, ANNA);
    },
    use: ["PUT", "/verify_email", "verification_token", {}],
    code: "email",
    lifetime: DAY,
  },
  reset: {
    make: async (service) => {
      await service.send("POST", "/reset_password", { email: ANNA });
      return await mailTo(service, ANNA);
    },
    use: ["PUT", "/reset_password", "reset_token", { email: ANNA, new_password: NEW_PASSWORD }],
    code: "email",
    lifetime: 30 * MINUTE,
  },
  change_email: {
    make: async (service, { session }) => {
      await service.send("POST", "/change_email", { new_email: NEW, password: PASSWORD }, session);
      return await mailTo(service, NEW);
    },
    use: ["PUT", "/change_email", "change_token", {}],
    code: "session",
    lifetime: DAY,
  },
  undo: {
    make: async (service) => {
      await logIn(service);
      return await mailTo(service, ANNA);
    },
    use: ["POST", "/undo", "undo_token", {}],
    lifetime: 3 * DAY,
  },
  reopen: {
    make: async (service, { session }) => {
      await service.send("DELETE", "/account", { password: PASSWORD }, session);
      return await mailTo(service, ANNA);
    },
    use: ["POST", "/reopen", "reopen_token", {}],
    lifetime: 14 * DAY,
  },
};

/** Anna, logged in, and the token and code of this kind of mail. */
async function prepared(service: Service, kind: Kind): Promise<{ token: string; code: string; anna: Browser }> {
  await signUp(service);
  const anna = await logIn(service);
  return { ...await kind.make(service, anna), anna };
}

function using({ use: [method, path, field, more] }: Kind, token: string): [string, string, RequestOptions] {
  return [method, path, { form: { ...more, [field]: token } }];
}

for (const [name, kind] of Object.entries(KINDS)) {
  test(
    `V08, S24: of 50 concurrent uses of one ${name} token on two instances exactly one succeeds`,
    async (service) => {
      const { token } = await prepared(service, kind);
      const instances = [service, await service.another()];
      const results = await Promise.all(
        Array.from({ length: 50 }, (_, index) => outcome(instances[index % 2], ...using(kind, token))),
      );
      assert.equal(results.filter(([status]) => status === 200).length, 1, JSON.stringify(results));
      assert.ok(results.every(([status]) => [200, 403, 503].includes(status)), JSON.stringify(results));
    },
    PUBLIC_SETTINGS,
  );

  if (kind.code) {
    test(
      `V08, S24: of 50 concurrent uses of one ${name} code on two instances exactly one succeeds`,
      async (service) => {
        const { code, anna } = await prepared(service, kind);
        const instances = [service, await service.another()];
        const [method, path, , more] = kind.use;
        const email = name === "register" ? REGISTERING : ANNA;
        const options = {
          form: { ...more, code, ...(kind.code === "email" && { email }) },
          ...(kind.code === "session" && { session: anna.session }),
        };
        const results = await Promise.all(
          Array.from({ length: 50 }, (_, index) => outcome(instances[index % 2], method, path, options)),
        );
        assert.equal(results.filter(([status]) => status === 200).length, 1, JSON.stringify(results));
        assert.ok(results.every(([status]) => [200, 403, 429, 503].includes(status)), JSON.stringify(results));
      },
      PUBLIC_SETTINGS,
    );
  }

  test(`S27, V55: a ${name} token with any single fault is refused, and the right one stays valid`, async (service) => {
    const { token } = await prepared(service, kind);
    const last = token.at(-1) === "A" ? "E" : "A";
    const swapped = token.replace(
      /[a-z]/i,
      (letter) => letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase(),
    );
    const stored = await service.rows<{ secret_hash: string }>("SELECT secret_hash FROM tokens");
    const faults = [
      ...["null", "None", "undefined", "0", token.slice(0, -1), `${token}A`, `${token}=`, token.slice(0, -1) + last],
      ...[swapped, ` ${token}`, `${token}%00`, ...stored.map((row) => row.secret_hash)],
    ];
    for (const fault of faults) {
      assert.deepEqual(await outcome(service, ...using(kind, fault)), [403, "invalid_token"], fault);
    }
    const [method, path, options] = using(kind, "");
    assert.deepEqual(await outcome(service, method, path, options), [400, "invalid_field"]);
    // As a token of another purpose.
    for (const [otherName, other] of Object.entries(KINDS)) {
      if (other.use[1] === kind.use[1]) continue;
      const [status] = await outcome(service, ...using(other, token));
      assert.equal(status, 403, `as ${otherName}`);
    }
    // After its lifetime.
    service.clock.now += kind.lifetime;
    assert.deepEqual(await outcome(service, ...using(kind, token)), [403, "invalid_token"], "late");
    service.clock.now -= 1;
    assert.deepEqual(await outcome(service, ...using(kind, token)), [200, null]);
    assert.deepEqual(await outcome(service, ...using(kind, token)), [403, "invalid_token"], "again");
  }, PUBLIC_SETTINGS);

  test(`S25, S26: neither the database nor the log holds the ${name} token or its code`, async (service) => {
    const { token, code } = await prepared(service, kind);
    assert.match(token, /^[\w-]{43}$/);
    assert.equal(code.length, kind.code ? 8 : 0);
    const left = await dump(service) + JSON.stringify(service.logged);
    assert.ok(!left.includes(token));
    if (code) assert.ok(!left.replaceAll(/\d{9,}/g, "").includes(code));
  }, PUBLIC_SETTINGS);
}

test("V55: a code is refused with another address, another purpose or another user's session", async (service) => {
  await signUp(service, BERT);
  const bert = await logIn(service, BERT);
  const { code, anna } = await prepared(service, KINDS.change_email);
  const tries: [string, string, RequestOptions][] = [
    ["PUT", "/change_email", { form: { code }, session: bert.session }],
    ["PUT", "/verify_email", { form: { code, email: NEW } }],
    ["PUT", "/verify_email", { form: { code, email: ANNA } }],
    ["PUT", "/reset_password", { form: { code, email: ANNA, new_password: NEW_PASSWORD } }],
  ];
  for (const [method, path, options] of tries) {
    assert.deepEqual(await outcome(service, method, path, options), [403, "invalid_token"], path);
  }
  const right = { form: { code }, session: anna.session };
  assert.deepEqual(await outcome(service, "PUT", "/change_email", right), [200, null]);
}, PUBLIC_SETTINGS);

test("V55: a token or code of one's own with somebody else's address is refused", async (service) => {
  await signUp(service, BERT);
  const { token, code } = await prepared(service, KINDS.reset);
  for (const [name, proof] of [["reset_token", token], ["code", code]]) {
    const form = { [name]: proof, email: BERT, new_password: NEW_PASSWORD };
    assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form }), [403, "invalid_token"]);
  }
  const registration = await KINDS.register.make(service, { session: "", device: "" });
  for (const email of [ANNA, BERT, "else@example.com"]) {
    const form = { code: registration.code, email };
    assert.deepEqual(await outcome(service, "PUT", "/verify_email", { form }), [403, "invalid_token"]);
  }
  const right = { form: { code: registration.code, email: REGISTERING } };
  assert.deepEqual(await outcome(service, "PUT", "/verify_email", right), [200, null]);
  for (const email of [ANNA, BERT]) await logIn(service, email);
}, PUBLIC_SETTINGS);

test("S27, S28: a new reset ends the old one, and a new password ends links that were sent", async (service) => {
  const { token, anna } = await prepared(service, KINDS.reset);
  const second = await KINDS.reset.make(service, anna);
  assert.deepEqual(await outcome(service, ...using(KINDS.reset, token)), [403, "invalid_token"]);
  const moving = await KINDS.change_email.make(service, anna);
  const form = { current_password: PASSWORD, new_password: "staple horse battery" };
  assert.deepEqual(await outcome(service, "PUT", "/password", { form, session: anna.session }), [200, null]);
  assert.deepEqual(await outcome(service, ...using(KINDS.reset, second.token)), [403, "invalid_token"]);
  assert.deepEqual(await outcome(service, ...using(KINDS.change_email, moving.token)), [403, "invalid_token"]);
}, PUBLIC_SETTINGS);

test(
  "S29, S31: a reset in public sets no cookie, and refuses a right token with another user's address",
  async (service) => {
    await signUp(service, BERT);
    const { token } = await prepared(service, KINDS.reset);
    const form = { email: BERT, reset_token: token, new_password: NEW_PASSWORD };
    assert.deepEqual(await outcome(service, "PUT", "/reset_password", { form }), [403, "invalid_token"]);
    const response = await service.request("PUT", "/reset_password", { json: { ...form, email: ANNA } });
    assert.deepEqual([response.status, response.headers.getSetCookie()], [200, []]);
    await logIn(service, ANNA, NEW_PASSWORD);
  },
  PUBLIC_SETTINGS,
);
