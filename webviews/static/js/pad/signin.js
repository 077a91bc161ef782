/** The door: choose a name, type or tap the PIN; on a phone one after the other. Also the enrolment code. */
import { hideFault, showFault } from "./forms.js";
import { afterKey, wireKeypad } from "./keypad.js";
import { renewWhenOld } from "./renew.js";

const PIN_MIN = 6;
const PIN_MAX = 12;

export function startSignIn(page) {
  renewWhenOld(page);
  const enrol = page.content.querySelector("#enrol-form");
  if (enrol) startEnrolment(enrol, page);
  const form = page.content.querySelector("#sign-in-form");
  if (form) startPin(form, page);
}

function startPin(form, { content, signal }) {
  const pin = form.elements.pin;
  const chosen = form.querySelector("[data-chosen]");
  const other = form.querySelector("[data-other]");
  const people = [...form.querySelectorAll("input[name=login]")];

  function showChoice() {
    const person = people.find((box) => box.checked);
    form.classList.toggle("has-choice", Boolean(person));
    chosen.textContent = person ? person.dataset.name : "";
    other.hidden = people.length < 2;
    if (person) pin.focus();
  }

  for (const box of people) box.addEventListener("change", () => {
    pin.value = "";
    hideFault(form);
    showChoice();
  }, { signal });
  other.addEventListener("click", () => {
    for (const box of people) box.checked = false;
    pin.value = "";
    hideFault(form);
    form.classList.remove("has-choice");
    chosen.textContent = "";
    people[0].focus();
  }, { signal });

  wireKeypad(content, "pin", pin, (key) => {
    pin.value = afterKey(pin.value, key).slice(0, PIN_MAX);
    hideFault(form);
  }, { signal });

  form.addEventListener("pad:check", (event) => {
    const words = form.dataset;
    if (!people.some((box) => box.checked)) showFault(form, words.chooseFirst);
    else if (pin.value.length < PIN_MIN) showFault(form, words.tooShort);
    else return;
    event.preventDefault();
  }, { signal });
  form.addEventListener("pad:refused", () => {
    pin.value = "";
    pin.focus();
  }, { signal });
  showChoice();
}

/** The code may come behind the number sign of the address, from the QR code of the console. */
function startEnrolment(form, { signal }) {
  const code = form.elements.code;
  const told = /^#code=(\d{8})$/.exec(location.hash);
  if (told) {
    code.value = grouped(told[1]);
    history.replaceState(null, "", location.pathname);
    form.elements.name.focus();
    form.elements.name.select();
  }
  code.addEventListener("input", () => {
    const isAtEnd = code.selectionStart === code.value.length;
    if (isAtEnd) code.value = grouped(code.value.normalize("NFKC").replace(/\D/g, "").slice(0, 8));
  }, { signal });
  form.addEventListener("pad:refused", () => code.select(), { signal });
}

function grouped(digits) {
  return digits.length > 4 ? `${digits.slice(0, 4)} ${digits.slice(4)}` : digits;
}
