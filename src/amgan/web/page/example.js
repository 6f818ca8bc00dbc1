// One of our garments and what could be asked of it, to show what this is for.

import { pictureAt } from "./api.js";
import { altOf, wantedWords } from "./describe.js";
import { h, icon, picture } from "./dom.js";
import { addressOf, fromItem, withChange } from "./state.js";
import { swatch } from "./swatches.js";

const WISHES = 4;

/** The example of an item: its photo and some changes that the shop has items for. */
export function exampleOf(item, schema, state, go) {
  const wishes = [];
  for (const attribute of schema.attributes) {
    const value = anotherValue(attribute, item.attributes[attribute.name]);
    if (value && wishes.length < WISHES) wishes.push([attribute.name, value]);
  }
  if (!wishes.length) return null;
  const base = fromItem(state, item.item_id);
  const link = (next, content) =>
    h("a", { class: "wish", href: addressOf(next), on: { click: (event) => go(next, event) } }, content, icon("arrow"));
  return h("div", { class: "example" },
    h("span", { class: "frame" }, picture({ src: pictureAt(item.picture, 640), alt: altOf(item) })),
    h("div", { class: "asks" },
      h("p", { class: "ask-title", text: "This one, but…" }),
      ...wishes.map(([name, value]) =>
        link(withChange(base, name, value), [
          swatch(name, value),
          h("span", { class: "wish-value", text: wantedWords(name, value) }),
        ]))));
}

/** A common value other than `value`; attributes of kind are left alone. */
function anotherValue(attribute, value) {
  if (!value || value === "none" || /category|type|gender|kind/i.test(attribute.name)) return null;
  const common = attribute.values
    .map((other, place) => ({ other, count: attribute.counts[place] }))
    .filter(({ other, count }) => other !== value && other !== "none" && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, 4);
  return common.length ? common[Math.floor(Math.random() * common.length)].other : null;
}
