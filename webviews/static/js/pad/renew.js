/** A door page stands for hours, its form's token lives for one: load it anew before, unless somebody types. */

const OLD_MS = 30 * 60_000;
const LOOK_EVERY_MS = 60_000;

export function renewWhenOld({ signal } = {}) {
  const openedAt = Date.now();

  function look() {
    const typed = [...document.querySelectorAll("input[type=password], #code, #login")].some((box) => box.value);
    if (!typed && !document.hidden && Date.now() - openedAt > OLD_MS) location.reload();
  }

  const timer = setInterval(look, LOOK_EVERY_MS);
  signal?.addEventListener("abort", () => clearInterval(timer));
  document.addEventListener("visibilitychange", look, { signal });
}
