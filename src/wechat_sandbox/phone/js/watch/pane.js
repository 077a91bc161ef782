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

function tabButton(name, open) {
  const isOn = name === current;
  return button(
    {
      class: "watch-tab",
      role: "tab",
      id: `watch-tab-${name}`,
      "aria-selected": String(isOn),
      "aria-controls": "watch-body",
      tabindex: isOn ? "0" : "-1",
      "data-testid": `watch-${name}`,
      on: { click: () => open(name) },
    },
    t(`${name}.tab`),
    name === "faults" && get().faults.length
      ? h("span", { class: "dot", role: "img", "aria-label": t("faults.some_on") })
      : null,
  );
}

function paneHead() {
  const live = h("span", { class: "live", "data-testid": "live" });
  watch(
    (facts) => facts.online,
    (isOnline) => {
      live.classList.toggle("is-off", !isOnline);
      fill(live, t(isOnline ? "watch.live" : "watch.reconnecting"));
    },
  );
  const closer = button(
    { class: "icon-button pane-close", "aria-label": t("nav.close"), on: { click: closePanes } },
    icon("close", 20),
  );
  const title = h("h2", { class: "pane-title" }, t("watch.title"));
  return h("header", { class: "watch-head" }, title, live, closer);
}

/** The tab that an arrow key leads to from the current one, or null for any other key. */
function neighbour(key) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
  if (!step) return null;
  const names = Object.keys(TABS);
  return names[(names.indexOf(current) + step + names.length) % names.length];
}

export function showWatch(place) {
  const body = h("div", {
    class: "watch-body",
    id: "watch-body",
    role: "tabpanel",
    tabindex: "-1",
  });
  const tabs = h("div", { class: "watch-tabs", role: "tablist", "aria-label": t("watch.title") });
  let leaving = null;
  const open = (name) => {
    leaving?.abort();
    leaving = new AbortController();
    current = name;
    showTabs();
    body.setAttribute("aria-labelledby", `watch-tab-${name}`);
    fill(body, TABS[name](leaving.signal));
  };
  const showTabs = () => {
    const hadFocus = tabs.contains(document.activeElement);
    fill(
      tabs,
      Object.keys(TABS).map((name) => tabButton(name, open)),
    );
    if (hadFocus) document.getElementById(`watch-tab-${current}`).focus({ preventScroll: true });
  };
  tabs.addEventListener("keydown", (event) => {
    const next = neighbour(event.key);
    if (next) open(next);
  });
  fill(place, paneHead(), tabs, body);
  watch((facts) => facts.faults.length, showTabs);
  open(current);
}
