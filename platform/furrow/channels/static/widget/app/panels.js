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

  /** An order in two fields; the message that comes of it is the visitor's own. */
  function order({ send, close }) {
    const number = el("input", { id: "order", type: "text", maxlength: "40", autocomplete: "off", inputmode: "text" });
    const phone = el("input", { id: "phone", type: "text", maxlength: "4", autocomplete: "off", inputmode: "numeric" });
    const fault = el("p", { class: "problem", role: "alert" });
    const ask = (key) => (event) => {
      event.preventDefault();
      if (!number.value.trim()) {
        fault.textContent = say("orderNeeded");
        number.focus();
        return;
      }
      const tail = phone.value.trim();
      close();
      send(say(key, { number: number.value.trim() }) + (tail ? say("phoneTail", { tail }) : ""));
    };
    const choice = (key, label) => el("button", { type: "button", class: "suggestion", click: ask(key) }, say(label));
    return sheet(say("order"), close, el("form", { class: "handoff", submit: ask("orderWhere"), novalidate: true },
      el("label", { for: "order" }, say("orderNumber")), number,
      el("label", { for: "phone" }, say("phoneEnd")), phone, el("p", { class: "muted" }, say("phoneWhy")), fault,
      el("button", { class: "primary" }, say("orderFind")), choice("orderUrge", "urge"), choice("orderBroken", "broken")));
  }

  /** Sound, and the conversation by e-mail. */
  function menu({ hasSound, setSound, mail, close }) {
    const sound = el("button", { type: "button", class: "suggestion", role: "switch", "aria-checked": String(hasSound()), click: () => {
      setSound(!hasSound());
      sound.setAttribute("aria-checked", String(hasSound()));
      sound.textContent = say(hasSound() ? "soundOn" : "soundOff");
    } }, say(hasSound() ? "soundOn" : "soundOff"));
    return sheet(say("more"), close, sound, mail ? mailForm(mail) : null);
  }

  function mailForm(send) {
    const address = el("input", { id: "email", type: "email", maxlength: "254", autocomplete: "email" });
    const told = el("p", { role: "status" });
    const button = el("button", { class: "primary" }, say("mailSend"));
    const key = randomKey();
    const submit = async (event) => {
      event.preventDefault();
      button.disabled = true;
      told.className = "";
      try {
        told.textContent = (await send(address.value.trim(), key + address.value.trim())).message;
      } catch (error) {
        told.className = "problem";
        told.textContent = error.status ? error.message : sayFailure(error.code);
      } finally {
        button.disabled = false;
      }
    };
    return el("form", { class: "handoff", submit, novalidate: true }, el("label", { for: "email" }, say("mailMe")), address, told, button);
  }

  function photo({ load, paint, close }) {
    const canvas = el("canvas", { class: "large", role: "img", "aria-label": say("photo"), width: "1", height: "1" });
    const note = el("p", { class: "muted" }, say("loading"));
    load().then((blob) => blob && paint(canvas, blob, 1600, true)).then((isDrawn) => { note.textContent = isDrawn ? "" : say("photoGone"); }, () => { note.textContent = say("photoGone"); });
    return sheet(say("photo"), close, canvas, note);
  }

  function sheet(heading, close, ...content) {
    const head = el("header", {}, iconButton("back", say("back"), close, { class: "icon back" }), el("h2", { id: "panel-title", tabindex: "-1" }, heading));
    return el("section", { class: "panel", role: "dialog", "aria-modal": "true", "aria-labelledby": "panel-title" }, head, el("div", { class: "content" }, ...content.filter(Boolean)));
  }

  return { source, handoff, order, menu, photo };
}
