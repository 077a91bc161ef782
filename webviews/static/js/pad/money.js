/** Money as people type it, in whole fen; nothing here ever becomes a fraction. */

const YUAN = /^(0|[1-9]\d{0,7})(?:\.(\d{1,2}))?$/;

/** What was typed, with full-width forms and separators made plain. */
export function plain(text) {
  return text.normalize("NFKC").replace(/[\s,¥]/g, "").replace(/[。．]/g, ".");
}

/** Fen of a typed amount; null where it is none. A point or zeros left open are closed. */
export function fenOf(text) {
  const closed = text.replace(/^\./, "0.").replace(/\.$/, "").replace(/^0+(?=\d)/, "");
  const match = YUAN.exec(closed);
  if (!match) return null;
  return Number(match[1]) * 100 + Number((match[2] ?? "").padEnd(2, "0"));
}

/** The amount as the server reads it: 3800 → 38.00. */
export function typedYuan(fen) {
  return `${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, "0")}`;
}

/** The amount as people read it: 123456 → 1,234.56. */
export function shownYuan(fen) {
  const [whole, cents] = typedYuan(fen).split(".");
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ",")}.${cents}`;
}

/** Fills an element with an amount the way the pages show it: a small ¥, then digits. */
export function showMoney(element, fen) {
  const money = document.createElement("span");
  const sign = document.createElement("span");
  money.className = "money";
  sign.className = "money-sign";
  sign.textContent = "¥";
  money.append(sign, shownYuan(fen));
  element.replaceChildren(money);
}

/** Whether a field got what only a scanner types: a member code's length of digits. */
export function isScan(text) {
  return plain(text).replace(/\D/g, "").length >= 16;
}
