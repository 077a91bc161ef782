/* On narrow screens the panes beside the phone become sheets, opened from the strip above it. */
import { button, fill, h } from "../base/dom.js";
import { faceOf } from "../base/faces.js";
import { icon } from "../base/icons.js";
import { t } from "../base/copy.js";
import { onRoute } from "../base/route.js";
import { watch } from "../base/store.js";
import { inHand } from "../acts.js";

const PANES = ["people", "around", "watch"];
let openPane = null;
let openedBy = null;

function paneOf(name) {
  return document.getElementById(`pane-${name}`);
}

function setOpen(name) {
  openPane = name;
  for (const pane of PANES) paneOf(pane).classList.toggle("is-open", pane === name);
  document.getElementById("pane-shade").hidden = !name;
  document.getElementById("phone").inert = Boolean(name);
  for (const opener of document.querySelectorAll("[data-pane]")) {
    opener.setAttribute("aria-expanded", String(opener.dataset.pane === name));
  }
}

/** Put the sheets away; where panes lie open on the desk this changes nothing. */
export function closePanes() {
  if (!openPane) return;
  setOpen(null);
  openedBy?.focus();
}

function opener(name, ...content) {
  const element = button(
    {
      class: "strip-button",
      "data-pane": name,
      "data-testid": `open-${name}`,
      "aria-expanded": "false",
      "aria-controls": `pane-${name}`,
      on: {
        click: () => {
          if (openPane === name) {
            closePanes();
            return;
          }
          openedBy = element;
          setOpen(name);
          paneOf(name).focus();
        },
      },
    },
    content,
  );
  return element;
}

export function showStrip(place) {
  const show = () => {
    const person = inHand();
    const face = person
      ? [faceOf(person), h("span", { class: "strip-name" }, person.name)]
      : [icon("people"), t("people.title")];
    fill(
      place,
      opener("people", face),
      opener("around", icon("qr"), t("around.short")),
      opener("watch", icon("eye"), t("watch.short")),
    );
  };
  watch((facts) => facts.people, show);
  onRoute((now, before) => {
    if (now.person === before.person) return;
    show();
    closePanes();
  });
  document.getElementById("pane-shade").addEventListener("click", closePanes);
  addEventListener("keydown", (event) => event.key === "Escape" && closePanes());
}
