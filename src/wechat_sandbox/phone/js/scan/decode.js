/* Reading codes from pictures: the browser's own detector where it can, else zxing beside this
 * page. */

const READER = "/dist/zxing/zxing_reader.js";
const FORMATS = ["qr_code", "ean_13", "ean_8", "code_128", "code_39", "data_matrix", "pdf417"];
const SIDE_MAX = 1280;
let decoder;

async function nativeDecoder() {
  if (!("BarcodeDetector" in globalThis)) return null;
  try {
    const supported = await BarcodeDetector.getSupportedFormats();
    if (!supported.includes("qr_code")) return null;
    const detector = new BarcodeDetector({
      formats: FORMATS.filter((format) => supported.includes(format)),
    });
    return async (pixels) => {
      const found = await detector.detect(pixels);
      return found.length ? { text: found[0].rawValue, format: found[0].format } : null;
    };
  } catch {
    return null;
  }
}

async function zxingDecoder() {
  try {
    const { readBarcodes } = await import(READER);
    return async (pixels) => {
      const found = await readBarcodes(pixels, { maxNumberOfSymbols: 1, tryHarder: true });
      const good = found.find((result) => result.isValid !== false && result.text);
      return good ? { text: good.text, format: String(good.format) } : null;
    };
  } catch {
    // Not built, or WebAssembly is forbidden here: the scanner then says so and takes typed text.
    return null;
  }
}

/** A function from ImageData to {text, format} or null; null where nothing here can read codes. */
export function getDecoder() {
  decoder ??= (async () => (await nativeDecoder()) ?? (await zxingDecoder()))();
  return decoder;
}

/** The pixels of a picture or a video's current frame, made smaller where that loses nothing. */
export function pixelsOf(source, width, height) {
  const scale = Math.min(1, SIDE_MAX / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  // A transparent drawing would otherwise become black on black.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** The code in an image file, or null. Throws TypeError when the file is no picture. */
export async function decodeFile(file) {
  const decode = await getDecoder();
  const address = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = address;
    await image.decode().catch(() => {
      throw new TypeError("not a picture");
    });
    const width = image.naturalWidth || 512;
    const height = image.naturalHeight || 512;
    return decode ? await decode(pixelsOf(image, width, height)) : null;
  } finally {
    URL.revokeObjectURL(address);
  }
}
