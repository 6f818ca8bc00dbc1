// Small helpers to build the page without a library.

/** Make an element. Properties: class, text, data, on (event handlers), style, or attributes. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "text") element.textContent = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "on") {
      for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    } else if (name === "style") {
      for (const [key, part] of Object.entries(value)) element.style.setProperty(key, part);
    } else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child || child === 0));
  return element;
}

/** A picture; where it is gone a quiet sign stands in its place, not the browser's own. */
export function picture(properties) {
  const { on = {}, ...rest } = properties;
  const image = h("img", {
    ...rest,
    on: {
      ...on,
      error: () => image.replaceWith(h("span", { class: "no-picture", role: "img", "aria-label": `${rest.alt} (picture missing)` },
        icon("photo"), h("span", { "aria-hidden": "true", text: "No picture" }))),
    },
  });
  return image;
}

const SHAPES = {
  tick: "M3.5 8.5 6.5 11.5 12.5 4.8",
  cross: "M4.2 4.2 11.8 11.8M11.8 4.2 4.2 11.8",
  arrow: "M2.5 8H13M9 4l4 4-4 4",
  back: "M13.5 8H3M7 4 3 8l4 4",
  plus: "M8 3v10M3 8h10",
  filter: "M2 4h12M4.5 8h7M6.8 12h2.4",
  photo: "M2.5 5h2.3l1.2-1.8h4L11.2 5h2.3v8h-11zM8 11.2a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6z",
  more: "M4 6.5 8 10.5 12 6.5",
};

/** A small drawing beside text; hidden from screen readers. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

/** Text for screen readers only. */
export function whisper(text) {
  return h("span", { class: "whisper", text });
}

/** Rebuild part of the page and leave the focus on the element with the same data-key. */
export function keepFocus(root, rebuild) {
  const active = root.contains(document.activeElement) ? document.activeElement : null;
  const key = active?.dataset.key;
  rebuild();
  if (key === undefined) return;
  for (const element of root.querySelectorAll("[data-key]")) {
    if (element.dataset.key === key) {
      element.focus({ preventScroll: true });
      return;
    }
  }
}

let lastSaid = "";

/** Have a screen reader say something when it is done with the rest. */
export function say(text) {
  const live = document.getElementById("live");
  // The same text twice is said only when it changes.
  live.textContent = text === lastSaid ? `${text}\u00a0` : text;
  lastSaid = live.textContent;
}

export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function number(value) {
  return value.toLocaleString("en");
}

export function plural(count, one, many) {
  return `${number(count)} ${count === 1 ? one : many}`;
}
