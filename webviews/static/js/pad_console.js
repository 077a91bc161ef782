/** The console's pages: countdown of a code, buttons that are pressed once, the demo's accounts at a tap. */
import { startCountdowns } from "./pad/countdown.js";
import { renewWhenOld } from "./pad/renew.js";

startCountdowns(document);
if (document.querySelector("#password")) renewWhenOld();

for (const form of document.querySelectorAll("form[data-once]")) {
  const button = form.querySelector("button[type=submit]");
  const words = button.textContent;
  let isSent = false;
  form.addEventListener("submit", (event) => {
    if (isSent) event.preventDefault();
    isSent = true;
    button.setAttribute("aria-busy", "true");
    if (button.dataset.working) button.textContent = button.dataset.working;
  });
  window.addEventListener("pageshow", () => {
    isSent = false;
    button.removeAttribute("aria-busy");
    if (button.dataset.working) button.textContent = words;
  });
}

const show = document.querySelector("[data-show-password]");
if (show) {
  const password = document.querySelector("#password");
  show.hidden = false;
  show.querySelector("input").addEventListener("change", (event) => {
    password.type = event.target.checked ? "text" : "password";
  });
}

for (const button of document.querySelectorAll("[data-fill-login]")) {
  button.disabled = false;
  button.addEventListener("click", () => {
    document.querySelector("#login").value = button.dataset.fillLogin;
    document.querySelector("#password").value = button.dataset.fillPassword;
    document.querySelector("button[type=submit]").focus();
  });
}
const hint = document.querySelector("[data-fill-hint]");
if (hint) hint.hidden = false;
