// What stands where there is nothing to show: what happened, and what can be done about it.

import { listed } from "./describe.js";
import { capital, h, plural } from "./dom.js";

/** A notice with a way on: `way` has a text and what it does; `tag` is that of its title. */
export function notice(title, text, way, more = {}, tag = "p") {
  return h("div", { class: "notice", ...more },
    h(tag, { class: "notice-title", text: title }),
    text && h("p", { text }),
    way && h("button", { type: "button", class: "button primary", text: way.text, on: { click: way.act } }));
}

/** The gallery is being opened: no failure, and soon over. */
export function opening() {
  return notice("One moment", "The shop is just opening.", null, { role: "status" });
}

/** A request failed. */
export function failure(error, again) {
  const hints = {
    offline: "Look at your connection, then try again.",
    rate_limited: "That was a lot of searching at once.",
    overloaded: "Many people are searching just now.",
    timeout: "This took too long.",
  };
  const wait = error.retryAfter ? ` Try again in ${plural(error.retryAfter, "second", "seconds")}.` : "";
  const text = `${hints[error.code] ?? `${capital(error.message).replace(/\.$/, "")}.`}${wait}`;
  const shown = notice("That did not work", text, again && { text: "Try again", act: again }, { role: "alert" });
  if (error.requestId) shown.append(h("p", { class: "fine", text: `Request ${error.requestId}` }));
  return shown;
}

/** The item that was started from is gone, or its picture is. */
export function goneNotice(error, item, renewed, act) {
  const why = renewed ? "The catalogue was renewed while this page was open." : "It may have been sold or taken out of the catalogue.";
  const [title, text] = error.code === "picture_gone"
    ? ["The picture of this item is missing", "Without it we cannot look for something like it."]
    : ["This item is not in the shop any more", why];
  const shown = notice(title, text, { text: "Start again", act }, { role: "alert" }, "h1");
  if (item) shown.append(h("p", { class: "fine", text: `Item ${item}` }));
  return shown;
}

/** Names or values of the address that this shop does not have, or has no more. */
export function unknownNotice(parts, renewed, act) {
  const why = renewed ? "The catalogue was renewed while this page was open." : "The link may be an old one.";
  const title = `This shop does not know ${listed(parts.map((part) => part.replace("=", " ")))}`;
  return notice(title, why, { text: "Search without it", act }, { role: "alert" }, "h1");
}

/** Why a photo cannot be used, from the server's "the picture ...". */
export function photoProblem(message) {
  const reason = message.replace(/^the picture (cannot be used: )?/, "").replace(/ \(.*\)$/, "");
  const subject = /^(is|has|cannot) /.test(reason) ? "it " : /^(not|damaged) /.test(reason) ? "it is " : "";
  return `We cannot use this photo: ${subject}${reason}.`;
}
