/* Follows one turn's events to the end, through any number of broken connections. */

const BASE_MS = 400;
const CEILING_MS = 15000;
const TRIES = 8;
// The server sends a comment at least every 15 s; a longer silence is a dead connection.
const SILENCE_MS = 45000;
const FEED_PAUSE_MS = 500;

export const backoffMs = (attempt) => Math.min(CEILING_MS, BASE_MS * 2 ** attempt) * (0.5 + Math.random() / 2);

/** Waits, but wakes at once when the network comes back or the signal aborts. */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      window.removeEventListener("online", wake);
      if (signal) signal.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    window.addEventListener("online", wake);
    if (signal) signal.addEventListener("abort", wake);
  });
}

/**
 * Calls onEvent(name, data) for each event once and in order; resolves after `done`.
 * Rejects when the server refuses, or after TRIES connections in a row that brought nothing.
 */
export async function followTurn({ api, turnId, onEvent, signal }) {
  const seen = new Set();
  const progress = { lastId: "", isDone: false, isSettled: false, fresh: false };
  const take = ({ id, name, data }) => {
    if (id && seen.has(id)) return;
    if (id) {
      seen.add(id);
      progress.lastId = id;
    }
    progress.fresh = true;
    if (name === "done") progress.isDone = true;
    if (name === "answer" || name === "error") progress.isSettled = true;
    onEvent(name, data);
  };
  for (let failures = 0; !signal.aborted; failures += 1) {
    let problem = null;
    progress.fresh = false;
    try {
      await readOnce({ api, path: `turns/${encodeURIComponent(turnId)}/events`, lastId: progress.lastId, take, signal, isDone: () => progress.isDone });
    } catch (error) {
      if (error.isTemporary === false) throw error;
      problem = error;
    }
    // A connection that broke after the outcome has nothing left to bring.
    if (progress.isDone || progress.isSettled || signal.aborted) return;
    if (progress.fresh) failures = 0;
    if (failures >= TRIES && navigator.onLine) throw problem || new Error("stream_lost");
    await pause(navigator.onLine ? backoffMs(failures) : CEILING_MS, signal);
  }
}

/**
 * Follows the words of people for as long as the page lives: the server ends each connection after minutes, and a
 * broken one is taken up after the last message seen. Rejects only when the server refuses.
 */
export async function followFeed({ api, after, onEvent, signal }) {
  let last = after;
  const take = ({ id, name, data }) => {
    if (name === "message") {
      if (data.number <= last) return;
      last = data.number;
    }
    failures = 0;
    onEvent(name, data, id);
  };
  let failures = 0;
  while (!signal.aborted) {
    try {
      await readOnce({ api, path: `feed?after=${last}`, lastId: "", take, signal, isDone: () => false });
      await pause(FEED_PAUSE_MS, signal);
    } catch (error) {
      if (error.isTemporary === false) throw error;
      failures += 1;
      await pause(navigator.onLine ? backoffMs(failures) : CEILING_MS, signal);
    }
  }
}

async function readOnce({ api, path, lastId, take, signal, isDone }) {
  const abort = new AbortController();
  const stop = () => abort.abort();
  signal.addEventListener("abort", stop);
  let watchdog;
  const alive = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(stop, SILENCE_MS);
  };
  try {
    const response = await api.stream(path, lastId, abort.signal);
    const reader = response.body.getReader();
    const feed = createParser(take);
    alive();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      alive();
      feed(value);
      if (isDone()) return;
    }
  } finally {
    clearTimeout(watchdog);
    signal.removeEventListener("abort", stop);
    abort.abort();
  }
}

/** Bytes in, events out, wherever the network cut them. An event without its blank line never fires. */
export function createParser(take) {
  const decoder = new TextDecoder();
  let rest = "";
  let event = { id: "", name: "message", lines: [] };

  return (bytes) => {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    lines.forEach(readLine);
  };

  function readLine(line) {
    if (line === "") return fire();
    if (line.startsWith(":")) return undefined;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id") event.id = value;
    else if (field === "event") event.name = value;
    else if (field === "data") event.lines.push(value);
    return undefined;
  }

  function fire() {
    const { id, name, lines } = event;
    event = { id: "", name: "message", lines: [] };
    if (!lines.length && name === "message") return;
    let data = {};
    try {
      data = JSON.parse(lines.join("\n") || "{}");
    } catch {
      return;
    }
    take({ id, name, data: data && typeof data === "object" ? data : {} });
  }
}
