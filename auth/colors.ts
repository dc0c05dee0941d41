/**
 * Shades of the operator's colour, so that text in this colour or on it is readable (WCAG 2.2, 1.4.3 and 1.4.11). Must
 * not know the text.
 *
 * @module
 */

/** Colours as #rrggbb. */
interface Palette {
  /** The colour itself, the background of a button. */
  accent: string;
  /** Text on the accent. */
  onAccent: string;
  /** Text and borders on a light background. */
  light: string;
  /** Text and borders on a dark background. */
  dark: string;
  /** Border of a button on a light background. */
  lightEdge: string;
  /** Border of a button on a dark background. */
  darkEdge: string;
}

/** Minimum contrast of text (WCAG 2.2, 1.4.3, level AA). */
export const LEAST_CONTRAST = 4.5;
/** The background with the lowest contrast of each colour scheme. */
const LIGHT_GROUND = "#f4f5f8", DARK_GROUND = "#1a1e26";
/** Maximum share of black or white. With more black a pale colour becomes another one; white has no limit. */
const MOST_BLACK = 0.5, MOST_WHITE = 1;
/** A button with less contrast to the page than this gets a border. */
const LEAST_EDGE = 1.6;

/** The shades of a colour. Throws an Error when the colour is too pale to be readable on white. */
export function paletteOf(accent: string): Palette {
  const light = readable(accent, "#000000", LIGHT_GROUND, MOST_BLACK);
  const dark = readable(accent, "#ffffff", DARK_GROUND, MOST_WHITE);
  return {
    accent,
    // One of the two is always readable: black or white has a contrast of at least 4.58 to any colour.
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
