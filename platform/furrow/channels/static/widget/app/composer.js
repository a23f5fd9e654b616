/* The line one types in. Enter sends, Shift+Enter breaks the line, and an open input method keeps its Enter. */

const MAX_LINES = 5;

export function createComposer({ el, iconButton, say, store, onSend }) {
  const field = el("textarea", { id: "message", rows: "1", maxlength: "2000", "aria-label": say("input"), placeholder: say("placeholder"),
    enterkeyhint: "send", autocomplete: "off", input: changed, keydown });
  const send = iconButton("send", say("send"), undefined, { class: "icon send", type: "submit" });
  const form = el("form", { class: "composer", submit }, field, send);
  field.value = store.read("draft", "") || "";
  changed();

  function changed() {
    send.disabled = !field.value.trim();
    if (field.value) store.write("draft", field.value);
    else store.remove("draft");
    fit();
  }

  // Rows instead of a pixel height: the page's policy may forbid style attributes.
  function fit() {
    field.rows = 1;
    while (field.rows < MAX_LINES && field.scrollHeight > field.clientHeight) field.rows += 1;
  }

  function keydown(event) {
    // keyCode 229 is what Safari reports for the Enter that only confirms a Chinese word.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit(event);
  }

  function submit(event) {
    event.preventDefault();
    const text = field.value.trim();
    if (!text || field.disabled || !onSend(text)) return;
    field.value = "";
    changed();
    field.focus();
  }

  return {
    form,
    field,
    fit,
    setEnabled(isEnabled) {
      field.disabled = !isEnabled;
      send.disabled = !isEnabled || !field.value.trim();
    },
  };
}
