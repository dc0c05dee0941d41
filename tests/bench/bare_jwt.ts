/**
 * The check of a JSON Web Token, which asks no database and cannot be taken back: Hono, one cookie, the signature and the
 * end by jose with an imported key, the service's headers. Arguments: the algorithm, the number of tokens, and the file
 * that gets them as cookies.
 *
 * @module
 */
import { Hono } from "hono";
import { parse } from "hono/utils/cookie";
import { answer, serve } from "./bare_answers.ts";

// Imported by variable: only the deno.json of this folder has the package.
const [name] = ["jose"];
const { generateKeyPair, generateSecret, jwtVerify, SignJWT } = await import(name);

const [algorithm, count, file] = Deno.args;
const secret = algorithm.startsWith("HS") ? await generateSecret(algorithm) : undefined;
const { privateKey, publicKey } = secret ? { privateKey: secret, publicKey: secret } : await generateKeyPair(algorithm);
const options = { algorithms: [algorithm], requiredClaims: ["exp"] };

const cookies: string[] = [];
for (let index = 0; index < Number(count); index++) {
  const token = await new SignJWT({ email: `person${index}@example.com` })
    .setProtectedHeader({ alg: algorithm }).setSubject(crypto.randomUUID()).setIssuedAt().setExpirationTime("1d")
    .sign(privateKey);
  cookies.push(`token=${token}\n`);
}
await Deno.writeTextFile(file, cookies.join(""));

const app = new Hono();
app.get("/profile", async (c) => {
  const { token = "" } = parse(c.req.header("cookie") ?? "", "token");
  try {
    const { payload } = await jwtVerify(token, publicKey, options);
    return answer({ email: payload.email }, 200, true);
  } catch {
    return answer({ message: "not logged in" }, 403, true);
  }
});
serve(app.fetch);
