/* Rows of grouped lists: one that leads somewhere, one with a switch. */
import { button, h, once } from "./dom.js";
import { icon } from "./icons.js";

/** A row that does something when tapped; `note` stands at its right. */
export function listRow(name, label, onTap, { note = "", testid } = {}) {
  return button(
    { class: "list-row", "data-testid": testid, on: { click: onTap } },
    h("span", { class: `list-icon list-icon-${name}` }, icon(name)),
    h("span", { class: "list-label" }, label),
    h("span", { class: "list-note" }, note),
    icon("chevron", 18),
  );
}

/** A switch that reads its own label; `change` hears the new state. */
export function toggle(label, isOn, testid, change) {
  return button({
    class: "switch",
    role: "switch",
    "aria-checked": String(isOn),
    "aria-label": label,
    "data-testid": testid,
    on: { click: once(() => change(!isOn)) },
  });
}

/** A row that explains a switch. */
export function switchRow(label, hint, { isOn, testid, change }) {
  return h(
    "div",
    { class: "list-row" },
    h(
      "span",
      { class: "list-label" },
      label,
      hint ? h("span", { class: "list-hint" }, hint) : null,
    ),
    toggle(label, isOn, testid, change),
  );
}
