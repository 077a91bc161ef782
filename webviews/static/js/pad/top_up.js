/** Topping up: a package at a tap or a free amount, never beyond what the card may hold. */
import { fenOf, isScan, plain, showMoney, shownYuan, typedYuan } from "./money.js";
import { hideFault, showFault } from "./forms.js";

export function startTopUp(form, { balanceFen, roomFen }, { signal }) {
  const principal = form.elements.principal_yuan;
  if (!principal) return;
  const choices = [...form.querySelectorAll("input[name=package_id]")];
  const other = choices.find((choice) => choice.value === "");
  const after = form.querySelector("[data-after]");
  const words = form.dataset;

  const chosen = () => choices.find((choice) => choice.checked && choice.value !== "");
  const amounts = () => {
    const offer = chosen();
    if (offer) return { paid: fenOf(offer.dataset.principal), gets: Number(offer.dataset.getsFen) };
    const paid = fenOf(plain(principal.value));
    return { paid, gets: paid };
  };

  function show() {
    const { paid, gets } = amounts();
    const isBeyond = gets !== null && gets > roomFen;
    const isMoney = paid !== null && !isBeyond;
    if (after) showMoney(after, isMoney ? balanceFen + gets : balanceFen);
    form.querySelector("[data-submit-amount]").textContent = paid ? `¥${shownYuan(paid)}` : "";
    form.dataset.amount = paid ? shownYuan(paid) : "";
    if (isBeyond) showFault(form, words.beyond.replace("{room}", `¥${shownYuan(roomFen)}`));
    else hideFault(form);
  }

  for (const choice of choices) {
    choice.addEventListener("change", () => {
      if (chosen()) principal.value = "";
      else principal.focus();
      show();
    }, { signal });
  }
  principal.addEventListener("input", () => {
    other.checked = true;
    show();
  }, { signal });

  form.addEventListener("pad:check", (event) => {
    const { paid, gets } = amounts();
    if (chosen()) {
      if (gets <= roomFen) return;
      show();
    } else if (isScan(principal.value)) showFault(form, words.isCode);
    else if (plain(principal.value) === "" || paid === 0) showFault(form, words.nothing);
    else if (paid === null) showFault(form, words.notMoney);
    else if (gets > roomFen) show();
    else {
      principal.value = typedYuan(paid);
      return;
    }
    event.preventDefault();
    principal.focus();
  }, { signal });
  if (principal.value || chosen()) show();
}
