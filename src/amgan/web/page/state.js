// What is being looked at, as an address that can be shared: ?item=ID&set=colour=black&most=colour&only=fit=slim

/**
 * An empty state. `set`, `known`: attribute -> value; `only`: name -> values; `most`: attributes that
 * matter most.
 */
export function emptyState() {
  return { item: null, photo: null, set: new Map(), known: new Map(), only: new Map(), most: [] };
}

export function readState(search) {
  const query = new URLSearchParams(search);
  const state = emptyState();
  state.item = query.get("item");
  state.photo = state.item ? null : query.get("photo");
  for (const text of query.getAll("set")) readPair(text, (name, value) => state.set.set(name, value));
  for (const text of query.getAll("is")) readPair(text, (name, value) => state.known.set(name, value));
  state.most = [...new Set(query.getAll("most"))];
  for (const text of query.getAll("only")) {
    readPair(text, (name, value) => {
      const values = state.only.get(name) ?? [];
      if (!values.includes(value)) state.only.set(name, [...values, value]);
    });
  }
  return state;
}

function readPair(text, use) {
  const at = text.indexOf("=");
  if (at > 0) use(text.slice(0, at), text.slice(at + 1));
}

/** The address of a state, relative to the page. */
export function addressOf(state) {
  const query = new URLSearchParams();
  if (state.item) query.set("item", state.item);
  else if (state.photo) query.set("photo", state.photo);
  for (const [name, value] of state.set) query.append("set", `${name}=${value}`);
  for (const [name, value] of state.known) query.append("is", `${name}=${value}`);
  for (const name of state.most) query.append("most", name);
  for (const [name, values] of state.only) {
    for (const value of values) query.append("only", `${name}=${value}`);
  }
  const text = query.toString();
  return text ? `?${text}` : ".";
}

export function isSearch(state) {
  return Boolean(state.item || state.photo);
}

/** A copy with some parts replaced; maps are copied, so the old state stays as it was. */
export function changed(state, parts) {
  return {
    item: state.item,
    photo: state.photo,
    set: new Map(state.set),
    known: new Map(state.known),
    only: new Map([...state.only].map(([name, values]) => [name, [...values]])),
    most: [...state.most],
    ...parts,
  };
}

export function withChange(state, attribute, value) {
  const set = new Map(state.set);
  if (value === null) set.delete(attribute);
  else set.set(attribute, value);
  return changed(state, { set });
}

export function withKnown(state, attribute, value) {
  const known = new Map(state.known);
  if (value === null) known.delete(attribute);
  else known.set(attribute, value);
  return changed(state, { known });
}

export function withMost(state, attribute, on) {
  const others = state.most.filter((name) => name !== attribute);
  return changed(state, { most: on ? [...others, attribute] : others });
}

export function withFilter(state, name, value, on) {
  const only = changed(state, {}).only;
  const values = (only.get(name) ?? []).filter((other) => other !== value);
  if (on) values.push(value);
  if (values.length) only.set(name, values);
  else only.delete(name);
  return changed(state, { only });
}

/** Search from an item; filters stay, since they say what the shopper can wear or pay. */
export function fromItem(state, item, changes = []) {
  return { ...emptyState(), item, set: new Map(changes), only: changed(state, {}).only };
}

export function fromPhoto(state, photo) {
  return { ...emptyState(), photo, only: changed(state, {}).only };
}

// Where the server's error names a part of the query: how it is called there and here.
const PARTS = [["changes", "set"], ["known", "known"], ["filters", "only"]];

/** The parts of a state that an error says the shop does not know: [part, name] pairs. */
function namedParts(state, error) {
  const fields = error.details.map(({ field }) => field ?? "");
  if (fields.includes("importance")) return state.most.map((name) => ["most", name]);
  return PARTS.flatMap(([sent, part]) =>
    [...state[part].keys()].filter((name) => fields.includes(`${sent}.${name}`)).map((name) => [part, name]));
}

/** The same in words. */
export function unknownParts(state, error) {
  return namedParts(state, error).map(([part, name]) =>
    part === "most" ? name : `${name}=${[state[part].get(name)].flat().join(" or ")}`);
}

/** The state without what an error says the shop does not know. */
export function without(state, error) {
  const next = changed(state, {});
  for (const [part, name] of namedParts(state, error)) {
    if (part === "most") next.most = next.most.filter((other) => other !== name);
    else next[part].delete(name);
  }
  return next;
}
