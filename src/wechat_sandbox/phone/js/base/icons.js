/* The icons of the phone and the desk: our own line drawings on a 24 by 24 grid. */
import { s } from "./dom.js";

const LINES = {
  back: ["M15 5l-7 7 7 7"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  more: ["M5 12h.01", "M12 12h.01", "M19 12h.01"],
  plus: ["M12 5v14", "M5 12h14"],
  plusRound: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M12 8v8", "M8 12h8"],
  search: ["M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14z", "M16.5 16.5L21 21"],
  scan: [
    "M4 8V5a1 1 0 0 1 1-1h3",
    "M16 4h3a1 1 0 0 1 1 1v3",
    "M20 16v3a1 1 0 0 1-1 1h-3",
    "M8 20H5a1 1 0 0 1-1-1v-3",
    "M4 12h16",
  ],
  picture: [
    "M5 5h14a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1z",
    "M4.5 17l4.5-5 3.5 4 2.5-2.5 4.5 4",
    "M15.5 9h.01",
  ],
  place: [
    "M12 21s7-6.2 7-11a7 7 0 0 0-14 0c0 4.8 7 11 7 11z",
    "M12 7.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
  ],
  voice: [
    "M12 4a3 3 0 0 0-3 3v4a3 3 0 0 0 6 0V7a3 3 0 0 0-3-3z",
    "M6 11a6 6 0 0 0 12 0",
    "M12 17v3",
  ],
  chats: [
    "M4 11c0-3.9 3.6-7 8-7s8 3.1 8 7-3.6 7-8 7c-1 0-2-.2-2.9-.5L5 19.5l1-3.3C4.7 14.9 4 13 4 11z",
  ],
  discover: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M15.5 8.5l-2 5-5 2 2-5z"],
  me: ["M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8z", "M4.5 20c.6-3.7 3.7-6 7.5-6s6.9 2.3 7.5 6"],
  people: [
    "M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z",
    "M2.5 19.5c.5-3 3.2-5 6.5-5s6 2 6.5 5",
    "M16 5.5a3.2 3.2 0 0 1 0 6.2",
    "M18 15c1.9.7 3.2 2.3 3.5 4.5",
  ],
  reload: ["M19.5 12a7.5 7.5 0 1 1-2.3-5.4", "M19.5 4v4h-4"],
  share: ["M12 4v11", "M8 8l4-4 4 4", "M5 13v6h14v-6"],
  link: [
    "M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1",
    "M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1",
  ],
  camera: ["M4 8h3l1.5-2.5h7L17 8h3v11H4z", "M12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z"],
  screen: ["M4 5h16v11H4z", "M9 20h6", "M12 16v4"],
  moments: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M12 3v9l6.3 6.3", "M21 12h-9L5.7 5.7"],
  out: ["M7 17L17 7", "M9 7h8v8"],
  into: ["M17 7L7 17", "M15 17H7V9"],
  chevron: ["M9 5l7 7-7 7"],
  check: ["M5 12.5l4.5 4.5L19 7.5"],
  trash: ["M5 7h14", "M9 7V4.5h6V7", "M7 7l1 13h8l1-13"],
  eye: [
    "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z",
    "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  ],
  qr: [
    "M4 4h6v6H4z",
    "M14 4h6v6h-6z",
    "M4 14h6v6H4z",
    "M14 14h2v2",
    "M20 14v2",
    "M18 18h2v2",
    "M14 20h.01",
  ],
  copy: ["M9 9h11v11H9z", "M15 9V4H4v11h5"],
  menu: ["M5 8h14", "M5 12h14", "M5 16h9"],
  globe: [
    "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
    "M3 12h18",
    "M12 3c5 5.5 5 12.5 0 18",
    "M12 3c-5 5.5-5 12.5 0 18",
  ],
  user: ["M12 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z", "M5 19.5c.7-3 3.5-5 7-5s6.3 2 7 5"],
  send: ["M5 12l15-7-5 15-3-6z"],
};

/** An icon by name; hidden from screen readers, since its button carries the label. */
export function icon(name, size = 24) {
  return s(
    "svg",
    {
      viewBox: "0 0 24 24",
      width: size,
      height: size,
      class: `icon icon-${name}`,
      "aria-hidden": "true",
      focusable: "false",
    },
    LINES[name].map((d) => s("path", { d })),
  );
}
