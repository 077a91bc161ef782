/** On-screen keys for a field: the system's own keyboard stays away where there is no real one. */

const IS_TOUCH = matchMedia("(pointer: coarse)");

/** Shows the keys for `field` and calls `press(key)`; digits, ".", "erase", "clear". */
export function wireKeypad(root, name, field, press, { signal }) {
  const keypad = root.querySelector(`[data-keypad="${name}"]`);
  if (!keypad) return;
  keypad.hidden = false;
  keypad.closest("form").classList.add("has-keys");
  for (const key of root.querySelectorAll(`[data-for="${name}"]`)) key.hidden = false;
  if (IS_TOUCH.matches) field.inputMode = "none";
  for (const key of root.querySelectorAll(`[data-keypad="${name}"] [data-key], [data-for="${name}"]`)) {
    // Pressing a key must not take the focus from the field, or a keyboard typed into nothing.
    key.addEventListener("pointerdown", (event) => event.preventDefault(), { signal });
    key.addEventListener("click", () => press(key.dataset.key), { signal });
  }
}

/** What a field holds after a key. */
export function afterKey(value, key) {
  if (key === "clear") return "";
  if (key === "erase") return value.slice(0, -1);
  return value + key;
}
