/** Short tones that a clerk hears without looking: understood, money moved, refused. */

let audio = null;

// Browsers let a page be heard only after the person touched it.
for (const kind of ["pointerdown", "keydown"]) {
  document.addEventListener(kind, allow, { capture: true });
}

function allow() {
  const Audio = window.AudioContext ?? window.webkitAudioContext;
  if (!Audio) return;
  audio ??= new Audio();
  if (audio.state === "suspended") audio.resume().catch(() => {});
}

/** Plays notes one after the other: [hertz, seconds] each. */
function play(notes, shape = "sine", loudness = 0.18) {
  if (!audio || audio.state !== "running") return;
  let at = audio.currentTime + 0.01;
  for (const [hertz, seconds] of notes) {
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    tone.type = shape;
    tone.frequency.value = hertz;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(loudness, at + 0.012);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + seconds);
    tone.connect(gain).connect(audio.destination);
    tone.start(at);
    tone.stop(at + seconds);
    at += seconds * 0.8;
  }
}

export const playSuccess = () => play([[880, 0.14]]);
export const playCharged = () => play([[659, 0.13], [880, 0.13], [1319, 0.26]]);
export const playRefused = () => play([[220, 0.16], [175, 0.28]], "square", 0.09);
