/* Starts the page: texts first, then the facts, then everything that listens for changes. */
import { api } from "./base/api.js";
import { button, fill } from "./base/dom.js";
import { icon } from "./base/icons.js";
import { currentLanguage, loadCopy, t } from "./base/copy.js";
import { listen } from "./base/live.js";
import { onRoute, route } from "./base/route.js";
import { get, set, setIn } from "./base/store.js";
import { sayError } from "./base/toast.js";
import { loadPeople } from "./acts.js";
import { chatKey, refreshChat } from "./chat/conversations.js";
import { loadSocial } from "./chat/friends.js";
import { hearText, loadTexts } from "./chat/texts.js";
import { loadSceneCodes } from "./desk/codes.js";
import { showAround } from "./desk/around.js";
import { showGuide } from "./desk/guide.js";
import { showStrip } from "./desk/panes.js";
import { showPeople } from "./desk/people.js";
import { redrawPhone, startPhone } from "./screens/phone.js";
import { refreshBooksSoon } from "./watch/books.js";
import { refreshCalls } from "./watch/calls.js";
import { loadFaults } from "./watch/faults.js";
import { showWatch } from "./watch/pane.js";

const NEW_CODE_PATH = "/cgi-bin/qrcode/create";
const TYPING_MS = 15_000;

const byId = (id) => document.getElementById(id);

async function loadAccounts() {
  set({ accounts: await api.accounts() });
  await loadSceneCodes();
}

async function loadPlaces() {
  const { places } = await api.places();
  set({ places });
}

async function loadMenu(slug) {
  const { menu } = await api.menu(slug);
  setIn("menus", slug, menu?.button ?? []);
}

/** The chats of the person in hand, for the list's last lines and unread counts. */
function loadChats() {
  const person = get().people.find((each) => each.id === route().person);
  return Promise.all([
    loadTexts(person?.id),
    ...(person?.following ?? []).map((account) => refreshChat(person.id, account)),
  ]);
}

async function loadAll() {
  await Promise.all([loadPeople(), loadAccounts(), loadPlaces(), loadFaults(), refreshCalls()]);
  await loadChats();
  refreshBooksSoon();
}

function showTyping({ person, account, is_typing: isTyping }) {
  const key = chatKey(person, account);
  setIn("typing", key, isTyping);
  if (isTyping) setTimeout(() => setIn("typing", key, false), TYPING_MS);
}

const ON_NOTICE = {
  chat: ({ person, account }) => refreshChat(person, account),
  sms: hearText,
  call: ({ path }) => {
    refreshBooksSoon();
    const isNewCode = path === NEW_CODE_PATH;
    return Promise.all([refreshCalls(), isNewCode ? loadSceneCodes() : null]);
  },
  people: async () => {
    await loadPeople();
    await loadChats();
  },
  accounts: loadAccounts,
  menu: ({ account }) => loadMenu(account),
  faults: loadFaults,
  places: loadPlaces,
  typing: showTyping,
};

/** What fails while offline is fetched again when the stream is back, so it may pass unsaid. */
async function quietly(work) {
  try {
    await work();
  } catch (error) {
    if (get().online) sayError(error);
  }
}

/** After a break: fetch what was missed; a sandbox that was begun anew needs a page begun anew. */
async function catchUp() {
  const known = get().accounts;
  const accounts = await api.accounts();
  const isSame = known.every((before) => accounts.some((now) => now.appid === before.appid));
  if (isSame) await loadAll();
  else location.reload();
}

function languageButton() {
  const other = currentLanguage() === "en" ? "zh_CN" : "en";
  fill(
    byId("language"),
    button(
      {
        class: "language-button",
        lang: other === "en" ? "en" : "zh-CN",
        "data-testid": "language",
        on: {
          click: async () => {
            await loadCopy(other);
            location.reload();
          },
        },
      },
      icon("globe", 18),
      t("page.other_language"),
    ),
  );
}

function labelPage() {
  byId("pane-people").setAttribute("aria-label", t("people.title"));
  byId("pane-around").setAttribute("aria-label", t("around.title"));
  byId("pane-watch").setAttribute("aria-label", t("watch.title"));
  byId("phone").setAttribute("aria-label", t("page.phone"));
  byId("tabs").setAttribute("aria-label", t("page.tabs"));
  fill(byId("brand-name"), t("page.name"));
  fill(byId("brand-note"), t("page.note"));
}

async function start() {
  await loadCopy();
  labelPage();
  languageButton();
  loadSocial();
  try {
    await loadAll();
  } catch (error) {
    sayError(error);
  }
  set({ ready: true });
  showGuide(byId("guide"));
  showPeople(byId("people"));
  showAround(byId("around"));
  showStrip(byId("strip"));
  showWatch(byId("watch"));
  startPhone();
  redrawPhone();
  onRoute((now, before) => now.person !== before.person && quietly(loadChats));
  listen({
    onNotice: (notice) => quietly(async () => ON_NOTICE[notice.kind]?.(notice)),
    onGap: () => quietly(catchUp),
  });
  document.body.dataset.ready = "true";
}

start();
