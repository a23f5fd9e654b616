/* Building blocks of the shadow tree. Text only ever enters as text nodes. */

const SVG = "http://www.w3.org/2000/svg";

const SHAPES = {
  close: "M6 6l12 12M18 6L6 18",
  back: "M14.5 5.5L8 12l6.5 6.5",
  send: "M12 19V5.5M6 11l6-6 6 6",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20c.8-3.6 3.8-5.5 7.5-5.5s6.7 1.9 7.5 5.5",
  up: "M7.5 20.5v-9.5l4-7.5c1.5 0 2.3 1.1 2 2.5l-.8 4h5.3a2 2 0 0 1 2 2.4l-1.2 6a2.6 2.6 0 0 1-2.5 2.1zM7.5 11H4v9.5h3.5",
  down: "M16.5 3.5v9.5l-4 7.5c-1.5 0-2.3-1.1-2-2.5l.8-4H6a2 2 0 0 1-2-2.4l1.2-6a2.6 2.6 0 0 1 2.5-2.1zM16.5 13H20V3.5h-3.5",
  copy: "M9 9h10.5v10.5H9zM15 9V4.5H4.5V15H9",
  check: "M5 12.5l4.5 4.5L19 7.5",
  retry: "M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 3.5v4h-4",
  source: "M6.5 3.5h7.5l4 4v13H6.5zM14 3.5v4h4M9.5 12h5M9.5 15.5h5",
  home: "M4 11.5L12 4.5l8 7M6.5 9.8v9.7h11V9.8",
  chat: "M5 4.5h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-6.6L7.5 21v-3.5H5a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2zM8 9.2h8M8 12.8h5",
  more: "M5 7h14M5 12h14M5 17h14",
  photo: "M4 7.5h3.5L9 5h6l1.5 2.5H20v11.5H4zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z",
  order: "M6 3.5h12v17l-3-2-3 2-3-2-3 2zM9.5 8.5h5M9.5 12h5",
  sad: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM8.5 16.2c1.8-2.4 5.2-2.4 7 0M9 10h.01M15 10h.01",
  fair: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM8.8 15h6.4M9 10h.01M15 10h.01",
  glad: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM8.5 14c1.8 2.6 5.2 2.6 7 0M9 10h.01M15 10h.01",
  offline: "M4 4l16 16M8.5 15.5a5 5 0 0 1 6-.8M5.5 12a9.5 9.5 0 0 1 4-2.3M13.5 9.4A9.5 9.5 0 0 1 18.5 12M12 19h.01",
};

/** An element; functions among the attributes become listeners, empty values are left out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== undefined && child !== null && child !== false));
  return node;
}

export function icon(name) {
  const image = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  const look = { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "1.7",
    "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };
  for (const [key, value] of Object.entries(look)) image.setAttribute(key, value);
  path.setAttribute("d", SHAPES[name]);
  image.append(path);
  return image;
}

/** A button that shows only a picture; `label` is what a screen reader says. */
export function iconButton(name, label, click, attributes = {}) {
  return el("button", { type: "button", class: "icon", "aria-label": label, title: label, click, ...attributes }, icon(name));
}

/** Keeps Tab inside `layer`; call it from a keydown handler of the shadow root. */
export function holdFocus(event, layer) {
  const stops = [...layer.querySelectorAll("button, textarea, input, a[href], [tabindex='0']")].filter(
    (node) => !node.disabled && node.getClientRects().length > 0,
  );
  if (!stops.length) return;
  const first = stops[0];
  const last = stops[stops.length - 1];
  const current = layer.getRootNode().activeElement;
  const outside = !layer.contains(current);
  if (event.shiftKey && (outside || current === first)) {
    event.preventDefault();
    last.focus();
  } else if (!event.shiftKey && (outside || current === last)) {
    event.preventDefault();
    first.focus();
  }
}

/** Constructed sheets pass a strict content security policy; <style> serves older browsers. */
export function adoptStyles(root, css) {
  if ("adoptedStyleSheets" in root) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    return sheet;
  }
  const style = el("style", {}, css);
  root.append(style);
  return style.sheet;
}
