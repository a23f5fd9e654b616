/* Run in the page: what lies over the edge, is cut or covers something else, and every text a reader sees. */
() => {
  const isSeen = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const isHiddenOnPurpose = (element) => element.closest(".visually-hidden, .skip-link, [inert]");
  const named = (element) => `${element.tagName.toLowerCase()}.${element.className} “${element.textContent.trim().slice(0, 40)}”`;
  const layout = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) layout.push(`page is ${root.scrollWidth} wide on ${root.clientWidth}`);

  const controls = [...document.querySelectorAll("a, button, summary, input:not([type=hidden]), select, textarea")]
    .filter((element) => isSeen(element) && !isHiddenOnPurpose(element));
  const isInScroller = (element) => element.closest(".reader-pane, .table-wrap, pre, .hit-text, .chat-log");
  for (const element of controls) {
    const box = element.getBoundingClientRect();
    if (box.width < 2 || isInScroller(element)) continue;
    if (box.left < -1 || box.right > root.clientWidth + 1) layout.push(`outside: ${named(element)}`);
    const isCut = element.matches(".button, button") && element.scrollWidth > element.clientWidth + 1;
    if (isCut) layout.push(`cut: ${named(element)}`);
  }

  const isFixed = (element) => {
    for (let each = element; each && each !== document.body; each = each.parentElement) {
      if (["fixed", "sticky"].includes(getComputedStyle(each).position)) return true;
    }
    return false;
  };
  const solid = controls.filter((element) => !isFixed(element) && !isInScroller(element) && getComputedStyle(element).display !== "inline");
  const boxes = solid.map((element) => element.getBoundingClientRect());
  for (let a = 0; a < solid.length; a += 1) {
    for (let b = a + 1; b < solid.length; b += 1) {
      if (solid[a].contains(solid[b]) || solid[b].contains(solid[a])) continue;
      const width = Math.min(boxes[a].right, boxes[b].right) - Math.max(boxes[a].left, boxes[b].left);
      const height = Math.min(boxes[a].bottom, boxes[b].bottom) - Math.max(boxes[a].top, boxes[b].top);
      if (width > 2 && height > 2) layout.push(`covers: ${named(solid[a])} and ${named(solid[b])}`);
    }
  }

  // Code, what people typed into fields and words marked as another language are nobody's to translate.
  const WRITTEN = ".reader-text, .passage-text, .hit-text, .bubble, .said-text, .citation, .suggestions, textarea, select";
  const isForeign = (element) => element.closest(`[translate=no], code, pre, script, style, svg, [lang]:not(html), ${WRITTEN}`);
  const texts = [document.title];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    if (text && isSeen(walker.currentNode.parentElement) && !isForeign(walker.currentNode.parentElement)) texts.push(text);
  }
  for (const element of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]")) {
    if (isForeign(element)) continue;
    for (const name of ["aria-label", "title", "placeholder", "alt"]) {
      if (element.getAttribute(name)) texts.push(element.getAttribute(name));
    }
  }
  return { layout, texts: [...new Set(texts)] };
}
