/* The inbox of text messages of the phone in hand. */
import { fill, h } from "../base/dom.js";
import { titleBar } from "../base/layers.js";
import { chatTime, t } from "../base/copy.js";
import { go } from "../base/route.js";
import { watch } from "../base/store.js";
import { inHand } from "../acts.js";
import { markTextsSeen, textsOf } from "../chat/texts.js";

function note({ sender, text, at }) {
  return h(
    "li",
    { class: "text-note", "data-testid": "text-note" },
    h("p", { class: "text-note-head" }, h("span", {}, sender), h("time", { datetime: at }, chatTime(at))),
    h("p", { class: "text-note-words" }, text),
  );
}

export function textsScreen(signal) {
  const body = h("div", { class: "screen-body" });
  const show = () => {
    const person = inHand();
    if (!person) return;
    const messages = textsOf(person.id);
    if (messages.length) fill(body, h("ol", { class: "text-notes" }, messages.map(note)));
    else fill(body, h("div", { class: "empty" }, h("p", { class: "empty-title" }, t("texts.none"))));
    queueMicrotask(() => {
      if (signal.aborted) return;
      markTextsSeen(person.id);
      body.scrollTop = body.scrollHeight;
    });
  };
  watch((facts) => facts.texts, show, signal);
  return h(
    "section",
    { class: "screen" },
    titleBar(t("texts.title"), { onBack: () => go({ tab: "chats" }) }),
    body,
  );
}
