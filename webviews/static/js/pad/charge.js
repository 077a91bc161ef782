/** Serving one member: two panes, charge and top-up, with the balance after always in sight. */
import { fenOf, isScan, plain, showMoney, shownYuan, typedYuan } from "./money.js";
import { startTopUp } from "./top_up.js";
import { hideFault, showFault } from "./forms.js";
import { afterKey, wireKeypad } from "./keypad.js";

const AMOUNT_CHARS_MAX = 11;

export function startCharge(page) {
  const visit = page.content.querySelector("[data-visit]");
  if (!visit) return;
  // Where the member was only identified, what the card holds is not told; the server knows it.
  const balance = visit.dataset.balanceFen;
  const facts = { balanceFen: balance === "" ? Infinity : Number(balance), roomFen: Number(visit.dataset.roomFen) };
  startTabs(visit, page);
  startCharging(visit.querySelector("[data-charge]"), facts, page);
  startTopUp(visit.querySelector("[data-top-up]"), facts, page);
}

function startTabs(visit, { signal }) {
  const list = visit.querySelector("[data-tab-list]");
  const tabs = [...list.querySelectorAll("[data-tab]")];
  const panes = [...visit.querySelectorAll("[data-pane]")];
  list.hidden = false;
  list.setAttribute("role", "tablist");
  for (const tab of tabs) tab.setAttribute("role", "tab");
  for (const pane of panes) {
    pane.setAttribute("role", "tabpanel");
    pane.setAttribute("aria-labelledby", `tab-${pane.id}`);
  }

  function open(name, { withFocus = true } = {}) {
    for (const tab of tabs) {
      const isOpen = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(isOpen));
      tab.tabIndex = isOpen ? 0 : -1;
    }
    for (const pane of panes) pane.hidden = pane.id !== name;
    const field = panes.find((pane) => pane.id === name)?.querySelector("input[type=text]");
    if (withFocus) field?.focus({ preventScroll: true });
  }

  for (const opener of visit.querySelectorAll("[data-tab]")) {
    opener.addEventListener("click", () => open(opener.dataset.tab), { signal });
  }
  list.addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const next = tabs.find((tab) => tab.getAttribute("aria-selected") !== "true");
    open(next.dataset.tab, { withFocus: false });
    next.focus();
  }, { signal });
  open(tabs.find((tab) => tab.getAttribute("aria-selected") === "true").dataset.tab);
}

function startCharging(form, { balanceFen }, { content, signal }) {
  const field = form.elements.amount_yuan;
  const submit = form.querySelector("[data-submit-amount]");
  const after = form.querySelector("[data-after]");
  const toTopUp = form.querySelector("[data-to-top-up]");
  const words = form.dataset;

  function show() {
    const fen = fenOf(plain(field.value));
    const isBeyond = fen !== null && fen > balanceFen;
    submit.textContent = fen && !isBeyond ? `¥${shownYuan(fen)}` : "";
    form.classList.toggle("is-beyond", isBeyond);
    toTopUp.hidden = !isBeyond;
    if (after) showMoney(after, fen === null || isBeyond ? balanceFen : balanceFen - fen);
    if (isBeyond) showFault(form, words.beyond.replace("{missing}", `¥${shownYuan(fen - balanceFen)}`), words.beyondAction);
    else hideFault(form);
  }

  field.addEventListener("input", show, { signal });
  wireKeypad(content, "amount", field, (key) => {
    const next = nextAmount(field.value, key);
    if (next === null) return;
    field.value = next;
    show();
  }, { signal });

  form.addEventListener("pad:check", (event) => {
    const fen = fenOf(plain(field.value));
    if (isScan(field.value)) showFault(form, words.isCode);
    else if (plain(field.value) === "" || fen === 0) showFault(form, words.nothing);
    else if (fen === null) showFault(form, words.notMoney);
    else if (fen > balanceFen) show();
    else {
      field.value = typedYuan(fen);
      return;
    }
    event.preventDefault();
    if (isScan(field.value)) field.value = "";
    field.focus();
  }, { signal });
  if (field.value) show();
}

/** The amount after a key, or null where the key would make it none: no third decimal, no second point. */
function nextAmount(value, key) {
  const next = afterKey(value === "0" && /^\d+$/.test(key) ? "" : value, key);
  const isOpen = next === "" || /^(\d{0,8})(\.\d{0,2})?$/.test(next);
  if (!isOpen || next.length > AMOUNT_CHARS_MAX) return null;
  return next.replace(/^0+(?=\d)/, "").replace(/^\./, "0.");
}
