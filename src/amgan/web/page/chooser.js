// The list of an attribute's values that opens beside its chip.

import { swatchOf } from "./describe.js";
import { h, icon, number } from "./dom.js";

const MANY = 12; // values from which a list can be searched
const MARGIN = 12;
let open = null;

/**
 * Show the values of an attribute.
 *
 * choose(value, correct): a value was chosen; null undoes a change. `correct` says that the garment
 * has the value already.
 * setMost(on): the attribute matters most, or no longer; null where attributes cannot be weighed.
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
    this.fill();
    document.body.append(this.element);
    this.anchor.setAttribute("aria-expanded", "true");
    this.element.showPopover();
    this.place();
    this.onResize = () => this.place();
    addEventListener("resize", this.onResize);
    (this.search ?? this.current() ?? this.list).focus({ preventScroll: true });
    this.current()?.scrollIntoView({ block: "nearest" });
  }

  head() {
    const told = this.now ? `now ${this.now}` : "not known";
    const title = h("p", { class: "chooser-title" }, h("strong", { text: this.attribute.name }),
      h("span", { text: this.guessed ? `${told}, as far as we can see` : told }));
    if (!this.guessed) return h("div", { class: "chooser-head" }, title);
    const modes = [
      ["Change to", false],
      ["It is really", true],
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
      text: `${this.attribute.name} matters most`,
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
  }

  option(value, label, count) {
    const selected = value !== null && value === (this.correct ? this.now : (this.chosen ?? this.now));
    const swatch = swatchOf(this.attribute.name, value);
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
      swatch && h("span", { class: "swatch", style: { background: swatch } }),
      value === null && icon("back"),
      h("span", { class: "value-name", text: label }),
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
    if (matchMedia("(max-width: 640px)").matches) {
      this.element.removeAttribute("style"); // a sheet at the bottom, by the style sheet
      return;
    }
    const box = this.anchor.getBoundingClientRect();
    const { width, height } = this.element.getBoundingClientRect();
    const below = box.bottom + 6;
    const fits = below + height + MARGIN <= innerHeight;
    const top = fits ? below : Math.max(MARGIN, Math.min(box.top - height - 6, innerHeight - height - MARGIN));
    const left = Math.max(MARGIN, Math.min(box.left, innerWidth - width - MARGIN));
    this.element.style.setProperty("top", `${top}px`);
    this.element.style.setProperty("left", `${left}px`);
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
