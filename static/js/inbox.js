// The inbox between two looks at the server: clocks run, the title counts, the newest message stays in sight.
const WARN_S = 120;
const LATE_S = 180;
const title = document.title;

function shown(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  if (hours >= 24) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  const minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

function tick() {
  for (const clock of document.querySelectorAll("[data-since]")) {
    const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(clock.dataset.since)) / 1000));
    clock.textContent = shown(seconds);
    clock.classList.toggle("warn", seconds >= WARN_S && seconds < LATE_S);
    clock.classList.toggle("late", seconds >= LATE_S);
    clock.classList.toggle("quiet", seconds < WARN_S);
  }
}

function count() {
  const list = document.getElementById("inbox-list");
  if (list) document.title = Number(list.dataset.waiting) ? `(${list.dataset.waiting}) ${title}` : title;
}

// Only who stands at the end is moved on: a reader further up stays where they read.
let isAtEnd = true;
function keepEnd() {
  const log = document.querySelector("[data-talk-log]");
  if (log && isAtEnd) log.scrollTop = log.scrollHeight;
}
document.addEventListener("htmx:beforeSwap", () => {
  const log = document.querySelector("[data-talk-log]");
  if (log) isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
});
document.addEventListener("htmx:afterSettle", () => {
  tick();
  count();
  keepEnd();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-fill]");
  if (!button) return;
  event.preventDefault();
  const response = await fetch(button.formAction, {
    method: "POST",
    body: new FormData(button.form),
    headers: { Accept: "application/json" },
  });
  if (!response.ok) return;
  const field = document.getElementById("reply-text");
  field.value = (await response.json()).text;
  field.focus();
});

document.addEventListener("keydown", (event) => {
  const isSend = event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing;
  const form = event.target.closest?.("[data-composer]");
  if (isSend && form) form.requestSubmit(form.querySelector("[value='reply']"));
});

if (matchMedia("(max-width: 899px)").matches) {
  for (const card of document.querySelectorAll("[data-phone-closed]")) card.open = false;
}
setInterval(tick, 1000);
tick();
count();
keepEnd();
