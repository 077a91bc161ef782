/* The people at the left of the desk: each is a phone that can be picked up. */
import { api } from "../base/api.js";
import { button, fill, h } from "../base/dom.js";
import { faceOf } from "../base/faces.js";
import { icon } from "../base/icons.js";
import { askForm } from "../base/layers.js";
import { t } from "../base/copy.js";
import { onRoute, route } from "../base/route.js";
import { get, watch } from "../base/store.js";
import { loadPeople, pickUp, trying } from "../acts.js";
import { unreadOf } from "../chat/conversations.js";
import { friendsOf, unreadFromFriend } from "../chat/friends.js";

const NAME_MAX = 40;

function waitingFor(person) {
  const fromFriends = friendsOf(person.id).reduce(
    (sum, { friend }) => sum + unreadFromFriend(person.id, friend.id),
    0,
  );
  return unreadOf(person) + fromFriends;
}

/** What a person's button shows; while it stays the same, so does the button. */
function looksOf(person) {
  const isInHand = person.id === route().person;
  return {
    isInHand,
    unread: isInHand ? 0 : waitingFor(person),
    followed: person.following.length,
    name: person.name,
    avatar: person.avatar,
  };
}

function personButton(person, { isInHand, unread, followed }) {
  const state = isInHand
    ? t("people.in_hand")
    : followed
      ? t("people.following", { count: followed })
      : t("people.new");
  return h(
    "li",
    {},
    button(
      {
        class: "person",
        "data-testid": `person-${person.id}`,
        "aria-pressed": String(isInHand),
        title: person.name,
        on: { click: () => pickUp(person.id) },
      },
      h(
        "span",
        { class: "chat-face" },
        faceOf(person),
        unread
          ? h("span", {
              class: "dot",
              role: "img",
              "aria-label": t("chats.unread", { count: unread }),
            })
          : null,
      ),
      h(
        "span",
        { class: "person-words" },
        h("span", { class: "person-name" }, person.name),
        h("span", { class: "person-state" }, state),
      ),
    ),
  );
}

async function addPerson() {
  const values = await askForm(
    t("people.add"),
    [
      {
        name: "name",
        label: t("people.name"),
        placeholder: t("people.name_example"),
        maxlength: NAME_MAX,
      },
    ],
    {
      submit: t("people.add"),
    },
  );
  if (!values?.name) return;
  await trying(async () => {
    const person = await api.addPerson(values.name);
    await loadPeople();
    pickUp(person.id);
  });
}

/** Fill the place with the list and the button for one more person. */
export function showPeople(place) {
  const list = h("ul", { class: "person-list" });
  const add = button(
    { class: "person add-person", "data-testid": "add-person", on: { click: addPerson } },
    h("span", { class: "face face-empty" }, icon("plus")),
    h("span", { class: "person-words" }, h("span", { class: "person-name" }, t("people.add"))),
  );
  fill(place, h("h2", { class: "pane-title" }, t("people.title")), list, add);
  const shown = new Map();
  const show = () => {
    const focused = document.activeElement?.dataset?.testid;
    // A button that is replaced under the finger is a tap that is lost: keep what did not change.
    const items = get().people.map((person) => {
      const looks = looksOf(person);
      const mark = JSON.stringify(looks);
      if (shown.get(person.id)?.mark !== mark)
        shown.set(person.id, { mark, item: personButton(person, looks) });
      return shown.get(person.id).item;
    });
    if (items.length === list.children.length && items.every((item, i) => item === list.children[i]))
      return;
    fill(list, items);
    if (focused?.startsWith("person-"))
      list.querySelector(`[data-testid="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  };
  for (const name of ["people", "chats", "social"]) watch((facts) => facts[name], show);
  onRoute(show);
}
