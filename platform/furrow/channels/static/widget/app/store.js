/* What stays on the visitor's device, per assistant. Falls back to memory when storage is closed or full. */

export function createStore(assistant) {
  const memory = new Map();
  const name = (key) => `furrow:${assistant}:${key}`;

  return {
    read(key, fallback = null) {
      try {
        const kept = localStorage.getItem(name(key));
        if (kept !== null) return JSON.parse(kept);
      } catch {
        // Closed storage or a value that someone else damaged: memory decides.
      }
      return memory.has(key) ? memory.get(key) : fallback;
    },
    write(key, value) {
      memory.set(key, value);
      try {
        localStorage.setItem(name(key), JSON.stringify(value));
      } catch {
        // Memory holds it for as long as the page lives.
      }
    },
    remove(key) {
      memory.delete(key);
      try {
        localStorage.removeItem(name(key));
      } catch {
        // Nothing was stored in the first place.
      }
    },
  };
}
