// Swatches for values of an attribute that is called colour; values that name no colour get none.

import { h } from "./dom.js";

const MIXED = "conic-gradient(#c62f35, #efc93c, #3c8a4e, #3b6fc4, #6f4694, #c62f35)";
const COLOURS = {
  black: "#1c1c1e", charcoal: "#3d4045", anthracite: "#3a3d42", grey: "#8d9096", gray: "#8d9096",
  silver: "#c0c2c6", white: "#ffffff", "off white": "#f4f0e6", ivory: "#f6f1df", ecru: "#ece2cc",
  cream: "#f3ead6", beige: "#dccbad", sand: "#d5c19b", nude: "#e3c1a8", stone: "#b8b0a2",
  taupe: "#8b7d70", mole: "#8a7c70", tan: "#c79f70", camel: "#bd8f5c", brown: "#7a5233",
  chocolate: "#4f3222", copper: "#a9643c", bronze: "#8a6a3a", rust: "#a94a26", gold: "#c39b3f",
  mustard: "#cf9b2c", yellow: "#efc93c", lemon: "#f5e573", apricot: "#f3b887", peach: "#f6c3a3",
  orange: "#e6812f", coral: "#f0785f", salmon: "#f29382", red: "#c62f35", "dark red": "#7d1d27",
  wine: "#6d1b2f", burgundy: "#6d1b2f", maroon: "#6a2028", pink: "#eda0b8", "light pink": "#f6cfd9",
  "dark pink": "#c8437c", rose: "#d98a97", fuchsia: "#cc2f83", magenta: "#c0267e", plum: "#5e2a4d",
  royal: "#2c4fa3", cobalt: "#1f4fa8", sky: "#9ccbec", petrol: "#1d5666", midnight: "#1b2140",
  bordeaux: "#6d1b2f", terracotta: "#c0694b", purple: "#6f4694", violet: "#7c54b0", lilac: "#bfa6dd", "lilac purple": "#a98bcb",
  lavender: "#c3b5e3", indigo: "#3b3a78", navy: "#1f2a4d", blue: "#3b6fc4", "light blue": "#a3c4ea",
  "dark blue": "#21386b", aqua: "#7fd0cf", turquoise: "#2fb3ab", teal: "#19716f", mint: "#b4e0c9",
  green: "#3c8a4e", "light green": "#a9d3a0", "dark green": "#224f38", lime: "#b5d334",
  olive: "#6f6f35", khaki: "#8f8657", "khaki green": "#6c6e45", denim: "#4a6790",
  multi: MIXED, multicolour: MIXED, multicolor: MIXED, multicoloured: MIXED, multicolored: MIXED,
};
// Names that stand behind a shade of theirs: "navy blue" is navy.
const BROAD = new Set(["black", "blue", "brown", "green", "grey", "gray", "orange", "pink", "purple", "red", "white", "yellow"]);
const LIGHTER = new Set(["light", "pale", "pastel", "soft"]);
const DARKER = new Set(["dark", "deep"]);
const COLOUR_NAME = /colou?r/i;

/** CSS of a value's swatch, or null. A longer name wins over a shorter one, then a shade, then the last word. */
export function swatchOf(attribute, value) {
  if (!COLOUR_NAME.test(attribute) || !value) return null;
  const words = value.toLowerCase().split(/[^\p{L}]+/u).filter(Boolean);
  for (let length = words.length; length > 1; length -= 1) {
    for (let from = words.length - length; from >= 0; from -= 1) {
      const colour = COLOURS[words.slice(from, from + length).join(" ")];
      if (colour) return shaded(colour, words.slice(0, from));
    }
  }
  const named = words.filter((word) => COLOURS[word]);
  const word = named.findLast((name) => !BROAD.has(name)) ?? named.at(-1);
  return word ? shaded(COLOURS[word], words.slice(0, words.lastIndexOf(word))) : null;
}

function shaded(colour, before) {
  if (colour === MIXED) return colour;
  if (LIGHTER.has(before.at(-1))) return `color-mix(in oklab, ${colour} 50%, white)`;
  if (DARKER.has(before.at(-1))) return `color-mix(in oklab, ${colour} 62%, black)`;
  return colour;
}

/** The swatch itself, or null where the value names no colour. */
export function swatch(attribute, value) {
  const colour = swatchOf(attribute, value);
  return colour && h("span", { class: "swatch", style: { background: colour } });
}

/** The swatch in a list, or its room, so that the names of all values start at one place. */
export function swatchInList(attribute, values, value) {
  const found = swatch(attribute, value);
  if (found || !values.some((other) => swatchOf(attribute, other))) return found;
  return h("span", { class: "swatch no-swatch" });
}
