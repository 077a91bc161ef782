/* Watching a camera or a shared screen for a code, until one is seen or the scanner closes. */
import { getDecoder, pixelsOf } from "./decode.js";

const LOOK_EVERY_MS = 180;

/** Which live sources this browser offers here; cameras need a secure address. */
export function liveSources() {
  const devices = navigator.mediaDevices;
  return { camera: Boolean(devices?.getUserMedia), screen: Boolean(devices?.getDisplayMedia) };
}

function streamOf(source) {
  if (source === "screen")
    return navigator.mediaDevices.getDisplayMedia({ video: { frameRate: 10 } });
  return navigator.mediaDevices.getUserMedia({
    video: { facingMode: "environment", width: { ideal: 1280 } },
  });
}

/**
 * Play the source in `video` and resolve with the first {text, format} seen; null when `signal`
 * aborts or the person stops sharing. Rejects when the browser or the person says no.
 */
export async function watchFor(source, video, signal) {
  const decode = await getDecoder();
  const stream = await streamOf(source);
  const stop = () => stream.getTracks().forEach((track) => track.stop());
  if (signal.aborted || !decode) {
    stop();
    return null;
  }
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  signal.addEventListener("abort", end, { once: true });
  stream.getVideoTracks()[0].addEventListener("ended", end);
  try {
    video.srcObject = stream;
    await video.play();
    while (!isOver) {
      const found = video.videoWidth
        ? await decode(pixelsOf(video, video.videoWidth, video.videoHeight))
        : null;
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    return null;
  } finally {
    stop();
    video.srcObject = null;
  }
}
