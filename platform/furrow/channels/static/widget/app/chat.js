/*
 * The conversation itself, without a single element: history, outbox, turns, feedback.
 * Items are plain objects; `onItem(item)` says that one was added or has changed.
 */

const TRIES = 6;
const NOTHING = { turns: [], state: "bot" };
const RUNNING = ["queued", "running"];

export class Chat {
  constructor({ api, outbox, followTurn, pause, backoffMs, randomKey, onItem, onReset, onState }) {
    Object.assign(this, { api, outbox, followTurn, pause, backoffMs, randomKey, onItem, onReset, onState });
    this.items = [];
    this.config = null;
    this.fault = "";
    this.stop = new AbortController();
    this.isFlushing = false;
    this.connectFailures = 0;
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
      const { turns, state } = session.conversation_id ? await this.readHistory() : NOTHING;
      this.config = session.config || {};
      this.items = [];
      this.onReset();
      turns.forEach((turn) => this.addTurn(turn));
      if (state === "waiting" || state === "human") this.put({ kind: "ticket", id: "t-open", text: "" });
      this.showWaiting();
    } catch (error) {
      this.fault = error.code || "network";
      if (error.isTemporary) this.connectLater();
    } finally {
      this.isConnecting = false;
      this.onState();
    }
    if (!this.config) return;
    this.items.filter((item) => item.kind === "answer" && item.isRunning).forEach((item) => this.follow(item));
    await this.flush();
  }

  async connectLater() {
    this.connectFailures += 1;
    if (this.connectFailures > TRIES) return;
    await this.pause(this.backoffMs(this.connectFailures), this.stop.signal);
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
    this.put({ kind: "visitor", id: `v-${turn.id}`, text: turn.text, state: "sent", turnId: turn.id });
    const answer = this.put({ kind: "answer", id: `a-${turn.id}`, turnId: turn.id, question: turn.text, text: "", citations: [] });
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
    return this.put({ kind: "visitor", id: `k-${entry.key}`, key: entry.key, text: entry.text, state, error: entry.failed, isRefused: Boolean(entry.failed) });
  }

  put(item) {
    this.items.push(item);
    this.onItem(item);
    return item;
  }

  change(item, values) {
    Object.assign(item, values);
    this.onItem(item);
  }

  /** False when the outbox is full and the text was not taken. */
  send(text) {
    if (this.outbox.isFull()) return false;
    this.showEntry(this.outbox.add(text));
    this.flush();
    return true;
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
        const { turn_id: turnId } = await this.api.post("messages", { text: item.text }, item.key);
        this.outbox.remove(item.key);
        return this.accepted(item, turnId);
      } catch (error) {
        this.change(item, { isStalled: true });
        if (!error.isTemporary || (attempt >= TRIES && navigator.onLine)) return this.refuse(item, error);
        await this.pause(Math.max(this.backoffMs(attempt), error.retryAfterS * 1000), this.stop.signal);
        if (!navigator.onLine) attempt = 0;
      }
    }
    return null;
  }

  accepted(item, turnId) {
    const known = this.items.find((other) => other.kind === "answer" && other.turnId === turnId);
    if (known) {
      // A reload fell between the server's yes and our note of it: history already shows this turn.
      this.drop(item);
      return known;
    }
    this.change(item, { state: "sent", turnId });
    return this.put({ kind: "answer", id: `a-${turnId}`, turnId, question: item.text, text: "", citations: [], isRunning: true });
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

  retry(item) {
    if (item.kind === "visitor") {
      const key = item.isRefused ? this.outbox.renew(item.key) : item.key;
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
    else if (name === "answer") this.change(answer, finish(answer, data));
    else if (name === "error") this.change(answer, { isRunning: false, error: { code: data.code || "answer", message: data.message } });
  }

  // The stream is gone from the server but the answer is a row there.
  async recover(answer) {
    try {
      const turn = (await this.readHistory()).turns.find((each) => String(each.id) === String(answer.turnId));
      if (turn && turn.answer) this.change(answer, finish(answer, turn.answer));
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
  }
}

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
