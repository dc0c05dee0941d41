/**
 * The life of an account, in one go: what its parts prove one by one, holds together.
 *
 * @module
 */
import { runAccountLifecycle } from "../kit/account_lifecycle.ts";
import { PUBLIC_SETTINGS, test } from "../kit/service.ts";

test("one account goes through its whole lifecycle, from sign-up to erasure", runAccountLifecycle, PUBLIC_SETTINGS);
