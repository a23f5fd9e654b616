// The keyboard through the findings, and the text beside them in step. Everything works without this.
const text = document.querySelector(".review-text");

if (text) {
  let current = "";

  const cards = () => [...document.querySelectorAll(".finding")];
  const card = () => document.getElementById(`finding-${current}`);

  function show(id, { focus = true } = {}) {
    for (const old of document.querySelectorAll(".finding.current, .found.current")) {
      old.classList.remove("current");
    }
    current = id;
    for (const one of document.querySelectorAll(`[data-finding="${CSS.escape(id)}"]`)) {
      one.classList.add("current");
    }
    document.getElementById(`mark-${id}`)?.scrollIntoView({ block: "center" });
    if (focus) card()?.focus({ preventScroll: true });
    card()?.scrollIntoView({ block: "nearest" });
  }

  function step(by) {
    const all = cards();
    if (!all.length) return;
    const at = all.indexOf(card());
    const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
    show(all[next].dataset.finding);
  }

  function press(key) {
    const target = card()?.querySelector(`[data-key="${key}"]`);
    if (!target) return;
    if (target instanceof HTMLDetailsElement) {
      target.open = true;
      target.querySelector("textarea")?.focus();
    } else {
      target.click();
    }
  }

  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, textarea, select, dialog");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.toLowerCase();
    if (key === "j" || key === "k") step(key === "j" ? 1 : -1);
    else if (["a", "r", "e", "u"].includes(key)) press(key);
    else return;
    event.preventDefault();
  });

  text.addEventListener("click", (event) => {
    const mark = event.target.closest("[data-finding]");
    if (!mark || !document.getElementById(`finding-${mark.dataset.finding}`)) return;
    event.preventDefault();
    show(mark.dataset.finding);
  });

  document.body.addEventListener("htmx:afterSettle", (event) => {
    const swapped = event.detail.elt;
    if (!swapped?.classList?.contains("finding")) return;
    const state = ["open", "accepted", "edited", "rejected"].find((one) => swapped.classList.contains(one));
    for (const mark of text.querySelectorAll(`[data-finding="${CSS.escape(swapped.dataset.finding)}"]`)) {
      mark.classList.remove("open", "accepted", "edited", "rejected");
      mark.classList.add(state ?? "open");
    }
    if (swapped.dataset.finding === current) show(current);
  });
}
