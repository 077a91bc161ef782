/* The live list of what crossed the wire: API calls that came in, callbacks that went out. */
import { api } from "../base/api.js";
import { button, fill, h } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { clockTime, t } from "../base/copy.js";
import { get, set, watch } from "../base/store.js";

const KEPT_MAX = 300;
const FILTERS = ["all", "api", "callback", "trouble"];
const REFUSED_FROM = 400;
let filter = "all";
let isLoading = false;
let isStale = false;

/** Fetch what is new; calls that come meanwhile are answered by one more round. */
export async function refreshCalls() {
  if (isLoading) {
    isStale = true;
    return;
  }
  isLoading = true;
  try {
    do {
      isStale = false;
      const known = get().calls;
      const answer = await api.calls(known.at(-1)?.seq ?? 0);
      if (answer.calls.length) set({ calls: [...get().calls, ...answer.calls].slice(-KEPT_MAX) });
    } while (isStale);
  } finally {
    isLoading = false;
  }
}

function isTrouble(call) {
  return call.status === 0 || call.status >= REFUSED_FROM || Boolean(call.errcode);
}

function passes(call) {
  if (filter === "all") return true;
  return filter === "trouble" ? isTrouble(call) : call.kind === filter;
}

function verdict(call) {
  if (call.status === 0) return t("watch.no_answer");
  return call.errcode ? String(call.errcode) : String(call.status);
}

function pretty(text) {
  if (typeof text !== "string") return JSON.stringify(text, null, 2);
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function detail(label, text) {
  if (!text || text === "{}") return null;
  return [
    h("h3", { class: "call-label" }, label),
    h("pre", { class: "call-text", tabindex: "0" }, pretty(text)),
  ];
}

function details(call) {
  return h(
    "div",
    { class: "call-details" },
    h(
      "p",
      { class: "call-facts" },
      `${call.method} ${call.path}`,
      " · ",
      t("watch.took", { ms: call.took_ms }),
      call.account ? ` · ${call.account}` : "",
    ),
    detail(t("watch.query"), Object.keys(call.query ?? {}).length ? call.query : ""),
    detail(t("watch.request"), call.request),
    detail(t("watch.response"), call.response),
  );
}

function callItem(call) {
  const isCallback = call.kind === "callback";
  const place = isCallback
    ? call.path.replace(/^callback\s*/, "")
    : call.path.replace(/^\/cgi-bin/, "");
  const body = h("div", { class: "call-body" });
  const item = h(
    "details",
    {
      class: isTrouble(call) ? "call is-trouble" : "call",
      "data-testid": "call",
      "data-kind": call.kind,
    },
    h(
      "summary",
      { class: "call-line" },
      h(
        "span",
        {
          class: `call-way call-way-${call.kind}`,
          role: "img",
          "aria-label": t(`watch.${call.kind}`),
        },
        icon(isCallback ? "out" : "into", 16),
      ),
      h("span", { class: "call-path", title: call.path }, place),
      h("span", { class: "call-verdict" }, verdict(call)),
      h("span", { class: "call-took" }, t("watch.ms", { ms: call.took_ms })),
      h("time", { class: "call-time", datetime: call.at }, clockTime(call.at, true)),
    ),
    body,
  );
  // The bodies are long and most are never looked at, so they are made when they are.
  item.addEventListener(
    "toggle",
    () => item.open && !body.firstChild && body.append(details(call)),
  );
  return item;
}

function filterBar(change) {
  return h(
    "div",
    { class: "filters", role: "group", "aria-label": t("watch.filter") },
    FILTERS.map((name) =>
      button(
        {
          class: "filter",
          "aria-pressed": String(name === filter),
          "data-testid": `filter-${name}`,
          on: { click: () => change(name) },
        },
        t(`watch.filter_${name}`),
      ),
    ),
  );
}

/** The tab with the list, newest on top; items are kept, so that opened ones stay open. */
export function callsTab(signal) {
  const bar = h("div", {});
  const list = h("div", { class: "calls", "data-testid": "calls" });
  const empty = h("p", { class: "pane-empty" });
  let newest = 0;
  const redraw = () => {
    newest = 0;
    list.replaceChildren();
    fill(
      bar,
      filterBar((name) => {
        filter = name;
        redraw();
      }),
    );
    show();
  };
  const show = () => {
    for (const call of get().calls) {
      if (call.seq <= newest) continue;
      newest = call.seq;
      if (passes(call)) list.prepend(callItem(call));
    }
    while (list.childElementCount > KEPT_MAX) list.lastElementChild.remove();
    fill(
      empty,
      list.childElementCount ? null : t(filter === "all" ? "watch.none" : "watch.none_such"),
    );
  };
  redraw();
  watch((facts) => facts.calls, show, signal);
  return [bar, empty, list];
}
