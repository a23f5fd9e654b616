/* Calls to the Furrow server: one short-lived session, renewed silently once when it has run out. */

const TIMEOUT_MS = 20000;
// A photo over a network of the second generation.
const UPLOAD_MS = 120000;

/** `isTemporary`: worth trying again unchanged. `status` 0 means that the server was not reached. */
export class CallFailed extends Error {
  constructor({ status = 0, code = "network", message = "", retryAfterS = 0 }) {
    super(message || code);
    this.status = status;
    this.code = code;
    this.retryAfterS = retryAfterS;
    this.isTemporary = status === 0 || status === 408 || status === 425 || status >= 500 || (status === 429 && retryAfterS <= 60);
  }
}

export function createApi({ host, assistant, store, language, identity, onCustomer }) {
  let token = "";
  let opening = null;

  /** Opens a session; parallel callers share one. Resolves with the server's session object. */
  function openSession() {
    opening = opening || requestSession().finally(() => { opening = null; });
    return opening;
  }

  async function requestSession() {
    const body = {
      assistant,
      visitor: store.read("visitor") || undefined,
      lang: language(),
      identity: identity() || undefined,
      // Without query and fragment: they may carry personal data of the shop's customer.
      page_url: location.origin + location.pathname,
    };
    const response = await send("sessions", { method: "POST", body });
    if (!response.ok) throw await failure(response);
    const session = await parse(response);
    token = session.token;
    // Whom the site vouches for leaves nothing behind on a computer that others use too.
    if (session.visitor) store.write("visitor", session.visitor);
    else store.remove("visitor");
    await onCustomer(session.customer ? String(session.customer.id) : "");
    return session;
  }

  async function authorised(path, options) {
    if (!token) await openSession();
    const used = token;
    let response = await send(path, { ...options, token: used });
    if (response.status === 401) {
      if (token === used) await openSession();
      response = await send(path, { ...options, token });
    }
    if (!response.ok) throw await failure(response);
    return response;
  }

  async function send(path, { method = "GET", body, file, headers = {}, token: bearer, signal }) {
    const abort = new AbortController();
    const giveUp = () => abort.abort();
    const timer = setTimeout(giveUp, file ? UPLOAD_MS : TIMEOUT_MS);
    if (signal) signal.addEventListener("abort", giveUp);
    try {
      return await fetch(`${host}/widget/api/${path}`, {
        method,
        headers: {
          ...(body ? { "Content-Type": "application/json" } : {}),
          ...(file ? { "Content-Type": file.type } : {}),
          ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}),
          ...headers,
        },
        body: file || (body ? JSON.stringify(body) : undefined),
        credentials: "omit",
        cache: "no-store",
        signal: abort.signal,
      });
    } catch {
      throw new CallFailed({});
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    openSession,
    get: async (path) => parse(await authorised(path, {})),
    post: async (path, body, key) => parse(await authorised(path, { method: "POST", body, headers: { "Idempotency-Key": key } })),
    upload: async (path, file, key) => parse(await authorised(path, { method: "POST", file, headers: { "Idempotency-Key": key } })),
    blob: async (path) => (await authorised(path, {})).blob(),
    forget: () => { token = ""; },
    /** The open response of an event stream; the caller reads and aborts it. */
    stream: (path, lastEventId, signal) =>
      authorised(path, { signal, headers: { Accept: "text/event-stream", ...(lastEventId ? { "Last-Event-ID": lastEventId } : {}) } }),
  };
}

async function parse(response) {
  if (response.status === 204) return null;
  try {
    return await response.json();
  } catch {
    throw new CallFailed({ status: 0, code: "bad_reply" });
  }
}

async function failure(response) {
  const body = await response.json().catch(() => ({}));
  const error = (body && body.error) || {};
  const retryAfterS = Number(response.headers.get("Retry-After")) || 0;
  return new CallFailed({ status: response.status, code: error.code || `http_${response.status}`, message: error.message, retryAfterS });
}
