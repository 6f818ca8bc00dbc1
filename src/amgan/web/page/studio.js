// The reference, what should change about it, and a sketch of what is searched for.

import { itemPicture, pictureAt } from "./api.js";
import { openChooser } from "./chooser.js";
import { percent, wantedWords } from "./describe.js";
import { capital, h, icon, keepFocus, picture, plural, whisper } from "./dom.js";
import { fadeEdges } from "./edges.js";
import { itemId } from "./items.js";
import { photoButton } from "./start.js";
import { changed, withChange, withKnown, withMost } from "./state.js";
import { swatch } from "./swatches.js";
import { WordsForm } from "./words.js";

const WRAPPED = 12; // chips that are all shown on a phone; more are in rows that scroll
const EDGE = 40; // pixels that fade

export class Studio {
  constructor({ schema, takePhoto, go, understand }) {
    this.schema = schema;
    this.go = go;
    this.reference = h("figure", { class: "shot" });
    this.prototype = h("figure", { class: "shot drawn" });
    this.pair = h("div", { class: "pair" }, this.reference, h("span", { class: "into" }, icon("arrow")), this.prototype);
    this.chips = h("div", { class: `chips${schema.attributes.length > WRAPPED ? " rows" : ""}` });
    this.fade = fadeEdges(this.chips);
    this.head = h("div", { class: "section-head" });
    this.words = new WordsForm({
      understand,
      choose: (attribute, value) => this.choose(attribute, value, false),
      schema,
    });
    this.title = h("h1", { class: "studio-title", tabindex: "-1", text: "Your starting point" });
    this.element = h(
      "section",
      { class: "studio", "aria-label": "Starting point and changes" },
      this.pair,
      h("div", { class: "wishes" },
        this.title,
        this.words.element,
        this.head,
        this.chips,
        h("p", { class: "swap" }, ...photoButton("Use another photo", takePhoto, "quiet")),
      ),
    );
  }

  /** Show a state; `answer` is null while the first one is awaited. */
  show(state, photo, answer) {
    this.state = state;
    this.attributes = answer?.reference.attributes ?? null;
    this.familiar = answer?.reference.familiar !== false;
    this.already = new Set((answer?.already ?? []).map((change) => change.attribute));
    const first = !this.chips.querySelector(".chip-main");
    keepFocus(this.element, () => {
      this.showReference(state, photo);
      this.showPrototype(state, answer);
      this.showHead(state);
      this.showChips(state);
    });
    if (first) this.reveal(this.chips.querySelector(".changed"));
    this.fade();
    this.words.settle(state);
  }

  /** No answer came: take the skeletons away. */
  fail() {
    if (this.prototype.querySelector(".skeleton")) this.prototype.hidden = true;
    if (this.attributes === null) this.chips.replaceChildren();
  }

  showReference(state, photo) {
    const address = state.item ? pictureAt(itemPicture(state.item, this.schema.gallery), 640) : photo.address;
    const before = this.reference.querySelector("img");
    if (before?.getAttribute("src") !== address) {
      this.reference.replaceChildren(
        h("span", { class: "frame" }, picture({
          src: address,
          alt: "The garment you start from",
          on: { load: (event) => this.shape(event.target) },
        })),
        h("figcaption", {}, state.item ? "You start from" : "Your photo", state.item && itemId(state.item)),
      );
    }
  }

  /** Both frames take the shape of the reference. */
  shape({ naturalWidth, naturalHeight }) {
    const shape = Math.max(0.62, Math.min(1.3, naturalWidth / naturalHeight));
    this.pair.style.setProperty("--shape", shape.toFixed(3));
  }

  /** What the model draws: a sketch, and only where something is to change. */
  showPrototype(state, answer) {
    this.prototype.hidden = !this.schema.prototypes || this.changes(state) === 0;
    const drawn = answer?.prototype;
    const wanted = [...state.set].map(([name, value]) => wantedWords(name, value)).join(", ");
    this.prototype.replaceChildren(
      h("span", { class: drawn ? "frame" : "frame skeleton" },
        drawn && h("img", {
          class: `fit-${this.schema.picture_fit}`,
          src: `data:${drawn.media_type};base64,${drawn.base64}`,
          alt: `Rough drawing of your start with ${wanted}`,
        })),
      h("figcaption", { text: "What the search looks for (a sketch)" }),
    );
  }

  /** How many wishes change something. */
  changes(state) {
    return [...state.set.keys()].filter((name) => !this.already.has(name)).length;
  }

  showHead(state) {
    const count = this.changes(state);
    this.head.replaceChildren(
      h("h2", { text: count ? plural(count, "change", "changes") : "What should be different?" }),
      ...(state.set.size
        ? [h("button", {
            type: "button",
            class: "button quiet",
            text: "Undo all",
            data: { key: "undo-all" },
            on: { click: () => this.go(changed(this.state, { set: new Map() })) },
          })]
        : []),
    );
  }

  showChips(state) {
    if (this.attributes === null) {
      this.chips.replaceChildren(
        ...this.schema.attributes.map(() => h("span", { class: "chip skeleton", "aria-hidden": "true" })),
      );
      return;
    }
    this.chips.replaceChildren(
      ...this.attributes.map((known, place) => this.chip(known, this.schema.attributes[place], state)),
    );
  }

  chip(known, attribute, state) {
    const wanted = state.set.get(known.attribute) ?? null;
    const most = state.most.includes(known.attribute);
    const guessed = known.source === "predicted" || state.known.has(known.attribute);
    const sure = known.source === "predicted" && this.familiar ? known.confidence : null;
    const shown = wanted ?? known.value;
    const button = h(
      "button",
      {
        type: "button",
        class: "chip-main",
        "aria-haspopup": "dialog",
        "aria-expanded": "false",
        data: { key: `chip-${known.attribute}` },
        on: {
          click: () =>
            openChooser({
              anchor: button,
              attribute,
              now: known.value,
              chosen: wanted,
              guessed: guessed && state.photo !== null,
              choose: (value, correct) => this.choose(known.attribute, value, correct),
              most,
              setMost: this.schema.weights
                ? (on) => this.go(withMost(this.state, known.attribute, on))
                : null,
            }),
        },
      },
      h("span", { class: "chip-name", text: capital(known.attribute) }, most && h("span", { class: "most", text: "counts most" })),
      h("span", { class: "chip-value" },
        wanted !== null && known.value && known.value !== wanted && [whisper("changed from "), h("s", { text: known.value }), whisper(" to ")],
        h("span", { class: "chip-now" },
          swatch(known.attribute, shown),
          h("span", { class: "chip-word", text: shown ?? "not known" })),
      ),
      this.already.has(known.attribute) && h("span", { class: "so", text: "already so: no change" }),
      sure !== null && wanted === null && h("span", { class: "sure" },
        whisper("confidence "),
        h("span", { class: "sure-bar", style: { "--sure": `${Math.round(sure * 100)}%` } }),
        percent(sure)),
    );
    return h(
      "div",
      { class: `chip${wanted === null ? "" : this.already.has(known.attribute) ? " held" : " changed"}` },
      button,
      wanted !== null && h("button", {
        type: "button",
        class: "chip-undo",
        "aria-label": `Undo the change of ${known.attribute}`,
        data: { key: `undo-${known.attribute}` },
        on: { click: () => this.choose(known.attribute, null, false) },
      }, icon("cross")),
    );
  }

  choose(attribute, value, correct) {
    if (correct) this.go(withKnown(withChange(this.state, attribute, null), attribute, value));
    else this.go(withChange(this.state, attribute, value));
    const button = this.chips.querySelector(`[data-key="chip-${CSS.escape(attribute)}"]`);
    button?.focus({ preventScroll: true });
    this.reveal(button?.parentElement);
  }

  /** Bring a chip of rows that scroll wholly into view, clear of the faded edge. */
  reveal(chip) {
    if (!chip) return;
    const [list, box] = [this.chips.getBoundingClientRect(), chip.getBoundingClientRect()];
    const over = box.right + EDGE - list.right;
    const under = list.left + EDGE - box.left;
    if (over > 0) this.chips.scrollLeft += over;
    else if (under > 0) this.chips.scrollLeft -= under;
  }
}
