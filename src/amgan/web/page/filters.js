// Filters: a drawer with every attribute and field, its values and how many items have them.

import { ApiError, getCounts } from "./api.js";
import { listed } from "./describe.js";
import { capital, h, icon, keepFocus, number, plural } from "./dom.js";
import { changed, withFilter } from "./state.js";
import { swatchInList } from "./swatches.js";

const OPEN_AT_FIRST = 3;
const LISTED = 40; // values that are shown at once; more are found by typing

export class FilterDrawer {
  constructor({ schema, go }) {
    this.go = go;
    this.facets = [...schema.attributes, ...schema.fields];
    this.typed = new Map(); // name of a facet -> what its values are searched for
    this.counts = null; // name -> value -> items, under the filters; null for those of the schema
    this.unlisted = schema.unlisted_fields.length
      ? h("p", { class: "fine", text: `Not listed, with too many different values: ${listed(schema.unlisted_fields)}.` })
      : null;
    this.opened = new Set(this.facets.slice(0, OPEN_AT_FIRST).map((facet) => facet.name));
    this.groups = h("div", { class: "groups" });
    this.show = h("button", { type: "button", class: "button primary wide", on: { click: () => this.element.close() } });
    this.clear = h("button", {
      type: "button",
      class: "button quiet",
      text: "Clear all",
      data: { key: "clear" },
      on: { click: () => this.go(changed(this.state, { only: new Map() })) },
    });
    this.element = h(
      "dialog",
      {
        class: "drawer",
        "aria-labelledby": "drawer-title",
        on: { click: (event) => event.target === this.element && this.element.close() },
      },
      h("div", { class: "drawer-inner" },
        h("div", { class: "drawer-head" },
          h("h2", { id: "drawer-title", text: "Filter" }),
          this.clear,
          h("button", { type: "button", class: "round", "aria-label": "Close filters", on: { click: () => this.element.close() } }, icon("cross"))),
        h("div", { class: "drawer-body" }, this.groups, this.unlisted),
        h("div", { class: "drawer-foot" }, this.show)),
    );
    document.body.append(this.element);
  }

  open() {
    this.element.showModal();
    this.count();
  }

  /** Ask how many items each value would leave; until then the counts are those without filters. */
  async count() {
    const { state } = this;
    if (!state.only.size || !this.element.open) return;
    try {
      const counted = await getCounts(state.only);
      if (this.state !== state) return;
      this.counts = { ...counted.fields, ...counted.attributes };
      this.fill();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // the counts without filters stay
    }
  }

  update(state, total) {
    if (this.state?.only !== state.only && !state.only.size) this.counts = null;
    this.state = state;
    this.show.textContent = total === null ? "Show items" : `Show ${plural(total, "item", "items")}`;
    this.clear.hidden = state.only.size === 0;
    this.fill();
    this.count();
  }

  fill() {
    keepFocus(this.groups, () => {
      this.groups.replaceChildren(...this.facets.map((facet) => this.group(facet, this.state)));
    });
  }

  group(facet, state) {
    const kept = state.only.get(facet.name) ?? [];
    for (const name of kept.length ? [facet.name] : []) this.opened.add(name);
    const counts = this.counts?.[facet.name];
    const values = facet.values
      .map((value, place) => ({ value, count: counts?.[value] ?? facet.counts[place], all: facet.counts[place] }))
      .filter(({ value, all }) => all > 0 || kept.includes(value));
    const list = h("ul", { class: "facet" });
    const search = values.length > LISTED ? this.search(facet, values, kept, list) : null;
    if (!search) list.replaceChildren(...values.map((entry) => this.value(facet, entry, kept)));
    return h(
      "details",
      {
        class: "group",
        open: this.opened.has(facet.name),
        on: {
          toggle: (event) =>
            event.target.open ? this.opened.add(facet.name) : this.opened.delete(facet.name),
        },
      },
      h("summary", { data: { key: `facet-${facet.name}` } },
        h("span", { text: capital(facet.name) }),
        kept.length ? h("span", { class: "badge", text: String(kept.length) }) : null,
        icon("more")),
      search,
      list,
    );
  }

  /** The field that finds among many values; the list shows those chosen, then the commonest. */
  search(facet, values, kept, list) {
    const label = `Find one of ${number(values.length)} values of ${facet.name}`;
    const input = h("input", {
      type: "search",
      class: "field",
      placeholder: label,
      "aria-label": label,
      autocomplete: "off",
      data: { key: `find-${facet.name}` },
      on: { input: () => show() },
    });
    input.value = this.typed.get(facet.name) ?? "";
    const show = () => {
      const wanted = input.value.trim().toLowerCase();
      this.typed.set(facet.name, input.value);
      const found = values
        .filter(({ value }) => value.toLowerCase().includes(wanted) || kept.includes(value))
        .sort((a, b) => kept.includes(b.value) - kept.includes(a.value) || b.count - a.count);
      const more = found.length - LISTED;
      list.replaceChildren(...found.slice(0, LISTED).map((entry) => this.value(facet, entry, kept)),
        ...(more > 0 ? [h("li", { class: "fine", text: `${plural(more, "more value", "more values")}: type to find one` })] : []));
    };
    show();
    return input;
  }

  value(facet, { value, count }, kept) {
    return h("li", {}, h("label", { class: "check" },
      h("input", {
        type: "checkbox",
        checked: kept.includes(value),
        data: { key: `facet-${facet.name}-${value}` },
        on: { change: (event) => this.go(withFilter(this.state, facet.name, value, event.target.checked)) },
      }),
      swatchInList(facet.name, facet.values, value),
      h("span", { class: "value-name", text: value }),
      h("span", { class: "count", text: number(count) })));
  }
}
