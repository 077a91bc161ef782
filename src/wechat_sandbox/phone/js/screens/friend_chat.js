/* The chat between two people of the sandbox: text, and cards of pages they share. */
import { h } from "../base/dom.js";
import { faceOf } from "../base/faces.js";
import { titleBar } from "../base/layers.js";
import { t } from "../base/copy.js";
import { go, route } from "../base/route.js";
import { watch } from "../base/store.js";
import { inHand, openPage, personById } from "../acts.js";
import { createComposer } from "../chat/composer.js";
import { markFriendSeen, sendToFriend, threadKey, threadOf } from "../chat/friends.js";
import { createThread } from "../chat/thread.js";

export function friendChatScreen(signal) {
  const { person: me, friend: other } = route();
  const friend = personById(other) ?? { id: other, name: other };
  const say = (content) => sendToFriend(me, other, { kind: "text", content });
  const face = (isMine) => faceOf(isMine ? (inHand() ?? friend) : friend);
  const taps = { open: openPage, answer: ({ content }) => say(content) };
  const thread = createThread(t("chat.with", { name: friend.name }), {
    account: () => friend,
    taps,
    face,
  });
  const show = () => {
    thread.show(
      threadOf(me, other).map((item) => ({ ...item, direction: item.from === me ? "out" : "in" })),
    );
    queueMicrotask(() => !signal.aborted && markFriendSeen(me, other));
  };
  watch((facts) => facts.social.friends[threadKey(me, other)], show, signal);
  signal.addEventListener("abort", thread.stop);
  return h(
    "section",
    { class: "screen chat-screen" },
    titleBar(friend.name, { onBack: () => go({ tab: "chats" }) }),
    thread.element,
    createComposer({ onText: say }),
  );
}
