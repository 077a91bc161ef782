/** Counting the drawer: notes and coins are multiplied and summed, the difference is said at once. */
import { fenOf, plain, showMoney, typedYuan } from "./money.js";

export function startCounting({ content, signal }) {
  const form = content.querySelector("[data-count]");
  if (!form) return;
  const total = form.elements.counted_yuan;
  const pieces = [...form.querySelectorAll("[data-note]")];
  const expected = Number(form.elements.seen_fen.value);
  const difference = form.querySelector("[data-difference]");
  const reason = form.querySelector("[data-reason]");
  const words = form.dataset;

  function sumPieces() {
    const fen = pieces.reduce((sum, piece) => sum + Number(piece.dataset.note) * (Number.parseInt(plain(piece.value), 10) || 0), 0);
    total.value = fen ? typedYuan(fen) : "";
    show();
  }

  function show() {
    const fen = fenOf(plain(total.value));
    const over = fen === null ? 0 : fen - expected;
    reason.hidden = over === 0;
    difference.hidden = fen === null;
    if (fen === null) return;
    difference.classList.toggle("is-off", over !== 0);
    const label = difference.querySelector("[data-difference-words]");
    label.textContent = over === 0 ? words.even : over > 0 ? words.over : words.missing;
    const amount = difference.querySelector("[data-difference-amount]");
    if (over === 0) amount.replaceChildren();
    else showMoney(amount, Math.abs(over));
  }

  for (const piece of pieces) piece.addEventListener("input", sumPieces, { signal });
  total.addEventListener("input", show, { signal });
  show();
}
