// Asking the server.

export class ApiError extends Error {
  constructor(status, error, retryAfter) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.details = error.details ?? [];
    this.requestId = error.request_id ?? "";
    this.retryAfter = retryAfter;
  }
}

async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(new URL(path, document.baseURI), {
      credentials: "same-origin",
      ...options,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { code: "offline", message: "The shop cannot be reached just now." });
  }
  if (response.status === 204) return null;
  let body = null;
  try {
    body = await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
  }
  if (response.ok && body !== null) return body;
  const retryAfter = Number(response.headers.get("Retry-After")) || null;
  const unknown = { code: "unknown", message: "The shop gave an answer this page cannot read." };
  throw new ApiError(response.status, body?.error ?? unknown, retryAfter);
}

function asJson(body, signal) {
  return {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  };
}

export const getSchema = () => call("v1/schema");
export const getLimits = () => call("v1/limits");
export const openSession = (key) => call("v1/session", asJson({ key }));

export function getItems(k, offset) {
  return call(`v1/items?${new URLSearchParams({ k, offset })}`);
}

/** How many items each value would leave, under the filters of the other names. */
export function getCounts(only) {
  const query = new URLSearchParams();
  for (const [name, values] of only) for (const value of values) query.append("filter", `${name}=${value}`);
  return call(`v1/counts?${query}`);
}

const MOST = 3; // how much an attribute counts that matters most

/** One page of results for a state; `photo` is the picture where the state names one. */
export function search(state, photo, { k, offset, words, signal }) {
  const query = {
    changes: Object.fromEntries(state.set),
    filters: Object.fromEntries(state.only),
    importance: Object.fromEntries(state.most.map((name) => [name, MOST])),
    k,
    offset,
    prototype: offset === 0 && state.set.size > 0 && !words,
    ...(words ? { words } : {}),
  };
  if (state.item) return call("v1/search", asJson({ item_id: state.item, ...query }, signal));
  const form = new FormData();
  form.append("picture", photo, "photo");
  form.append("query", JSON.stringify({ known: Object.fromEntries(state.known), ...query }));
  return call("v1/search", { method: "POST", body: form, signal });
}

/** Address of an item's picture at a width. */
export function pictureAt(address, width) {
  return `${address}&width=${width}`;
}

export function itemPicture(item, version) {
  const query = new URLSearchParams({ id: item, ...(version ? { v: version } : {}) });
  return `v1/pictures?${query}`;
}
