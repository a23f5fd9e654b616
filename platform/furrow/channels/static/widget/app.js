/*
 * Furrow widget, the application: loaded by v1.js on the first press of the button.
 * The parts are fetched side by side under the same version query and meet only here.
 */

const PARTS = ["api", "chat", "composer", "dom", "frame", "items", "outbox", "panels", "store", "stream", "strings", "style", "text", "theme"];

/** Defines <furrow-widget>, puts one into `place` and resolves with it; it starts closed. */
export async function mount(settings, place) {
  const query = new URL(import.meta.url).search;
  const parts = await Promise.all(PARTS.map((name) => import(new URL(`app/${name}.js${query}`, import.meta.url).href)));
  const lib = Object.assign({}, ...parts);
  if (!customElements.get("furrow-widget")) customElements.define("furrow-widget", defineWidget());
  const widget = document.createElement("furrow-widget");
  widget.prepare(lib, settings);
  place.append(widget);
  return widget;
}

const defineWidget = () => class FurrowWidget extends HTMLElement {
  prepare(lib, settings) {
    this.lib = lib;
    this.settings = settings;
    this.hidden = true;
    this.nodes = new Map();
    this.store = lib.createStore(settings.assistant);
    this.words = lib.createWords(settings.lang);
    this.root = this.attachShadow({ mode: "open" });
    this.rule = lib.adoptStyles(this.root, lib.CSS).cssRules[0];
    lib.applyTheme(this.rule, settings);
    const api = lib.createApi({ host: settings.host, assistant: settings.assistant, store: this.store, language: () => this.words.lang });
    this.api = api;
    this.chat = new lib.Chat({
      ...lib,
      api,
      outbox: lib.createOutbox(this.store),
      onItem: (item, isGone) => this.drawItem(item, isGone),
      onReset: () => this.redraw(),
      onState: () => this.drawState(),
    });
    this.panels = lib.createPanels({ ...lib, words: this.words });
    this.paintItem = lib.createItemView({ ...lib, words: this.words, actions: this.itemActions() });
    this.root.addEventListener("keydown", (event) => this.keydown(event));
    this.network = () => this.networkChanged();
    window.addEventListener("online", this.network);
    window.addEventListener("offline", this.network);
    this.build();
  }

  disconnectedCallback() {
    this.chat.close();
    window.removeEventListener("online", this.network);
    window.removeEventListener("offline", this.network);
    if (this.forgetViewport) this.forgetViewport();
  }

  open() {
    this.hidden = false;
    this.forgetViewport = this.forgetViewport || this.lib.watchViewport(this.rule);
    this.view.toEnd();
    this.composer.fit();
    this.composer.field.focus();
    if (!this.isStarted) {
      this.isStarted = true;
      this.chat.start();
    }
    this.announce("furrow:open");
  }

  close() {
    if (this.hidden) return;
    this.hidden = true;
    if (this.forgetViewport) this.forgetViewport();
    this.forgetViewport = undefined;
    this.announce("furrow:close");
  }

  announce(name) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true }));
  }

  /** Builds the window in the current language. */
  build() {
    const { lib, words, settings } = this;
    this.composer = lib.createComposer({ ...lib, say: words.say, store: this.store, onSend: (text) => this.send(text) });
    const view = lib.createFrame({ ...lib, say: words.say, lang: words.lang, settings, composer: this.composer, actions: this.frameActions() });
    if (this.view) this.view.frame.replaceWith(view.frame);
    else this.root.append(view.frame);
    this.view = view;
    this.redraw();
  }

  /** Draws shop and conversation anew; the line to type in stays, an input method may be open there. */
  redraw() {
    const { chat, lib, nodes, settings, view } = this;
    const config = chat.config || {};
    lib.applyTheme(this.rule, { layer: settings.layer, color: settings.color || config.color });
    view.showShop(config);
    nodes.clear();
    view.log.replaceChildren();
    chat.items.forEach((item) => this.drawItem(item));
    this.drawState();
  }

  drawState() {
    const { chat, lib, words, view } = this;
    if (!view) return;
    view.showOffline(!navigator.onLine);
    const isShut = ["origin_not_allowed", "not_published"].includes(chat.fault);
    this.composer.setEnabled(!isShut);
    view.talk.hidden = isShut || Boolean(chat.config && chat.config.human_enabled === false);
    const actions = { reconnect: () => chat.connect(), ask: (text) => this.send(text) };
    const isEmpty = !chat.items.length || Boolean(chat.fault && navigator.onLine);
    const opening = isEmpty
      ? lib.drawOpening({ ...lib, words, config: chat.config, fault: navigator.onLine ? chat.fault : "", isConnecting: chat.isConnecting, actions })
      : null;
    if (this.opening) this.opening.remove();
    this.opening = opening;
    if (opening) view.log.prepend(opening);
  }

  drawItem(item, isGone = false) {
    const { view, nodes } = this;
    const wasAtEnd = view.isAtEnd();
    let node = nodes.get(item);
    if (isGone) {
      if (node) node.remove();
      nodes.delete(item);
      return;
    }
    const wasRunning = Boolean(node && node.hasAttribute("aria-busy"));
    if (!node) {
      node = this.lib.el("article");
      nodes.set(item, node);
      view.log.append(node);
      if (this.opening && !this.chat.fault) this.drawState();
    }
    this.paintKeepingFocus(node, item);
    if (wasAtEnd || item.kind === "visitor") view.toEnd();
    if (item.isRunning) view.spoken.textContent = this.words.say(item.stage === "searching" ? "searching" : "queued");
    else if (wasRunning && item.isFinal) this.answered();
  }

  paintKeepingFocus(node, item) {
    const controls = () => [...node.querySelectorAll("button, input, a")];
    const place = controls().indexOf(this.root.activeElement);
    this.paintItem(node, item);
    if (place >= 0) (controls()[place] || this.composer.field).focus();
  }

  answered() {
    this.view.spoken.textContent = this.words.say("answerReady");
    if (this.hidden) this.announce("furrow:unread");
  }

  send(text) {
    const isTaken = this.chat.send(text);
    if (!isTaken) this.view.spoken.textContent = this.words.sayFailure("full");
    if (isTaken) this.view.toEnd();
    return isTaken;
  }

  itemActions() {
    return {
      retry: (item) => this.chat.retry(item),
      discard: (item) => this.chat.discard(item),
      openSource: (item, citation, opener) => this.openSource(item, citation, opener),
      rate: (item, value) => {
        item.isCommenting = value === -1;
        this.chat.rate(item, value);
      },
      comment: (item, comment) => {
        item.isCommenting = false;
        this.chat.rate(item, -1, comment || undefined);
      },
      copy: (item, button) => this.copy(item, button),
      ask: (text) => this.send(text),
    };
  }

  frameActions() {
    return {
      close: () => this.close(),
      switchLanguage: () => this.switchLanguage(),
      talk: () => this.openPanel((close) => this.panels.handoff({
        config: this.chat.config || {},
        send: (contact, note, key) => this.chat.handOff(contact, note, key),
        close,
      }), this.view.talk),
    };
  }

  openSource(item, citation, opener) {
    const path = `citations/${encodeURIComponent(item.turnId)}/${citation.n}`;
    this.openPanel((close) => this.panels.source({ citation, load: () => this.api.get(path), close }), opener);
  }

  openPanel(make, opener) {
    this.closePanel();
    this.panelOpener = opener;
    this.panel = make(() => this.closePanel());
    this.view.main.inert = true;
    this.view.frame.append(this.panel);
    this.panel.querySelector("h2").focus();
  }

  closePanel() {
    if (!this.panel) return;
    this.panel.remove();
    this.panel = undefined;
    this.view.main.inert = false;
    const back = this.panelOpener && this.panelOpener.isConnected ? this.panelOpener : this.composer.field;
    back.focus();
  }

  async copy(item, button) {
    try {
      await navigator.clipboard.writeText(item.text);
    } catch {
      // The clipboard is closed on plain-http pages: leave the text selected for the visitor.
      const text = this.nodes.get(item).querySelector(".text");
      getSelection().selectAllChildren(text);
      return;
    }
    button.replaceChildren(this.lib.icon("check"));
    this.view.spoken.textContent = this.words.say("copied");
    setTimeout(() => button.replaceChildren(this.lib.icon("copy")), 2000);
  }

  async switchLanguage() {
    this.words.lang = this.words.lang === "zh" ? "en" : "zh";
    this.store.write("lang", this.words.lang);
    this.build();
    this.view.frame.querySelector(".language").focus();
    if (this.chat.items.length || !this.chat.config) return;
    // Greeting and suggestions come from the server in the language of the session.
    try {
      this.chat.config = (await this.api.openSession()).config || this.chat.config;
      this.redraw();
    } catch {
      // The words of the other language stay; nothing else depends on them.
    }
  }

  keydown(event) {
    const isOverlay = this.settings.mode !== "inline";
    if (event.key === "Escape" && !event.isComposing) {
      event.stopPropagation();
      if (this.panel) this.closePanel();
      else if (isOverlay) this.close();
    } else if (event.key === "Tab" && (isOverlay || this.panel)) {
      this.lib.holdFocus(event, this.panel || this.view.main);
    }
  }

  networkChanged() {
    this.drawState();
    this.chat.items.filter((item) => item.state === "waiting").forEach((item) => this.drawItem(item));
    if (!navigator.onLine || !this.isStarted) return;
    if (this.chat.config) this.chat.resume();
    else this.chat.connect();
  }
};
