// Words for items and attributes.

import { capital } from "./dom.js";

const TITLE_FIELDS = ["title", "name", "product_name", "prod_name"];
const ADDRESS_FIELDS = ["url", "link", "product_url"];
const ASIDE_FIELDS = ["price", "brand"];

/** A short title: the item's own, else its first attributes. */
export function titleOf(item) {
  for (const name of TITLE_FIELDS) if (item.fields?.[name]) return item.fields[name];
  const values = Object.entries(item.attributes ?? {})
    .map(([, value]) => value)
    .filter((value) => value && value !== "none");
  return values.length ? capital(values.slice(0, 3).join(", ")) : "Item";
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

/** What someone could ask for in this shop: its commonest values of two attributes. */
export function exampleWords(schema) {
  const wishes = [];
  for (const { name, values, counts } of schema.attributes) {
    if (/category|type|gender|kind/i.test(name)) continue;
    const most = Math.max(0, ...counts.filter((_, place) => values[place] !== "none"));
    const value = values.find((other, place) => other !== "none" && counts[place] === most);
    if (most > 0 && value.length <= 20 && name.length <= 20) wishes.push(wantedWords(name, value));
  }
  return wishes.slice(0, 2).join(", ") || "what should be different";
}

export function percent(confidence) {
  return `${Math.round(confidence * 100)} %`;
}

/** A list in words: "fit, pocket and fabric". */
export function listed(names) {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
