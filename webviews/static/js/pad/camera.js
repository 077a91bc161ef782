/**
 * The camera beside the scan box: reads QR codes with the browser's own detector where there is one,
 * else with zxing as WebAssembly. Starts by itself only where it was allowed before.
 */

const LOOK_EVERY_MS = 180;
const SAME_CODE_MS = 5_000;
const SIDE_MAX = 960;
const WANTED_KEY = "o2o.pad.camera";
let reader = null;

export function startCamera({ content, signal }, found) {
  const part = content.querySelector("[data-camera]");
  if (!part || !navigator.mediaDevices?.getUserMedia) return;
  part.hidden = false;
  const camera = new Camera(part, found);
  part.querySelector("[data-camera-start]").addEventListener("click", () => camera.start(), { signal });
  part.querySelector("[data-camera-stop]").addEventListener("click", () => camera.stop({ forget: true }), { signal });
  part.querySelector("[data-camera-other]").addEventListener("click", () => camera.turn(), { signal });
  signal.addEventListener("abort", () => camera.stop());
  startIfWanted(camera);
}

/** Only where the clerk had it on and the browser need not ask again. */
async function startIfWanted(camera) {
  if (sessionStorage.getItem(WANTED_KEY) !== "on") return;
  try {
    const { state } = await navigator.permissions.query({ name: "camera" });
    if (state === "granted") camera.start();
  } catch {
    // This browser cannot say; the button is there.
  }
}

class Camera {
  #part;
  #found;
  #video;
  #stream = null;
  #timer = 0;
  #facing = "environment";
  #last = { text: "", at: 0 };
  #isOver = false;

  constructor(part, found) {
    this.#part = part;
    this.#found = found;
    this.#video = part.querySelector("video");
  }

  async start() {
    const words = this.#part.dataset;
    this.#isOver = false;
    this.#say(words.starting);
    try {
      reader ??= await makeReader(words.reader);
    } catch {
      this.#say(words.noReader);
      return;
    }
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: { ideal: this.#facing }, width: { ideal: 1280 } },
        audio: false,
      });
    } catch (error) {
      this.#say(error.name === "NotAllowedError" ? words.refused : words.none);
      return;
    }
    if (this.#isOver) {
      this.stop();
      return;
    }
    this.#video.srcObject = this.#stream;
    await this.#video.play().catch(() => {});
    sessionStorage.setItem(WANTED_KEY, "on");
    this.#show(true);
    this.#say(words.hint);
    this.#look();
  }

  stop({ forget = false } = {}) {
    this.#isOver = true;
    clearTimeout(this.#timer);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#video.srcObject = null;
    this.#show(false);
    this.#say("");
    if (forget) sessionStorage.removeItem(WANTED_KEY);
  }

  turn() {
    this.#facing = this.#facing === "environment" ? "user" : "environment";
    this.stop();
    this.start();
  }

  async #look() {
    if (this.#isOver) return;
    try {
      const text = this.#video.readyState >= 2 ? await reader(this.#video) : null;
      const isNew = text && (text !== this.#last.text || Date.now() - this.#last.at > SAME_CODE_MS);
      if (isNew && this.#found(text)) this.#last = { text, at: Date.now() };
    } catch {
      // One frame that could not be read; the next one comes.
    }
    if (!this.#isOver) this.#timer = setTimeout(() => this.#look(), LOOK_EVERY_MS);
  }

  #show(isOn) {
    this.#part.querySelector("[data-camera-view]").hidden = !isOn;
    this.#part.querySelector("[data-camera-off]").hidden = isOn;
    this.#part.querySelector("[data-camera-stop]").hidden = !isOn;
    this.#part.querySelector("[data-camera-other]").hidden = !isOn;
  }

  #say(words) {
    this.#part.querySelector("[data-camera-note]").textContent = words;
  }
}

async function makeReader(readerAddress) {
  if ("BarcodeDetector" in window) {
    try {
      const formats = await BarcodeDetector.getSupportedFormats();
      if (formats.includes("qr_code")) {
        const detector = new BarcodeDetector({ formats: ["qr_code"] });
        return async (video) => (await detector.detect(video))[0]?.rawValue ?? null;
      }
    } catch {
      // Announced, but not there: read with our own.
    }
  }
  const { readBarcodes } = await import(readerAddress);
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return async (video) => {
    const scale = Math.min(1, SIDE_MAX / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.max(1, Math.round(video.videoWidth * scale));
    canvas.height = Math.max(1, Math.round(video.videoHeight * scale));
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
    const codes = await readBarcodes(pixels, { formats: ["QRCode"], maxNumberOfSymbols: 1 });
    return codes.find((code) => code.isValid !== false && code.text)?.text ?? null;
  };
}
