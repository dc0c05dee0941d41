/**
 * The stored form of a token. Databases have it from every version, so it must never change.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { hashToken, randomToken } from "../../auth/secrets.ts";

Deno.test("S38: the stored form of a token is its SHA-256 as base64url, without padding", () => {
  // FIPS 180-4, the message "abc".
  assert.equal(hashToken("abc"), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
  for (const token of ["", "ä", "x".repeat(1_000), ...Array.from({ length: 1_000 }, randomToken)]) {
    assert.equal(hashToken(token), createHash("sha256").update(token).digest("base64url"));
  }
});

Deno.test("S38: two hashes in a row do not disturb each other", () => {
  const [one, other] = [randomToken(), randomToken()];
  const [first, second] = [hashToken(one), hashToken(other)];
  assert.notEqual(first, second);
  assert.deepEqual([first, second], [hashToken(one), hashToken(other)]);
});
