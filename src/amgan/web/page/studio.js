// The reference, what should change about it, and the prototype that is searched for.

import { itemPicture, pictureAt } from "./api.js";
import { openChooser } from "./chooser.js";
import { percent, swatchOf, wantedWords } from "./describe.js";
import { capital, h, icon, keepFocus, whisper } from "./dom.js";
import { photoButton } from "./start.js";
import { addressOf, changed, withChange, withKnown, withMost } from "./state.js";

export class Studio {
  constructor({ schema, takePhoto, go, understand }) {
    this.schema = schema;
    this.go = go;
    this.reference = h("figure", { class: "shot" });
    this.prototype = h("figure", { class: "shot drawn" });
    this.pair = h("div", { class: "pair" }, this.reference, h("span", { class: "into" }, icon("arrow")), this.prototype);
    this.chips = h("div", { class: "chips" });
    this.head = h("div", { class: "section-head" });
    this.words = new WordsForm(understand, this);
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
    keepFocus(this.element, () => {
      this.showReference(state, photo);
      this.showPrototype(state, answer);
      this.showHead(state);
      this.showChips(state);
    });
    this.words.settle(addressOf(state));
  }

  /** No answer came: take the skeletons away. */
  fail() {
    if (this.attributes !== null) return;
    this.chips.replaceChildren();
    this.prototype.querySelector(".skeleton")?.classList.remove("skeleton");
  }

  showReference(state, photo) {
    const address = state.item ? pictureAt(itemPicture(state.item, this.schema.gallery), 640) : photo.address;
    const before = this.reference.querySelector("img");
    if (before?.getAttribute("src") !== address) {
      this.reference.replaceChildren(
        h("span", { class: "frame" }, h("img", {
          src: address,
          alt: "The garment you start from",
          on: { load: (event) => this.shape(event.target) },
        })),
        h("figcaption", { text: state.item ? "You start from" : "Your photo" }),
      );
    }
  }

  /** Both frames take the shape of the reference. */
  shape({ naturalWidth, naturalHeight }) {
    const shape = Math.max(0.62, Math.min(1.3, naturalWidth / naturalHeight));
    this.pair.style.setProperty("--shape", shape.toFixed(3));
  }

  showPrototype(state, answer) {
    this.prototype.hidden = !this.schema.prototypes;
    this.prototype.previousElementSibling.hidden = this.prototype.hidden;
    const drawn = answer?.prototype;
    const wanted = [...state.set].map(([name, value]) => wantedWords(name, value)).join(", ");
    this.prototype.replaceChildren(
      h("span", { class: drawn ? "frame" : "frame skeleton" },
        drawn && h("img", {
          class: `fit-${this.schema.picture_fit}`,
          src: `data:${drawn.media_type};base64,${drawn.base64}`,
          alt: wanted ? `Drawing of what we look for: ${wanted}` : "Drawing of what we look for",
        })),
      h("figcaption", { text: "We look for" }),
    );
  }

  showHead(state) {
    const count = state.set.size;
    this.head.replaceChildren(
      h("h2", { text: count ? `${count} ${count === 1 ? "change" : "changes"}` : "What should be different?" }),
      ...(count
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
    const sure = known.source === "predicted" ? known.confidence : null;
    const shown = wanted ?? known.value;
    const swatch = swatchOf(known.attribute, shown);
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
      h("span", { class: "chip-name", text: capital(known.attribute) }, most && h("span", { class: "most", text: "matters most" })),
      h("span", { class: "chip-value" },
        wanted !== null && known.value && known.value !== wanted && [whisper("changed from "), h("s", { text: known.value }), whisper(" to ")],
        swatch && h("span", { class: "swatch", style: { background: swatch } }),
        h("span", { class: "chip-word", text: shown ?? "not known" }),
      ),
      sure !== null && wanted === null && h("span", { class: "sure" },
        whisper("confidence "),
        h("span", { class: "sure-bar", style: { "--sure": `${Math.round(sure * 100)}%` } }),
        percent(sure)),
    );
    return h(
      "div",
      { class: `chip${wanted === null ? "" : " changed"}` },
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
    this.chips.querySelector(`[data-key="chip-${CSS.escape(attribute)}"]`)?.focus({ preventScroll: true });
  }
}

/** "in black, with long sleeves" */
class WordsForm {
  constructor(understand, studio) {
    this.studio = studio;
    this.notes = h("div", { class: "notes", role: "status" });
    this.input = h("input", {
      class: "field",
      type: "text",
      name: "words",
      maxlength: "500",
      autocomplete: "off",
      enterkeyhint: "search",
      placeholder: "in black, with long sleeves",
      "aria-label": "Changes in words",
    });
    this.element = h(
      "form",
      {
        class: "words",
        on: {
          submit: (event) => {
            event.preventDefault();
            const text = this.input.value.trim();
            if (text) understand(text);
          },
        },
      },
      h("div", { class: "words-row" }, this.input, h("button", { class: "button primary", text: "Change" })),
      this.notes,
    );
  }

  /** What became of the words; stays as long as the page is at `address`. */
  tell(words, address) {
    this.address = address;
    const missed = words.not_understood;
    if (Object.keys(words.changes).length) this.input.value = "";
    this.notes.replaceChildren(
      ...(missed.length
        ? [h("p", { text: `We did not understand ${missed.map((text) => `“${text}”`).join(", ")}.` })]
        : []),
      ...words.ambiguous.map(({ text, choices }) =>
        h("p", {}, `“${text}” can be `, ...choices.flatMap(({ attribute, value }, place) => [
          place ? " or " : "",
          h("button", {
            type: "button",
            class: "link",
            text: `${attribute} ${value}`,
            on: { click: () => this.studio.choose(attribute, value, false) },
          }),
        ]), "."),
      ),
    );
  }

  /** What went wrong instead. */
  complain(message, address) {
    this.address = address;
    this.notes.replaceChildren(h("p", { class: "problem", text: message }));
  }

  settle(address) {
    if (address !== this.address) this.notes.replaceChildren();
  }
}
