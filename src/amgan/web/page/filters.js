// Filters: a drawer with every attribute and field, its values and how many items have them.

import { capital, h, icon, keepFocus, number, plural } from "./dom.js";
import { changed, withFilter } from "./state.js";
import { swatchInList } from "./swatches.js";

const OPEN_AT_FIRST = 3;

export class FilterDrawer {
  constructor({ schema, go }) {
    this.go = go;
    this.facets = [...schema.attributes, ...schema.fields];
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
        this.groups,
        h("div", { class: "drawer-foot" }, this.show)),
    );
    document.body.append(this.element);
  }

  open() {
    this.element.showModal();
  }

  update(state, total) {
    this.state = state;
    this.show.textContent = total === null ? "Show items" : `Show ${plural(total, "item", "items")}`;
    this.clear.hidden = state.only.size === 0;
    keepFocus(this.groups, () => {
      this.groups.replaceChildren(...this.facets.map((facet) => this.group(facet, state)));
    });
  }

  group(facet, state) {
    const kept = state.only.get(facet.name) ?? [];
    for (const name of kept.length ? [facet.name] : []) this.opened.add(name);
    const values = facet.values
      .map((value, place) => ({ value, count: facet.counts[place] }))
      .filter(({ value, count }) => count > 0 || kept.includes(value));
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
      h("ul", { class: "facet" }, ...values.map((entry) => this.value(facet, entry, kept))),
    );
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
