/**
 * `/users`: registering.
 *
 * @module
 */
import { Hono } from "hono";
import * as z from "zod";
import { registerUser } from "../../auth/account/register.ts";
import type { Auth } from "../../auth/auth.ts";
import { answer, type RequestEnv } from "../http/answers.ts";
import { callerOf } from "../http/caller.ts";
import { emailField, passwordField, readInput } from "../http/input.ts";

/**
 * What registering takes.
 *
 * @internal
 */
export const RegisterUser = z.object({ email: emailField, password: passwordField });

/**
 * `POST /users`.
 *
 * @internal
 */
export function users(auth: Auth): Hono<RequestEnv> {
  return new Hono<RequestEnv>().post("/", async (c) => {
    const { email, password } = await readInput(c, RegisterUser);
    await registerUser(auth, email, password, callerOf(auth, c));
    return answer(c, { email, message: "user created" });
  });
}
