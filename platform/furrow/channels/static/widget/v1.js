/*
 * Furrow widget, the loader. One script tag draws one button; nothing else is fetched
 * until a visitor presses it. Settings are attributes of the tag:
 *   data-assistant (required)   data-lang="zh|en"       data-mode="bubble|inline"
 *   data-target="#selector"     data-position="right|left"
 *   data-color="#2f6b3c"        data-z-index="9000"
 *   data-notice-zh, data-notice-en   a line beside the button after data-notice-after seconds
 *   data-identity   who is signed in on the page, as its server has signed it
 * The page may call FurrowWidget.open(), .close() and .identify(statement), and hear furrow:open / furrow:close.
 */
(() => {
  "use strict";

  // Names the state of app.js and app/*.js, so that they can be cached for ever; a test checks it.
  const VERSION = "934b1136ea";
  const LOOK_AFTER_MS = 2500;
  const LOOK_EVERY_MS = 60000;
  const SVG = "http://www.w3.org/2000/svg";
  const WORDS = {
    zh: { open: "打开客服对话", ask: "向我们提问", failed: "没有加载成功，请检查网络后再点一次", unread: "{n} 条未读消息", hide: "关闭提示" },
    en: { open: "Open the chat", ask: "Ask us a question", failed: "Could not load. Check the network and press again.", unread: "{n} unread", hide: "Hide this" },
  };
  const CSS = `
    :host { --accent: #2f6b3c; --ink: #fff; --layer: 9000; all: initial; }
    :host([hidden]) { display: none; }
    * { box-sizing: border-box; }
    .corner, .inline { all: initial; }
    .corner { position: fixed; bottom: calc(20px + env(safe-area-inset-bottom, 0px)); z-index: var(--layer);
      right: calc(20px + env(safe-area-inset-right, 0px)); display: flex; align-items: center; gap: 10px; flex-direction: row-reverse; }
    .corner.left { right: auto; left: calc(20px + env(safe-area-inset-left, 0px)); flex-direction: row; }
    button { font: 500 16px/1.3 system-ui, -apple-system, "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif;
      color: var(--ink); background: var(--accent); border: 0; cursor: pointer; display: inline-flex; align-items: center;
      justify-content: center; gap: 10px; position: relative; transition: transform .15s ease, box-shadow .15s ease; }
    .corner button { width: 58px; height: 58px; border-radius: 50%; box-shadow: 0 6px 20px rgb(30 40 25 / .28); }
    .inline button { min-height: 48px; padding: 10px 20px; border-radius: 24px; }
    button:hover { transform: translateY(-1px); box-shadow: 0 8px 24px rgb(30 40 25 / .34); }
    button:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; box-shadow: 0 0 0 3px #fff; }
    svg { width: 26px; height: 26px; flex: none; }
    [aria-busy="true"] svg { animation: breathe 1.1s ease-in-out infinite; }
    .count { position: absolute; top: -4px; right: -4px; min-width: 22px; height: 22px; padding: 0 6px; border-radius: 11px; display: grid;
      place-items: center; background: #b3261e; color: #fff; font-size: 12px; font-weight: 700; border: 2px solid #fff; }
    .count:empty { display: none; }
    .teaser { display: flex; max-width: 280px; border-radius: 14px; background: #fffdf9; box-shadow: 0 4px 18px rgb(30 40 25 / .22); }
    .teaser[hidden] { display: none; }
    .corner .teaser button { width: auto; height: auto; min-height: 44px; border-radius: 14px; background: none; color: #23281f; box-shadow: none;
      padding: 8px 4px 8px 14px; font: 15px/1.45 system-ui, -apple-system, "PingFang SC", "Noto Sans CJK SC", sans-serif; text-align: start; }
    .corner .teaser .hide { flex: none; width: 44px; padding: 0; color: #5d6357; }
    p { margin: 0; max-width: 220px; padding: 10px 14px; border-radius: 12px; background: #fffdf9; color: #7d2a20;
      font: 14px/1.45 system-ui, -apple-system, "PingFang SC", "Noto Sans CJK SC", sans-serif; box-shadow: 0 4px 16px rgb(30 40 25 / .2); }
    p:empty { display: none; }
    .inline p { margin-top: 8px; max-width: none; box-shadow: none; }
    @keyframes breathe { 50% { opacity: .35; } }
    @media (prefers-reduced-motion: reduce) { button { transition: none; } [aria-busy="true"] svg { animation: none; opacity: .6; } }
    @media print { :host { display: none; } }
  `;

  const script = document.currentScript;
  if (!script) return;
  const assistant = (script.dataset.assistant || "").trim();
  if (!assistant) {
    console.error("Furrow widget: the script tag needs data-assistant.");
    return;
  }
  if (window.FurrowWidget) {
    console.warn("Furrow widget: only one widget per page; this script tag is ignored.");
    return;
  }

  const base = new URL(".", script.src);
  const settings = readSettings(script.dataset);
  let button;
  let notice;
  let bubble;
  let widget;
  let loading;
  let failures = 0;

  let count;
  let teaser;

  window.FurrowWidget = Object.freeze({ open, close: () => widget && widget.close(), identify });
  if (document.body) draw();
  else document.addEventListener("DOMContentLoaded", draw, { once: true });

  function readSettings(data) {
    const color = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(data.color || "") ? data.color : "";
    if (data.color && !color) console.warn("Furrow widget: data-color must look like #2f6b3c.");
    return {
      assistant,
      host: base.origin,
      lang: pickLanguage(data.lang),
      mode: data.mode === "inline" ? "inline" : "bubble",
      target: data.target || "",
      position: data.position === "left" ? "left" : "right",
      layer: /^\d{1,10}$/.test(data.zIndex || "") ? data.zIndex : "9000",
      color,
      identity: data.identity || "",
      notice: { zh: data.noticeZh || "", en: data.noticeEn || "" },
      noticeAfter: Number(data.noticeAfter) || 8,
    };
  }

  function identify(statement) {
    const said = String(statement || "");
    if (widget) widget.identify(said);
    settings.identity = said;
  }

  // The visitor's own earlier choice, then the owner's attribute, then the page, then the browser.
  function pickLanguage(wanted) {
    const first = [kept("lang"), wanted, document.documentElement.lang, navigator.language].find(Boolean);
    return /^zh/i.test(first || "") ? "zh" : "en";
  }

  // Storage may be closed to us (private mode, blocked cookies): nothing is known then.
  function kept(name) {
    try {
      return JSON.parse(localStorage.getItem(`furrow:${assistant}:${name}`)) || "";
    } catch {
      return "";
    }
  }

  function draw() {
    if (settings.mode === "inline" && !findTarget()) {
      console.warn("Furrow widget: data-target was not found; the button is shown instead.");
      settings.mode = "bubble";
    }
    const words = WORDS[settings.lang];
    const isInline = settings.mode === "inline";
    bubble = document.createElement("furrow-bubble");
    const root = bubble.attachShadow({ mode: "open" });
    paint(root);
    const place = document.createElement("div");
    place.className = isInline ? "inline" : `corner ${settings.position}`;
    button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-haspopup", "dialog");
    button.append(chatIcon());
    if (isInline) button.append(words.ask);
    else button.setAttribute("aria-label", words.open);
    button.addEventListener("click", open);
    notice = document.createElement("p");
    notice.setAttribute("role", "status");
    count = document.createElement("span");
    count.className = "count";
    button.append(count);
    teaser = document.createElement("div");
    teaser.className = "teaser";
    teaser.hidden = true;
    place.append(button, teaser, notice);
    root.append(place);
    (findTarget() || document.body).append(bubble);
    document.addEventListener("furrow:unread", (event) => showUnread((event.detail || {}).count || 1));
    document.addEventListener("furrow:close", showButton);
    setTimeout(showNotice, settings.noticeAfter * 1000);
    if (kept("visitor") || settings.identity) setTimeout(look, LOOK_AFTER_MS);
  }

  // The shop's line, once for each wording: who hid it is left alone.
  function showNotice() {
    const text = settings.notice[settings.lang];
    if (!text || widget || kept("hidden") === text) return;
    tease(text, () => {
      try {
        localStorage.setItem(`furrow:${assistant}:hidden`, JSON.stringify(text));
      } catch {
        // It comes again with the next page, then.
      }
    });
  }

  function tease(text, onHide) {
    if (settings.mode === "inline") return;
    const words = WORDS[settings.lang];
    const say = document.createElement("button");
    say.type = "button";
    say.textContent = text;
    say.addEventListener("click", () => { onHide(); open(); });
    const hide = document.createElement("button");
    hide.type = "button";
    hide.className = "hide";
    hide.textContent = "×";
    hide.setAttribute("aria-label", words.hide);
    hide.addEventListener("click", () => { onHide(); teaser.hidden = true; });
    teaser.replaceChildren(say, hide);
    teaser.hidden = false;
  }

  function showUnread(number) {
    count.textContent = number > 9 ? "9+" : String(number || "");
    const { open: label, unread } = WORDS[settings.lang];
    if (settings.mode !== "inline") button.setAttribute("aria-label", number ? `${label}, ${unread.replace("{n}", number)}` : label);
  }

  // Who chatted here before may have got an answer from a person since: one small call, again while one is awaited.
  async function look() {
    if (widget || document.hidden) {
      if (!widget) setTimeout(look, LOOK_EVERY_MS);
      return;
    }
    try {
      const body = JSON.stringify({ assistant, visitor: kept("visitor"), identity: settings.identity, seen: kept("seen") || {} });
      const response = await fetch(new URL("api/unread", base).href, { method: "POST", body, headers: { "Content-Type": "application/json" }, credentials: "omit" });
      if (!response.ok || widget) return;
      const news = await response.json();
      showUnread(news.unread);
      if (news.unread && news.text) tease(news.name ? `${news.name}: ${news.text}` : news.text, () => undefined);
      if (news.watch) setTimeout(look, LOOK_EVERY_MS);
    } catch {
      // Without network there is nothing to tell.
    }
  }

  function findTarget() {
    if (settings.mode !== "inline") return null;
    try {
      return document.querySelector(settings.target);
    } catch {
      return null;
    }
  }

  // A constructed sheet needs no 'unsafe-inline' from the page; the <style> is for older browsers.
  function paint(root) {
    let sheet;
    if ("adoptedStyleSheets" in root) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(CSS);
      root.adoptedStyleSheets = [sheet];
    } else {
      const style = document.createElement("style");
      style.textContent = CSS;
      root.append(style);
      sheet = style.sheet;
    }
    const rule = sheet && sheet.cssRules[0];
    if (!rule) return;
    rule.style.setProperty("--layer", settings.layer);
    if (settings.color) {
      rule.style.setProperty("--accent", settings.color);
      rule.style.setProperty("--ink", inkOn(settings.color));
    }
  }

  function inkOn(color) {
    const hex = color.length === 4 ? color.replace(/[0-9a-f]/gi, "$&$&") : color;
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    return red * 0.299 + green * 0.587 + blue * 0.114 > 150 ? "#1d211a" : "#fff";
  }

  function chatIcon() {
    const icon = document.createElementNS(SVG, "svg");
    const path = document.createElementNS(SVG, "path");
    const shape = "M5 4.5h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-6.6L7.5 21v-3.5H5a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2zM8 9.2h8M8 12.8h5";
    const attributes = { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "1.8",
      "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };
    for (const [name, value] of Object.entries(attributes)) icon.setAttribute(name, value);
    path.setAttribute("d", shape);
    icon.append(path);
    return icon;
  }

  async function open() {
    if (!button) return;
    if (!widget) await load();
    if (!widget) return;
    showUnread(0);
    teaser.hidden = true;
    bubble.hidden = true;
    widget.open();
  }

  // Two quick presses share one load. A failed module URL stays failed in some browsers,
  // so each new try asks under a new address.
  function load() {
    loading = loading || start();
    return loading;
  }

  async function start() {
    button.setAttribute("aria-busy", "true");
    notice.textContent = "";
    try {
      const again = failures ? `&again=${failures}` : "";
      const app = await import(new URL(`app.js?v=${VERSION}${again}`, base).href);
      widget = await app.mount(settings, findTarget() || document.body);
    } catch (error) {
      failures += 1;
      notice.textContent = WORDS[settings.lang].failed;
      console.warn("Furrow widget: could not load.", error);
    } finally {
      loading = undefined;
      button.removeAttribute("aria-busy");
    }
  }

  function showButton() {
    bubble.hidden = false;
    button.focus();
  }
})();
