/* The share sheet of a page: to a friend, to Moments, and what else one does with a page. */
import { faceOf } from "../base/faces.js";
import { askSheet } from "../base/layers.js";
import { say } from "../base/toast.js";
import { t } from "../base/copy.js";
import { get } from "../base/store.js";
import { postMoment, sendToFriend } from "../chat/friends.js";
import { inHand, personById } from "../acts.js";

/** Choose another person; resolves with their id or undefined. */
function askFriend() {
  const me = inHand();
  const others = get().people.filter((person) => person.id !== me.id);
  return askSheet(
    t("share.choose_friend"),
    others.map((person) => ({ id: person.id, label: person.name, face: faceOf(person) })),
  );
}

async function toFriend(card) {
  const friend = await askFriend();
  if (!friend) return null;
  sendToFriend(inHand().id, friend, { kind: "card", ...card });
  say(t("share.sent", { name: personById(friend).name }));
  return "friend";
}

async function copyAddress(card) {
  try {
    await navigator.clipboard.writeText(card.url);
    say(t("share.copied"));
  } catch {
    // Without a secure address there is no clipboard; the link is shown, to be copied by hand.
    say(card.url);
  }
}

const ROWS = [
  { id: "friend", icon: "people" },
  { id: "moments", icon: "moments" },
  { id: "copy", icon: "copy" },
  { id: "window", icon: "globe" },
  { id: "reload", icon: "reload" },
];

/** Show the sheet; resolves with what was done: friend, moments, reload, or null. */
export async function share(cards, { isLimited = false } = {}) {
  const rows = ROWS.filter((row) => !isLimited || ["reload"].includes(row.id));
  const chosen = await askSheet(
    t("share.title"),
    rows.map((row) => ({ ...row, label: t(`share.${row.id}`) })),
  );
  if (chosen === "friend") return toFriend(cards.friend);
  if (chosen === "copy") await copyAddress(cards.page);
  if (chosen === "window") window.open(cards.page.openAddress, "_blank", "noopener");
  if (chosen === "moments") {
    postMoment(inHand().id, cards.moments);
    say(t("share.posted"));
  }
  return chosen === "moments" || chosen === "reload" ? chosen : null;
}
