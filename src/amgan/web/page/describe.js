// Words for items and attributes.

import { capital } from "./dom.js";

const TITLE_FIELDS = ["title", "name", "product_name", "prod_name"];
const ADDRESS_FIELDS = ["url", "link", "product_url"];
const ASIDE_FIELDS = ["price", "brand"];

// Swatches for values of an attribute that is called colour; values without one get none.
const SWATCHES = {
  black: "#1c1c1e", white: "#ffffff", "off white": "#f4f0e6", grey: "#8d9096", gray: "#8d9096",
  "light grey": "#c9cbcf", "dark grey": "#54575c", silver: "#c0c2c6", blue: "#3b6fc4",
  "light blue": "#a3c4ea", "dark blue": "#21386b", navy: "#1f2a4d", turquoise: "#2fb3ab",
  teal: "#19716f", red: "#c62f35", "dark red": "#7d1d27", burgundy: "#6d1b2f", pink: "#eda0b8",
  "light pink": "#f6cfd9", "dark pink": "#c8437c", purple: "#6f4694", lilac: "#bfa6dd",
  green: "#3c8a4e", "light green": "#a9d3a0", "dark green": "#224f38", olive: "#6f6f35",
  khaki: "#8f8657", beige: "#dccbad", cream: "#f3ead6", brown: "#7a5233", camel: "#bd8f5c",
  orange: "#e6812f", yellow: "#efc93c", gold: "#c39b3f", mustard: "#cf9b2c", coral: "#f0785f",
};

export function swatchOf(attribute, value) {
  return /colou?r/i.test(attribute) && value ? (SWATCHES[value.toLowerCase()] ?? null) : null;
}

/** A short title: the item's own, else its first attributes. */
export function titleOf(item) {
  for (const name of TITLE_FIELDS) if (item.fields?.[name]) return item.fields[name];
  const values = Object.entries(item.attributes ?? {})
    .map(([, value]) => value)
    .filter((value) => value && value !== "none");
  return values.length ? capital(values.slice(0, 3).join(", ")) : `Item ${item.item_id}`;
}

/** Brand and price, where the catalogue has them. */
export function asideOf(item) {
  return ASIDE_FIELDS.map((name) => item.fields?.[name]).filter(Boolean).join(" · ");
}

/** Address of an item's own page, where the catalogue has one. */
export function shopAddress(item) {
  for (const name of ADDRESS_FIELDS) {
    const address = item.fields?.[name] ?? "";
    if (/^https?:\/\//i.test(address)) return address;
  }
  return null;
}

/** What a picture shows, for those who do not see it. */
export function altOf(item) {
  const values = Object.entries(item.attributes ?? {})
    .filter(([, value]) => value && value !== "none")
    .map(([name, value]) => wantedWords(name, value));
  return values.length ? `Garment: ${values.slice(0, 6).join(", ")}` : `Item ${item.item_id}`;
}

// Attributes whose values say by themselves what they are of.
const PLAIN = /colou?r|category|type|gender|pattern|fabric|material/i;

/** "black", "long sleeve", or "no collar" for a value that says there is none. */
export function wantedWords(attribute, value) {
  if (value === "none") return `no ${attribute}`;
  const stem = attribute.toLowerCase().slice(0, 4); // "v-neck" and "sleeveless" name theirs
  const plain = PLAIN.test(attribute) || value.toLowerCase().includes(stem);
  return plain ? value : `${value} ${attribute}`;
}

export function percent(confidence) {
  return `${Math.round(confidence * 100)} %`;
}

/** A list in words: "fit, pocket and fabric". */
export function listed(names) {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
