/* The shop's colour, the stacking order and the room that a phone keyboard leaves. */

const HEX = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i;

/** `rule` is the :host rule of our own sheet, so no style attribute appears in the page. */
export function applyTheme(rule, { color, layer }) {
  rule.style.setProperty("--layer", layer);
  if (!HEX.test(color || "")) return;
  const tone = toneOf(color);
  rule.style.setProperty("--accent", color);
  rule.style.setProperty("--ink", contrastWithWhite(tone) < 3.5 ? "#1d211a" : "#fff");
  rule.style.setProperty("--deep", `rgb(${deepen(tone).join(" ")})`);
}

function toneOf(color) {
  const hex = color.length === 4 ? color.replace(/[0-9a-f]/gi, "$&$&") : color;
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

// The shop's colour as letters on a light ground: the yellow of a citrus shop must become a brown.
function deepen(tone) {
  let deep = tone;
  while (contrastWithWhite(deep) < 6) deep = deep.map((part) => Math.floor(part * 0.94));
  return deep;
}

// Relative luminance as the accessibility guidelines define it.
function contrastWithWhite(tone) {
  const [red, green, blue] = tone.map((part) => part / 255).map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 1.05 / (red * 0.2126 + green * 0.7152 + blue * 0.0722 + 0.05);
}

/** iOS slides the page under its keyboard instead of shrinking it; only the visual viewport tells. */
export function watchViewport(rule) {
  const view = window.visualViewport;
  if (!view) return () => {};
  const measure = () => {
    rule.style.setProperty("--room", `${Math.round(view.height)}px`);
    rule.style.setProperty("--shift", `${Math.round(view.offsetTop)}px`);
  };
  measure();
  view.addEventListener("resize", measure);
  view.addEventListener("scroll", measure);
  return () => {
    view.removeEventListener("resize", measure);
    view.removeEventListener("scroll", measure);
  };
}
