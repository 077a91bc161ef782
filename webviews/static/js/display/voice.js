/**
 * The display's voice: sentences one after the other, each as often as the hall wants it. Browsers are
 * silent until the screen was touched once; until then nothing is kept, so that no old call is said.
 */

const REPEAT_KEY = "o2o.display.repeat";
const MUTED_KEY = "o2o.display.muted";
const GAP_MS = 400;

/** Makes the voice of a page with its button and its choice of repeats. */
export function makeVoice(hall) {
  const button = hall.querySelector("[data-sound]");
  const label = button.querySelector("[data-sound-words]");
  const why = button.querySelector("[data-sound-why]");
  const repeat = hall.querySelector("[data-repeat]");
  const speech = window.speechSynthesis;
  const voice = { isAllowed: false, audio: null, say };
  const waiting = [];
  let isSpeaking = false;

  repeat.value = localStorage.getItem(REPEAT_KEY) ?? "2";
  repeat.addEventListener("change", () => localStorage.setItem(REPEAT_KEY, repeat.value));
  button.addEventListener("click", () => (voice.isAllowed ? mute() : allow()));
  // Any touch lets the browser speak, not only one on the button.
  document.addEventListener("pointerdown", wake, { capture: true });
  document.addEventListener("keydown", wake, { capture: true });

  function wake(event) {
    if (button.contains(event.target)) return; // The button speaks for itself.
    if (!voice.isAllowed && localStorage.getItem(MUTED_KEY) !== "1") allow();
  }

  function allow() {
    const Audio = window.AudioContext ?? window.webkitAudioContext;
    voice.audio ??= Audio ? new Audio() : null;
    voice.audio?.resume().catch(() => {});
    // A first, empty sentence: some browsers take only that as permission.
    if (speech) speech.speak(new SpeechSynthesisUtterance(""));
    voice.isAllowed = true;
    localStorage.removeItem(MUTED_KEY);
    show();
    // Voices are listed only a while after the first question.
    setTimeout(show, 1500);
  }

  function mute() {
    voice.isAllowed = false;
    waiting.length = 0;
    speech?.cancel();
    localStorage.setItem(MUTED_KEY, "1");
    show();
  }

  function show() {
    button.classList.toggle("is-on", voice.isAllowed);
    button.setAttribute("aria-pressed", String(voice.isAllowed));
    why.hidden = true;
    if (!voice.isAllowed) label.textContent = hall.dataset.soundOff;
    else label.textContent = chosen() ? hall.dataset.soundIsOn : hall.dataset.soundNone;
  }

  function chosen() {
    const wanted = hall.dataset.language.slice(0, 2);
    const voices = speech?.getVoices() ?? [];
    return voices.find((one) => one.lang.replace("_", "-") === hall.dataset.language)
      ?? voices.find((one) => one.lang.startsWith(wanted)) ?? null;
  }

  function say(sentence) {
    if (!voice.isAllowed || !speech) return;
    for (let time = 0; time < Number(repeat.value); time += 1) waiting.push(sentence);
    next();
  }

  function next() {
    if (isSpeaking || waiting.length === 0) return;
    isSpeaking = true;
    const sentence = waiting.shift();
    const utterance = new SpeechSynthesisUtterance(sentence);
    utterance.lang = hall.dataset.language;
    utterance.rate = 0.9;
    const known = chosen();
    if (known) utterance.voice = known;
    // Speech that never ends, as where no voice is installed, must not keep the next call back.
    const limit = setTimeout(done, 1500 + sentence.length * 450);
    utterance.addEventListener("end", done);
    utterance.addEventListener("error", done);
    speech.speak(utterance);

    function done() {
      clearTimeout(limit);
      utterance.removeEventListener("end", done);
      utterance.removeEventListener("error", done);
      isSpeaking = false;
      setTimeout(next, GAP_MS);
    }
  }

  return voice;
}

/** Two tones before a call, as in a station. */
export function chime(voice) {
  const { audio, isAllowed } = voice;
  if (!isAllowed || !audio || audio.state !== "running") return;
  [[784, 0], [587, 0.28]].forEach(([hertz, after]) => {
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    const at = audio.currentTime + after;
    tone.frequency.value = hertz;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.2, at + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + 0.6);
    tone.connect(gain).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.65);
  });
}
