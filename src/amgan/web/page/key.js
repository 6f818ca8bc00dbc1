// The dialog of a shop that needs a key.

import { openSession } from "./api.js";
import { h } from "./dom.js";

/** Ask for a key and exchange it for a cookie, then `again`. */
export function askKey(again) {
  if (document.querySelector(".key-dialog")) return;
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const input = h("input", { class: "field", type: "password", autocomplete: "current-password", required: true, id: "key" });
  const dialog = h(
    "dialog",
    { class: "key-dialog", "aria-labelledby": "key-title", on: { cancel: (event) => event.preventDefault() } },
    h("form", {
      on: {
        submit: async (event) => {
          event.preventDefault();
          try {
            await openSession(input.value);
            dialog.close();
            dialog.remove();
            again();
          } catch (error) {
            problem.textContent = error.status === 401 ? "This key is not right." : error.message;
            problem.hidden = false;
            input.select();
          }
        },
      },
    },
    h("h2", { id: "key-title", text: "This shop needs a key" }),
    h("label", { for: "key", text: "Key" }),
    input,
    problem,
    h("button", { class: "button primary wide", text: "Enter" })),
  );
  document.body.append(dialog);
  dialog.showModal();
}
