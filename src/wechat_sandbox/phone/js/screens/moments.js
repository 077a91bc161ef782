/* Moments: what people of this sandbox have shared with everybody. */
import { button, fill, h } from "../base/dom.js";
import { faceOf } from "../base/faces.js";
import { icon } from "../base/icons.js";
import { titleBar } from "../base/layers.js";
import { chatTime, t } from "../base/copy.js";
import { go } from "../base/route.js";
import { get, watch } from "../base/store.js";
import { openPage, personById } from "../acts.js";
import { webAddress } from "../chat/rich_text.js";

function moment(post) {
  const person = personById(post.from);
  if (!person) return null;
  const url = webAddress(post.url ?? "");
  const image = webAddress(post.image ?? "");
  return h(
    "li",
    { class: "moment", "data-testid": "moment" },
    faceOf(person),
    h(
      "div",
      { class: "moment-words" },
      h("p", { class: "moment-name" }, person.name),
      button(
        { class: "moment-card", disabled: !url, on: { click: () => openPage(url) } },
        image
          ? h("img", { class: "card-thumb", src: image, alt: "" })
          : h("span", { class: "card-thumb card-thumb-empty" }, icon("link")),
        h("span", {}, post.title || post.url),
      ),
      h("time", { class: "card-note", datetime: post.at }, chatTime(post.at)),
    ),
  );
}

export function momentsScreen(signal) {
  const body = h("div", { class: "screen-body" });
  const show = () => {
    const posts = get().social.moments.map(moment).filter(Boolean);
    if (posts.length) fill(body, h("ul", { class: "moments" }, posts));
    else
      fill(
        body,
        h(
          "div",
          { class: "empty" },
          h("p", { class: "empty-title" }, t("moments.none")),
          h("p", { class: "empty-note" }, t("moments.none_hint")),
        ),
      );
  };
  watch((facts) => facts.social, show, signal);
  return h(
    "section",
    { class: "screen" },
    titleBar(t("moments.title"), { onBack: () => go({ tab: "discover" }) }),
    body,
  );
}
