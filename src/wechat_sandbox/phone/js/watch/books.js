/* The sandbox's own books in short: what was accepted, sent and used up. */
import { api } from "../base/api.js";
import { fill, h } from "../base/dom.js";
import { chatTime, t } from "../base/copy.js";
import { get, set, watch } from "../base/store.js";
import { accountBySlug, personById } from "../acts.js";

const LATEST_SHOWN = 12;
const REFRESH_AFTER_MS = 400;
let timer = 0;

/** Fetch the books soon: a burst of calls leads to one fetch. */
export function refreshBooksSoon() {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    try {
      set({ books: await api.books() });
    } catch (error) {
      // The stream tells when the sandbox is back; the books are then fetched again.
      if (!(error instanceof TypeError)) throw error;
    }
  }, REFRESH_AFTER_MS);
}

function figures(books) {
  const messages = books.messages ?? [];
  const callbacks = books.callbacks ?? [];
  const tries = callbacks.reduce((sum, each) => sum + each.tries, 0);
  return [
    ["template", messages.filter((message) => message.kind === "template").length],
    ["custom", messages.filter((message) => message.kind === "custom").length],
    ["callbacks", callbacks.length],
    ["failed", callbacks.filter((each) => each.state === "failed").length],
    ["retries", Math.max(0, tries - callbacks.length)],
    ["tokens", (books.tokens ?? []).filter((token) => token.is_live).length],
  ];
}

function figure([name, count]) {
  return h(
    "div",
    {
      class: name === "failed" && count ? "figure is-trouble" : "figure",
      "data-testid": `book-${name}`,
    },
    h("dt", {}, t(`books.${name}`)),
    h("dd", {}, String(count)),
  );
}

function quotaRow(quota) {
  const used = quota.used ?? 0;
  const limit = quota.daily_limit ?? quota.limit ?? null;
  return h(
    "tr",
    {},
    h("td", {}, h("code", {}, quota.api)),
    h("td", { class: "number" }, limit ? t("books.of", { used, limit }) : String(used)),
  );
}

function messageRow(message) {
  const who = personById(message.person)?.name ?? message.openid;
  const account = accountBySlug(message.account)?.name ?? message.account;
  return h(
    "li",
    { class: "book-message" },
    h("span", { class: "book-kind" }, t(`books.kind_${message.kind}`)),
    h("span", {}, t("books.to", { account, person: who })),
    h("time", { class: "call-time", datetime: message.at }, chatTime(message.at)),
  );
}

export function booksTab(signal) {
  const place = h("div", { class: "books", "data-testid": "books" });
  const show = () => {
    const { books } = get();
    if (!books) {
      fill(place, h("p", { class: "pane-empty" }, t("books.loading")));
      return;
    }
    const latest = (books.messages ?? []).slice(-LATEST_SHOWN).reverse();
    const quotas = (books.quotas ?? []).filter((quota) => quota.used);
    fill(
      place,
      h("dl", { class: "figures" }, figures(books).map(figure)),
      h("h3", { class: "small-title" }, t("books.messages")),
      latest.length
        ? h("ul", { class: "book-messages" }, latest.map(messageRow))
        : h("p", { class: "pane-note" }, t("books.no_messages")),
      h("h3", { class: "small-title" }, t("books.quotas")),
      quotas.length
        ? h("table", { class: "quota-table" }, h("tbody", {}, quotas.map(quotaRow)))
        : h("p", { class: "pane-note" }, t("books.no_quotas")),
    );
  };
  watch((facts) => facts.books, show, signal);
  refreshBooksSoon();
  return [place];
}
