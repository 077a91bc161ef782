/** The booking pages: a form is sent once, its button says that it works, the chosen day is in sight. */
import { sayMissing } from "./missing.js";

for (const form of document.querySelectorAll("form[data-once]")) {
  let isSent = false;
  sayMissing(form);
  form.addEventListener("submit", (event) => {
    if (isSent) {
      event.preventDefault();
      return;
    }
    isSent = true;
    const button = event.submitter;
    if (!button) return;
    button.setAttribute("aria-busy", "true");
    if (button.dataset.busy) {
      button.dataset.words = button.textContent;
      button.textContent = button.dataset.busy;
    }
  });
  // Back from the next page: the form may be sent again.
  window.addEventListener("pageshow", () => {
    isSent = false;
    for (const button of form.querySelectorAll("[aria-busy]")) {
      button.removeAttribute("aria-busy");
      if (button.dataset.words) button.textContent = button.dataset.words;
    }
  });
}

for (const chosen of document.querySelectorAll(".booking-strip [aria-current], .booking-days [aria-current]")) {
  const strip = chosen.parentElement;
  strip.scrollLeft = chosen.offsetLeft - (strip.clientWidth - chosen.clientWidth) / 2;
}
