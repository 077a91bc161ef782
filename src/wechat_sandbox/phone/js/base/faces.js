/* Faces: a person's avatar, and a tile with the first character for accounts and for pictures
 * that fail. */
import { h } from "./dom.js";

const HUES = 360;

function hueOf(text) {
  let sum = 7;
  for (const character of text) sum = (sum * 31 + character.codePointAt(0)) % HUES;
  return sum;
}

function tile(name, key) {
  const initial = [...(name || "?")][0].toUpperCase();
  return h(
    "span",
    { class: "face face-tile", vars: { "--hue": hueOf(key) }, "aria-hidden": "true" },
    initial,
  );
}

/** The face of a person; falls back to a tile when the picture does not load. */
export function faceOf(person) {
  if (!person.avatar) return tile(person.name, person.id);
  const image = h("img", { class: "face", src: person.avatar, alt: "", width: 48, height: 48 });
  image.addEventListener("error", () => image.replaceWith(tile(person.name, person.id)), {
    once: true,
  });
  return image;
}

/** The face of an official account: its first character on a colour of its own. */
export function accountFace(account) {
  const face = tile(account.name, account.slug);
  face.classList.add("face-account");
  return face;
}
