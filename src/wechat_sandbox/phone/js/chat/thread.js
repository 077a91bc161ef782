/* The scrolling list of a chat: adds what is new, keeps what is there, stays at the bottom when it was. */
import { h } from "../base/dom.js";
import { messageItem, timeLine } from "./bubbles.js";

const GAP_MS = 5 * 60 * 1000;
const NEAR_BOTTOM_PX = 120;

/** A list element and `show(messages, pending)`. `context` = {account(), taps, face}. */
export function createThread(label, context) {
  const list = h("ol", { class: "thread-list", role: "log", "aria-live": "polite", "aria-label": label });
  const waiting = h("ol", { class: "thread-list thread-waiting" });
  const element = h("div", { class: "thread", tabindex: "0", "aria-label": label }, list, waiting);
  let shownCount = 0;
  let lastAt = 0;
  let isFirst = true;
  let sticksToBottom = true;

  const toBottom = () => {
    element.scrollTop = element.scrollHeight;
  };
  element.addEventListener(
    "scroll",
    () => {
      sticksToBottom = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_BOTTOM_PX;
    },
    { passive: true },
  );
  // The visible height changes with panels and keyboards, the content's with pictures that arrive.
  const watcher = new ResizeObserver(() => sticksToBottom && toBottom());
  for (const part of [element, list, waiting]) watcher.observe(part);

  const itemOf = (message, isNew) =>
    messageItem(message, { account: context.account(), taps: context.taps, face: context.face, isNew });

  const add = (message) => {
    const item = itemOf(message, !isFirst);
    if (!item) return;
    const at = Date.parse(message.at);
    if (at - lastAt > GAP_MS) list.append(timeLine(message.at));
    lastAt = at;
    list.append(item);
  };

  const show = (messages, pending = []) => {
    for (const message of messages.slice(shownCount)) add(message);
    const hasOwnNews = messages.length > shownCount && messages.at(-1)?.direction === "out";
    shownCount = messages.length;
    waiting.replaceChildren(...pending.map((message) => itemOf(message, false)).filter(Boolean));
    if (sticksToBottom || hasOwnNews || pending.length) toBottom();
    isFirst = false;
  };

  return { element, show, toBottom, stop: () => watcher.disconnect() };
}
