/* The first screen: chats with the accounts followed and with friends, latest first. */
import { accountQr } from "../base/api.js";
import { button, fill, h } from "../base/dom.js";
import { accountFace, faceOf } from "../base/faces.js";
import { icon } from "../base/icons.js";
import { titleBar } from "../base/layers.js";
import { chatTime, t } from "../base/copy.js";
import { go } from "../base/route.js";
import { get, watch } from "../base/store.js";
import { accountBySlug, followAccount, inHand, useScan } from "../acts.js";
import { summary } from "../chat/bubbles.js";
import { conversation, unreadCount } from "../chat/conversations.js";
import { friendsOf, unreadFromFriend } from "../chat/friends.js";
import { openTexts, textsOf, unreadTexts } from "../chat/texts.js";
import { scan } from "../scan/scanner.js";

const UNREAD_SHOWN_MAX = 99;

export function badge(count) {
  if (!count) return null;
  const text = count > UNREAD_SHOWN_MAX ? `${UNREAD_SHOWN_MAX}+` : String(count);
  return h("span", { class: "badge", "aria-label": t("chats.unread", { count }) }, text);
}

function row({ testid, face, name, last, at, unread, onTap, isOfficial }) {
  return h(
    "li",
    {},
    button(
      { class: "chat-row", "data-testid": testid, on: { click: onTap } },
      h("span", { class: "chat-face" }, face, badge(unread)),
      h(
        "span",
        { class: "chat-words" },
        h(
          "span",
          { class: "chat-line" },
          h(
            "span",
            { class: "chat-name" },
            name,
            isOfficial ? h("span", { class: "official-mark" }, t("chats.official")) : null,
          ),
          at ? h("time", { class: "chat-time", datetime: at }, chatTime(at)) : null,
        ),
        h("span", { class: "chat-last" }, last),
      ),
    ),
  );
}

function visibleLast(messages, account) {
  for (let index = messages.length - 1; index >= 0; index -= 1) {
    const words = summary(messages[index], account);
    if (words) return { words, at: messages[index].at };
  }
  return { words: "", at: null };
}

function accountRows(person) {
  return person.following
    .map(accountBySlug)
    .filter(Boolean)
    .map((account) => {
      const last = visibleLast(conversation(person.id, account.slug).messages, account);
      return {
        at: last.at,
        testid: `chat-${account.slug}`,
        face: accountFace(account),
        name: account.name,
        last: last.words || t("chats.just_followed"),
        unread: unreadCount(person.id, account.slug),
        onTap: () => go({ chat: account.slug }),
        isOfficial: true,
      };
    });
}

function friendRows(person) {
  return friendsOf(person.id).map(({ friend, last }) => ({
    at: last.at,
    testid: `friend-${friend.id}`,
    face: faceOf(friend),
    name: friend.name,
    last: summary(last, friend),
    unread: unreadFromFriend(person.id, friend.id),
    onTap: () => go({ friend: friend.id }),
  }));
}

/** Text messages do not come by WeChat; their row stands for the phone's own inbox. */
function textRows(person) {
  const last = textsOf(person.id).at(-1);
  if (!last) return [];
  return [
    {
      at: last.at,
      testid: "open-texts",
      face: h("span", { class: "face face-texts" }, icon("text")),
      name: t("texts.title"),
      last: last.text,
      unread: unreadTexts(person.id),
      onTap: openTexts,
    },
  ];
}

function nearbyCode(account) {
  return button(
    {
      class: "nearby-code",
      "data-testid": `nearby-qr-${account.slug}`,
      on: { click: () => followAccount(account.slug) },
    },
    h("img", { src: accountQr(account.slug), alt: "", width: 120, height: 120 }),
    h("span", { class: "nearby-name" }, account.name),
    h("span", { class: "nearby-hint" }, t("guide.tap_code")),
  );
}

function nothingYet() {
  const { accounts } = get();
  return h(
    "div",
    { class: "empty" },
    h("p", { class: "empty-title" }, t("chats.none")),
    h(
      "p",
      { class: "empty-note" },
      accounts.length ? t("chats.none_hint") : t("desk.no_accounts_hint"),
    ),
    h("div", { class: "nearby" }, accounts.map(nearbyCode)),
  );
}

export function chatsScreen(signal) {
  const list = h("div", { class: "screen-body", tabindex: "-1" });
  const show = () => {
    const person = inHand();
    if (!person) return;
    const rows = [...accountRows(person), ...friendRows(person), ...textRows(person)];
    rows.sort((one, other) => (other.at ?? "").localeCompare(one.at ?? ""));
    if (rows.length) fill(list, h("ul", { class: "chat-rows" }, rows.map(row)));
    else fill(list, nothingYet());
  };
  for (const name of ["people", "accounts", "chats", "social", "texts", "textsSeen"])
    watch((facts) => facts[name], show, signal);
  const scanButton = button(
    {
      class: "icon-button",
      "aria-label": t("scan.title"),
      "data-testid": "open-scanner",
      on: { click: async () => useScan(await scan()) },
    },
    icon("scan"),
  );
  return h("section", { class: "screen" }, titleBar(t("chats.title"), { right: scanButton }), list);
}
