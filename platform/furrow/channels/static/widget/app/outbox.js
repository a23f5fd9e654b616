/*
 * Messages that the server has not confirmed yet, in order. An entry is written before the first
 * try and keeps its idempotency key through every retry and reload, so the server can never
 * take the same message twice.
 */

const LIMIT = 20;
// Servers forget idempotency keys after a day; an older entry is sent again only on the visitor's word.
const FRESH_MS = 24 * 60 * 60 * 1000;

export function createOutbox(store, now = () => Date.now()) {
  const read = () => {
    const kept = store.read("outbox", []);
    return Array.isArray(kept) ? kept.filter((entry) => entry && entry.key && typeof entry.text === "string") : [];
  };
  const change = (key, edit) => store.write("outbox", read().map((entry) => (entry.key === key ? edit(entry) : entry)));

  return {
    all: () => read().map((entry) => (now() - entry.at > FRESH_MS && !entry.failed ? { ...entry, failed: "expired" } : entry)),
    has: (key) => read().some((entry) => entry.key === key),
    isFull: () => read().length >= LIMIT,
    /** `photos`: keys of blobs on the shelf, each uploaded once under its key. */
    add(text, photos = []) {
      const entry = { key: randomKey(), text, photos: photos.map((key) => ({ key })), at: now() };
      store.write("outbox", [...read(), entry]);
      return entry;
    },
    remove: (key) => store.write("outbox", read().filter((entry) => entry.key !== key)),
    get: (key) => read().find((entry) => entry.key === key),
    uploaded: (key, photo, id) => change(key, (entry) => ({ ...entry, photos: entry.photos.map((each) => (each.key === photo ? { ...each, id } : each)) })),
    fail: (key, code) => change(key, (entry) => ({ ...entry, failed: code })),
    /** A refused message gets a new key: the server remembers the refusal under the old one. */
    renew(key, photos = []) {
      const fresh = { key: randomKey(), at: now() };
      change(key, (entry) => ({ text: entry.text, photos: photos.map((photo) => ({ key: photo })), ...fresh }));
      return fresh.key;
    },
  };
}

// crypto.randomUUID is missing on plain-http pages, and small shops still have those.
export function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
