/**
 * The life of an account, in one go: what its parts prove one by one, holds together.
 *
 * @module
 */
import { liveAccount } from "../kit/life.ts";
import { PUBLIC_SETTINGS, test } from "../kit/service.ts";

test("an account's life, from sign-up to erasure", liveAccount, PUBLIC_SETTINGS);
