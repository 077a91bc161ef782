/* Layers over the phone's screen: sheets, the scanner, the map. Each is a question with one
 * answer. */
import { button, h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./copy.js";

const open = [];

function host() {
  return document.getElementById("layers");
}

/** Everything beneath the topmost layer is out of reach for keys and screen readers. */
function shield() {
  const screen = document.getElementById("screen");
  screen.inert = open.length > 0;
  open.forEach((layer, index) => {
    layer.element.inert = index < open.length - 1;
  });
}

/**
 * Show a layer; resolves with what it was closed with, undefined when it was dismissed.
 * `build(close, signal)` makes the element; the signal aborts when the layer goes away.
 */
export function ask(build, { label, kind = "full" }) {
  return new Promise((resolve) => {
    const before = document.activeElement;
    const controller = new AbortController();
    const layer = { element: null, close: null };
    layer.close = (value) => {
      const place = open.indexOf(layer);
      if (place < 0) return;
      open.splice(place, 1);
      controller.abort();
      layer.element.remove();
      shield();
      if (before instanceof HTMLElement && before.isConnected)
        before.focus({ preventScroll: true });
      resolve(value);
    };
    const content = build(layer.close, controller.signal);
    layer.element = h(
      "div",
      {
        class: `layer layer-${kind}`,
        role: "dialog",
        "aria-modal": "true",
        "aria-label": label,
        tabindex: "-1",
      },
      kind === "sheet"
        ? h("div", { class: "layer-shade", on: { click: () => layer.close() } })
        : null,
      content,
    );
    layer.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      layer.close();
    });
    open.push(layer);
    host().append(layer.element);
    shield();
    (layer.element.querySelector("[data-autofocus]") ?? layer.element).focus({
      preventScroll: true,
    });
  });
}

/** Take every layer away, as when another phone is picked up. */
export function closeAllLayers() {
  for (const layer of [...open].reverse()) layer.close();
}

/** The bar at the top of a screen: a way back at the left, the title, something at the right. */
export function titleBar(
  title,
  { onBack, backIcon = "back", backLabel, right = null, testid = "back" } = {},
) {
  return h(
    "header",
    { class: "title-bar" },
    onBack
      ? button(
          {
            class: "icon-button",
            "aria-label": backLabel ?? t("nav.back"),
            "data-testid": testid,
            on: { click: onBack },
          },
          icon(backIcon),
        )
      : h("span", { class: "title-gap" }),
    h("h1", { class: "title-text" }, title),
    right ?? h("span", { class: "title-gap" }),
  );
}

/** A sheet from below with rows to choose from; resolves with the chosen row's id. */
export function askSheet(label, rows) {
  return ask(
    (close) =>
      h(
        "div",
        { class: "sheet" },
        h("p", { class: "sheet-title" }, label),
        rows.map((row) =>
          button(
            {
              class: row.isDanger ? "sheet-row danger" : "sheet-row",
              "data-testid": `choose-${row.id}`,
              on: { click: () => close(row.id) },
            },
            row.face ?? (row.icon ? icon(row.icon) : null),
            h("span", { class: "sheet-label" }, row.label),
          ),
        ),
        button({ class: "sheet-row sheet-cancel", on: { click: () => close() } }, t("nav.cancel")),
      ),
    { label, kind: "sheet" },
  );
}

/** A small form from below with one or more lines; resolves with their values by name. */
export function askForm(label, fields, { submit, note } = {}) {
  return ask(
    (close) => {
      const inputs = fields.map((field, index) =>
        h("input", {
          class: "line-input",
          name: field.name,
          type: field.type ?? "text",
          value: field.value ?? "",
          placeholder: field.placeholder ?? "",
          required: field.required !== false,
          maxlength: field.maxlength ?? 200,
          pattern: field.pattern,
          autocomplete: "off",
          "data-testid": `field-${field.name}`,
          "data-autofocus": index === 0,
        }),
      );
      const form = h(
        "form",
        { class: "sheet sheet-form" },
        h("p", { class: "sheet-title" }, label),
        fields.map((field, index) =>
          h("label", { class: "line-label" }, h("span", {}, field.label), inputs[index]),
        ),
        note ? h("p", { class: "sheet-note" }, note) : null,
        h(
          "div",
          { class: "sheet-actions" },
          button({ class: "plain-button", on: { click: () => close() } }, t("nav.cancel")),
          h(
            "button",
            { type: "submit", class: "primary-button", "data-testid": "submit-form" },
            submit ?? t("nav.done"),
          ),
        ),
      );
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        close(Object.fromEntries(inputs.map((input) => [input.name, input.value.trim()])));
      });
      return form;
    },
    { label, kind: "sheet" },
  );
}
