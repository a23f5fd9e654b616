// Shows the widget's look while its settings are typed.
const form = document.querySelector("[data-widget-form]");
const stage = document.querySelector("[data-widget-stage]");

function show() {
  const value = (name) => form.elements[name]?.value ?? "";
  for (const shape of stage.querySelectorAll("[data-color]")) shape.setAttribute("fill", value("color"));
  const language = value("language") === "en" ? "en" : "zh";
  const title = stage.querySelector("[data-title]");
  const greeting = stage.querySelector("[data-greeting]");
  title.textContent = value("title") || title.dataset.fallback;
  greeting.textContent = value(`greeting_${language}`) || greeting.dataset.fallback;
  stage.dataset.position = value("position");
  stage.dataset.mode = value("mode");
  stage.dataset.scheme = value("scheme");
  const notice = stage.querySelector("[data-notice]");
  notice.textContent = value(`notice_${language}`);
  notice.hidden = !notice.textContent;
}

if (form && stage) {
  form.addEventListener("input", show);
  show();
}
