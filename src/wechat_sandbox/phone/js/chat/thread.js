/* The scrolling list of a chat: adds what is new, keeps what is there, stays at the bottom when
 * it was. */
import { h } from "../base/dom.js";
import { messageItem, timeLine } from "./bubbles.js";

const GAP_MS = 5 * 60 * 1000;
const NEAR_BOTTOM_PX = 120;

/** Keeps what scrolls at its end while it was there, whatever grows inside or shrinks around it. */
function keepAtBottom(element, contents) {
  let isNear = true;
  const go = () => {
    element.scrollTop = element.scrollHeight;
  };
  const look = () => {
    isNear = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_BOTTOM_PX;
  };
  element.addEventListener("scroll", look, { passive: true });
  // The visible height changes with panels and keyboards, the content's with pictures that arrive.
  const watcher = new ResizeObserver(() => isNear && go());
  for (const part of [element, ...contents]) watcher.observe(part);
  return { go, isNear: () => isNear, stop: () => watcher.disconnect() };
}

/** A list element and `show(messages, pending)`. `context` = {account(), taps, face}. */
export function createThread(label, context) {
  const list = h("ol", { class: "thread-list" });
  const waiting = h("ol", { class: "thread-list thread-waiting" });
  const element = h(
    "div",
    { class: "thread", role: "log", tabindex: "0", "aria-label": label },
    list,
    waiting,
  );
  let shown = [];
  let lastAt = 0;
  let isFirst = true;
  const bottom = keepAtBottom(element, [list, waiting]);

  const itemOf = (message, isNew) =>
    messageItem(message, {
      account: context.account(),
      taps: context.taps,
      face: context.face,
      isNew,
    });

  const add = (message) => {
    const item = itemOf(message, !isFirst);
    if (!item) return;
    const at = Date.parse(message.at);
    if (at - lastAt > GAP_MS) list.append(timeLine(message.at));
    lastAt = at;
    list.append(item);
  };

  const show = (messages, pending = []) => {
    // Old messages may have been dropped at the front; then everything is drawn anew.
    const last = shown.at(-1);
    const isContinued = !last || messages[shown.length - 1]?.at === last.at;
    if (!isContinued) {
      list.replaceChildren();
      [shown, lastAt, isFirst] = [[], 0, true];
    }
    const news = messages.slice(shown.length);
    news.forEach(add);
    shown = messages;
    waiting.replaceChildren(...pending.map((message) => itemOf(message, false)).filter(Boolean));
    if (bottom.isNear() || pending.length || news.at(-1)?.direction === "out") bottom.go();
    isFirst = false;
  };

  return { element, show, stop: bottom.stop };
}
