// Where everybody begins: bring a photo, or take an item.

import { ApiError, getItems, pictureAt } from "./api.js";
import { altOf, titleOf } from "./describe.js";
import { h, icon, picture, say } from "./dom.js";
import { exampleOf } from "./example.js";
import { itemId } from "./items.js";
import { failure } from "./notices.js";
import { addressOf, fromItem } from "./state.js";

const SHOWN = 12;

/** Button that opens the system's picker; on a phone also the camera. */
export function photoButton(label, take, style = "primary") {
  const input = h("input", {
    type: "file",
    accept: "image/*",
    class: "whisper",
    tabindex: "-1",
    "aria-hidden": "true",
    on: {
      change: () => {
        if (input.files[0]) take(input.files[0]);
        input.value = "";
      },
    },
  });
  const button = h(
    "button",
    { type: "button", class: `button ${style}`, on: { click: () => input.click() } },
    icon("photo"),
    label,
  );
  return [button, input];
}

export class StartView {
  constructor({ schema, state, takePhoto, go }) {
    this.schema = schema;
    this.state = state;
    this.go = go;
    this.total = schema.items;
    this.problem = h("p", { class: "problem", role: "alert", hidden: true });
    this.example = h("div", { class: "example-place" }, h("span", { class: "frame skeleton" }));
    this.shelf = h("ul", { class: "shelf", "aria-busy": "true" });
    this.element = h(
      "div",
      { class: "start" },
      h(
        "section",
        { class: "welcome", "aria-labelledby": "welcome" },
        h(
          "div",
          { class: "pitch" },
          h("h1", { id: "welcome", text: "Almost right? Change it." }),
          h("p", {
            class: "lead",
            text: "Start from a garment you like. Say what should be different. See what we have.",
          }),
          h("div", { class: "drop" },
            h("p", { class: "drop-hint", text: "Drop a photo here, or paste one" }),
            ...photoButton("Choose a photo", takePhoto),
          ),
          this.problem,
        ),
        this.example,
      ),
      h(
        "section",
        { class: "browse", "aria-labelledby": "browse" },
        h(
          "div",
          { class: "section-head" },
          h("h2", { id: "browse", text: "Or start from one of ours" }),
          h("button", {
            type: "button",
            class: "button quiet",
            text: "Show others",
            on: { click: () => this.fill(true) },
          }),
        ),
        this.shelf,
      ),
    );
    this.fill(false);
  }

  tell(message) {
    this.problem.textContent = message;
    this.problem.hidden = !message;
  }

  async fill(others) {
    const pages = Math.max(1, Math.ceil(this.total / SHOWN));
    let page = Math.floor(Math.random() * pages);
    if (others && pages > 1 && page === this.page) page = (page + 1) % pages;
    this.page = page;
    this.shelf.setAttribute("aria-busy", "true");
    this.shelf.replaceChildren(
      ...Array.from({ length: SHOWN }, () => h("li", { class: "tile skeleton", "aria-hidden": "true" })),
    );
    try {
      const offset = Math.max(0, Math.min(page * SHOWN, this.total - SHOWN - 1));
      const { items, paging } = await getItems(SHOWN + 1, offset);
      this.total = paging.total;
      if (!items.length && this.total) return await this.fill(others); // fewer since the page opened
      this.shelf.replaceChildren(...items.slice(0, SHOWN).map((item) => this.tile(item)));
      if (others) say("Other items are shown.");
      else this.showExample(items.at(-1));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const retry = failure(error, () => {
        retry.remove();
        this.fill(false);
      });
      this.shelf.replaceChildren();
      this.shelf.after(retry);
      this.showExample(null);
    }
    this.shelf.setAttribute("aria-busy", "false");
  }

  showExample(item) {
    const example = item ? exampleOf(item, this.schema, this.state, this.go) : null;
    this.example.replaceChildren(...(example ? [example] : []));
  }

  tile(item) {
    const next = fromItem(this.state, item.item_id);
    return h(
      "li",
      { class: "tile" },
      h(
        "a",
        {
          href: addressOf(next),
          on: { click: (event) => this.go(next, event) },
        },
        h("span", { class: "frame" }, picture({
          src: pictureAt(item.picture, 320),
          alt: altOf(item),
          loading: "lazy",
          decoding: "async",
        })),
        h("span", { class: "tile-title", text: titleOf(item) }),
      ),
      itemId(item.item_id),
    );
  }
}
