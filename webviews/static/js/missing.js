/** Says in our own words, at the button, that nothing is chosen yet; browsers say it in their language. */
export function sayMissing(form) {
  const place = form.querySelector("[data-missing]");
  if (!place) return;
  const isChoice = (event) => event.target.type === "radio";
  form.addEventListener(
    "invalid",
    (event) => {
      if (!isChoice(event)) return;
      event.preventDefault();
      place.textContent = place.dataset.missing;
      place.hidden = false;
    },
    true,
  );
  form.addEventListener("change", (event) => {
    if (isChoice(event)) place.hidden = true;
  });
}
