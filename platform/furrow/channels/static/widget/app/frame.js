/* The window around the conversation: header, log, notices, line to type in, and the sheets above them. */

const WARNING_MS = 6000;

export function createFrame({ el, icon, iconButton, say, lang, settings, composer, actions }) {
  const isInline = settings.mode === "inline";
  const title = el("h2", { id: "title", dir: "auto" });
  const avatar = el("span", { class: "avatar", "aria-hidden": "true" });
  const languageButton = el("button", { type: "button", class: "language", "aria-label": say("language"), title: say("language"),
    lang: lang === "zh" ? "en" : "zh", click: actions.switchLanguage }, say("languageShort"));
  const speaker = el("p", { class: "muted" }, say("assistantNote"));
  const homeButton = iconButton("home", say("home"), actions.home, { class: "icon home", hidden: true });
  const header = el("header", {},
    homeButton,
    avatar,
    el("div", { class: "heading" }, title, speaker),
    languageButton,
    iconButton("more", say("more"), actions.menu, { class: "icon more" }),
    iconButton("close", say("close"), actions.close));
  const offline = el("div", { class: "banner", role: "status", hidden: true });
  const log = el("div", { class: "log", role: "log", "aria-live": "polite", "aria-label": say("log"), tabindex: "0" });
  const talk = el("button", { type: "button", class: "talk", click: actions.talk }, icon("person"), say("talk"));
  const home = el("div", { class: "log front", role: "region", "aria-label": say("home"), tabindex: "0", hidden: true });
  const order = el("button", { type: "button", class: "order", click: actions.order }, icon("order"), say("order"));
  const foot = el("footer", {}, el("div", { class: "bar" }, talk, order, el("small", { class: "muted" }, say("caution"))), composer.form);
  const main = el("div", { class: "main" }, header, offline, home, log, foot);
  const spoken = el("p", { class: "hidden", role: "status" });
  const frame = el("section", {
    class: `frame ${isInline ? "inline" : settings.position}`,
    role: isInline ? "region" : "dialog",
    "aria-modal": isInline ? false : "true",
    "aria-labelledby": "title",
    lang: lang === "zh" ? "zh-CN" : "en",
  }, main, spoken);

  return { frame, main, log, home, talk, order, spoken, showShop, showOffline, showHome, showSpeaker, isAtEnd, toEnd, say: warn };

  function showShop(config) {
    title.textContent = String(config.name || say("title"));
    avatar.textContent = String(config.avatar_text || Array.from(title.textContent)[0]);
  }

  function showOffline(isOffline) {
    offline.hidden = !isOffline;
    offline.replaceChildren(...(isOffline ? [icon("offline"), say("offline")] : []));
  }

  /** `opening` is the first screen; null shows the conversation. `isAbove`: what was written stays in sight below it. */
  function showHome(opening, hasWayBack, isAbove = false) {
    home.hidden = !opening;
    home.classList.toggle("brief", isAbove);
    log.hidden = Boolean(opening) && !isAbove;
    homeButton.hidden = !hasWayBack || Boolean(opening);
    avatar.hidden = !homeButton.hidden;
    home.replaceChildren(...(opening ? [opening] : []));
  }

  function showSpeaker(text) {
    speaker.textContent = text || say("assistantNote");
  }

  /** A word that goes away again. */
  function warn(text) {
    offline.hidden = false;
    offline.replaceChildren(text);
    setTimeout(() => showOffline(!navigator.onLine), WARNING_MS);
  }

  function isAtEnd() {
    return log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  }

  function toEnd() {
    log.scrollTop = log.scrollHeight;
  }
}
