// The page: reads the address, asks the server, shows the answer.

import { ApiError, getLimits, getSchema, search } from "./api.js";
import { wantedWords } from "./describe.js";
import { number, plural, say } from "./dom.js";
import { FilterDrawer } from "./filters.js";
import { askKey } from "./key.js";
import { failure, goneNotice, opening, photoProblem, unknownNotice } from "./notices.js";
import { PhotoError, findPhoto, takePhoto, watchPhotos } from "./photos.js";
import { Results } from "./results.js";
import { StartView } from "./start.js";
import { addressOf, changed, emptyState, fromPhoto, isSearch, readState, unknownParts, without } from "./state.js";
import { Studio } from "./studio.js";

const PAGE = 24;
const REMEMBERED = 30;

class Page {
  constructor(schema, limits) {
    this.limits = limits;
    this.content = document.getElementById("content");
    this.progress = document.getElementById("progress");
    this.answers = new Map(); // address -> { answer, hits, paging }
    this.view = null;
    this.go = this.go.bind(this);
    this.bring = this.bring.bind(this);
    this.use(schema);
    document.title = schema.title;
    history.scrollRestoration = "manual";
    addEventListener("popstate", (event) => this.show(readState(location.search), { scroll: event.state?.scroll ?? 0 }));
    for (const link of document.querySelectorAll("[data-home]")) {
      link.addEventListener("click", (event) => this.go(emptyState(), event));
    }
    watchPhotos(this.bring);
  }

  use(schema) {
    this.schema = schema;
    const shape = Math.max(0.62, Math.min(1.1, schema.picture_shape));
    document.documentElement.style.setProperty("--card-shape", shape.toFixed(3));
    document.querySelector(".wordmark").textContent = schema.title;
    document.getElementById("stock").textContent = plural(schema.items, "item", "items");
  }

  /** Whether the server has another gallery by now; what was taken from the old one is forgotten. */
  async renew() {
    const schema = await getSchema();
    if (schema.gallery === this.schema.gallery) return false;
    this.use(schema);
    this.answers.clear();
    this.drawer?.element.remove();
    this.drawer = this.shown = this.current = null;
    if (this.view?.studio) this.view = null;
    return true;
  }

  /** Go to a state; from a link only on a plain click, so that new tabs work. */
  go(state, event) {
    if (event) {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button > 0) return;
      event.preventDefault();
    }
    const other = state.item !== this.state.item || state.photo !== this.state.photo;
    history.replaceState({ scroll: scrollY }, "");
    history.pushState({ scroll: 0 }, "", addressOf(state));
    this.show(state, other ? { scroll: 0, focus: true } : {});
  }

  async show(state, { scroll = null, focus = false } = {}) {
    this.state = state;
    this.request?.abort();
    this.busy(false);
    document.getElementById("restart").hidden = !isSearch(state);
    if (!isSearch(state)) this.showStart();
    else {
      const photo = state.photo ? await findPhoto(state.photo) : null;
      if (this.state !== state) return;
      if (state.photo && !photo) this.showLost();
      else await this.showSearch(state, photo, focus);
    }
    if (scroll !== null && this.state === state) scrollTo({ top: scroll, behavior: "instant" });
  }

  showStart(problem = "") {
    this.view = new StartView({ schema: this.schema, state: this.state, takePhoto: this.bring, go: this.go });
    this.content.className = "";
    this.content.replaceChildren(this.view.element);
    this.view.tell(problem);
    document.title = this.schema.title;
  }

  showLost() {
    this.showStart("This link starts from a photo that stays with the person who took it. Bring your own, or start from one of ours.");
  }

  showNotice(shown) {
    this.view = null;
    this.content.className = "";
    this.content.replaceChildren(shown);
    document.title = this.schema.title;
  }

  searchView() {
    if (this.view?.studio) return this.view;
    const studio = new Studio({
      schema: this.schema,
      takePhoto: this.bring,
      go: this.go,
      understand: (words) => this.understand(words),
    });
    const results = new Results({
      go: this.go,
      more: () => this.more(),
      openFilters: () => this.view.filters.open(),
    });
    this.drawer ??= new FilterDrawer({ schema: this.schema, go: this.go });
    this.view = { studio, results, filters: this.drawer };
    this.content.className = "search";
    this.content.replaceChildren(studio.element, results.element);
    return this.view;
  }

  async showSearch(state, photo, focus) {
    const fresh = !this.view?.studio;
    const same = !fresh && this.shown && this.shown.item === state.item && this.shown.photo === state.photo;
    const { studio, results } = this.searchView();
    const key = addressOf(state);
    const kept = this.answers.get(key);
    if (kept) this.showAnswer(state, photo, kept, focus);
    else {
      studio.show(state, photo, same ? this.current?.answer : null);
      results.wait(state, !same);
      if (focus) studio.title.focus({ preventScroll: true });
      await this.ask(state, photo, {}, (found) => this.showAnswer(state, photo, found, false));
    }
  }

  showAnswer(state, photo, found, focus) {
    const { studio, results, filters } = this.searchView();
    this.shown = state;
    this.current = found;
    this.remember(addressOf(state), found);
    studio.show(state, photo, found.answer);
    results.show(state, found);
    filters.update(state, found.paging.total);
    if (focus) studio.title.focus({ preventScroll: true });
    const wishes = [...state.set].map(([name, value]) => wantedWords(name, value)).join(", ");
    if (!found.hits.length) say("Nothing is left with these filters.");
    else say(`${number(found.hits.length)} of ${plural(found.paging.total, "item", "items")} shown${wishes ? ` for ${wishes}` : ""}.`);
    document.title = wishes ? `${wishes} – ${this.schema.title}` : this.schema.title;
  }

  /** One request; `use` gets { answer, hits, paging } unless something newer was asked meanwhile. */
  async ask(state, photo, options, use, fail) {
    const request = (this.request = new AbortController());
    this.busy(true);
    try {
      const answer = await search(state, photo?.blob, { k: PAGE, offset: 0, signal: request.signal, ...options });
      const renewed = answer.gallery !== this.schema.gallery && (await this.renew());
      if (request.signal.aborted) return;
      await use({ answer, hits: answer.hits, paging: answer.paging, renewed });
    } catch (error) {
      if (error.name === "AbortError" || request.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      await this.failed(error, state, fail);
    } finally {
      if (this.request === request) this.busy(false);
    }
  }

  async failed(error, state, fail) {
    if (error.status === 401) askKey(() => this.show(state));
    else if (error.code === "bad_picture") this.showStart(photoProblem(error.message));
    else if (error.status === 404) await this.showGone(error, state);
    else if (unknownParts(state, error).length) await this.showUnknown(error, state);
    else if (fail) fail(error);
    else {
      const { studio, results } = this.searchView();
      studio.fail();
      results.fail(error, () => this.show(state));
    }
  }

  async showGone(error, state) {
    const renewed = await this.renewed();
    if (this.state === state) this.showNotice(goneNotice(error, state.item, renewed, () => this.go(emptyState())));
  }

  async showUnknown(error, state) {
    const renewed = await this.renewed();
    const parts = unknownParts(state, error);
    const act = () => this.go(without(state, error));
    if (this.state === state) this.showNotice(unknownNotice(parts, renewed, act));
  }

  /** As `renew`, after another request has failed: a server that does not answer changes nothing. */
  async renewed() {
    try {
      return await this.renew();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return false;
    }
  }

  async more() {
    const { state, current } = this;
    const photo = state.photo ? await findPhoto(state.photo) : null;
    const offset = current.paging.next_offset;
    await this.ask(state, photo, { offset }, async ({ hits, paging, renewed }) => {
      if (renewed) {
        await this.show(state, { scroll: 0 });
        this.view?.results?.tell("The catalogue was renewed meanwhile: this is the list as it is now.");
        return;
      }
      const from = current.hits.length;
      this.current = { answer: current.answer, hits: [...current.hits, ...hits], paging };
      this.remember(addressOf(state), this.current);
      const first = this.view.results.show(state, this.current, from);
      first?.querySelector("a").focus({ preventScroll: true });
      say(`${plural(hits.length, "more item", "more items")}.`);
    }, (error) => this.view.results.failMore(error));
  }

  /** Words become changes in the address; what was not understood is said. */
  async understand(words) {
    const { state } = this;
    const photo = state.photo ? await findPhoto(state.photo) : null;
    const bare = changed(state, { set: new Map() }); // later words win over earlier changes
    await this.ask(bare, photo, { words }, async ({ answer, renewed }) => {
      if (renewed) await this.show(state);
      const set = new Map([...state.set, ...Object.entries(answer.words.changes)]);
      const next = changed(state, { set });
      this.view?.studio?.words.tell(answer.words);
      if (addressOf(next) !== addressOf(state)) this.go(next);
    }, (error) => this.view.studio.words.complain(error.message));
  }

  async bring(file) {
    const button = document.activeElement;
    try {
      const name = await takePhoto(file, this.limits);
      this.go(fromPhoto(this.state, name));
    } catch (error) {
      if (!(error instanceof PhotoError)) throw error;
      if (!this.view?.tell) this.showStart(error.message);
      else this.view.tell(error.message);
      button?.focus?.();
    }
  }

  remember(key, found) {
    this.answers.delete(key);
    this.answers.set(key, found);
    if (this.answers.size > REMEMBERED) this.answers.delete(this.answers.keys().next().value);
  }

  busy(on) {
    this.progress.hidden = !on;
  }
}

async function begin() {
  const content = document.getElementById("content");
  try {
    const [schema, limits] = await Promise.all([getSchema(), getLimits()]);
    const page = new Page(schema, limits);
    page.state = readState(location.search);
    await page.show(page.state);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) askKey(begin);
    else if (error.code === "not_ready") {
      content.replaceChildren(opening());
      setTimeout(begin, 1000 * (error.retryAfter ?? 1));
    } else content.replaceChildren(failure(error, begin));
  }
}

begin();
