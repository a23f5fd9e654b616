/*
 * Answer text as safe nodes: paragraphs, line breaks, lists, bold, [n] markers and web links.
 * Whatever else the text holds, tags and javascript: addresses included, stays visible text.
 */

const INLINE = /\[(\d{1,3})\]|\*\*([^*\n]+)\*\*|(https?:\/\/[^\s<>"'`，。；：！？、（）【】《》「」]+)/g;
const BULLET = /^\s*(?:[-*•·]|(\d{1,3})[.)、])\s+(.*)$/;

/** `marker(n)` returns the node for citation n, or null when the answer has no such citation. */
export function renderText(el, text, marker) {
  const nodes = [];
  let open = null;
  for (const line of String(text).replace(/\r\n?/g, "\n").split("\n")) {
    const bullet = BULLET.exec(line);
    const kind = bullet ? (bullet[1] ? "ol" : "ul") : "p";
    if (!line.trim()) {
      open = null;
    } else if (bullet) {
      if (!open || open.localName !== kind) nodes.push((open = el(kind, kind === "ol" && { start: bullet[1] } || {})));
      open.append(el("li", {}, ...inline(el, bullet[2], marker)));
    } else if (open && open.localName === "p") {
      open.append(el("br"), ...inline(el, line, marker));
    } else {
      nodes.push((open = el("p", {}, ...inline(el, line, marker))));
    }
  }
  return nodes;
}

function inline(el, line, marker) {
  const parts = [];
  let at = 0;
  for (const match of line.matchAll(INLINE)) {
    const [whole, number, bold, address] = match;
    const found = address ? link(el, address) : { node: bold ? el("strong", {}, bold) : marker(Number(number)), length: whole.length };
    if (!found.node) continue;
    const before = line.slice(at, match.index);
    // A word joiner keeps a marker from standing alone at the start of a line.
    parts.push(match[1] ? before.trimEnd() + "\u2060" : before, found.node);
    at = match.index + found.length;
  }
  parts.push(line.slice(at));
  return parts.filter((part) => part !== "");
}

function link(el, matched) {
  const address = matched.replace(/[.,;:!?)\]}*]+$/, "");
  let url;
  try {
    url = new URL(address);
  } catch {
    return { node: null };
  }
  // A name before the host ("bank.example@evil.example") only serves to deceive.
  if (!/^https?:$/.test(url.protocol) || url.username || url.password) return { node: null };
  const node = el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer", referrerpolicy: "no-referrer" }, address);
  return { node, length: address.length };
}

/** Splits by code points, as the server counts: an emoji must not shift the highlighted sentence. */
export function cutQuote(text, start, end) {
  const points = Array.from(String(text));
  const isSound = Number.isInteger(start) && Number.isInteger(end) && start >= 0 && end > start && end <= points.length;
  if (!isSound) return null;
  return [points.slice(0, start), points.slice(start, end), points.slice(end)].map((part) => part.join(""));
}
