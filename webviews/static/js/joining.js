/** The join form: sent once however often it is pressed, the button says that it works. */

for (const form of document.querySelectorAll("form[data-once]")) {
  const button = form.querySelector("button[type=submit]");
  const words = button.textContent;
  let isSent = false;

  form.addEventListener("submit", (event) => {
    if (isSent) {
      event.preventDefault();
      return;
    }
    isSent = true;
    button.setAttribute("aria-busy", "true");
    button.textContent = button.dataset.busy;
  });

  // Back from the next page: the form may be sent again.
  window.addEventListener("pageshow", () => {
    isSent = false;
    button.removeAttribute("aria-busy");
    button.textContent = words;
  });

  for (const box of form.querySelectorAll("[data-missing]")) {
    box.addEventListener("invalid", () => box.setCustomValidity(box.dataset.missing));
    box.addEventListener("change", () => box.setCustomValidity(""));
  }
}
