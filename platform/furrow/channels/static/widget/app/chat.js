/*
 * The conversation itself, without a single element: history, outbox, turns, feedback.
 * Items are plain objects; `onItem(item)` says that one was added or has changed.
 */

const TRIES = 6;
const NOTHING = { turns: [], messages: [], status: null, state: "bot" };
// Cards are asked for again after a reload, for the latest answers only.
const CARDS_AFTER_RELOAD = 3;
const RUNNING = ["queued", "running"];

export class Chat {
  constructor({ api, outbox, shelf, people, followTurn, pause, backoffMs, randomKey, CallFailed, onItem, onReset, onState }) {
    Object.assign(this, { api, outbox, shelf, followTurn, pause, backoffMs, randomKey, CallFailed, onItem, onReset, onState });
    this.people = people(this);
    this.clear();
  }

  clear() {
    this.items = [];
    this.config = null;
    this.fault = "";
    this.stop = new AbortController();
    this.isFlushing = false;
    this.connectFailures = 0;
  }

  /** Somebody else is signed in on the page now: nothing of the one before stays on the screen. */
  async restart() {
    this.close();
    this.clear();
    this.people.clear();
    this.api.forget();
    this.onReset();
    await this.start();
  }

  /** Opens the session, shows history and what is still waiting, then sends that. */
  async start() {
    this.showWaiting();
    await this.connect();
  }

  async connect() {
    if (this.config || this.isConnecting) return;
    this.isConnecting = true;
    this.fault = "";
    this.onState();
    try {
      const session = await this.api.openSession();
      const history = session.conversation_id ? await this.readHistory() : NOTHING;
      this.config = session.config || {};
      this.items = [];
      this.onReset();
      this.showHistory(history);
      this.showWaiting();
      if (session.asks_csat) this.people.ask(session.conversation_id);
    } catch (error) {
      this.fault = error.code || "network";
      if (error.isTemporary) this.connectLater(error.retryAfterS);
    } finally {
      this.isConnecting = false;
      this.onState();
    }
    if (!this.config) return;
    this.items.filter((item) => item.kind === "answer" && item.isRunning).forEach((item) => this.follow(item));
    await this.flush();
  }

  showHistory({ id, turns, messages, status, state }) {
    const left = [...messages];
    const tellUpTo = (number) => {
      while (left.length && left[0].after_turn <= number) this.people.add(left.shift());
    };
    tellUpTo(0);
    turns.forEach((turn) => {
      this.addTurn(turn);
      tellUpTo(turn.number);
    });
    tellUpTo(Infinity);
    if (state === "waiting" && !status) this.put({ kind: "ticket", id: "t-open", text: "" });
    this.items.filter((item) => item.rung === "fact").slice(-CARDS_AFTER_RELOAD).forEach((item) => this.loadCards(item));
    if (id) this.people.listen(id, status);
  }

  async connectLater(retryAfterS = 0) {
    this.connectFailures += 1;
    if (this.connectFailures > TRIES) return;
    await this.pause(Math.max(this.backoffMs(this.connectFailures), retryAfterS * 1000), this.stop.signal);
    if (!this.stop.signal.aborted) await this.connect();
  }

  async readHistory() {
    try {
      return { ...NOTHING, ...(await this.api.get("conversation")) };
    } catch (error) {
      if (error.status === 404) return NOTHING;
      throw error;
    }
  }

  addTurn(turn) {
    const at = turn.created_at;
    this.put({ kind: "visitor", id: `v-${turn.id}`, text: turn.text, state: "sent", turnId: turn.id, number: turn.number, photos: turn.photos || [], at });
    if (isPersons(turn.answer)) return;
    const answer = this.put({ kind: "answer", id: `a-${turn.id}`, turnId: turn.id, number: turn.number, question: turn.text, text: "", citations: [], at });
    if (turn.answer) finish(answer, turn.answer);
    else if (RUNNING.includes(turn.status)) answer.isRunning = true;
    else answer.error = { code: "answer" };
    if (turn.feedback && turn.feedback.value) answer.rating = turn.feedback.value;
    this.onItem(answer);
  }

  showWaiting() {
    for (const entry of this.outbox.all()) {
      if (!this.items.some((item) => item.key === entry.key)) this.showEntry(entry);
    }
  }

  showEntry(entry) {
    const state = entry.failed ? "failed" : "waiting";
    return this.put({ kind: "visitor", id: `k-${entry.key}`, key: entry.key, text: entry.text, photos: entry.photos || [], state, error: entry.failed, isRefused: Boolean(entry.failed) });
  }

  put(item, place = this.items.length) {
    this.items.splice(place, 0, item);
    this.onItem(item);
    return item;
  }

  change(item, values) {
    Object.assign(item, values);
    this.onItem(item);
  }

  /** False when the outbox is full and the text was not taken. */
  send(text, blobs = []) {
    if (this.outbox.isFull()) return false;
    const keys = blobs.map((blob) => this.shelve(blob));
    const item = this.showEntry(this.outbox.add(text, keys));
    item.photos.forEach((photo, at) => { photo.blob = blobs[at]; });
    this.onItem(item);
    this.flush();
    return true;
  }

  shelve(blob) {
    const key = this.randomKey();
    this.shelf.keep(key, blob);
    return key;
  }

  async photoBlob(photo) {
    photo.blob = photo.blob || (photo.key && await this.shelf.find(photo.key)) || (photo.id && await this.api.blob(`photos/${encodeURIComponent(photo.id)}`));
    return photo.blob;
  }

  /** One message at a time, each after the answer before it: the thread keeps its order. */
  async flush() {
    if (this.isFlushing || !this.config) return;
    this.isFlushing = true;
    try {
      for (let item = this.nextWaiting(); item && !this.stop.signal.aborted; item = this.nextWaiting()) {
        const answer = await this.deliver(item);
        if (answer && !answer.isFinal) await this.follow(answer);
      }
    } finally {
      this.isFlushing = false;
    }
  }

  // A message that only failed for now holds back those behind it; one that was refused does not.
  nextWaiting() {
    const first = this.items.find((item) => item.kind === "visitor" && item.state !== "sent" && !item.isRefused);
    return first && first.state === "waiting" ? first : null;
  }

  /** The network is back: what had given up tries again. */
  resume() {
    const stalled = this.items.filter((item) => item.kind === "visitor" && item.state === "failed" && !item.isRefused);
    stalled.forEach((item) => this.change(item, { state: "waiting", error: undefined }));
    return this.flush();
  }

  async deliver(item) {
    for (let attempt = 0; !this.stop.signal.aborted; attempt += 1) {
      if (!this.outbox.has(item.key)) return this.sentElsewhere(item);
      try {
        const photos = await this.upload(item);
        const told = await this.api.post("messages", { text: item.text, ...(photos.length ? { photos } : {}) }, item.key);
        this.outbox.remove(item.key);
        item.photos.forEach((photo) => this.shelf.drop(photo.key));
        return this.accepted(item, told);
      } catch (error) {
        this.change(item, { isStalled: true });
        if (!error.isTemporary || (attempt >= TRIES && navigator.onLine)) return this.refuse(item, error);
        await this.pause(Math.max(this.backoffMs(attempt), error.retryAfterS * 1000), this.stop.signal);
        if (!navigator.onLine) attempt = 0;
      }
    }
    return null;
  }

  // Each photo goes under its own key and is never sent twice; what has arrived is noted at once.
  async upload(item) {
    const ids = [];
    for (const photo of (this.outbox.get(item.key) || {}).photos || []) {
      let id = photo.id;
      if (!id) {
        const blob = await this.shelf.find(photo.key);
        if (!blob) throw new this.CallFailed({ status: 410, code: "photo_lost" });
        id = (await this.api.upload("photos", blob, photo.key)).id;
        this.outbox.uploaded(item.key, photo.key, id);
      }
      ids.push(id);
    }
    return ids;
  }

  accepted(item, { turn_id: turnId, number, answered_by: by, conversation_id: conversationId }) {
    if (conversationId) this.people.listen(conversationId);
    const known = this.items.find((other) => other.turnId === turnId && other !== item);
    if (known) {
      // A reload fell between the server's yes and our note of it: history already shows this turn.
      this.drop(item);
      return known.kind === "answer" ? known : this.items.find((other) => other.kind === "answer" && other.turnId === turnId) || null;
    }
    this.change(item, { state: "sent", turnId, number, at: new Date().toISOString() });
    if (by === "person") return null;
    return this.put({ kind: "answer", id: `a-${turnId}`, turnId, number, question: item.text, text: "", citations: [], isRunning: true }, this.items.indexOf(item) + 1);
  }

  // Another tab of the same shop has sent it: the history tells what became of it.
  async sentElsewhere(item) {
    this.drop(item);
    const { turns } = await this.readHistory().catch(() => NOTHING);
    const isKnown = (turn) => this.items.some((other) => other.turnId === turn.id);
    for (const turn of turns.filter((each) => !isKnown(each))) this.addTurn(turn);
    return this.items.find((other) => other.kind === "answer" && other.isRunning) || null;
  }

  refuse(item, error) {
    // What only failed for now may go again under its key; a refusal needs a new one (see retry).
    if (!error.isTemporary) this.outbox.fail(item.key, error.code);
    this.change(item, { state: "failed", error: error.code, isRefused: !error.isTemporary });
    return null;
  }

  async retry(item) {
    if (item.kind === "visitor") {
      let { key } = item;
      if (item.isRefused) {
        const blobs = (await Promise.all(item.photos.map((photo) => this.photoBlob(photo).catch(() => null)))).filter(Boolean);
        key = this.outbox.renew(item.key, blobs.map((blob) => this.shelve(blob)));
        item.photos = this.outbox.get(key).photos.map((photo, at) => ({ ...photo, blob: blobs[at] }));
      }
      this.change(item, { key, state: "waiting", error: undefined, isRefused: false, isStalled: false });
      this.flush();
    } else if (item.error && item.error.code === "lost") {
      this.change(item, { error: undefined, isRunning: true });
      this.follow(item);
    } else {
      this.drop(item);
      this.drop(this.items.find((other) => other.kind === "visitor" && other.turnId === item.turnId));
      this.send(item.question);
    }
  }

  discard(item) {
    this.outbox.remove(item.key);
    item.photos.forEach((photo) => this.shelf.drop(photo.key));
    this.drop(item);
  }

  drop(item) {
    if (!item) return;
    this.items = this.items.filter((other) => other !== item);
    this.onItem(item, true);
  }

  async follow(answer) {
    const onEvent = (name, data) => this.hear(answer, name, data);
    // Replayed from its first event, so the text starts empty.
    this.change(answer, { text: "", isRunning: true, stage: answer.stage || "queued" });
    try {
      await this.followTurn({ api: this.api, turnId: answer.turnId, onEvent, signal: this.stop.signal });
      if (!answer.isFinal && !answer.error) await this.recover(answer);
    } catch (error) {
      if (error.status === 404 || error.status === 410) await this.recover(answer);
      else this.change(answer, { isRunning: false, error: { code: "lost" } });
    }
  }

  hear(answer, name, data) {
    if (name === "status") this.change(answer, { stage: data.stage });
    else if (name === "delta") this.change(answer, { text: answer.text + String(data.text ?? ""), stage: "writing" });
    // The text so far is withdrawn: another attempt speaks next.
    else if (name === "reset") this.change(answer, { text: "" });
    else if (name === "answer") this.conclude(answer, data);
    else if (name === "error") this.change(answer, { isRunning: false, error: { code: data.code || "answer", message: data.message } });
  }

  conclude(answer, data) {
    if (isPersons(data)) {
      // A member took over while the assistant wrote: their words come in the feed.
      Object.assign(answer, { isFinal: true, isRunning: false });
      this.drop(answer);
      return;
    }
    this.change(answer, finish(answer, data));
    if (answer.rung === "fact") this.loadCards(answer);
  }

  // Beside an answer that stands by itself: when they do not come, nothing is said.
  async loadCards(answer) {
    try {
      const { cards } = await this.api.get(`turns/${encodeURIComponent(answer.turnId)}/cards`);
      if (cards && cards.length) this.change(answer, { cards });
    } catch {
      answer.cards = undefined;
    }
  }

  // The stream is gone from the server but the answer is a row there.
  async recover(answer) {
    try {
      const turn = (await this.readHistory()).turns.find((each) => String(each.id) === String(answer.turnId));
      if (turn && turn.answer) this.conclude(answer, turn.answer);
      else this.change(answer, { isRunning: false, error: { code: "answer" } });
    } catch {
      this.change(answer, { isRunning: false, error: { code: "lost" } });
    }
  }

  async rate(answer, value, comment) {
    const before = answer.rating;
    this.change(answer, { rating: value, isThanked: Boolean(comment) });
    const body = comment ? { value, comment } : { value };
    try {
      await this.api.post(`turns/${encodeURIComponent(answer.turnId)}/feedback`, body, this.randomKey());
    } catch {
      this.change(answer, { rating: before, isThanked: false });
    }
  }

  async handOff(contact, note, key) {
    const body = { ...(contact ? { contact } : {}), ...(note ? { note } : {}) };
    const ticket = await this.api.post("handoff", body, key);
    this.put({ kind: "ticket", id: `t-${ticket.ticket_id}`, ticket: ticket.ticket_id, text: ticket.message || "" });
  }

  close() {
    this.stop.abort();
    this.people.stop();
  }
}

// The turn is a member's: there is no answer of the assistant to show.
const isPersons = (answer) => Boolean(answer && answer.rung === "person" && !answer.text);

function finish(answer, data) {
  return Object.assign(answer, {
    text: String(data.text ?? ""),
    rung: data.rung,
    author: data.author,
    citations: (Array.isArray(data.citations) ? data.citations : []).map((each) => ({
      n: Number(each.n),
      title: String(each.document_title ?? each.title ?? ""),
      page: each.page,
      quote: String(each.quote ?? ""),
    })),
    suggestions: (Array.isArray(data.suggestions) ? data.suggestions : []).slice(0, 3).map(String),
    isFinal: true,
    isRunning: false,
    error: undefined,
  });
}
