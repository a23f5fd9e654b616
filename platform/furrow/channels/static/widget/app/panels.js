/* Sheets over the conversation: one cited passage, and the way to a person. */

export function createPanels({ el, iconButton, words, cutQuote, randomKey }) {
  const { say, sayFailure } = words;

  /** `load()` brings the passage; while it is away or lost, the quoted sentence still shows. */
  function source({ citation, load, close }) {
    const title = el("h3", { dir: "auto" }, citation.title);
    const place = el("p", { class: "muted" });
    const text = el("div", { class: "passage", dir: "auto", tabindex: "0" }, el("p", { class: "muted" }, say("loading")));
    const panel = sheet(say("source", { n: citation.n }), close, title, place, text);
    const setPage = (page) => { place.textContent = page ? say("page", { page }) : ""; };
    setPage(citation.page);
    load().then((passage) => {
      title.textContent = String(passage.title ?? citation.title);
      setPage(passage.page ?? citation.page);
      showPassage(text, passage, citation.quote);
    }).catch(() => {
      text.replaceChildren(el("p", { class: "muted" }, say("sourceFailed")), el("p", {}, el("mark", {}, citation.quote)));
    });
    return panel;
  }

  function showPassage(target, passage, quote) {
    const whole = String(passage.text ?? "");
    const parts = cutQuote(whole, passage.quote_start, passage.quote_end);
    const at = whole.indexOf(quote);
    const [before, marked, after] = parts || (quote && at >= 0
      ? [whole.slice(0, at), quote, whole.slice(at + quote.length)]
      : [whole, "", ""]);
    const mark = marked ? el("mark", {}, marked) : null;
    target.replaceChildren(...[before, mark, after].filter(Boolean));
    if (mark) mark.scrollIntoView({ block: "center" });
  }

  /** `send(contact, note, key)` rejects when it did not arrive; the form then keeps every word. */
  function handoff({ config, send, close }) {
    const contact = el("input", { id: "contact", type: "text", maxlength: "200", autocomplete: "tel" });
    const note = el("textarea", { id: "note", rows: "3", maxlength: "1000" });
    const fault = el("p", { class: "problem", role: "alert" });
    const button = el("button", { class: "primary" }, say("handoffSend"));
    const key = randomKey();
    const submit = async (event) => {
      event.preventDefault();
      if (!config.human_available && !contact.value.trim()) {
        fault.textContent = say("contactNeeded");
        contact.focus();
        return;
      }
      button.disabled = true;
      fault.textContent = "";
      try {
        await send(contact.value.trim(), note.value.trim(), key);
        close();
      } catch (error) {
        fault.textContent = sayFailure(error.code);
      } finally {
        button.disabled = false;
      }
    };
    const form = el("form", { class: "handoff", submit, novalidate: true },
      el("p", {}, config.human_available ? say("handoffNow") : say("handoffLater")),
      config.hours_note ? el("p", { class: "muted", dir: "auto" }, String(config.hours_note)) : null,
      el("label", { for: "contact" }, say("contact")), contact,
      el("label", { for: "note" }, say("note")), note, fault, button);
    return sheet(say("talk"), close, form);
  }

  function sheet(heading, close, ...content) {
    const head = el("header", {}, iconButton("back", say("back"), close, { class: "icon back" }), el("h2", { id: "panel-title", tabindex: "-1" }, heading));
    return el("section", { class: "panel", role: "dialog", "aria-modal": "true", "aria-labelledby": "panel-title" }, head, el("div", { class: "content" }, ...content));
  }

  return { source, handoff };
}
