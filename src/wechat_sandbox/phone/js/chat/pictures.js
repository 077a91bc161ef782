/* Choosing a picture to send: from the phone's small album or a file of one's own, as a data
 * address. */
import { button, h } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { ask } from "../base/layers.js";
import { t } from "../base/copy.js";
import { say } from "../base/toast.js";

const ALBUM = ["dish", "receipt", "street", "friends"];
const SIDE_MAX = 1080;
const QUALITY = 0.85;

/** A picture as JPEG, no larger than a phone would send it. */
async function asJpeg(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  const width = image.naturalWidth || SIDE_MAX;
  const height = image.naturalHeight || SIDE_MAX;
  const scale = Math.min(1, SIDE_MAX / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", QUALITY);
}

async function ofFile(file) {
  const address = URL.createObjectURL(file);
  try {
    return await asJpeg(address);
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** Ask for a picture; resolves with a `data:image/jpeg` address or undefined. */
export function choosePicture() {
  return ask(
    (close) => {
      const send = async (making) => {
        try {
          close(await making());
        } catch (error) {
          if (!(error instanceof DOMException)) throw error;
          say(t("scan.no_picture"));
        }
      };
      const input = h("input", {
        type: "file",
        accept: "image/*",
        class: "sr-only",
        tabindex: "-1",
        "aria-label": t("album.own"),
        "data-testid": "picture-file",
      });
      input.addEventListener("change", () => input.files[0] && send(() => ofFile(input.files[0])));
      const samples = ALBUM.map((name) => {
        const address = `/phone/album/${name}.svg`;
        return button(
          {
            class: "album-picture",
            "aria-label": t(`album.${name}`),
            "data-testid": `album-${name}`,
            on: { click: () => send(() => asJpeg(address)) },
          },
          h("img", { src: address, alt: "" }),
        );
      });
      return h(
        "div",
        { class: "sheet" },
        h("p", { class: "sheet-title" }, t("album.title")),
        h("div", { class: "album" }, samples),
        button(
          { class: "sheet-row", on: { click: () => input.click() } },
          icon("picture"),
          h("span", { class: "sheet-label" }, t("album.own")),
        ),
        input,
        button({ class: "sheet-row sheet-cancel", on: { click: () => close() } }, t("nav.cancel")),
      );
    },
    { label: t("album.title"), kind: "sheet" },
  );
}
