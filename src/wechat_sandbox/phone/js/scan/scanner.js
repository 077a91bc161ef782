/* The scanner: codes on the desk, camera, another window, a picture, or text typed in. */
import { accountQr, qrOf } from "../base/api.js";
import { button, fill, h } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { ask, titleBar } from "../base/layers.js";
import { t } from "../base/copy.js";
import { get } from "../base/store.js";
import { codesAround } from "../desk/codes.js";
import { decodeFile, getDecoder } from "./decode.js";
import { liveSources, watchFor } from "./watching.js";

const TEXT_MAX = 4000;

function deskCodes(close) {
  const codes = codesAround(get());
  if (!codes.length) return null;
  return h(
    "section",
    { class: "scan-codes" },
    h("h2", { class: "small-title" }, t("scan.around")),
    h(
      "div",
      { class: "scan-strip" },
      codes.map((code) =>
        button(
          {
            class: "scan-code",
            "data-testid": `scan-code-${code.id}`,
            on: { click: () => close({ text: code.text, code }) },
          },
          h("img", {
            src: code.text ? qrOf(code.text) : accountQr(code.account),
            alt: "",
            width: 72,
            height: 72,
          }),
          h("span", {}, code.label),
        ),
      ),
    ),
  );
}

function typedText(close) {
  const input = h("input", {
    class: "line-input",
    type: "text",
    "data-testid": "scan-text",
    // On a touch screen the keyboard would cover the codes.
    "data-autofocus": matchMedia("(hover: hover)").matches,
    "aria-label": t("scan.type"),
    placeholder: t("scan.type"),
    maxlength: TEXT_MAX,
    autocomplete: "off",
    spellcheck: "false",
  });
  const form = h(
    "form",
    { class: "scan-form" },
    input,
    h(
      "button",
      { type: "submit", class: "primary-button", "data-testid": "scan-submit" },
      t("scan.submit"),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text) close({ text });
    else input.focus();
  });
  return form;
}

/** Pictures chosen, dropped or pasted; says in words when there is no code in them. */
function acceptPictures(element, { close, tell, signal }) {
  const read = async (file) => {
    if (!file) return;
    tell(t("scan.reading"));
    try {
      const found = await decodeFile(file);
      if (found) close(found);
      else tell((await getDecoder()) ? t("scan.nothing_found") : t("scan.cannot_read"));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      tell(t("scan.no_picture"));
    }
  };
  const pictureIn = (list) => [...(list ?? [])].find((file) => file.type.startsWith("image/"));
  element.addEventListener("dragover", (event) => event.preventDefault());
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    read(pictureIn(event.dataTransfer.files));
  });
  const onPaste = (event) => {
    const file = pictureIn(event.clipboardData?.files);
    if (!file) return;
    event.preventDefault();
    read(file);
  };
  document.addEventListener("paste", onPaste, { signal });
  return read;
}

function liveButtons(start) {
  const offered = liveSources();
  return ["camera", "screen"]
    .filter((source) => offered[source])
    .map((source) =>
      button(
        {
          class: "scan-source",
          "data-testid": `scan-${source}`,
          on: { click: () => start(source) },
        },
        icon(source),
        h("span", {}, t(`scan.${source}`)),
      ),
    );
}

function pictureButton(read) {
  const input = h("input", {
    type: "file",
    accept: "image/*",
    class: "sr-only",
    tabindex: "-1",
    "aria-label": t("scan.picture"),
    "data-testid": "scan-file",
  });
  input.addEventListener("change", () => read(input.files[0]));
  const opener = button(
    { class: "scan-source", on: { click: () => input.click() } },
    icon("picture"),
    h("span", {}, t("scan.picture")),
  );
  return [opener, input];
}

/** Ask for a code; resolves with {text, format?, code?} or undefined when closed. */
export function scan(purpose = t("scan.title")) {
  return ask(
    (close, signal) => {
      const note = h("p", { class: "scan-note", role: "status" }, t("scan.hint"));
      const tell = (text) => fill(note, text);
      const video = h("video", {
        class: "scan-video",
        muted: true,
        playsinline: true,
        hidden: true,
      });
      video.muted = true;
      const start = async (source) => {
        video.hidden = false;
        tell(t("scan.watching"));
        try {
          const found = await watchFor(source, video, signal);
          if (found) close(found);
        } catch (error) {
          if (!(error instanceof DOMException)) throw error;
          tell(t("scan.refused"));
        }
        video.hidden = true;
      };
      const element = h("div", { class: "scanner" });
      const read = acceptPictures(element, { close, tell, signal });
      const sources = h("div", { class: "scan-sources" });
      getDecoder().then((decode) => {
        if (decode) fill(sources, liveButtons(start), pictureButton(read));
        else tell(t("scan.cannot_read"));
      });
      const view = h(
        "div",
        { class: "scan-view" },
        video,
        h("span", { class: "scan-corners", "aria-hidden": "true" }),
        note,
      );
      return fill(
        element,
        titleBar(purpose, { onBack: () => close(), backIcon: "close", backLabel: t("nav.close") }),
        view,
        h("div", { class: "scan-lower" }, sources, typedText(close), deskCodes(close)),
      );
    },
    { label: purpose, kind: "dark" },
  );
}
