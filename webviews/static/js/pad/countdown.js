/** Countdowns: <time data-seconds-left="300"> runs down by the clock, not by the ticks it got. */

export function clockText(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Starts all countdowns below an element; `onEnd` is called for those with data-at-end="again". */
export function startCountdowns(root, { signal, onEnd } = {}) {
  for (const element of root.querySelectorAll("[data-seconds-left]")) run(element, root, { signal, onEnd });
}

function run(element, root, { signal, onEnd }) {
  const endsAt = performance.now() + Number(element.dataset.secondsLeft) * 1000;
  const whole = Number(element.dataset.of);
  const bar = root.querySelector("[data-time-bar]");
  const timer = setInterval(tick, 250);
  signal?.addEventListener("abort", () => clearInterval(timer));
  tick();

  function tick() {
    const left = Math.max(0, Math.ceil((endsAt - performance.now()) / 1000));
    element.textContent = clockText(left);
    element.classList.toggle("is-short", left <= 60);
    if (bar && whole) bar.setAttribute("width", String((left * 100) / whole));
    if (left > 0) return;
    clearInterval(timer);
    const over = root.querySelector("[data-over]");
    if (over) over.hidden = false;
    if (element.dataset.atEnd === "again") onEnd?.();
  }
}
