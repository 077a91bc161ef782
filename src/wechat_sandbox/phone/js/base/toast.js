/* Short words at the bottom of the phone: said once, read aloud, then out of the way. */
import { h } from "./dom.js";
import { t } from "./copy.js";
import { Refusal } from "./api.js";

const SHOWN_MS = 2600;
let timer = 0;

/** Say something on the phone. */
export function say(text) {
  const place = document.getElementById("toast");
  place.replaceChildren(h("p", { class: "toast-text" }, text));
  clearTimeout(timer);
  timer = setTimeout(() => place.replaceChildren(), SHOWN_MS);
}

/** Say what went wrong in words; what was tried can be tried again. */
export function sayError(error) {
  if (error instanceof Refusal) say(t("error.refused", { reason: error.message }));
  else if (error instanceof TypeError) say(t("error.unreachable"));
  else throw error;
}
