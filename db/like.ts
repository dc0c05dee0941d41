/**
 * Patterns of LIKE. Must not build a statement.
 *
 * @module
 */

/** The character that marks, in a pattern, one that stands for itself. Engines differ in the default. */
export const ESCAPE = "!";

/** The text as a part of a pattern that matches this text alone. */
export function likeLiteral(text: string): string {
  return text.replace(/[%_!]/g, (char) => ESCAPE + char);
}
