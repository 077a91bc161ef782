/* The bar at the bottom of a chat: what to write, the panel of other things to send, the
 * account's menu. */
import { button, dismissable, fill, h } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { t } from "../base/copy.js";

const TEXT_MAX = 2000;

/** The button that opens the panel of other things to send, and the panel. */
function createExtras(extras) {
  const panel = h("div", { class: "extras", id: "extras-panel", hidden: true });
  const opener = button(
    {
      class: "icon-button plus-button",
      "data-testid": "more",
      "aria-label": t("composer.more"),
      "aria-expanded": "false",
      "aria-controls": "extras-panel",
    },
    icon("plusRound", 28),
  );
  const setOpen = (isOpen) => {
    panel.hidden = !isOpen;
    opener.setAttribute("aria-expanded", String(isOpen));
  };
  opener.addEventListener("click", () => setOpen(panel.hidden));
  const choose = (extra) => {
    setOpen(false);
    extra.run();
  };
  fill(
    panel,
    extras.map((extra) =>
      button(
        { class: "extra", "data-testid": `extra-${extra.id}`, on: { click: () => choose(extra) } },
        h("span", { class: "extra-icon" }, icon(extra.icon, 28)),
        h("span", {}, extra.label),
      ),
    ),
  );
  return { panel, opener, close: () => setOpen(false) };
}

/** The input row. `extras` = [{id, icon, label, run}] fill the panel behind the plus button. */
export function createComposer({ onText, extras = [], menu = null }) {
  const input = h("input", {
    class: "composer-input",
    type: "text",
    "data-testid": "composer",
    "aria-label": t("composer.label"),
    placeholder: t("composer.placeholder"),
    autocomplete: "off",
    enterkeyhint: "send",
    maxlength: TEXT_MAX,
  });
  const send = h("button", { type: "submit", class: "send-button", "data-testid": "send" });
  fill(send, t("composer.send"));
  const more = extras.length ? createExtras(extras) : null;
  input.addEventListener("focus", () => more?.close());
  const form = h("form", { class: "composer" }, input, more?.opener, send);
  const showState = () => form.classList.toggle("has-text", input.value.trim() !== "");
  input.addEventListener("input", showState);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    input.value = "";
    showState();
    onText(text);
    input.focus();
  });
  return h("div", { class: "bottom-bar" }, form, more?.panel, menu);
}

function subMenu(item, index, onTap) {
  return h(
    "div",
    { class: "submenu", role: "menu", hidden: true },
    item.sub_button.map((sub, place) =>
      button(
        {
          class: "submenu-item",
          role: "menuitem",
          "data-testid": `menu-${index}-${place}`,
          on: { click: () => onTap(sub) },
        },
        sub.name,
      ),
    ),
  );
}

function menuEntry(item, index, onTap) {
  const hasMore = item.sub_button?.length > 0;
  const opener = button(
    {
      class: "menu-button",
      "data-testid": `menu-${index}`,
      "aria-haspopup": hasMore ? "menu" : null,
      "aria-expanded": hasMore ? "false" : null,
    },
    hasMore ? icon("menu", 16) : null,
    h("span", {}, item.name),
  );
  if (!hasMore) {
    opener.addEventListener("click", () => onTap(item));
    return h("div", { class: "menu-entry" }, opener);
  }
  let stop = null;
  const setOpen = (isOpen) => {
    stop?.();
    popup.hidden = !isOpen;
    opener.setAttribute("aria-expanded", String(isOpen));
    stop = isOpen ? dismissable(entry, () => setOpen(false)) : null;
  };
  const popup = subMenu(item, index, (sub) => {
    setOpen(false);
    onTap(sub);
  });
  opener.addEventListener("click", () => setOpen(popup.hidden));
  const entry = h("div", { class: "menu-entry" }, opener, popup);
  return entry;
}

/** The account's own menu; nothing at all when it has none. */
export function fillMenuBar(element, buttons, onTap) {
  element.hidden = !buttons.length;
  fill(
    element,
    buttons.map((item, index) => menuEntry(item, index, onTap)),
  );
}
