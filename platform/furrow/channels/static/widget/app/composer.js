/* The line one types in. Enter sends, Shift+Enter breaks the line, and an open input method keeps its Enter. */

const MAX_LINES = 5;
const MOST_PHOTOS = 6;

/** `onSend(text, blobs)` says whether it took them. `pick` gives a blob that may travel, or null. */
export function createComposer({ el, icon, iconButton, say, store, shrink, paintPhoto, onSend, onRefused }) {
  const field = el("textarea", { id: "message", rows: "1", maxlength: "2000", "aria-label": say("input"), placeholder: say("placeholder"),
    enterkeyhint: "send", autocomplete: "off", input: changed, keydown, paste });
  const send = iconButton("send", say("send"), undefined, { class: "icon send", type: "submit" });
  const chooser = el("input", { type: "file", accept: "image/*", multiple: true, hidden: true, tabindex: "-1", "aria-label": say("addPhoto"), change: chosen });
  const camera = iconButton("photo", say("addPhoto"), () => chooser.click());
  const strip = el("div", { class: "strip", hidden: true });
  const form = el("form", { class: "composer", submit }, strip, el("div", { class: "line" }, camera, chooser, field, send));
  let photos = [];
  field.value = store.read("draft", "") || "";
  changed();

  function changed() {
    send.disabled = !(field.value.trim() || photos.length);
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

  function paste(event) {
    const files = [...event.clipboardData.files].filter((file) => file.type.startsWith("image/"));
    if (!files.length) return;
    event.preventDefault();
    add(files);
  }

  function chosen() {
    const files = [...chooser.files];
    chooser.value = "";
    add(files);
  }

  async function add(files) {
    for (const file of files) {
      if (photos.length >= MOST_PHOTOS) {
        onRefused("photosMany");
        break;
      }
      const blob = await shrink(file);
      if (blob) photos = [...photos, blob];
      else onRefused("notAPhoto");
    }
    drawStrip();
    changed();
  }

  function drawStrip() {
    strip.hidden = !photos.length;
    strip.replaceChildren(...photos.map((blob, at) => {
      const canvas = el("canvas", { width: "64", height: "64", role: "img", "aria-label": say("photo") });
      paintPhoto(canvas, blob, 128);
      return el("span", { class: "thumb" }, canvas,
        iconButton("close", say("removePhoto"), () => remove(at), { class: "icon remove" }));
    }));
  }

  function remove(at) {
    photos = photos.filter((_, place) => place !== at);
    drawStrip();
    changed();
    field.focus();
  }

  function submit(event) {
    event.preventDefault();
    const text = field.value.trim();
    if (!(text || photos.length) || field.disabled || !onSend(text, photos)) return;
    field.value = "";
    photos = [];
    drawStrip();
    changed();
    field.focus();
  }

  return {
    form,
    field,
    fit,
    clear() {
      field.value = "";
      photos = [];
      drawStrip();
      changed();
    },
    setEnabled(isEnabled) {
      field.disabled = camera.disabled = !isEnabled;
      send.disabled = !isEnabled || !(field.value.trim() || photos.length);
    },
  };
}
