// Changes in words: "black, long sleeves".

import { exampleWords, listed } from "./describe.js";
import { h } from "./dom.js";

const LONGEST_QUOTE = 80; // characters
const NAMED = 10; // attributes that are named where words were not understood

export class WordsForm {
  /**
   * understand(text): words were sent. choose(attribute, value): what words meant was chosen.
   * schema: what words can be about.
   */
  constructor({ understand, choose, schema }) {
    this.choose = choose;
    const attributes = schema.attributes.map((attribute) => attribute.name);
    this.about = attributes.length <= NAMED ? ` We know words for ${listed(attributes)}.` : "";
    this.open = []; // words that led to nothing yet: { text, note }
    this.notes = h("div", { class: "notes", role: "status" });
    this.input = h("input", {
      class: "field",
      type: "text",
      name: "words",
      maxlength: "500",
      autocomplete: "off",
      enterkeyhint: "search",
      placeholder: exampleWords(schema),
      "aria-label": "Changes in words",
      on: { input: () => this.show([]) },
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

  /** What became of the words: those that led to nothing stay in the box, with the reason below. */
  tell(words) {
    const { changes, not_understood, ambiguous } = words;
    const text = this.input.value.trim();
    if (text && Object.values(words).every(isEmpty)) { // an emoji, or punctuation alone
      this.show([{ text, note: h("p", { text: `We did not understand “${shortened(text)}”.${this.about}` }) }]);
      return;
    }
    const missed = not_understood.filter((text) => !(ambiguous.length && text.toLowerCase() === "or"));
    const open = ambiguous.map((entry) => ({ text: entry.text, note: this.choices(entry) }));
    if (missed.length) {
      const quoted = missed.map((text) => `“${shortened(text)}”`).join(", ");
      open.push({ text: missed.join(", "), note: h("p", { text: `We did not understand ${quoted}.${this.about}` }) });
    }
    const done = Object.keys(changes).length > 0;
    if (done || !open.length) this.input.value = textOf(open);
    this.show(open);
  }

  choices({ text, choices }) {
    return h("p", {}, `“${text}” can be `, ...choices.flatMap(({ attribute, value }, place) => [
      place ? " or " : "",
      h("button", {
        type: "button",
        class: "link",
        text: `${attribute} ${value}`,
        on: {
          click: () => {
            const open = this.open.filter((other) => other.text !== text);
            this.input.value = textOf(open);
            this.show(open);
            this.choose(attribute, value);
          },
        },
      }),
    ]), ".");
  }

  /** What went wrong instead. */
  complain(message) {
    this.show([{ text: this.input.value, note: h("p", { class: "problem", text: message }) }]);
  }

  show(open) {
    this.open = open;
    this.notes.replaceChildren(...open.map(({ note }) => note));
  }

  /** Another garment begins anew. */
  settle({ item, photo }) {
    const start = item ?? photo;
    if (this.start !== undefined && start !== this.start) {
      this.input.value = "";
      this.show([]);
    }
    this.start = start;
  }
}

function shortened(text) {
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
}

function isEmpty(part) {
  return part === null || part === undefined || Object.keys(part).length === 0;
}

function textOf(open) {
  return open.map(({ text }) => text).join(", ");
}
