/**
 * The table "In code" of the classic contract: the exercise's functions, called without HTTP.
 *
 * @module
 */
import assert from "node:assert/strict";
import { registerUser } from "../../auth/account/register.ts";
import { getResetPasswordToken, updatePassword } from "../../auth/account/reset_password.ts";
import { hashPassword } from "../../auth/credentials/passwords.ts";
import { getUserFromSessionId } from "../../auth/sign_in/current_user.ts";
import { createSession, destroySessions, validLogin } from "../../auth/sign_in/exercise.ts";
import { destroySession } from "../../auth/sign_in/sessions.ts";
import { addUser, findUserBy, updateUser } from "../../db/users.ts";
import { test } from "../kit/service.ts";

const EMAIL = "guillaume@holberton.io";
const ROW = { id: "user-1", email: "Bob@x.test", email_key: "bob@x.test", hashed_password: "x", created_at: 1 };
/** The columns that a new user has no value for. */
const UNSAID = {
  closed_at: null,
  device_mark: null,
  disabled_at: null,
  email_changes: 0,
  email_verified_at: null,
  frozen_at: null,
  locale: null,
  name: null,
  purge_at: null,
  signed_in_at: null,
};

test("addUser adds a row and returns it, or returns undefined for a taken address", async ({ auth: { db } }) => {
  const user = await addUser(db, ROW);
  assert.deepEqual({ ...user }, { ...ROW, ...UNSAID, updated_at: 1 });
  assert.equal(await addUser(db, { ...ROW, id: "user-2" }), undefined);
  assert.deepEqual((await findUserBy(db, { email_key: ROW.email_key }))?.id, "user-1");
});

test("findUserBy returns the user that matches all values, or undefined", async ({ auth: { db } }) => {
  await addUser(db, ROW);
  assert.equal((await findUserBy(db, { id: "user-1" }))?.email, "Bob@x.test");
  assert.equal((await findUserBy(db, { id: "user-1", email_key: "bob@x.test" }))?.email, "Bob@x.test");
  assert.equal(await findUserBy(db, { id: "user-1", email_key: "eve@x.test" }), undefined);
  assert.equal(await findUserBy(db, { id: "user-2" }), undefined);
});

test("V69: findUserBy and updateUser never match a missing value", async ({ auth: { db } }) => {
  await addUser(db, { ...ROW, hashed_password: null });
  const untyped = findUserBy as (db: unknown, key: unknown) => Promise<unknown>;
  assert.equal(await untyped(db, { email_key: null }), undefined);
  await assert.rejects(untyped(db, { email_key: undefined }), TypeError);
  await assert.rejects(untyped(db, {}), TypeError);
  await assert.rejects(untyped(db, { email_key: ["bob@x.test"] }), TypeError);
  assert.equal(await updateUser(db, "undefined", { email: "eve@x.test" }), false);
});

test("updateUser changes only the given columns of one user", async ({ auth: { db } }) => {
  await addUser(db, ROW);
  await addUser(db, { ...ROW, id: "user-2", email_key: "eve@x.test" });
  assert.equal(await updateUser(db, "user-1", { hashed_password: "y", updated_at: 2 }), true);
  const changed = await findUserBy(db, { id: "user-1" });
  assert.deepEqual({ ...changed }, { ...ROW, ...UNSAID, hashed_password: "y", updated_at: 2 });
  assert.equal((await findUserBy(db, { id: "user-2" }))?.hashed_password, "x");
  assert.equal(await updateUser(db, "user-3", { hashed_password: "y" }), false);
});

test("S14: an unknown column throws and never reaches the database", async (service) => {
  const { auth } = service;
  await addUser(auth.db, ROW);
  const statements: string[] = [];
  const listening = new Proxy(auth.db, {
    get: (db, verb) => (sql: string, ...values: string[]) => {
      statements.push(sql);
      return (Reflect.get(db, verb) as (sql: string, ...values: string[]) => unknown).call(db, sql, ...values);
    },
  });
  const names = [
    "password",
    "session_id",
    "hashed_password = 'x', email",
    "email_key = '' OR 1=1 --",
    'id" = id --',
    "1=1; DROP TABLE users; --",
    "EMAIL_KEY",
    "email_key ",
    "constructor",
    "toString",
    "",
    "$1",
  ];
  for (const name of names) {
    await assert.rejects(findUserBy(listening, { [name]: "x" } as never), TypeError, name);
    await assert.rejects(findUserBy(listening, { id: "user-1", [name]: "x" } as never), TypeError, name);
    await assert.rejects(updateUser(listening, "user-1", { [name]: "x" } as never), TypeError, name);
    await assert.rejects(updateUser(listening, "user-1", { email: "x", [name]: "x" } as never), TypeError, name);
  }
  // One column may be searched but never changed, the other changed but never searched, because it has no index.
  await assert.rejects(updateUser(listening, "user-1", { id: "user-2" } as never), TypeError);
  await assert.rejects(findUserBy(listening, { email: "Bob@x.test" } as never), TypeError);
  assert.deepEqual(statements, []);
  assert.equal((await findUserBy(listening, { id: "user-1" }))?.email, "Bob@x.test");
  assert.equal(statements.length, 1, "the listener hears what does reach the database");
});

test("S14: values that look like SQL stay values", async ({ auth }) => {
  await registerUser(auth, EMAIL, "b4l0u");
  for (const value of ["' OR '1'='1", "'; DROP TABLE users; --", "$1", "?1", "\\", '"', "x' /*"]) {
    assert.equal(await findUserBy(auth.db, { email_key: value }), undefined);
    assert.equal(await validLogin(auth, value, "b4l0u"), false);
    assert.equal(await validLogin(auth, EMAIL, value), false);
    assert.equal(await getUserFromSessionId(auth, value), undefined);
    await updateUser(auth.db, (await findUserBy(auth.db, { email_key: EMAIL }))!.id, { email: value });
    assert.equal((await findUserBy(auth.db, { email_key: EMAIL }))?.email, value);
  }
});

test("hashPassword returns a salted bcrypt hash of the set cost", async ({ auth }) => {
  const [one, two] = [await hashPassword(auth, "b4l0u"), await hashPassword(auth, "b4l0u")];
  assert.match(one, /^\$2b\$04\$[./A-Za-z0-9]{53}$/);
  assert.notEqual(one, two);
});

test("registerUser returns the user, and throws the exercise's message for a taken address", async ({ auth }) => {
  const user = await registerUser(auth, "Guillaume@holberton.io", "b4l0u");
  assert.equal(user?.email, "Guillaume@holberton.io");
  assert.deepEqual(Object.keys(user!).sort(), ["email", "id"]);
  await assert.rejects(registerUser(auth, EMAIL, "other"), {
    name: "AuthError",
    code: "email_taken",
    message: `User ${EMAIL} already exists`,
  });
});

test("validLogin returns true or false for any input", async ({ auth }) => {
  await registerUser(auth, EMAIL, "b4l0u");
  assert.equal(await validLogin(auth, EMAIL, "b4l0u"), true);
  for (
    const [email, password] of [
      [EMAIL, "wrong"],
      [EMAIL, ""],
      [EMAIL, "\ud800"],
      [EMAIL, "x".repeat(100_000)],
      ["unknown@x.test", "b4l0u"],
      ["", "b4l0u"],
      ["\0", "b4l0u"],
      ["x".repeat(100_000), "b4l0u"],
    ]
  ) assert.equal(await validLogin(auth, email, password), false);
});

test("createSession returns an id that finds the user, and undefined for an unknown address", async ({ auth }) => {
  const user = await registerUser(auth, EMAIL, "b4l0u");
  const session = await createSession(auth, EMAIL);
  assert.equal((await getUserFromSessionId(auth, session))?.id, user?.id);
  assert.equal(await createSession(auth, "unknown@x.test"), undefined);
  assert.equal(await createSession(auth, "@"), undefined);
  assert.equal(await getUserFromSessionId(auth, undefined), undefined);
  assert.equal(await getUserFromSessionId(auth, "nope"), undefined);
});

test("destroySession ends one session, and destroySessions ends all sessions of a user", async ({ auth }) => {
  const user = await registerUser(auth, EMAIL, "b4l0u");
  const [one, two, three] = [
    await createSession(auth, EMAIL),
    await createSession(auth, EMAIL),
    await createSession(auth, EMAIL),
  ];
  assert.equal(await destroySession(auth, one), true);
  assert.equal(await destroySession(auth, one), false);
  assert.equal(await destroySession(auth, undefined), false);
  assert.equal(await getUserFromSessionId(auth, one), undefined);
  assert.equal((await getUserFromSessionId(auth, two))?.id, user?.id);
  assert.equal(await destroySessions(auth, user!.id), 2);
  assert.equal(await getUserFromSessionId(auth, three), undefined);
});

test("getResetPasswordToken and updatePassword set a password once, and throw for unknown input", async ({ auth }) => {
  await registerUser(auth, EMAIL, "b4l0u");
  await assert.rejects(getResetPasswordToken(auth, "unknown@x.test"), { name: "AuthError", code: "unknown_email" });
  await assert.rejects(getResetPasswordToken(auth, "@"), { name: "AuthError", code: "unknown_email" });
  const token = await getResetPasswordToken(auth, EMAIL);
  await assert.rejects(updatePassword(auth, "nope", "x"), { name: "AuthError", code: "invalid_token" });
  await assert.rejects(updatePassword(auth, token, ""), { name: "AuthError", code: "invalid_password" });
  await updatePassword(auth, token, "t4rt1fl3tt3");
  assert.equal(await validLogin(auth, EMAIL, "t4rt1fl3tt3"), true);
  assert.equal(await validLogin(auth, EMAIL, "b4l0u"), false);
  await assert.rejects(updatePassword(auth, token, "again"), { name: "AuthError", code: "invalid_token" });
});
