// Drag and drop of several files, one request a file, with its progress. The form works without this.
const form = document.querySelector("[data-upload]");

if (form) {
  const input = form.querySelector("input[type=file]");
  const list = form.querySelector("[data-upload-list]");
  const words = form.dataset;

  for (const name of ["dragenter", "dragover"]) {
    form.addEventListener(name, (event) => {
      event.preventDefault();
      form.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) {
    form.addEventListener(name, () => form.classList.remove("over"));
  }
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    sendAll(event.dataTransfer.files);
  });
  input.addEventListener("change", () => sendAll(input.files));

  async function sendAll(files) {
    const rows = [...files].map((file) => [file, addRow(file.name)]);
    input.value = "";
    for (const [file, row] of rows) {
      await send(file, row);
      document.body.dispatchEvent(new Event("documents-changed"));
    }
  }

  function addRow(name) {
    const row = document.createElement("li");
    const label = document.createElement("span");
    label.textContent = name;
    const state = document.createElement("span");
    state.textContent = words.waiting;
    state.setAttribute("role", "status");
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", name);
    row.append(label, state, bar);
    list.append(row);
    return { row, state, bar };
  }

  function send(file, { row, state, bar }) {
    const body = new FormData(form);
    body.delete("files");
    body.append("files", file);
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => {
      bar.value = event.total ? event.loaded / event.total : 0;
      state.textContent = `${Math.round(bar.value * 100)} %`;
    });
    return new Promise((resolve) => {
      request.addEventListener("loadend", () => {
        finish(request, row, state, bar);
        resolve();
      });
      request.send(body);
    });
  }

  function finish(request, row, state, bar) {
    bar.remove();
    if (request.status >= 200 && request.status < 300) {
      state.textContent = words.sent;
      setTimeout(() => row.remove(), 4000);
      return;
    }
    state.classList.add("failed");
    let message = words.failed;
    try {
      message = JSON.parse(request.responseText).error.message;
    } catch {
      // Not our JSON (a proxy's page, or no connection): the general sentence stays.
    }
    state.textContent = message;
  }
}
