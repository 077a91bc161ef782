/* The phone itself: status bar, the screen the address asks for, the tabs below, the web view on
 * top. */
import { button, fill, h } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { closeAllLayers } from "../base/layers.js";
import { clockTime, t } from "../base/copy.js";
import { go, onRoute, route } from "../base/route.js";
import { watch } from "../base/store.js";
import { inHand } from "../acts.js";
import { unreadOf } from "../chat/conversations.js";
import { friendsOf, unreadFromFriend } from "../chat/friends.js";
import { unreadTexts } from "../chat/texts.js";
import { syncWebView } from "../web/web_view.js";
import { accountAboutScreen } from "./account_about.js";
import { accountChatScreen } from "./account_chat.js";
import { badge, chatsScreen } from "./chats.js";
import { discoverScreen, meScreen } from "./discover.js";
import { friendChatScreen } from "./friend_chat.js";
import { momentsScreen } from "./moments.js";
import { textsScreen } from "./texts.js";
import { welcomeScreen } from "./welcome.js";

const TABS = ["chats", "discover", "me"];
const TICK_MS = 10_000;
const TAB_SCREENS = { chats: chatsScreen, discover: discoverScreen, me: meScreen };
let shownKey = null;
let leaving = null;

function screenFor({ person, chat, friend, tab, view }) {
  if (!person || !inHand()) return { name: "welcome", build: welcomeScreen };
  if (chat && view === "about") return { name: `about ${chat}`, build: accountAboutScreen };
  if (chat) return { name: `chat ${chat}`, build: accountChatScreen };
  if (friend) return { name: `friend ${friend}`, build: friendChatScreen };
  if (view === "texts") return { name: "texts", build: textsScreen };
  if (view === "moments") return { name: "moments", build: momentsScreen };
  const shown = TABS.includes(tab) ? tab : TABS[0];
  return { name: `tab ${shown}`, build: TAB_SCREENS[shown], tab: shown };
}

function tabBar(current) {
  const person = inHand();
  const unread = person
    ? unreadOf(person) +
      unreadTexts(person.id) +
      friendsOf(person.id).reduce(
        (sum, { friend }) => sum + unreadFromFriend(person.id, friend.id),
        0,
      )
    : 0;
  return TABS.map((tab) =>
    button(
      {
        class: "tab",
        "aria-current": tab === current ? "page" : null,
        "data-testid": `tab-${tab}`,
        on: { click: () => go({ tab }) },
      },
      h("span", { class: "tab-icon" }, icon(tab), tab === "chats" ? badge(unread) : null),
      h("span", {}, t(`${tab}.tab`)),
    ),
  );
}

function showScreen() {
  const now = route();
  const wanted = screenFor(now);
  const key = `${now.person} ${wanted.name}`;
  const tabs = document.getElementById("tabs");
  tabs.hidden = !wanted.tab;
  if (wanted.tab) fill(tabs, tabBar(wanted.tab));
  if (key !== shownKey) {
    leaving?.abort();
    leaving = new AbortController();
    shownKey = key;
    fill(document.getElementById("screen-place"), wanted.build(leaving.signal));
  }
  syncWebView(document.getElementById("web-place"));
}

function tick() {
  document.getElementById("phone-clock").textContent = clockTime(new Date().toISOString());
}

/** Draw everything anew, as after a change of language. */
export function redrawPhone() {
  shownKey = null;
  showScreen();
  tick();
}

export function startPhone() {
  onRoute(() => {
    // The Back button leaves whatever lay over the screen.
    closeAllLayers();
    showScreen();
  });
  for (const name of ["people", "chats", "social", "accounts", "texts", "textsSeen"])
    watch((facts) => facts[name], showScreen);
  tick();
  setInterval(tick, TICK_MS);
}
