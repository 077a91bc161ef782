/* The screen before any phone is in hand: whose phone shall it be? */
import { button, fill, h } from "../base/dom.js";
import { faceOf } from "../base/faces.js";
import { t } from "../base/copy.js";
import { get, watch } from "../base/store.js";
import { pickUp } from "../acts.js";

function face(person) {
  return h(
    "li",
    {},
    button(
      {
        class: "welcome-person",
        "data-testid": `welcome-${person.id}`,
        on: { click: () => pickUp(person.id) },
      },
      faceOf(person),
      h("span", {}, person.name),
    ),
  );
}

export function welcomeScreen(signal) {
  const list = h("ul", { class: "welcome-people" });
  watch(
    (facts) => facts.people,
    () => fill(list, get().people.map(face)),
    signal,
  );
  return h(
    "section",
    { class: "screen welcome" },
    h("p", { class: "welcome-step" }, t("guide.step", { number: 1 })),
    h("h1", { class: "welcome-title" }, t("guide.pick_person")),
    h("p", { class: "welcome-note" }, t("guide.pick_hint")),
    list,
  );
}
