/* Text messages, beside WeChat: the inbox, how many are unread, and the banner of a new one. */
import { api } from "../base/api.js";
import { button, fill, h } from "../base/dom.js";
import { keep, recall } from "../base/kept.js";
import { go, route } from "../base/route.js";
import { get, set, setIn } from "../base/store.js";

const KEPT_AS = "texts_seen";
const BANNER_MS = 15_000;
let timer = 0;

export function textsOf(person) {
  return get().texts[person] ?? [];
}

export function unreadTexts(person) {
  const seen = get().textsSeen[person] ?? 0;
  return textsOf(person).filter(({ seq }) => seq > seen).length;
}

export function markTextsSeen(person) {
  const last = textsOf(person).at(-1)?.seq;
  if (!last || last === get().textsSeen[person]) return;
  setIn("textsSeen", person, last);
  keep(KEPT_AS, get().textsSeen);
}

export async function loadTexts(person) {
  if (!person) return;
  set({ textsSeen: recall(KEPT_AS, {}) });
  const { messages } = await api.texts(person);
  setIn("texts", person, messages);
}

function hideBanner() {
  fill(document.getElementById("sms-banner"));
}

function showBanner({ sender, text }) {
  clearTimeout(timer);
  fill(
    document.getElementById("sms-banner"),
    button(
      {
        class: "sms-banner-note",
        "data-testid": "sms-banner",
        on: {
          click: hideBanner,
        },
      },
      h("span", { class: "sms-banner-sender" }, sender),
      h("span", { class: "sms-banner-text" }, text),
    ),
  );
  timer = setTimeout(hideBanner, BANNER_MS);
}

/** A message has come: fetch it, and show it over whatever is open on the phone in hand. */
export async function hearText({ person }) {
  await loadTexts(person);
  const last = textsOf(person).at(-1);
  const now = route();
  if (last && now.person === person && now.view !== "texts") showBanner(last);
}

export function openTexts() {
  hideBanner();
  go({ view: "texts" });
}
