/* The words of people in a conversation: followed, put in their place, and remembered as seen. */

export function createPeople({ api, store, followFeed, onNews }) {
  return (chat) => {
    let stop = new AbortController();
    let conversation = "";
    let last = 0;
    let owner = "";

    const self = { add, ask, clear, judge, listen, seen, stop: () => stop.abort() };
    return self;

    function clear() {
      stop.abort();
      conversation = owner = "";
      last = 0;
    }

    /** Follows this conversation; another one before it is left. */
    function listen(id, status) {
      if (status) setStatus(status, false);
      if (conversation === id && !stop.signal.aborted) return;
      if (conversation && conversation !== id) {
        last = 0;
        owner = "";
      }
      stop.abort();
      stop = new AbortController();
      conversation = id;
      const mine = stop;
      followFeed({ api, after: last, onEvent: hear, signal: mine.signal }).catch(() => mine.abort());
    }

    function hear(name, data) {
      if (name === "message" && add(data)) onNews();
      else if (name === "status") setStatus(data, true);
      else if (name === "csat.ask") ask(data.conversation_id);
    }

    /** Puts a message after the turn it followed; false for one that is there already. */
    function add(message) {
      last = Math.max(last, message.number);
      const id = `m-${message.id}`;
      if (chat.items.some((item) => item.id === id)) return false;
      const { number, name, text, after_turn: afterTurn, created_at: at } = message;
      chat.put({ kind: "staff", id, name: String(name || ""), text: String(text || ""), afterTurn, message: number, at }, placeOf(afterTurn));
      return true;
    }

    // Behind everything up to that turn; what waits to be sent stays below.
    function placeOf(afterTurn) {
      let place = chat.items.length;
      while (place > 0) {
        const item = chat.items[place - 1];
        const isLater = item.kind === "visitor" || item.kind === "answer" ? !(item.number <= afterTurn) : false;
        if (!isLater) break;
        place -= 1;
      }
      return place;
    }

    function setStatus(status, isLive) {
      const before = owner;
      owner = status.owner;
      chat.status = status;
      chat.onState();
      const latest = chat.items.findLast ? chat.items.findLast((item) => item.kind === "event") : undefined;
      if (before === owner) {
        // Only the place in the queue moved on.
        if (latest && owner === "queue") chat.change(latest, { status });
        return;
      }
      if (owner === "assistant" && !["person", "queue", "nobody"].includes(before)) return;
      if (!isLive && owner === "assistant") return;
      chat.put({ kind: "event", id: `e-${Date.now()}-${chat.items.length}`, status });
    }

    function ask(id) {
      if (!chat.items.some((item) => item.kind === "csat" && item.conversation === id)) chat.put({ kind: "csat", id: `c-${id}`, conversation: id });
    }

    async function judge(item, score) {
      chat.change(item, { score, isFailed: false });
      try {
        await api.post("csat", { score }, `csat-${item.conversation}-${score}`);
      } catch {
        chat.change(item, { score: 0, isFailed: true });
      }
    }

    function seen() {
      if (conversation) store.write("seen", { conversation, number: last });
    }
  };
}
