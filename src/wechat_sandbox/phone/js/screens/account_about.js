/* The page about an official account: its code, whether its messages are welcome, leaving it. */
import { accountQr, api } from "../base/api.js";
import { button, fill, h, once } from "../base/dom.js";
import { accountFace } from "../base/faces.js";
import { askSheet, titleBar } from "../base/layers.js";
import { switchRow } from "../base/rows.js";
import { t } from "../base/copy.js";
import { go, route } from "../base/route.js";
import { watch } from "../base/store.js";
import {
  accountBySlug,
  followAccount,
  inHand,
  loadPeople,
  trying,
  unfollowAccount,
} from "../acts.js";

async function leave(account) {
  const chosen = await askSheet(t("account.leave_question", { account: account.name }), [
    { id: "unfollow", label: t("account.unfollow"), isDanger: true },
  ]);
  if (chosen === "unfollow") await unfollowAccount(account.slug);
}

function welcomeSwitch(person, account) {
  const others = (person.refusing ?? []).filter((slug) => slug !== account.slug);
  const isOn = others.length === (person.refusing ?? []).length;
  const change = (isWelcome) =>
    trying(async () => {
      await api.changePerson(person.id, {
        refusing: isWelcome ? others : [...others, account.slug],
      });
      await loadPeople();
    });
  const row = switchRow(t("account.accepts"), t("account.accepts_hint"), {
    isOn,
    testid: "account-accepts",
    change,
  });
  return h("div", { class: "list-group" }, row);
}

function actions(isFollowing, account) {
  if (!isFollowing) {
    return button(
      {
        class: "primary-button wide-button",
        "data-testid": "account-follow",
        on: { click: once(() => followAccount(account.slug)) },
      },
      t("account.follow"),
    );
  }
  return [
    button(
      { class: "primary-button wide-button", on: { click: () => go({ chat: account.slug }) } },
      t("account.write"),
    ),
    button(
      {
        class: "plain-button wide-button danger",
        "data-testid": "account-unfollow",
        on: { click: () => leave(account) },
      },
      t("account.unfollow"),
    ),
  ];
}

export function accountAboutScreen(signal) {
  const { chat: slug } = route();
  const body = h("div", { class: "screen-body grouped" });
  const show = () => {
    const [account, person] = [accountBySlug(slug), inHand()];
    if (!account || !person) return;
    const isFollowing = person.following.includes(slug);
    fill(
      body,
      h(
        "div",
        { class: "me-card" },
        accountFace(account),
        h(
          "div",
          {},
          h("p", { class: "me-name" }, account.name),
          h("p", { class: "card-note" }, account.original_id),
        ),
      ),
      h(
        "div",
        { class: "about-code" },
        h("img", {
          src: accountQr(slug),
          alt: t("account.code_of", { account: account.name }),
          width: 160,
          height: 160,
        }),
      ),
      isFollowing ? welcomeSwitch(person, account) : null,
      h("div", { class: "about-actions" }, actions(isFollowing, account)),
    );
  };
  watch((facts) => facts.people, show, signal);
  watch((facts) => facts.accounts, show, signal);
  return h(
    "section",
    { class: "screen" },
    titleBar(t("account.about"), { onBack: () => go({ chat: slug }) }),
    body,
  );
}
