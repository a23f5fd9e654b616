// Document page: a click on a passage, in the text or in the list, lights up both.
const text = document.querySelector("[data-reader-text]");
const cards = document.querySelector("[data-reader-cards]");

function light(id, from) {
  for (const element of document.querySelectorAll("[data-chunk].lit")) element.classList.remove("lit");
  const both = document.querySelectorAll(`[data-chunk="${CSS.escape(id)}"]`);
  for (const element of both) {
    element.classList.add("lit");
    if (!from?.contains(element)) element.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }
}

for (const pane of [text, cards]) {
  pane?.addEventListener("click", (event) => {
    const passage = event.target.closest("[data-chunk]");
    if (passage && !event.target.closest("button, a, form")) light(passage.dataset.chunk, pane);
  });
}

const cited = document.querySelector("[data-cited]");
if (cited) {
  cited.scrollIntoView({ block: "center" });
} else if (text?.dataset.lit) {
  light(text.dataset.lit, null);
}
