/* The first screen: who answers here, what others ask, and the way back into the conversation there was. */

export function drawHome({ el, icon, words, config, fault, isConnecting, last, actions }) {
  const { say, sayFailure } = words;
  if (fault) {
    const canRetry = !["origin_not_allowed", "identity_required"].includes(fault);
    return box(el("div", { class: "problem card", role: "alert" },
      el("span", {}, `${sayFailure(fault)} ${fault === "origin_not_allowed" ? say("deniedHelp") : ""}`),
      canRetry ? el("button", { type: "button", class: "link", click: actions.reconnect }, say("retry")) : null));
  }
  if (isConnecting || !config) return box(el("p", { class: "progress" }, say("starting")));
  return box(
    el("p", { class: "greeting", dir: "auto" }, String(config.greeting || say("greeting"))),
    config.notice ? el("p", { class: "card notice-line", dir: "auto" }, String(config.notice)) : null,
    people(config.people),
    last ? resume() : null,
    ...questions());

  function box(...content) {
    return el("div", { class: "opening" }, ...content);
  }

  function people(known) {
    const names = known ? known.names.map(String) : [];
    const faces = [say("ai"), ...names.map((name) => Array.from(name)[0])]
      .map((text, at) => el("span", { class: at ? "face person" : "face", "aria-hidden": "true" }, text));
    return el("div", { class: "people" }, el("span", { class: "faces" }, ...faces),
      el("p", {}, say("aiAnswers"), " ", known ? presence(known, names) : null));
  }

  function presence({ opens_at: opens, typical_s: typical }, names) {
    if (names.length) return say("peopleHere", { names: names.join(words.lang === "zh" ? "、" : ", ") }) + wait(typical);
    return opens ? say("peopleFrom", { time: moment(opens, words.lang) }) : say("peopleLater");
  }

  function wait(typical) {
    return typical ? ` ${say("typical", { minutes: Math.max(1, Math.round(typical / 60)) })}` : "";
  }

  function resume() {
    return el("button", { type: "button", class: "resume", click: actions.resume },
      icon("chat"), el("span", {}, el("strong", {}, say("continue")), el("span", { class: "muted", dir: "auto" }, last)));
  }

  function questions() {
    const texts = (Array.isArray(config.suggestions) ? config.suggestions : []).slice(0, 5).map(String);
    if (!texts.length) return [];
    return [el("p", { class: "muted" }, say("suggestions")),
      ...texts.map((text) => el("button", { type: "button", class: "suggestion", dir: "auto", click: () => actions.ask(text) }, text))];
  }
}

/** A day and time as people say it; only the time when it is today. */
export function moment(text, lang) {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return "";
  const isToday = at.toDateString() === new Date().toDateString();
  const look = { hour: "2-digit", minute: "2-digit", ...(isToday ? {} : { weekday: "short", month: "short", day: "numeric" }) };
  return new Intl.DateTimeFormat(lang === "zh" ? "zh-CN" : "en", look).format(at);
}
