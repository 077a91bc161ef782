/* The phone's side of the JS-SDK: answers what a page in the web view asks of WeChat. */
import { api } from "../base/api.js";
import { wgs84Of } from "../base/datum.js";
import { scan } from "../scan/scanner.js";
import { inHand, loadPeople, trying, useScan } from "../acts.js";
import { askPlace, showPlace } from "./map.js";
import { t } from "../base/copy.js";

const ACCURACY_M = 30;
const QR_FORMATS = /qr/i;

function resultText({ text, format }) {
  if (!format || QR_FORMATS.test(format)) return text;
  return `${format.toUpperCase().replace(/-/g, "_")},${text}`;
}

async function scanQRCode(params) {
  const found = await scan();
  if (!found) return { outcome: "cancel" };
  if (Number(params.needResult) === 1) return { result: { resultStr: resultText(found) } };
  // The page only wanted WeChat to deal with the code.
  useScan(found);
  return { result: {} };
}

async function getLocation(params) {
  const person = inHand();
  let place = person?.location ?? null;
  if (!place) {
    place = await askPlace(t("map.where"));
    if (!place) return { outcome: "cancel" };
    const { lat, lng } = place;
    await trying(async () => {
      await api.changePerson(person.id, { location: { lat, lng } });
      await loadPeople();
    });
  }
  const point = params.type === "gcj02" ? place : wgs84Of(place);
  return { result: { latitude: point.lat, longitude: point.lng, speed: 0, accuracy: ACCURACY_M } };
}

async function openLocation(params) {
  const [lat, lng] = [Number(params.latitude), Number(params.longitude)];
  if (!Number.isFinite(lat) || !Number.isFinite(lng))
    return { outcome: "fail", reason: "invalid coordinate" };
  showPlace({ lat, lng, name: String(params.name ?? ""), address: String(params.address ?? "") });
  return { result: {} };
}

function shareCard(params) {
  const text = (value) => (typeof value === "string" ? value : "");
  return {
    title: text(params.title),
    description: text(params.desc),
    url: text(params.link),
    image: text(params.imgUrl),
  };
}

/**
 * Answer messages from `frame` until the signal aborts. `view` is what pages may change of the web
 * view: {setShare(kind, card), setMenuShown(isShown), setTitle(text), close()}.
 */
export function bridge(frame, view, signal) {
  const answers = {
    scanQRCode,
    getLocation,
    openLocation,
    updateAppMessageShareData: (params) => view.setShare("friend", shareCard(params)),
    onMenuShareAppMessage: (params) => view.setShare("friend", shareCard(params)),
    updateTimelineShareData: (params) => view.setShare("moments", shareCard(params)),
    onMenuShareTimeline: (params) => view.setShare("moments", shareCard(params)),
    hideOptionMenu: () => view.setMenuShown(false),
    showOptionMenu: () => view.setMenuShown(true),
    closeWindow: () => view.close(),
    setTitle: (params) => view.setTitle(String(params.title ?? "")),
  };
  const onMessage = async (event) => {
    const call = event.data;
    if (
      event.source !== frame.contentWindow ||
      call?.sandbox !== "wx" ||
      typeof call.api !== "string"
    )
      return;
    const answer = Object.hasOwn(answers, call.api) ? answers[call.api] : null;
    const params = call.params && typeof call.params === "object" ? call.params : {};
    let reply;
    if (answer) reply = (await answer(params)) ?? { result: {} };
    else reply = { outcome: "fail", reason: "the sandbox's phone does not offer this" };
    const outcome = reply.outcome ?? "ok";
    const errMsg = reply.reason
      ? `${call.api}:${outcome}, ${reply.reason}`
      : `${call.api}:${outcome}`;
    const target = event.origin === "null" ? "*" : event.origin;
    event.source?.postMessage(
      { sandbox: "wx-reply", id: call.id, errMsg, result: reply.result ?? {} },
      target,
    );
  };
  addEventListener("message", onMessage, { signal });
}
