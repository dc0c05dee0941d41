/**
 * The shades that pages make of the one colour that an operator sets, so that all that is written in it or on it can be
 * read (WCAG 2.2, 1.4.3 and 1.4.11). Must not know what is written.
 *
 * @module
 */

/** Colours as #rrggbb. */
export interface Palette {
  /** The colour itself: below the words of a button. */
  accent: string;
  /** The words on it. */
  onAccent: string;
  /** Words and frames in it on light ground. */
  light: string;
  /** Words and frames in it on dark ground. */
  dark: string;
  /** The frame of a button on light ground. */
  lightEdge: string;
  /** The frame of a button on dark ground. */
  darkEdge: string;
}

/** Least contrast of text (WCAG 2.2, 1.4.3, level AA). */
export const LEAST_CONTRAST = 4.5;
/** The grounds that words in the colour stand on: the hardest one of each scheme. */
export const LIGHT_GROUND = "#f4f5f8", DARK_GROUND = "#1a1e26";
/** Beyond this share of black a pale colour is another one; a dark one may be as light as it must. */
const MOST_BLACK = 0.5, MOST_WHITE = 1;
/** A button whose ground is nearer to the page than this gets a frame. */
const LEAST_EDGE = 1.6;

/** The shades of a colour. Throws an Error when it is so pale that nothing in it could be read on white. */
export function paletteOf(accent: string): Palette {
  const light = readable(accent, "#000000", LIGHT_GROUND, MOST_BLACK);
  const dark = readable(accent, "#ffffff", DARK_GROUND, MOST_WHITE);
  return {
    accent,
    // One of the two always can be read: no colour is nearer than 4.58 to both.
    onAccent: contrast(accent, "#ffffff") >= LEAST_CONTRAST ? "#ffffff" : "#000000",
    light,
    dark,
    lightEdge: contrast(accent, LIGHT_GROUND) < LEAST_EDGE ? light : accent,
    darkEdge: contrast(accent, DARK_GROUND) < LEAST_EDGE ? dark : accent,
  };
}

/** The contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio"). */
export function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function readable(color: string, towards: string, ground: string, most: number): string {
  for (let share = 0; share <= most; share += 0.05) {
    const shade = mix(color, towards, share);
    if (contrast(shade, ground) >= LEAST_CONTRAST) return shade;
  }
  throw new Error(`"${color}" is too pale: words in it could not be read; write a darker colour`);
}

function mix(color: string, towards: string, share: number): string {
  const parts = channels(color).map((part, index) => part + (channels(towards)[index] - part) * share);
  return "#" + parts.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("");
}

function luminance(color: string): number {
  const [red, green, blue] = channels(color).map((part) => part / 255).map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function channels(color: string): number[] {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
}
