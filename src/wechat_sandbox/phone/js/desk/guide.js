/* The first steps, shown until they are done or sent away: pick a person, follow, say hello. */
import { button, fill, h } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { t } from "../base/copy.js";
import { keep, recall } from "../base/kept.js";
import { onRoute } from "../base/route.js";
import { get, watch } from "../base/store.js";
import { inHand } from "../acts.js";
import { conversation } from "../chat/conversations.js";

const STEPS = ["pick", "follow", "hello"];

function hasSpoken(person) {
  return person.following.some((account) =>
    conversation(person.id, account).messages.some(
      (message) =>
        message.direction === "out" && (message.kind !== "event" || message.event === "CLICK"),
    ),
  );
}

/** The step that comes next: pick, follow, hello, or done. */
export function guideStep() {
  const person = inHand();
  if (!person) return "pick";
  if (!person.following.length) return "follow";
  return hasSpoken(person) ? "done" : "hello";
}

function stepText(step) {
  const { accounts } = get();
  const account = accounts[0]?.name ?? t("guide.some_account");
  return t(`guide.${step}`, { account });
}

function stepItem(step, index, reached) {
  const isDone = index < reached;
  const isNow = index === reached;
  const state = isDone ? "is-done" : isNow ? "is-now" : "is-later";
  return h(
    "li",
    { class: `guide-step ${state}`, "aria-current": isNow ? "step" : null },
    h("span", { class: "guide-number" }, isDone ? icon("check", 16) : String(index + 1)),
    h("span", {}, stepText(step)),
  );
}

function guideCard(now, dismiss) {
  const reached = now === "done" ? STEPS.length : STEPS.indexOf(now);
  const title = now === "done" ? t("guide.well_done") : t("guide.title");
  const closer = button(
    {
      class: "icon-button",
      "aria-label": t("nav.close"),
      "data-testid": "guide-close",
      on: { click: dismiss },
    },
    icon("close", 18),
  );
  return h(
    "section",
    { class: "paper guide", "aria-label": t("guide.title") },
    h("header", { class: "guide-head" }, h("h2", { class: "paper-title" }, title), closer),
    h(
      "ol",
      { class: "guide-steps" },
      STEPS.map((step, index) => stepItem(step, index, reached)),
    ),
  );
}

export function showGuide(place) {
  // Whoever finished on an earlier visit is not told again; the praise stays for this one.
  const wasDone = recall("guide_done", false);
  const show = () => {
    const now = guideStep();
    document.body.dataset.step = now;
    if (now === "done") keep("guide_done", true);
    if (wasDone || recall("guide_dismissed", false)) {
      fill(place);
      return;
    }
    const dismiss = () => {
      keep("guide_dismissed", true);
      show();
    };
    fill(place, guideCard(now, dismiss));
  };
  for (const name of ["people", "chats", "accounts"]) watch((facts) => facts[name], show);
  onRoute((now, before) => now.person !== before.person && show());
}
