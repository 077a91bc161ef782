/* Discover: scanner and Moments; and Me: who holds this phone and where they are. */
import { api } from "../base/api.js";
import { fill, h } from "../base/dom.js";
import { faceOf } from "../base/faces.js";
import { askForm, titleBar } from "../base/layers.js";
import { icon } from "../base/icons.js";
import { listRow, switchRow } from "../base/rows.js";
import { t } from "../base/copy.js";
import { go } from "../base/route.js";
import { watch } from "../base/store.js";
import { inHand, loadPeople, openPage, trying, useScan } from "../acts.js";
import { scan } from "../scan/scanner.js";
import { askPlace, knownPlaces } from "../web/map.js";

async function typeAddress() {
  const values = await askForm(
    t("discover.address"),
    [{ name: "url", label: t("discover.address_label"), placeholder: "http://", maxlength: 2000 }],
    { submit: t("discover.open") },
  );
  if (values) openPage(values.url);
}

export function discoverScreen() {
  return h(
    "section",
    { class: "screen" },
    titleBar(t("discover.title")),
    h(
      "div",
      { class: "screen-body grouped" },
      h(
        "div",
        { class: "list-group" },
        listRow("moments", t("moments.title"), () => go({ tab: "discover", view: "moments" }), {
          testid: "open-moments",
        }),
      ),
      h(
        "div",
        { class: "list-group" },
        listRow("scan", t("scan.title"), async () => useScan(await scan()), {
          testid: "discover-scan",
        }),
        listRow("globe", t("discover.address"), typeAddress, { testid: "open-address" }),
      ),
    ),
  );
}

function placeName(location) {
  if (!location) return t("me.nowhere");
  const known = knownPlaces().find(
    (place) => place.lat === location.lat && place.lng === location.lng,
  );
  return known?.name ?? `${location.lat}, ${location.lng}`;
}

async function chooseWhere(person) {
  const place = await askPlace(t("map.where"), person.location);
  if (!place) return;
  await trying(async () => {
    await api.changePerson(person.id, { location: { lat: place.lat, lng: place.lng } });
    await loadPeople();
  });
}

function changing(person, changes) {
  return trying(async () => {
    await api.changePerson(person.id, changes);
    await loadPeople();
  });
}

export function meScreen(signal) {
  const body = h("div", { class: "screen-body grouped" });
  const show = () => {
    const person = inHand();
    if (!person) return;
    fill(
      body,
      h(
        "div",
        { class: "me-card" },
        faceOf(person),
        h(
          "div",
          {},
          h("p", { class: "me-name" }, person.name),
          h("p", { class: "card-note" }, t("me.phone", { phone: person.phone ?? "—" })),
        ),
      ),
      h(
        "div",
        { class: "list-group" },
        listRow("place", t("me.where"), () => chooseWhere(person), {
          note: placeName(person.location),
          testid: "me-where",
        }),
      ),
      h(
        "div",
        { class: "list-group" },
        switchRow(t("me.snapshot"), t("me.snapshot_hint"), {
          isOn: Boolean(person.snapshot),
          testid: "me-snapshot",
          change: (snapshot) => changing(person, { snapshot }),
        }),
      ),
      h(
        "details",
        { class: "list-group facts" },
        h(
          "summary",
          { class: "list-row" },
          h("span", { class: "list-label" }, t("me.identities")),
          icon("chevron", 18),
        ),
        h("dl", { class: "fact-list" }, factsOf(person)),
      ),
    );
  };
  watch((facts) => facts.people, show, signal);
  return h("section", { class: "screen" }, titleBar(t("me.title")), body);
}

function factsOf(person) {
  const entries = [
    ["unionid", person.unionid],
    ...Object.entries(person.openids ?? {}).map(([slug, openid]) => [`openid · ${slug}`, openid]),
  ];
  return entries.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value ?? "—")]);
}
