// The live test chat: posts a question, follows its stream, then shows the finished answer with its details.
const chat = document.querySelector("[data-chat]");

if (chat) {
  const log = chat.querySelector("[data-chat-log]");
  const form = chat.querySelector("form");
  const field = form.elements.text;
  const words = chat.dataset;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(field.value.trim());
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      ask(field.value.trim());
    }
  });
  log.addEventListener("click", (event) => {
    const suggestion = event.target.closest("[data-suggestion]");
    if (suggestion) ask(suggestion.textContent.trim());
  });

  async function ask(text) {
    if (!text || form.dataset.busy) return;
    form.dataset.busy = "1";
    const answer = addTurn(text);
    const body = new FormData(form);
    body.set("text", text);
    field.value = "";
    try {
      const response = await fetch(form.action, {
        method: "POST",
        body,
        headers: { Accept: "application/json" },
      });
      const reply = await response.json();
      if (!response.ok) throw new Error(reply.error.message);
      form.elements.conversation.value = reply.conversation;
      await follow(reply, answer);
    } catch (error) {
      fail(answer, error.message);
    }
    delete form.dataset.busy;
    field.focus();
  }

  function addTurn(text) {
    log.querySelector("[data-chat-empty]")?.remove();
    const turn = document.createElement("article");
    turn.className = "turn";
    const asked = document.createElement("p");
    asked.className = "bubble asked";
    asked.textContent = text;
    const answered = document.createElement("p");
    answered.className = "bubble answered waiting";
    answered.textContent = words.thinking;
    turn.append(asked, answered);
    log.append(turn);
    log.scrollTop = log.scrollHeight;
    return { turn, answered, text: "" };
  }

  // EventSource reconnects by itself and sends Last-Event-ID, so a broken line loses nothing.
  function follow(reply, answer) {
    return new Promise((resolve) => {
      const source = new EventSource(reply.events);
      let failures = 0;
      const finish = async () => {
        source.close();
        await showFinished(reply.details, answer);
        resolve();
      };
      source.addEventListener("delta", (event) => {
        answer.text += JSON.parse(event.data).text;
        answer.answered.classList.remove("waiting");
        answer.answered.textContent = answer.text;
        log.scrollTop = log.scrollHeight;
      });
      source.addEventListener("reset", () => {
        answer.text = "";
      });
      source.addEventListener("done", finish);
      source.addEventListener("error", (event) => {
        failures += 1;
        const isGivenUp = source.readyState === EventSource.CLOSED || failures > 5;
        if (event.data || isGivenUp) finish();
      });
    });
  }

  async function showFinished(url, answer) {
    const response = await fetch(url, { headers: { "HX-Request": "true" } });
    if (!response.ok) return fail(answer, words.failed);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const finished = page.querySelector("[data-turn]");
    answer.turn.replaceWith(finished);
    // Only the log moves: scrolling the element into view would pull the whole page.
    log.scrollTop = finished.offsetTop - log.offsetTop - 16;
  }

  function fail(answer, message) {
    answer.answered.className = "bubble answered failed";
    answer.answered.textContent = message || words.failed;
  }

  log.scrollTop = log.scrollHeight;
}
