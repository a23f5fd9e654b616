/* The window around the conversation: header, log, notices, line to type in, and the sheets above them. */

export function createFrame({ el, icon, iconButton, say, lang, settings, composer, actions }) {
  const isInline = settings.mode === "inline";
  const title = el("h2", { id: "title", dir: "auto" });
  const avatar = el("span", { class: "avatar", "aria-hidden": "true" });
  const languageButton = el("button", { type: "button", class: "language", "aria-label": say("language"), title: say("language"),
    lang: lang === "zh" ? "en" : "zh", click: actions.switchLanguage }, say("languageShort"));
  const header = el("header", {},
    avatar,
    el("div", { class: "heading" }, title, el("p", { class: "muted" }, say("assistantNote"))),
    languageButton,
    iconButton("close", say("close"), actions.close));
  const offline = el("div", { class: "banner", role: "status", hidden: true });
  const log = el("div", { class: "log", role: "log", "aria-live": "polite", "aria-label": say("log"), tabindex: "0" });
  const talk = el("button", { type: "button", class: "talk", click: actions.talk }, icon("person"), say("talk"));
  const foot = el("footer", {}, el("div", { class: "bar" }, talk, el("small", { class: "muted" }, say("caution"))), composer.form);
  const main = el("div", { class: "main" }, header, offline, log, foot);
  const spoken = el("p", { class: "hidden", role: "status" });
  const frame = el("section", {
    class: `frame ${isInline ? "inline" : settings.position}`,
    role: isInline ? "region" : "dialog",
    "aria-modal": isInline ? false : "true",
    "aria-labelledby": "title",
    lang: lang === "zh" ? "zh-CN" : "en",
  }, main, spoken);

  return { frame, main, log, talk, spoken, showShop, showOffline, isAtEnd, toEnd };

  function showShop(config) {
    title.textContent = String(config.name || say("title"));
    avatar.textContent = String(config.avatar_text || Array.from(title.textContent)[0]);
  }

  function showOffline(isOffline) {
    offline.hidden = !isOffline;
    offline.replaceChildren(...(isOffline ? [icon("offline"), say("offline")] : []));
  }

  function isAtEnd() {
    return log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  }

  function toEnd() {
    log.scrollTop = log.scrollHeight;
  }
}

/** What stands in an empty conversation: greeting and questions to start from, or why there is none. */
export function drawOpening({ el, words, config, fault, isConnecting, actions }) {
  const { say, sayFailure } = words;
  if (fault) {
    const canRetry = fault !== "origin_not_allowed";
    return el("div", { class: "opening" }, el("div", { class: "problem card", role: "alert" },
      el("span", {}, `${sayFailure(fault)} ${canRetry ? "" : say("deniedHelp")}`),
      canRetry ? el("button", { type: "button", class: "link", click: actions.reconnect }, say("retry")) : null));
  }
  if (isConnecting || !config) return el("div", { class: "opening" }, el("p", { class: "progress" }, say("starting")));
  const questions = (Array.isArray(config.suggestions) ? config.suggestions : []).slice(0, 5).map(String);
  const chips = questions.map((text) => el("button", { type: "button", class: "suggestion", dir: "auto", click: () => actions.ask(text) }, text));
  return el("div", { class: "opening" },
    el("p", { class: "greeting", dir: "auto" }, String(config.greeting || say("greeting"))),
    chips.length ? el("p", { class: "muted" }, say("suggestions")) : null,
    ...chips);
}
