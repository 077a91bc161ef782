/* A simple drawn map of the cities: choose a place or any point on it, or just look at one. */
import { button, fill, h, s } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { ask, titleBar } from "../base/layers.js";
import { t } from "../base/copy.js";
import { get } from "../base/store.js";

const WIDTH = 340;
const HEIGHT = 260;
const MARGIN = 0.16;
const SPAN_MIN = 0.04;
const POINT_DIGITS = 6;
// Where the map looks when the sandbox knows no place at all.
const FALLBACK = { lat: 31.23, lng: 121.47 };
// Only a drawing, the same for every city: a river, a lake and the larger streets.
const WATER = [
  "M-10 196C60 150 92 236 168 182S262 96 350 132V156C268 122 236 196 176 206S70 184-10 222z",
];
const PARKS = ["M24 30h62v44H24z", "M232 196h70v40h-70z", "M196 34h44v30h-44z"];
const STREETS = [
  "M-10 92H350",
  "M-10 148L350 68",
  "M70 -10V270",
  "M150 -10L178 270",
  "M258 -10V270",
  "M-10 240H350",
  "M-10 24L350 40",
];

function boundsOf(places) {
  const lats = places.map((place) => place.lat);
  const lngs = places.map((place) => place.lng);
  const middle = (values) => (Math.min(...values) + Math.max(...values)) / 2;
  const span = (values) =>
    Math.max(SPAN_MIN, Math.max(...values) - Math.min(...values)) * (1 + 2 * MARGIN);
  return { lat: middle(lats), lng: middle(lngs), latSpan: span(lats), lngSpan: span(lngs) };
}

function onMap(bounds, { lat, lng }) {
  return {
    x: (0.5 + (lng - bounds.lng) / bounds.lngSpan) * 100,
    y: (0.5 - (lat - bounds.lat) / bounds.latSpan) * 100,
  };
}

function pointAt(bounds, xShare, yShare) {
  const round = (degrees) => Number(degrees.toFixed(POINT_DIGITS));
  return {
    lat: round(bounds.lat + (0.5 - yShare) * bounds.latSpan),
    lng: round(bounds.lng + (xShare - 0.5) * bounds.lngSpan),
  };
}

function drawing() {
  return s(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      class: "map-drawing",
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    },
    PARKS.map((d) => s("path", { d, class: "map-park" })),
    STREETS.map((d) => s("path", { d, class: "map-street" })),
    WATER.map((d) => s("path", { d, class: "map-water" })),
  );
}

function pin(bounds, place, { isChosen, onTap }) {
  const { x, y } = onMap(bounds, place);
  return button(
    {
      class: isChosen ? "pin chosen" : `pin pin-${place.kind ?? "spot"}`,
      vars: { "--x": `${x}%`, "--y": `${y}%` },
      "aria-label": place.name,
      title: place.name,
      on: { click: onTap },
    },
    icon("place", 22),
  );
}

/** All places as {city, name, lat, lng, kind}, whichever way the sandbox names the coordinates. */
export function knownPlaces() {
  return get().places.map((place) => ({
    ...place,
    lat: place.lat ?? place.latitude,
    lng: place.lng ?? place.longitude,
  }));
}

function cityTabs(cities, current, choose) {
  return h(
    "div",
    { class: "city-tabs", role: "group", "aria-label": t("map.cities") },
    cities.map((city) =>
      button(
        {
          class: "city-tab",
          "aria-pressed": String(city === current),
          on: { click: () => choose(city) },
        },
        city,
      ),
    ),
  );
}

function placeRow(place, isChosen, onTap) {
  return button(
    {
      class: "place-row",
      "data-testid": `place-${place.name}`,
      "aria-pressed": String(isChosen),
      on: { click: onTap },
    },
    h(
      "span",
      {},
      h("span", { class: "place-name" }, place.name),
      h("span", { class: "card-note" }, place.city),
    ),
    isChosen ? icon("check", 20) : null,
  );
}

/** The map of one city: a tap on a pin or anywhere else chooses that point. */
function cityMap({ city, here, chosen, choose }) {
  const bounds = boundsOf(here.length ? here : [FALLBACK]);
  const surface = h("div", { class: "map", "data-testid": "map" }, drawing());
  surface.addEventListener("click", (event) => {
    if (event.target.closest(".pin")) return;
    const box = surface.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    const y = (event.clientY - box.top) / box.height;
    choose({ ...pointAt(bounds, x, y), name: t("map.point"), city });
  });
  const isElsewhere = chosen?.city === city && !here.includes(chosen);
  const shown = isElsewhere ? [...here, chosen] : here;
  const pins = shown.map((place) =>
    pin(bounds, place, { isChosen: place === chosen, onTap: () => choose(place) }),
  );
  surface.append(...pins);
  return surface;
}

/** Ask for a point: resolves with {lat, lng, name, city} in GCJ-02, or undefined. */
export function askPlace(purpose, start = null) {
  const places = knownPlaces();
  const cities = [...new Set(places.map((place) => place.city))];
  let chosen =
    places.find((place) => start && place.lat === start.lat && place.lng === start.lng) ?? null;
  let city = chosen?.city ?? cities[0];
  const build = (close) => {
    const body = h("div", { class: "map-body" });
    const take = () => chosen && close(chosen);
    const done = button(
      { class: "primary-button small", "data-testid": "map-done", on: { click: take } },
      t("map.use"),
    );
    const show = () => {
      const here = places.filter((place) => place.city === city);
      const choose = (place) => {
        chosen = place;
        show();
      };
      const chooseCity = (next) => {
        city = next;
        show();
      };
      const rows = here.map((place) => placeRow(place, place === chosen, () => choose(place)));
      done.disabled = !chosen;
      fill(
        body,
        cityTabs(cities, city, chooseCity),
        cityMap({ city, here, chosen, choose }),
        h("div", { class: "place-list" }, rows),
      );
    };
    show();
    const bar = {
      onBack: () => close(),
      backIcon: "close",
      backLabel: t("nav.close"),
      right: done,
    };
    return h("div", { class: "layer-page" }, titleBar(purpose, bar), body);
  };
  return ask(build, { label: purpose });
}

/** Show one place, as `wx.openLocation` does. */
export function showPlace(place) {
  return ask(
    (close) => {
      const near = knownPlaces().filter(
        (each) => Math.hypot(each.lat - place.lat, each.lng - place.lng) < 1,
      );
      const bounds = boundsOf([place, ...near]);
      const surface = h("div", { class: "map map-tall" }, drawing());
      surface.append(pin(bounds, place, { isChosen: true, onTap: () => {} }));
      return h(
        "div",
        { class: "layer-page" },
        titleBar(t("map.title"), {
          onBack: () => close(),
          backIcon: "close",
          backLabel: t("nav.close"),
        }),
        surface,
        h(
          "div",
          { class: "place-foot" },
          h("p", { class: "place-name" }, place.name || t("map.point")),
          h("p", { class: "card-note" }, place.address ?? ""),
        ),
      );
    },
    { label: t("map.title") },
  );
}
