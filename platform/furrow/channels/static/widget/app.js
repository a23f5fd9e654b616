/*
 * Furrow widget, the application: loaded by v1.js on the first press of the button.
 * The parts are fetched side by side under the same version query and meet only here.
 */

const PARTS = ["api", "chat", "composer", "dom", "feed", "files", "frame", "home", "items", "outbox", "panels", "people", "sound", "store", "stream", "strings", "style", "text", "theme"];
// Who comes back sooner than this goes on where they were; later the first screen greets again.
const SAME_VISIT_MS = 30 * 60 * 1000;

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
    this.unread = 0;
    this.isHome = null;
    const shelf = lib.createShelf(settings.assistant);
    const outbox = lib.createOutbox(this.store);
    const api = lib.createApi({ host: settings.host, assistant: settings.assistant, store: this.store, language: () => this.words.lang,
      identity: () => settings.identity, onCustomer: (id) => this.customerChanged(id, shelf) });
    this.api = api;
    this.chat = new lib.Chat({
      ...lib,
      api,
      outbox,
      shelf,
      people: lib.createPeople({ ...lib, api, store: this.store, onNews: () => this.heard("newMessage") }),
      onItem: (item, isGone) => this.drawItem(item, isGone),
      onReset: () => this.redraw(),
      onState: () => this.drawState(),
    });
    this.panels = lib.createPanels({ ...lib, words: this.words });
    this.paintItem = lib.createItemView({ ...lib, words: this.words, actions: this.itemActions() });
    this.root.addEventListener("pointerdown", lib.allowSound, { passive: true });
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
    this.unread = 0;
    this.lib.allowSound();
    if (this.isStarted) this.drawState();
    this.chat.people.seen();
    this.view.toEnd();
    this.composer.fit();
    this.composer.field.focus();
    if (!this.isStarted) {
      this.isStarted = true;
      this.chat.start();
    }
    this.announce("furrow:open");
  }

  /** The page signed somebody in, out, or in as another: what was on the screen was theirs. */
  identify(statement) {
    if (this.settings.identity === statement) return;
    this.settings.identity = statement;
    this.isHome = null;
    if (this.isStarted) this.chat.restart();
  }

  async customerChanged(id, shelf) {
    if (this.store.read("who", "") === id) return;
    const isNew = !this.store.read("who", "");
    this.store.write("who", id);
    // What somebody wrote before signing in goes along with them.
    if (isNew) return;
    ["outbox", "draft", "seen"].forEach((name) => this.store.remove(name));
    this.composer.clear();
    await shelf.clear();
  }

  close() {
    if (this.hidden) return;
    this.chat.people.seen();
    this.hidden = true;
    if (this.forgetViewport) this.forgetViewport();
    this.forgetViewport = undefined;
    this.announce("furrow:close");
  }

  announce(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
  }

  /** Builds the window in the current language. */
  build() {
    const { lib, words, settings } = this;
    this.composer = lib.createComposer({ ...lib, say: words.say, store: this.store, onSend: (text, photos) => this.send(text, photos),
      onRefused: (key) => this.view.say(words.say(key)) });
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
    this.setAttribute("scheme", config.scheme || "auto");
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
    const isShut = ["origin_not_allowed", "not_published", "identity_required"].includes(chat.fault);
    this.composer.setEnabled(!isShut);
    view.talk.hidden = isShut || Boolean(chat.config && chat.config.human_enabled === false);
    view.order.hidden = isShut;
    view.showSpeaker(chat.status && chat.status.owner === "person" ? this.paintItem.statusText(chat.status) : "");
    const fault = navigator.onLine ? chat.fault : "";
    const isFront = !chat.items.length || Boolean(fault) || this.isAtHome();
    const actions = { reconnect: () => chat.connect(), ask: (text) => this.send(text), resume: () => this.goHome(false) };
    view.showHome(isFront
      ? lib.drawHome({ ...lib, words, config: chat.config, fault, isConnecting: chat.isConnecting, last: this.lastWords(), actions })
      : null, chat.items.length > 0, Boolean(fault) && chat.items.length > 0 && !this.isAtHome());
  }

  isAtHome() {
    if (this.isHome !== null || !this.chat.config) return Boolean(this.isHome);
    const { items } = this.chat;
    const last = items.reduce((latest, item) => Math.max(latest, Date.parse(item.at || "") || 0), 0);
    const waits = items.some((item) => item.isRunning || item.state === "waiting" || item.state === "failed" || item.kind === "csat");
    const isPersons = this.chat.status && ["person", "queue"].includes(this.chat.status.owner);
    return !waits && !isPersons && last > 0 && Date.now() - last > SAME_VISIT_MS;
  }

  lastWords() {
    const said = this.chat.items.filter((item) => item.text).pop();
    return said ? said.text.replace(/\s+/g, " ").slice(0, 90) : "";
  }

  goHome(isHome) {
    this.isHome = isHome;
    this.drawState();
    this.view.toEnd();
    (isHome ? this.view.home : this.composer.field).focus();
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
      const { items } = this.chat;
      const next = items.slice(items.indexOf(item) + 1).find((other) => nodes.has(other));
      view.log.insertBefore(node, next ? nodes.get(next) : null);
      if (!view.home.hidden) this.drawState();
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
    this.heard("answerReady");
  }

  /** Something came in: said aloud, chimed, counted on the button while the window is closed. */
  heard(key) {
    this.view.spoken.textContent = this.words.say(key);
    const isAway = this.hidden || document.hidden;
    if (isAway && this.hasSound()) this.lib.chime();
    if (!this.hidden) {
      this.chat.people.seen();
      return;
    }
    this.unread += 1;
    this.announce("furrow:unread", { count: this.unread });
  }

  hasSound() {
    const { config } = this.chat;
    return this.store.read("sound", config ? config.sound !== false : true);
  }

  send(text, photos) {
    this.isHome = false;
    const isTaken = this.chat.send(text, photos);
    this.drawState();
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
      judge: (item, score) => this.chat.people.judge(item, score),
      photoBlob: (photo) => this.chat.photoBlob(photo),
      openPhoto: (photo, opener) => this.openPanel((close) => this.panels.photo({
        load: () => this.chat.photoBlob(photo),
        paint: this.lib.paintPhoto,
        close,
      }), opener),
    };
  }

  frameActions() {
    return {
      close: () => this.close(),
      switchLanguage: () => this.switchLanguage(),
      home: () => this.goHome(true),
      order: () => this.openPanel((close) => this.panels.order({ send: (text) => this.send(text), close }), this.view.order),
      menu: () => this.openMenu(),
      talk: () => this.openPanel((close) => this.panels.handoff({
        config: this.chat.config || {},
        send: (contact, note, key) => this.chat.handOff(contact, note, key),
        close,
      }), this.view.talk),
    };
  }

  openMenu() {
    const canMail = this.chat.config && this.chat.config.can_mail && this.chat.items.some((item) => item.kind === "visitor");
    this.openPanel((close) => this.panels.menu({
      hasSound: () => this.hasSound(),
      setSound: (isOn) => this.store.write("sound", isOn),
      mail: canMail ? (email, key) => this.api.post("transcript", { email }, key) : null,
      close,
    }), this.view.frame.querySelector(".more"));
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
