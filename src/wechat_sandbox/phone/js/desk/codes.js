/* The codes that lie on the desk: each account's own, and those with a scene that it has made. */
import { api } from "../base/api.js";
import { get, setIn } from "../base/store.js";

const SCENE_CODES_MAX = 6;

/** All codes around, accounts' own first: {id, account, label, text}. */
export function codesAround({ accounts, sceneCodes }) {
  const own = accounts.map((account) => ({
    id: account.slug,
    account: account.slug,
    label: account.name,
    text: account.qr_text ?? null,
    isOwn: true,
  }));
  const scenes = accounts.flatMap((account) =>
    (sceneCodes[account.slug] ?? []).slice(0, SCENE_CODES_MAX).map((code) => ({
      id: `${account.slug}-${code.scene}`,
      account: account.slug,
      label: code.scene,
      text: code.text,
      isOwn: false,
    })),
  );
  return [...own, ...scenes];
}

/** Fetch the scene codes of every account; an account without any is no mistake. */
export async function loadSceneCodes() {
  await Promise.all(
    get().accounts.map(async ({ slug }) => {
      const codes = await api.qrcodes(slug);
      setIn("sceneCodes", slug, codes);
    }),
  );
}
