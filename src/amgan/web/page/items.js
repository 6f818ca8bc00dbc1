// An item's id, for those who have to find it in the shop's own systems.

import { h, whisper } from "./dom.js";

/** Small and quiet; one click selects all of it. */
export function itemId(id) {
  return h("span", { class: "item-id" }, whisper("Item "), h("span", { class: "id", text: id }));
}
