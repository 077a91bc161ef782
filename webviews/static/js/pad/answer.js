/**
 * Waiting for the member: the page looks again when the server says so, and every three seconds in case
 * nobody could say so; a yes sends the kept charge by itself. The PIN leaves the page with its form.
 */
import { afterKey, wireKeypad } from "./keypad.js";
import { hideFault, showFault } from "./forms.js";

const LOOK_EVERY_MS = 3_000;
const PIN_DIGITS = 6;

/** Looks again at the page's own address as long as somebody is waited for. */
export function lookAgain({ content, go, signal }) {
  const waiting = content.querySelector("[data-look-again]");
  if (!waiting) return;
  const pin = content.querySelector("[data-pay-pin]");
  // Not while the member types: the digits would be lost.
  const look = () => {
    if (!pin?.elements.pin.value && !pin?.dataset.isSent) go(waiting.dataset.lookAgain, { isBack: true });
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  const stream = new EventSource("/pad/live");
  for (const told of ["charge_answered", "visit_confirmed", "visit_refused"]) stream.addEventListener(told, look);
  signal.addEventListener("abort", () => {
    clearInterval(timer);
    stream.close();
  });
}

/** The member's six digits: shown as dots, gone from the field as soon as they are sent. */
export function startPayPin({ content, signal }) {
  const form = content.querySelector("[data-pay-pin]");
  if (!form) return;
  const pin = form.elements.pin;
  wireKeypad(content, "pay-pin", pin, (key) => {
    pin.value = afterKey(pin.value, key).slice(0, PIN_DIGITS);
    hideFault(form);
  }, { signal });
  form.addEventListener("pad:check", (event) => {
    if (/^\d{6}$/.test(pin.value)) return;
    showFault(form, form.dataset.tooShort);
    event.preventDefault();
  }, { signal });
  form.addEventListener("pad:refused", () => {
    pin.value = "";
    pin.focus();
  }, { signal });
}

/** What the member said yes to is sent without another tap. */
export function sendWhenConfirmed({ content }) {
  content.querySelector("form[data-auto]")?.requestSubmit();
}
