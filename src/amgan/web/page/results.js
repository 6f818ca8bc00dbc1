// What was found: cards with what matches and what does not, paging, empty and error states.

import { pictureAt } from "./api.js";
import { altOf, asideOf, listed, shopAddress, titleOf, wantedWords } from "./describe.js";
import { capital, h, icon, keepFocus, number, picture, plural, whisper } from "./dom.js";
import { itemId } from "./items.js";
import { failure, notice } from "./notices.js";
import { addressOf, changed, fromItem, withFilter } from "./state.js";

const SIZES = "(max-width: 640px) 46vw, (max-width: 1100px) 30vw, 260px";
const SKELETONS = 8;
const NAMED = 3; // attributes that are listed by name

function matchWords(count) {
  if (!count) return "No item matches";
  return `${plural(count, "item", "items")} ${count === 1 ? "matches" : "match"}`;
}

/** What those that come close lack: "Close, but not black". */
function closeWords(state, hits) {
  const wishes = [...state.set];
  if (wishes.length === 1) return `Close, but not ${wantedWords(...wishes[0])}`;
  const lacking = wishes.filter(([name]) => hits.some((hit) => hit.matches[name] !== true));
  if (lacking.length === 1) return `Close, but not ${wantedWords(...lacking[0])}`;
  const asked = wishes.map(([name, value]) => wantedWords(name, value));
  return `Close, but not ${wishes.length === 2 ? "both" : "all of"} ${listed(asked)}`;
}

/** "Same category and gender", "Other neck", or how many of many. */
function restWords(same, other, alike) {
  if (!same.length && !other.length) return "";
  if (!other.length) return same.length <= NAMED ? `${alike} ${listed(same)}` : `${alike} all ${same.length} other known details`;
  if (other.length <= NAMED) return `Other ${listed(other)}`;
  return `${same.length} of ${same.length + other.length} other details alike`;
}

export class Results {
  constructor({ go, more, retry, openFilters }) {
    Object.assign(this, { go, more, retry });
    this.heading = h("h2", { class: "results-title", id: "results-title", text: "Most alike" });
    this.count = h("p", { class: "results-count" });
    this.filters = h(
      "button",
      { type: "button", class: "button", data: { key: "filters" }, on: { click: openFilters } },
      icon("filter"),
      h("span", { text: "Filter" }),
    );
    this.news = h("p", { class: "notes", role: "status", hidden: true });
    this.tokens = h("ul", { class: "tokens" });
    this.grid = h("ul", { class: "grid" }); // what has all that was asked for
    this.divider = h("h3", { class: "results-divider", id: "results-close", hidden: true });
    this.close = h("ul", { class: "grid", "aria-labelledby": "results-close" });
    this.foot = h("div", { class: "results-foot" });
    this.element = h(
      "section",
      { class: "results", id: "results", "aria-labelledby": "results-title" },
      h("div", { class: "results-head" }, h("div", {}, this.heading, this.count), this.filters),
      this.news,
      this.tokens,
      this.grid,
      this.divider,
      this.close,
      this.foot,
    );
  }

  /** Before the first answer: skeletons. While a later one is awaited: what there is, dimmed. */
  wait(state, first) {
    this.showTokens(state);
    this.element.setAttribute("aria-busy", "true");
    if (!first && this.element.querySelector(".card")) return;
    this.count.textContent = "Looking…";
    this.part([], []);
    this.grid.replaceChildren(
      ...Array.from({ length: SKELETONS }, () =>
        h("li", { class: "card", "aria-hidden": "true" },
          h("span", { class: "frame skeleton" }),
          h("span", { class: "line skeleton" }),
          h("span", { class: "line short skeleton" }))),
    );
    this.foot.replaceChildren();
  }

  /** `matching` is how many items have all that was asked for, null where nothing was. */
  show(state, { hits, paging, answer: { matching, reference } }, from = 0) {
    this.element.removeAttribute("aria-busy");
    this.news.hidden = true;
    this.familiar = reference.familiar !== false;
    if (!this.familiar) this.tell("This photo shows nothing like what we have here. What follows is a guess.");
    this.showTokens(state);
    const met = hits.filter((hit) => matching === null || hit.has_wanted);
    const close = hits.filter((hit) => !met.includes(hit));
    this.showCounts(hits, met, paging, matching);
    this.divider.hidden = !close.length;
    this.divider.textContent = met.length ? closeWords(state, close) : "What comes close";
    const cards = new Map(hits.slice(from).map((hit) => [hit, this.card(hit, state)]));
    const [first, second] = [met, close].map((part) => part.filter((hit) => cards.has(hit)).map((hit) => cards.get(hit)));
    if (from) {
      this.grid.append(...first);
      this.close.append(...second);
    } else keepFocus(this.element, () => this.part(first, second));
    if (!hits.length) this.showNothing(state);
    else this.showMore(paging);
    return first[0] ?? second[0];
  }

  part(met, close) {
    this.grid.replaceChildren(...met);
    this.close.replaceChildren(...close);
    if (!close.length) this.divider.hidden = true;
  }

  showCounts(hits, met, paging, matching) {
    const all = plural(paging.total, "item", "items");
    this.heading.textContent = matching === null ? "Most alike" : matchWords(matching);
    if (!hits.length) this.count.textContent = "";
    else if (matching === null) this.count.textContent = `${number(hits.length)} of ${all}, most alike first`;
    else if (met.length < matching) this.count.textContent = `${number(met.length)} of them shown so far, of ${all} in all`;
    else this.count.textContent = `of ${all}`;
  }

  fail(error, again) {
    this.element.removeAttribute("aria-busy");
    this.count.textContent = "";
    this.part([], []);
    this.foot.replaceChildren(failure(error, again));
  }

  /** Say something about the list that is shown. */
  tell(message) {
    this.news.textContent = message;
    this.news.hidden = false;
  }

  failMore(error) {
    this.foot.replaceChildren(failure(error, this.more));
  }

  showNothing(state) {
    this.foot.replaceChildren(
      notice("Nothing is left with these filters", "Take one away, or look at everything we have.", {
        text: "Clear filters",
        act: () => this.go(changed(state, { only: new Map() })),
      }),
    );
  }

  showMore(paging) {
    this.foot.replaceChildren(
      paging.next_offset === null
        ? h("p", { class: "end", text: "That is all of them." })
        : h("button", {
            type: "button",
            class: "button wide",
            text: "Show more",
            data: { key: "more" },
            on: { click: (event) => {
              event.target.disabled = true;
              event.target.textContent = "Looking…";
              this.more();
            } },
          }),
    );
  }

  showTokens(state) {
    const tokens = [];
    for (const [name, values] of state.only) {
      for (const value of values) {
        tokens.push(h("li", {}, h("button", {
          type: "button",
          class: "token",
          "aria-label": `Remove filter ${name}: ${value || "none"}`,
          on: { click: () => this.go(withFilter(state, name, value, false)) },
        }, h("span", { text: `${capital(name)}: ${value || "none"}` }), icon("cross"))));
      }
    }
    this.tokens.replaceChildren(...tokens);
    const label = tokens.length ? `Filter (${tokens.length})` : "Filter";
    this.filters.querySelector("span").textContent = label;
  }

  card(hit, state) {
    const similar = fromItem(state, hit.item_id);
    const title = titleOf(hit);
    const aside = asideOf(hit);
    return h(
      "li",
      { class: "card" },
      h(
        "a",
        {
          class: "card-link",
          href: addressOf(similar),
          data: { key: `hit-${hit.item_id}` },
          on: { click: (event) => this.go(similar, event) },
        },
        h("span", { class: "frame" },
          picture({
            src: pictureAt(hit.picture, 480),
            srcset: [240, 320, 480, 640].map((w) => `${pictureAt(hit.picture, w)} ${w}w`).join(", "),
            sizes: SIZES,
            alt: altOf(hit),
            loading: "lazy",
            decoding: "async",
          }),
          h("span", { class: "card-more", text: "More like this" })),
        h("span", { class: "card-title" }, title),
        aside && h("span", { class: "card-aside", text: aside }),
      ),
      itemId(hit.item_id),
      this.marks(hit, state),
      shopAddress(hit) && h("a", { class: "link shop", href: shopAddress(hit), text: "See it in the shop" }),
    );
  }

  /** Which wishes are met, then what else is the same or differs. */
  marks(hit, state) {
    const wishes = [...state.set].map(([name, value]) => this.mark(hit, state, name, value));
    const kept = Object.entries(hit.matches).filter(([name, match]) => !state.set.has(name) && match !== null);
    const [same, other] = [true, false].map((is) => kept.filter(([, match]) => match === is).map(([name]) => name));
    // What a photo shows is seen, not known.
    const rest = this.familiar ? restWords(same, other, state.photo === null ? "Same" : "Looks alike in") : "";
    const full = other.length > NAMED ? `Other ${listed(other)}` : same.length > NAMED ? `Same ${listed(same)}` : null;
    return h("div", { class: "marks" },
      wishes.length ? h("ul", { class: "wish-list" }, ...wishes) : null,
      rest ? h("p", { class: "rest", title: full }, rest) : null);
  }

  mark(hit, state, name, value) {
    const match = hit.matches[name];
    const wanted = wantedWords(name, value);
    if (match === true) {
      return h("li", { class: "mark met" }, icon("tick"), whisper("matches: "), h("span", { text: wanted }));
    }
    if (match === null || match === undefined) {
      return h("li", { class: "mark unknown" }, whisper("not known: "), h("span", { text: `${wanted}?` }));
    }
    const next = fromItem(state, hit.item_id, [[name, value]]);
    return h("li", { class: "mark missed" },
      h("a", {
        href: addressOf(next),
        title: `More like this, but ${wanted}`,
        on: { click: (event) => this.go(next, event) },
      }, icon("cross"), whisper("does not match: "), h("span", { text: wanted }),
      whisper(". More like this, but " + wanted)));
  }
}
