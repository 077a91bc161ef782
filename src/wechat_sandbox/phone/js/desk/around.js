/* What lies on the desk around the phone: little stands with codes; a tap scans one with the
 * phone in hand. */
import { accountQr, api, qrOf } from "../base/api.js";
import { button, fill, h, once } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { askForm } from "../base/layers.js";
import { t } from "../base/copy.js";
import { onRoute } from "../base/route.js";
import { get, set, watch } from "../base/store.js";
import { accountBySlug, inHand, trying, useScan } from "../acts.js";
import { say } from "../base/toast.js";
import { codesAround } from "./codes.js";
import { guideStep } from "./guide.js";
import { closePanes } from "./panes.js";

const SLUG = "[a-z0-9][a-z0-9_\\-]{0,39}";

function hintFor(code, person) {
  if (!person) return t("around.pick_first");
  if (!code.isOwn) return t("around.scan");
  return person.following.includes(code.account) ? t("around.open") : t("around.follow");
}

function stand(code, place) {
  const person = inHand();
  const account = accountBySlug(code.account);
  const classes = ["stand"];
  if (place === 0 && guideStep() === "follow") classes.push("next-step");
  if (!code.isOwn) classes.push("stand-scene");
  const scanIt = async () => {
    if (!inHand()) {
      say(t("around.pick_first"));
      return;
    }
    closePanes();
    return useScan({ text: code.text, code });
  };
  const picture = h("img", {
    class: "stand-code",
    src: code.text ? qrOf(code.text) : accountQr(code.account),
    alt: "",
    width: 132,
    height: 132,
  });
  return h(
    "li",
    { class: code.isOwn ? null : "is-wide" },
    button(
      {
        class: classes.join(" "),
        "data-testid": code.isOwn ? `account-qr-${code.account}` : `scene-qr-${code.id}`,
        on: { click: once(scanIt) },
      },
      picture,
      h(
        "span",
        { class: "stand-name" },
        code.isOwn
          ? code.label
          : t("around.scene", { scene: code.label, account: account?.name ?? "" }),
      ),
      h("span", { class: "stand-hint" }, hintFor(code, person)),
    ),
  );
}

async function addAccount() {
  const values = await askForm(
    t("desk.add_account"),
    [
      { name: "name", label: t("desk.account_name"), maxlength: 30 },
      {
        name: "slug",
        label: t("desk.account_slug"),
        placeholder: "my-account",
        maxlength: 40,
        pattern: SLUG,
      },
      {
        name: "callback_url",
        label: t("desk.account_callback"),
        placeholder: "http://127.0.0.1:8000/…",
        required: false,
        maxlength: 500,
      },
    ],
    { submit: t("desk.add_account"), note: t("desk.add_account_note") },
  );
  if (!values) return;
  await trying(async () => {
    await api.saveAccount({ ...values, callback_url: values.callback_url || null });
    set({ accounts: await api.accounts() });
  });
}

function noAccounts() {
  return h(
    "div",
    { class: "paper" },
    h("p", { class: "paper-title" }, t("desk.no_accounts")),
    h("p", { class: "paper-note" }, t("desk.no_accounts_hint")),
    button(
      { class: "primary-button", "data-testid": "add-account", on: { click: addAccount } },
      icon("plus", 18),
      t("desk.add_account"),
    ),
  );
}

export function showAround(place) {
  const list = h("ul", { class: "stands" });
  const rest = h("div", {});
  fill(
    place,
    h("h2", { class: "pane-title" }, t("around.title")),
    h("p", { class: "pane-note" }, t("around.note")),
    list,
    rest,
  );
  const show = () => {
    fill(list, codesAround(get()).map(stand));
    fill(rest, get().ready && !get().accounts.length ? noAccounts() : null);
  };
  for (const name of ["accounts", "sceneCodes", "people", "ready"])
    watch((facts) => facts[name], show);
  onRoute(show);
}
