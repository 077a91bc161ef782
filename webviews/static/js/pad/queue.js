/**
 * The queue screen: taps are sent without leaving the page and however often they come they happen once;
 * the board is read anew after each and on every word from the server, with what was open left open.
 */
import { hideFault, showFault } from "./forms.js";
import { post } from "./post.js";
import { playRefused, playSuccess } from "./sounds.js";

const LOOK_EVERY_MS = 20_000;
// A finger that taps twice means one call.
const CALM_MS = 1_200;
// On a touch screen the click is told a moment after the finger has gone.
const LIFTED_MS = 60;
let calledAt = 0;

export function startQueue({ content, signal }) {
  const board = () => content.querySelector("[data-board]");
  const offline = content.querySelector("[data-queue-offline]");
  let isSending = false;
  let reading = null;
  let isAsked = false;
  let isPressed = false;
  let held = null;
  /** What was sent without an answer: its place on the board and the name to send again, so it happens once. */
  const unsettled = new Map();

  content.addEventListener("submit", onSubmit, { signal });
  content.addEventListener("pointerdown", () => (isPressed = true), { signal });
  document.addEventListener("click", closeBoxes, { signal });
  for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, release, { signal });
  const timer = setInterval(look, LOOK_EVERY_MS);
  const stream = new EventSource("/pad/queue/live");
  stream.addEventListener("queue.changed", () => look());
  stream.addEventListener("open", () => look());
  document.addEventListener("visibilitychange", () => document.hidden || look(), { signal });
  signal.addEventListener("abort", () => {
    clearInterval(timer);
    stream.close();
    reading?.abort();
  });
  calm();

  /** A tap beside the box of a line's switches closes it. */
  function closeBoxes(event) {
    for (const box of content.querySelectorAll("details.queue-run[open]")) {
      if (!box.contains(event.target)) box.open = false;
    }
  }

  /** A finger lies on a button: a board put under it now would swallow the tap, so it waits for the lift. */
  function release() {
    isPressed = false;
    setTimeout(() => {
      if (!held || isPressed || isSending || signal.aborted) return;
      take(...held);
    }, LIFTED_MS);
  }

  async function onSubmit(event) {
    const form = event.target.closest("form[data-desk]");
    if (!form) return;
    event.preventDefault();
    if (isSending) return;
    isSending = true;
    hideFault(content);
    const button = event.submitter ?? form.querySelector("button[type=submit]");
    button.setAttribute("aria-busy", "true");
    const body = new URLSearchParams(new FormData(form));
    if (event.submitter?.name) body.set(event.submitter.name, event.submitter.value);
    const answer = await post(form.action, body);
    if (signal.aborted) return;
    isSending = false;
    button.removeAttribute("aria-busy");
    const name = body.get("request_id");
    if (answer.isUnknown && name) unsettled.set(placeOf(form), name);
    else unsettled.delete(placeOf(form));
    if (answer.leave) {
      location.assign(answer.leave);
      return;
    }
    if (answer.next) {
      playSuccess();
      if (form.matches("[data-call]")) calledAt = Date.now();
      await look(new URL(answer.next, location.href).search, { isDone: true });
      return;
    }
    playRefused();
    const [title, ...rest] = String(answer.message).split(/(?<=[。！？])|(?<=[.!?])\s/);
    showFault(content, title, rest.join(" "));
    await look();
  }

  /**
   * Reads the board; while a tap is under way the drawn names of requests stay as they are. What was done
   * is read at once, for a reading that began before it tells what was.
   */
  async function look(search = "", { isDone = false } = {}) {
    if (isSending || (reading && !isDone)) {
      isAsked = true;
      return;
    }
    reading?.abort();
    const mine = (reading = new AbortController());
    isAsked = false;
    try {
      const answer = await fetch(`/pad/queue/board${search}`, {
        headers: { Accept: "text/html" },
        signal: mine.signal,
      });
      if (answer.redirected || answer.status === 401) {
        location.assign("/pad");
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      const text = await answer.text();
      if (reading !== mine || signal.aborted) return;
      if (isPressed) held = [text, isDone || Boolean(held?.[1])];
      else if (isSending) isAsked = true;
      else take(text, isDone);
      offline.hidden = true;
    } catch {
      if (reading !== mine || signal.aborted) return;
      offline.textContent = offline.dataset.queueOffline.replace("{time}", board().dataset.at);
      offline.hidden = false;
    } finally {
      if (reading === mine) reading = null;
    }
    if (isAsked && !reading && !signal.aborted && !isSending) look();
  }

  function take(text, isDone) {
    const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-board]");
    if (!fresh) return;
    held = null;
    const old = board();
    const open = [...old.querySelectorAll("details[open][id]")].map((part) => part.id);
    if (!isDone) {
      // What was just done stays said until something else is done.
      const said = old.querySelector(".queue-done");
      if (said) fresh.prepend(said);
    }
    for (const id of open) {
      const part = fresh.querySelector(`#${CSS.escape(id)}`);
      if (part && !(isDone && ["queue-desk"].includes(id))) part.open = true;
    }
    for (const form of unsettled.size ? fresh.querySelectorAll("form[data-desk]") : []) {
      const name = unsettled.get(placeOf(form));
      if (name) form.elements.request_id.value = name;
    }
    const focused = document.activeElement;
    const key = old.contains(focused) ? focusKey(focused) : null;
    old.replaceWith(fresh);
    if (key) fresh.querySelector(key)?.focus({ preventScroll: true });
    calm();
  }

  function placeOf(form) {
    return `${form.getAttribute("action")} ${form.elements.queue_id?.value ?? ""}`;
  }

  /** A selector that finds the same button in the fresh board: by its form's address or its part. */
  function focusKey(element) {
    const form = element.closest("form[data-desk]");
    if (form) {
      const place = `form[action="${CSS.escape(new URL(form.action).pathname)}"]`.replaceAll("\\/", "/");
      return `${place.replaceAll("\\", "")} button`;
    }
    const part = element.closest("details[id]");
    return part ? `#${CSS.escape(part.id)} > summary` : null;
  }

  function calm() {
    const left = calledAt + CALM_MS - Date.now();
    if (left <= 0) return;
    const buttons = [...content.querySelectorAll("form[data-call] button:not([disabled])")];
    for (const button of buttons) button.disabled = true;
    setTimeout(() => {
      for (const button of buttons) button.disabled = false;
    }, left);
  }
}
