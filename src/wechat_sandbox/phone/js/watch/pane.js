/* The pane at the right: what WeChat saw, its books, and the switches for trouble. */
import { button, fill, h } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { t } from "../base/copy.js";
import { get, watch } from "../base/store.js";
import { booksTab } from "./books.js";
import { callsTab } from "./calls.js";
import { faultsTab } from "./faults.js";
import { closePanes } from "../desk/panes.js";

const TABS = { calls: callsTab, books: booksTab, faults: faultsTab };
let current = "calls";

export function showWatch(place) {
  const body = h("div", { class: "watch-body", id: "watch-body", role: "tabpanel", tabindex: "-1" });
  const tabs = h("div", { class: "watch-tabs", role: "tablist", "aria-label": t("watch.title") });
  let leaving = null;
  const showTabs = () =>
    fill(
      tabs,
      Object.keys(TABS).map((name) =>
        button(
          {
            class: "watch-tab",
            role: "tab",
            id: `watch-tab-${name}`,
            "aria-selected": String(name === current),
            "aria-controls": "watch-body",
            tabindex: name === current ? "0" : "-1",
            "data-testid": `watch-${name}`,
            on: { click: () => open(name) },
          },
          t(`${name}.tab`),
          name === "faults" && get().faults.length ? h("span", { class: "dot", role: "img", "aria-label": t("faults.some_on") }) : null,
        ),
      ),
    );
  const open = (name) => {
    leaving?.abort();
    leaving = new AbortController();
    current = name;
    showTabs();
    body.setAttribute("aria-labelledby", `watch-tab-${name}`);
    fill(body, TABS[name](leaving.signal));
  };
  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const names = Object.keys(TABS);
    open(names[(names.indexOf(current) + step + names.length) % names.length]);
    document.getElementById(`watch-tab-${current}`).focus();
  });
  fill(
    place,
    h(
      "header",
      { class: "watch-head" },
      h("h2", { class: "pane-title" }, t("watch.title")),
      h("span", { class: "live", "data-testid": "live" }),
      button({ class: "icon-button pane-close", "aria-label": t("nav.close"), on: { click: closePanes } }, icon("close", 20)),
    ),
    tabs,
    body,
  );
  const live = place.querySelector(".live");
  watch(
    (facts) => facts.online,
    (isOnline) => {
      live.classList.toggle("is-off", !isOnline);
      fill(live, t(isOnline ? "watch.live" : "watch.reconnecting"));
    },
  );
  watch((facts) => facts.faults.length, showTabs);
  open(current);
}
