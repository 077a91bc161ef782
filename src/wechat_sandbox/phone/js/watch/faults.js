/* Switches that make WeChat misbehave, and time that passes at a tap. */
import { api } from "../base/api.js";
import { button, fill, h, once } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { switchRow } from "../base/rows.js";
import { say } from "../base/toast.js";
import { t } from "../base/copy.js";
import { get, set, watch } from "../base/store.js";
import { trying } from "../acts.js";

/** The switches; each is one rule of the sandbox. */
const PRESETS = [
  {
    id: "template-5xx",
    key: "template_5xx",
    rule: { match: "/cgi-bin/message/template/send", status: 503 },
  },
  { id: "slow", key: "slow", rule: { match: "/cgi-bin/*", delay_ms: 3000 } },
  { id: "silent", key: "silent", rule: { match: "/cgi-bin/*", drop: true } },
  { id: "busy", key: "busy", rule: { match: "/cgi-bin/*", errcode: -1 } },
  {
    id: "callback-duplicate",
    key: "callback_duplicate",
    rule: { match: "callback", duplicate: 2 },
  },
  { id: "callback-late", key: "callback_late", rule: { match: "callback", delay_ms: 4000 } },
  { id: "callback-reorder", key: "callback_reorder", rule: { match: "callback", reorder: true } },
];
const LEAPS = [
  { key: "minutes", seconds: 300 },
  { key: "hours", seconds: 7200 },
  { key: "day", seconds: 86_400 },
];
const UNWRITTEN = {
  delay_ms: 0,
  drop: false,
  applied: false,
  duplicate: 0,
  reorder: false,
  probability: 1,
  errmsg: null,
};

/** A rule without what only counts down and without values that say nothing, in a fixed order. */
function essence(rule) {
  const { times_left: _left, ...facts } = rule;
  const said = Object.entries(facts).filter(
    ([name, value]) => value !== null && UNWRITTEN[name] !== value,
  );
  return JSON.stringify(said.sort(([one], [other]) => one.localeCompare(other)));
}

export async function loadFaults() {
  const { rules } = await api.faults();
  set({ faults: rules });
}

function withoutCountdown(rules) {
  return rules.map(({ times_left: _left, ...rule }) => rule);
}

let lastChange = Promise.resolve();

/**
 * Change the rules that hold now, one change after another: the list is written as a whole, so two
 * quick clicks that both began from what was on the screen would undo each other.
 */
function change(edit) {
  lastChange = lastChange.then(() =>
    trying(async () => {
      const { rules } = await api.faults();
      const answer = await api.setFaults(withoutCountdown(edit(rules)));
      set({ faults: answer.rules });
    }),
  );
  return lastChange;
}

function without(rules, unwanted) {
  return rules.filter((rule) => essence(rule) !== essence(unwanted));
}

function presetRow(preset, rules) {
  const isOn = rules.some((rule) => essence(rule) === essence(preset.rule));
  return switchRow(t(`faults.${preset.key}`), t(`faults.${preset.key}_hint`), {
    isOn,
    testid: `fault-${preset.id}`,
    change: (wanted) =>
      change((now) => [...without(now, preset.rule), ...(wanted ? [preset.rule] : [])]),
  });
}

function describe(rule) {
  const { match, times_left: left, times: _times, ...rest } = rule;
  const words = Object.entries(rest).map(([name, value]) => `${name}=${value}`);
  if (left !== undefined) words.push(t("faults.left", { count: left }));
  return `${match} · ${words.join(" ")}`;
}

function otherRules(rules) {
  const known = new Set(PRESETS.map((preset) => essence(preset.rule)));
  const others = rules.filter((rule) => !known.has(essence(rule)));
  if (!others.length) return null;
  return h(
    "div",
    {},
    h("h3", { class: "small-title" }, t("faults.others")),
    h(
      "ul",
      { class: "list-group" },
      others.map((rule) =>
        h(
          "li",
          { class: "list-row" },
          h("code", { class: "list-label" }, describe(rule)),
          button(
            {
              class: "icon-button",
              "aria-label": t("faults.remove"),
              on: { click: () => change((now) => without(now, rule)) },
            },
            icon("trash", 20),
          ),
        ),
      ),
    ),
  );
}

function expireRow() {
  const expire = () =>
    trying(async () => {
      const { expired } = await api.expireTokens();
      say(t("faults.expired", { count: expired }));
    });
  return h(
    "div",
    { class: "list-row" },
    h(
      "span",
      { class: "list-label" },
      t("faults.expire"),
      h("span", { class: "list-hint" }, t("faults.expire_hint")),
    ),
    button(
      { class: "plain-button", "data-testid": "fault-expire-tokens", on: { click: once(expire) } },
      t("faults.expire_now"),
    ),
  );
}

function leapRow() {
  const leap = (seconds, key) =>
    trying(async () => {
      await api.moveClock(seconds);
      say(t(`faults.leapt_${key}`));
    });
  return h(
    "div",
    { class: "list-row leap-row" },
    h(
      "span",
      { class: "list-label" },
      t("faults.time"),
      h("span", { class: "list-hint" }, t("faults.time_hint")),
    ),
    h(
      "span",
      { class: "leaps" },
      LEAPS.map(({ key, seconds }) =>
        button(
          {
            class: "plain-button",
            "data-testid": `leap-${key}`,
            on: { click: once(() => leap(seconds, key)) },
          },
          t(`faults.leap_${key}`),
        ),
      ),
    ),
  );
}

async function clearAll() {
  await trying(async () => {
    const answer = await api.clearFaults();
    set({ faults: answer.rules });
    say(t("faults.cleared"));
  });
}

export function faultsTab(signal) {
  const place = h("div", { class: "faults grouped" });
  const show = () => {
    const rules = get().faults;
    const focused = document.activeElement?.dataset?.testid;
    fill(
      place,
      h("p", { class: "pane-note" }, t("faults.note")),
      h(
        "div",
        { class: "list-group" },
        PRESETS.map((preset) => presetRow(preset, rules)),
      ),
      otherRules(rules),
      h("div", { class: "list-group" }, expireRow(), leapRow()),
      button(
        {
          class: "plain-button wide-button",
          "data-testid": "faults-clear",
          disabled: !rules.length,
          on: { click: once(clearAll) },
        },
        t("faults.clear"),
      ),
    );
    if (focused)
      place.querySelector(`[data-testid="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  };
  watch((facts) => facts.faults, show, signal);
  return [place];
}
