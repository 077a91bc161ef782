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
let calledAt = 0;

export function startQueue({ content, signal }) {
  const board = () => content.querySelector("[data-board]");
  const offline = content.querySelector("[data-queue-offline]");
  let isSending = false;
  let isReading = false;
  let isAsked = false;

  content.addEventListener("submit", onSubmit, { signal });
  const timer = setInterval(look, LOOK_EVERY_MS);
  const stream = new EventSource("/pad/queue/live");
  stream.addEventListener("queue.changed", () => look());
  stream.addEventListener("open", () => look());
  document.addEventListener("visibilitychange", () => document.hidden || look(), { signal });
  signal.addEventListener("abort", () => {
    clearInterval(timer);
    stream.close();
  });
  calm();

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
    // Not known what became of it: the same tap may be sent again, so its name is kept.
    if (!answer.isUnknown) await look();
  }

  /** Reads the board; while a tap is under way the drawn names of requests stay as they are. */
  async function look(search = "", { isDone = false } = {}) {
    if (isSending || isReading) {
      isAsked = true;
      return;
    }
    isReading = true;
    try {
      const answer = await fetch(`/pad/queue/board${search}`, { headers: { Accept: "text/html" } });
      if (answer.redirected || answer.status === 401) {
        location.assign("/pad");
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      const text = await answer.text();
      if (!signal.aborted && !isSending) take(text, isDone);
      offline.hidden = true;
    } catch {
      offline.textContent = offline.dataset.queueOffline.replace("{time}", board().dataset.at);
      offline.hidden = false;
    } finally {
      isReading = false;
    }
    if (isAsked && !signal.aborted && !isSending) {
      isAsked = false;
      look();
    }
  }

  function take(text, isDone) {
    const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-board]");
    if (!fresh) return;
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
    const focused = document.activeElement;
    const key = old.contains(focused) ? focusKey(focused) : null;
    old.replaceWith(fresh);
    if (key) fresh.querySelector(key)?.focus({ preventScroll: true });
    calm();
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
