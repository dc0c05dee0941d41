/**
 * One account goes through all its states in one test: what the other tests prove one by one also works together.
 *
 * @module
 */
import { runAccountLifecycle } from "../kit/account_lifecycle.ts";
import { PUBLIC_SETTINGS, test } from "../kit/service.ts";

test("one account goes through its whole lifecycle, from sign-up to erasure", runAccountLifecycle, PUBLIC_SETTINGS);
