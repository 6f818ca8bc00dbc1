// The list of an attribute's values that opens beside its chip.

import { h, icon, number } from "./dom.js";
import { fadeEdges } from "./edges.js";
import { swatchInList } from "./swatches.js";

const MANY = 12; // values from which a list can be searched and has a second column
const VERY_MANY = 30; // a third one
const NARROW = 11; // a column on a small window, in rem
const MARGIN = 12;
let open = null;

/**
 * Show the values of an attribute.
 *
 * choose(value, correct): a value was chosen; null undoes a change. `correct` says that the garment
 * has the value already.
 * setMost(on): the attribute counts most, or no longer; null where attributes cannot be weighed.
 */
export function openChooser({ anchor, attribute, now, chosen, guessed, choose, most, setMost }) {
  open?.close(false);
  open = new Chooser({ anchor, attribute, now, chosen, guessed, choose, most, setMost });
}

class Chooser {
  constructor(options) {
    Object.assign(this, options);
    this.correct = false;
    this.typed = "";
    this.list = h("div", {
      class: "values",
      role: "listbox",
      "aria-label": `${this.attribute.name} values`,
      tabindex: "-1",
      on: { keydown: (event) => this.onKey(event) },
    });
    this.search = this.attribute.values.length > MANY ? this.searchField() : null;
    this.element = h(
      "div",
      {
        class: "chooser",
        popover: "auto",
        role: "dialog",
        "aria-label": `Change ${this.attribute.name}`,
        on: { toggle: (event) => event.newState === "closed" && this.onClosed() },
      },
      this.head(),
      this.search,
      this.list,
      this.setMost && this.mostButton(),
    );
    this.fade = fadeEdges(this.list);
    this.onResize = () => {
      this.arrange();
      this.place();
    };
    addEventListener("resize", this.onResize);
    document.body.append(this.element);
    this.fill();
    this.anchor.setAttribute("aria-expanded", "true");
    this.element.showPopover();
    this.place();
    this.fade();
    this.focus();
  }

  /** Where all values are seen, to the current one; else to the search, or the top of the list. */
  focus() {
    const whole = this.list.scrollHeight <= this.list.clientHeight + 1;
    const touched = matchMedia("(pointer: coarse)").matches; // the keyboard would cover the list
    const current = whole || !this.search ? this.current() : null;
    (current ?? (touched ? null : this.search) ?? this.list).focus({ preventScroll: true });
    current?.scrollIntoView({ block: "nearest" });
  }

  head() {
    const told = this.now ? `now ${this.now}` : "not known";
    const title = h("p", { class: "chooser-title" }, h("strong", { text: this.attribute.name }),
      h("span", { text: this.guessed ? `${told}, as far as we can see` : told }));
    if (!this.guessed) return h("div", { class: "chooser-head" }, title);
    const modes = [
      ["Change to", false],
      ["In my photo it is", true],
    ].map(([label, correct]) =>
      h("button", {
        type: "button",
        class: "mode",
        text: label,
        "aria-pressed": String(this.correct === correct),
        on: {
          click: (event) => {
            this.correct = correct;
            for (const button of event.target.parentElement.children) {
              button.setAttribute("aria-pressed", String(button === event.target));
            }
            this.fill();
          },
        },
      }),
    );
    return h("div", { class: "chooser-head" }, title,
      h("div", { class: "modes", role: "group", "aria-label": "What the value means" }, ...modes));
  }

  mostButton() {
    return h("button", {
      type: "button",
      class: "matters",
      "aria-pressed": String(this.most),
      text: `Let ${this.attribute.name} count most`,
      on: {
        click: () => {
          this.close(true);
          this.setMost(!this.most);
        },
      },
    });
  }

  searchField() {
    return h("input", {
      type: "search",
      class: "field",
      placeholder: "Find a value",
      "aria-label": `Find a value of ${this.attribute.name}`,
      autocomplete: "off",
      on: {
        input: () => this.fill(),
        keydown: (event) => {
          if (event.key === "ArrowDown") {
            event.preventDefault();
            this.options()[0]?.focus();
          } else if (event.key === "Enter") this.options()[0]?.click();
        },
      },
    });
  }

  fill() {
    const wanted = (this.search?.value ?? "").trim().toLowerCase();
    const options = [];
    if (this.chosen !== null && !this.correct && !wanted) {
      options.push(this.option(null, "Leave it as it is", null));
    }
    this.attribute.values.forEach((value, place) => {
      if (wanted && !value.toLowerCase().includes(wanted)) return;
      options.push(this.option(value, value, this.attribute.counts[place]));
    });
    this.list.replaceChildren(...options);
    if (!options.length) this.list.append(h("p", { class: "nothing", text: "No such value" }));
    const current = this.current() ?? this.options()[0];
    if (current) current.tabIndex = 0;
    this.arrange();
    this.fade();
  }

  /** As many columns as the number and length of the values ask for and the window has room for. */
  arrange() {
    const { values } = this.attribute;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const longest = Math.max(...values.map((value) => value.length));
    const width = Math.min(17, 6.8 + 0.52 * longest); // of a column, in rem; long values wrap
    const wanted = values.length > VERY_MANY ? 3 : values.length > MANY ? 2 : 1;
    const room = Math.floor((innerWidth - 2 * MARGIN) / (Math.min(width, NARROW) * rem));
    this.columns = Math.max(1, Math.min(wanted, room));
    this.rows = Math.ceil(this.options().length / this.columns);
    this.element.style.setProperty("--columns", this.columns);
    this.element.style.setProperty("--column", `${width}rem`);
    this.element.style.setProperty("--rows", this.rows);
  }

  option(value, label, count) {
    const selected = value !== null && value === (this.correct ? this.now : (this.chosen ?? this.now));
    return h(
      "button",
      {
        type: "button",
        role: "option",
        class: `value${value === null ? " undo" : ""}${count === 0 ? " absent" : ""}`,
        "aria-selected": String(selected),
        tabindex: "-1",
        data: { value: value ?? "" },
        on: { click: () => this.pick(value) },
      },
      value === null ? icon("back") : swatchInList(this.attribute.name, this.attribute.values, value),
      h("span", { class: "value-name" }, ...breakable(label)),
      selected && icon("tick"),
      count !== null && h("span", {
        class: "count",
        text: number(count),
        "aria-label": `${number(count)} in the shop`,
      }),
    );
  }

  options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  current() {
    return this.list.querySelector("[aria-selected=true]");
  }

  pick(value) {
    const correct = this.correct;
    // The value it has already is no change.
    const wanted = !correct && value === this.now ? null : value;
    this.close(true);
    this.choose(wanted, correct);
  }

  onKey(event) {
    const options = this.options();
    const at = options.indexOf(document.activeElement);
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: options.length - 1 };
    if (at + this.rows < options.length && this.columns > 1) moves.ArrowRight = at + this.rows;
    if (at >= this.rows) moves.ArrowLeft = at - this.rows;
    if (event.key in moves) {
      event.preventDefault();
      if (event.key === "ArrowUp" && at === 0 && this.search) this.search.focus();
      else options[Math.max(0, Math.min(options.length - 1, moves[event.key]))]?.focus();
    } else if (event.key === "Tab") {
      this.close(true);
    } else if (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey) {
      this.jump(event.key.toLowerCase(), options, at);
    }
  }

  jump(key, options, at) {
    clearTimeout(this.forget);
    this.typed += key;
    this.forget = setTimeout(() => (this.typed = ""), 700);
    const after = [...options.slice(at + (this.typed.length === 1 ? 1 : 0)), ...options];
    after.find((option) => option.dataset.value.toLowerCase().startsWith(this.typed))?.focus();
  }

  place() {
    const { style } = this.element;
    style.removeProperty("top");
    style.removeProperty("left");
    if (matchMedia("(max-width: 640px)").matches) return; // a sheet at the bottom, by the style sheet
    const box = (this.anchor.closest(".chip") ?? this.anchor).getBoundingClientRect();
    const { width, height } = this.element.getBoundingClientRect();
    const within = (start, size, most) => Math.max(MARGIN, Math.min(start, most - size - MARGIN));
    const isBelow = box.bottom + 6 + height + MARGIN <= innerHeight;
    const isBeside = box.right + 8 + width + MARGIN <= innerWidth; // so that the chip stays in sight
    const top = isBelow ? box.bottom + 6 : isBeside ? box.top - height / 3 : box.top - height - 6;
    const left = isBelow || !isBeside ? box.left : box.right + 8;
    style.setProperty("top", `${within(top, height, innerHeight)}px`);
    style.setProperty("left", `${within(left, width, innerWidth)}px`);
  }

  close(refocus) {
    this.refocus = refocus;
    this.element.hidePopover();
  }

  onClosed() {
    removeEventListener("resize", this.onResize);
    this.anchor.setAttribute("aria-expanded", "false");
    if (this.refocus !== false && this.anchor.isConnected) this.anchor.focus({ preventScroll: true });
    this.element.remove();
    if (open === this) open = null;
  }
}

/** "Glittering/Metallic" may break after its stroke. */
function breakable(text) {
  return text.split(/(?<=\/)/).flatMap((part, place) => (place ? [h("wbr"), part] : [part]));
}
