/* The shop's colour, the stacking order and the room that a phone keyboard leaves. */

const HEX = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i;

/** `rule` is the :host rule of our own sheet, so no style attribute appears in the page. */
export function applyTheme(rule, { color, layer }) {
  rule.style.setProperty("--layer", layer);
  if (!HEX.test(color || "")) return;
  rule.style.setProperty("--accent", color);
  rule.style.setProperty("--ink", inkOn(color));
}

// Dark letters on a light colour: white on the yellow of a citrus shop cannot be read.
function inkOn(color) {
  const hex = color.length === 4 ? color.replace(/[0-9a-f]/gi, "$&$&") : color;
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return red * 0.299 + green * 0.587 + blue * 0.114 > 160 ? "#1d211a" : "#fff";
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
