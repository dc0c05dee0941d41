/**
 * The floor: a bare `Deno.serve` that looks nothing up.
 *
 * @module
 */
import { answer, serve } from "./bare_answers.ts";

serve(() => answer({ email: "bob@example.com" }, 200, false));
