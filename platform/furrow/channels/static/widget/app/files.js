/*
 * Photos before they are sent: made smaller for a weak network, kept in the browser's own database so that a
 * reload loses none, drawn on canvases because a page's policy may forbid pictures from elsewhere.
 */

const LONGEST = 1600;
const LONGEST_SLOW = 1024;
const SMALL_ENOUGH = 400 * 1024;
const TYPES = ["image/jpeg", "image/png", "image/webp"];

/** A photo as it will travel, or null for a file that is none. Small ones go as they are. */
export async function shrink(file) {
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) return null;
  if (file.size <= SMALL_ENOUGH && TYPES.includes(file.type)) return file;
  const slow = /2g/.test((navigator.connection || {}).effectiveType || "");
  const factor = Math.min(1, (slow ? LONGEST_SLOW : LONGEST) / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * factor));
  canvas.height = Math.max(1, Math.round(picture.height * factor));
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", 0.8); });
}

/** Draws the middle of a photo, or all of it with `isWhole`, at `side` pixels. Says whether it could. */
export async function paintPhoto(canvas, blob, side, isWhole = false) {
  const picture = await createImageBitmap(blob).catch(() => null);
  if (!picture) return false;
  const { width, height } = picture;
  const short = Math.min(width, height);
  const [cut, w, h] = isWhole
    ? [[0, 0, width, height], Math.round(width * Math.min(1, side / Math.max(width, height))), Math.round(height * Math.min(1, side / Math.max(width, height)))]
    : [[(width - short) / 2, (height - short) / 2, short, short], side, side];
  canvas.width = Math.max(1, w);
  canvas.height = Math.max(1, h);
  canvas.getContext("2d").drawImage(picture, ...cut, 0, 0, canvas.width, canvas.height);
  return true;
}

/** Blobs by key. Falls back to memory where the browser keeps no database for us. */
export function createShelf(assistant) {
  const memory = new Map();
  let opening;

  function open() {
    opening = opening || new Promise((resolve, reject) => {
      const request = indexedDB.open(`furrow:${assistant}`, 1);
      request.onupgradeneeded = () => request.result.createObjectStore("photos");
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    return opening;
  }

  async function run(mode, act) {
    const store = (await open()).transaction("photos", mode).objectStore("photos");
    return new Promise((resolve, reject) => {
      const request = act(store);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }

  const quietly = (work) => work.catch(() => undefined);
  return {
    async keep(key, blob) {
      memory.set(key, blob);
      await quietly(run("readwrite", (store) => store.put(blob, key)));
    },
    async find(key) {
      return memory.get(key) || quietly(run("readonly", (store) => store.get(key)));
    },
    async drop(key) {
      memory.delete(key);
      await quietly(run("readwrite", (store) => store.delete(key)));
    },
    async clear() {
      memory.clear();
      await quietly(run("readwrite", (store) => store.clear()));
    },
  };
}
