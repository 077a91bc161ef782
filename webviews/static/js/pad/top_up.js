/** Topping up: an offer at a tap or free amounts, never beyond what the card may hold. */
import { fenOf, isScan, plain, showMoney, shownYuan, typedYuan } from "./money.js";
import { hideFault, showFault } from "./forms.js";

export function startTopUp(form, { balanceFen, roomFen }, { signal }) {
  const principal = form.elements.principal_yuan;
  const bonus = form.elements.bonus_yuan;
  if (!principal) return;
  const offers = [...form.querySelectorAll("[data-offer]")];
  const words = form.dataset;

  const amounts = () => {
    const paid = fenOf(plain(principal.value));
    const given = plain(bonus.value) === "" ? 0 : fenOf(plain(bonus.value));
    return { paid, given, isBeyond: paid !== null && given !== null && paid + given > roomFen };
  };

  function show() {
    const { paid, given, isBeyond } = amounts();
    const isMoney = paid !== null && given !== null;
    for (const offer of offers) {
      const isChosen = isMoney && fenOf(offer.dataset.principal) === paid && fenOf(offer.dataset.bonus) === given;
      offer.setAttribute("aria-pressed", String(isChosen));
    }
    showMoney(form.querySelector("[data-after]"), isMoney && !isBeyond ? balanceFen + paid + given : balanceFen);
    form.querySelector("[data-submit-amount]").textContent = paid ? `¥${shownYuan(paid)}` : "";
    if (isBeyond) showFault(form, words.beyond.replace("{room}", `¥${shownYuan(roomFen)}`));
    else hideFault(form);
  }

  for (const offer of offers) {
    offer.hidden = false;
    offer.addEventListener("click", () => {
      principal.value = offer.dataset.principal;
      bonus.value = offer.dataset.bonus;
      show();
    }, { signal });
  }
  for (const field of [principal, bonus]) field.addEventListener("input", show, { signal });

  form.addEventListener("pad:check", (event) => {
    const { paid, given, isBeyond } = amounts();
    if (isScan(principal.value) || isScan(bonus.value)) showFault(form, words.isCode);
    else if (plain(principal.value) === "" || paid === 0) showFault(form, words.nothing);
    else if (paid === null || given === null) showFault(form, words.notMoney);
    else if (isBeyond) show();
    else {
      principal.value = typedYuan(paid);
      bonus.value = given ? typedYuan(given) : "";
      return;
    }
    event.preventDefault();
    principal.focus();
  }, { signal });
  if (principal.value) show();
}
