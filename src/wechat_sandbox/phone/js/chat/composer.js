/* The bar at the bottom of a chat: what to write, the panel of other things to send, the account's menu. */
import { button, dismissable, fill, h } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { t } from "../base/copy.js";

const TEXT_MAX = 2000;

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
  const sendButton = button({ class: "send-button", "data-testid": "send" }, t("composer.send"));
  sendButton.type = "submit";
  const panel = h("div", { class: "extras", id: "extras-panel", hidden: true });
  const plus = button(
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
    plus.setAttribute("aria-expanded", String(isOpen));
  };
  plus.addEventListener("click", () => setOpen(panel.hidden));
  input.addEventListener("focus", () => setOpen(false));

  fill(
    panel,
    extras.map((extra) =>
      button(
        {
          class: "extra",
          "data-testid": `extra-${extra.id}`,
          on: {
            click: () => {
              setOpen(false);
              extra.run();
            },
          },
        },
        h("span", { class: "extra-icon" }, icon(extra.icon, 28)),
        h("span", {}, extra.label),
      ),
    ),
  );

  const form = h("form", { class: "composer" }, input, extras.length ? plus : null, sendButton);
  const showButtons = () => form.classList.toggle("has-text", input.value.trim() !== "");
  input.addEventListener("input", showButtons);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    input.value = "";
    showButtons();
    onText(text);
    input.focus();
  });
  showButtons();
  return { element: h("div", { class: "bottom-bar" }, form, panel, menu), input };
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
  fill(element, buttons.map((item, index) => menuEntry(item, index, onTap)));
}
