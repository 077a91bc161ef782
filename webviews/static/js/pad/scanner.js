/**
 * The scan box: a hardware scanner types into it and sends Enter, wherever the focus was; the camera
 * beside it does the same. While scanning is locked, the box waits with a countdown.
 */
import { clockText } from "./countdown.js";
import { startCamera } from "./camera.js";

export function startScan(page) {
  const form = page.content.querySelector("form[data-scan]");
  if (!form) return;
  const box = form.elements.scanned;
  keepFocused(box, page);
  wireKeyboardButton(form, box, page);
  waitWhileLocked(form, page);
  form.addEventListener("pad:check", (event) => {
    if (box.value.trim() === "" || form.dataset.isWaiting) event.preventDefault();
  }, { signal: page.signal });
  form.addEventListener("pad:refused", () => {
    // The next code goes into an empty box.
    box.value = "";
    if (!isElsewhere()) box.focus();
    waitWhileLocked(form, page);
  }, { signal: page.signal });
  startCamera(page, (text) => {
    if (form.dataset.isSent || form.dataset.isWaiting) return false;
    box.value = text;
    form.requestSubmit();
    return true;
  });
}

/** Whether the person is at work in another field or on a button reached by keyboard. */
function isElsewhere() {
  const element = document.activeElement;
  return element instanceof HTMLElement && element.matches("input, textarea, select, summary, a, button");
}

function keepFocused(box, { signal }) {
  // On a touch screen the system's keyboard would cover the page; the scanner needs none.
  if (matchMedia("(pointer: coarse)").matches) box.inputMode = "none";
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1) return;
    if (event.target instanceof HTMLInputElement || event.key === " ") return;
    box.focus(); // The key that is being pressed then goes into the box.
  }, { signal });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("a, button, input, label, summary")) box.focus({ preventScroll: true });
  }, { signal });
  window.addEventListener("focus", () => {
    if (!isElsewhere()) box.focus({ preventScroll: true });
  }, { signal });
}

function wireKeyboardButton(form, box, { signal }) {
  const button = form.querySelector("[data-keyboard]");
  if (!button || !matchMedia("(pointer: coarse)").matches) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    box.inputMode = "numeric";
    box.blur();
    box.focus();
  }, { signal });
}

function waitWhileLocked(form, { content, signal }) {
  const fault = content.querySelector("[data-fault][data-retry-after]");
  if (!fault || fault.hidden) return;
  const submit = form.querySelector("button[type=submit]");
  const action = fault.querySelector("[data-fault-action]");
  const endsAt = performance.now() + Number(fault.dataset.retryAfter) * 1000;
  form.dataset.isWaiting = "yes";
  submit.disabled = true;
  const timer = setInterval(tick, 250);
  signal.addEventListener("abort", () => clearInterval(timer));
  tick();

  function tick() {
    const left = Math.max(0, Math.ceil((endsAt - performance.now()) / 1000));
    action.textContent = form.dataset.wait.replace("{time}", clockText(left));
    if (left > 0) return;
    clearInterval(timer);
    delete form.dataset.isWaiting;
    submit.disabled = false;
    fault.hidden = true;
    delete fault.dataset.retryAfter;
  }
}
