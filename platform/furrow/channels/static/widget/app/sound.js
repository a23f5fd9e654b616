/* A short chime, made on the spot: no file to load and nothing a page's policy could refuse. */

let context;

/** Browsers let a page sound only after a press; call it from one. */
export function allowSound() {
  const Kind = window.AudioContext || window.webkitAudioContext;
  if (!Kind) return;
  context = context || new Kind();
  if (context.state === "suspended") context.resume().catch(() => undefined);
}

export function chime() {
  if (!context || context.state !== "running") return;
  const at = context.currentTime;
  [[660, 0], [880, 0.12]].forEach(([pitch, later]) => {
    const tone = context.createOscillator();
    const level = context.createGain();
    tone.frequency.value = pitch;
    level.gain.setValueAtTime(0.0001, at + later);
    level.gain.exponentialRampToValueAtTime(0.12, at + later + 0.02);
    level.gain.exponentialRampToValueAtTime(0.0001, at + later + 0.28);
    tone.connect(level).connect(context.destination);
    tone.start(at + later);
    tone.stop(at + later + 0.3);
  });
}
