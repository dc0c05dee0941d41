/**
 * The lower bound: a bare `Deno.serve` without any lookup.
 *
 * @module
 */
import { answer, serve } from "./bare_answers.ts";

serve(() => answer({ email: "bob@example.com" }, 200, false));
