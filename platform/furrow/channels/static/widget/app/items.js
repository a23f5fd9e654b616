/* How one item of the conversation looks: a visitor's message, an answer, a ticket. */

const RUNGS = ["approved", "fact", "composed", "quoted", "human", "held"];

export function createItemView({ el, icon, iconButton, renderText, paintPhoto, moment, createPeopleView, words, actions }) {
  const { say, sayFailure } = words;
  const people = createPeopleView({ el, icon, renderText, words, moment, actions });
  const draw = { visitor, answer, ticket, staff: people.staff, event: people.event, csat: people.csat };

  /** Redraws `item` inside its own article, which stays the same node for screen readers. */
  function drawItem(article, item) {
    article.className = `item ${item.kind}${item.state === "failed" ? " failed" : ""}`;
    if (item.isRunning) article.setAttribute("aria-busy", "true");
    else article.removeAttribute("aria-busy");
    article.replaceChildren(...draw[item.kind](item).filter(Boolean));
  }

  drawItem.statusText = people.statusText;
  return drawItem;

  function visitor(item) {
    const bubble = el("div", { class: "bubble", dir: "auto" });
    item.text.split("\n").forEach((line, at) => bubble.append(...(at ? [el("br"), line] : [line])));
    return [el("span", { class: "hidden" }, `${say("you")}: `), photos(item), item.text && !isOnlyPhoto(item) ? bubble : null, visitorState(item)];
  }

  // The server writes a word for a message that was only photos; the photos say it already.
  function isOnlyPhoto(item) {
    return (item.photos || []).length > 0 && /^[（(](照片|Photo)[)）]$/.test(item.text);
  }

  function photos(item) {
    if (!(item.photos || []).length) return null;
    return el("div", { class: "photos" }, ...item.photos.map((photo) => {
      const canvas = el("canvas", { width: "112", height: "112", "aria-hidden": "true" });
      const button = el("button", { type: "button", class: "photo", "aria-label": say("openPhoto"), click: () => actions.openPhoto(photo, button) }, canvas);
      const paint = (blob) => blob && paintPhoto(canvas, blob, 224);
      if (photo.blob) paint(photo.blob);
      else actions.photoBlob(photo).then(paint, () => button.classList.add("missing"));
      return button;
    }));
  }

  function cards(item) {
    if (!(item.cards || []).length) return null;
    return el("ul", { class: "cards", "aria-label": say("goods") }, ...item.cards.map((card) => el("li", {},
      el("strong", { dir: "auto" }, String(card.title || "")),
      card.spec ? el("span", { class: "muted", dir: "auto" }, String(card.spec)) : null,
      el("span", { class: "price" }, String(card.price || ""), card.stock ? el("small", {}, String(card.stock)) : null),
      card.as_of ? el("small", {}, say("asOf", { time: card.as_of })) : null,
      el("button", { type: "button", class: "link", click: () => actions.ask(say("askShipping", { title: card.title })) }, say("shippingHow")))));
  }

  function visitorState(item) {
    if (item.state === "waiting") {
      return el("p", { class: "state" }, item.isStalled || !navigator.onLine ? say("waiting") : say("sending"));
    }
    if (item.state !== "failed") return null;
    return el("div", { class: "state problem" },
      el("span", {}, `${say("notSent")} ${sayFailure(item.error)}`),
      textButton("retry", () => actions.retry(item)),
      textButton("remove", () => actions.discard(item)));
  }

  function answer(item) {
    const isPerson = item.author === "staff" || item.author === "person";
    const who = el("p", { class: "who" },
      el("span", { class: isPerson ? "badge person" : "badge" }, isPerson ? say("person") : say("assistant")),
      item.isFinal && RUNGS.includes(item.rung) && !isPerson ? el("span", {}, say(item.rung)) : null);
    return [who, item.text ? body(item) : null, item.isRunning ? progress(item) : null, problem(item), cards(item), sources(item),
      didYouMean(item), item.isFinal ? tools(item) : null, item.isCommenting ? commentForm(item) : null];
  }

  function body(item) {
    const marker = (n) => {
      const citation = item.citations.find((each) => each.n === n);
      return citation ? chip(item, citation) : null;
    };
    return el("div", { class: "text", dir: "auto" }, ...renderText(el, item.text, marker));
  }

  function chip(item, citation) {
    const label = say("openSource", { n: citation.n, title: citation.title });
    return el("button", { type: "button", class: "chip", "aria-label": label, title: citation.title,
      click: (event) => actions.openSource(item, citation, event.currentTarget) }, String(citation.n));
  }

  function progress(item) {
    const key = ["queued", "searching", "writing"].includes(item.stage) ? item.stage : "queued";
    return el("p", { class: "progress" }, el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i")), say(key));
  }

  function problem(item) {
    if (!item.error) return null;
    const text = item.error.message || sayFailure(item.error.code === "lost" ? "network" : "answer");
    return el("div", { class: "problem card", role: "alert" }, el("span", {}, text), textButton("retry", () => actions.retry(item)));
  }

  function sources(item) {
    if (!item.citations.length) return null;
    const rows = item.citations.map((citation) => {
      const place = citation.page ? el("small", {}, say("page", { page: citation.page })) : null;
      return el("li", {}, el("button", { type: "button", class: "source",
        "aria-label": say("openSource", { n: citation.n, title: citation.title }),
        click: (event) => actions.openSource(item, citation, event.currentTarget) },
      el("span", { class: "number" }, String(citation.n)), el("span", { class: "name" }, citation.title), place));
    });
    return el("ul", { class: "sources", "aria-label": say("sources") }, ...rows);
  }

  /** Questions with an approved answer that may be meant; a tap asks one word for word. */
  function didYouMean(item) {
    if (!item.suggestions || !item.suggestions.length) return null;
    const chips = item.suggestions.map((text) => el("button", { type: "button", class: "suggestion", dir: "auto", click: () => actions.ask(text) }, text));
    return el("div", { class: "meant", role: "group", "aria-label": say("didYouMean") }, el("p", { class: "muted" }, say("didYouMean")), ...chips);
  }

  function tools(item) {
    const rate = (value, name, label) => iconButton(name, label, () => actions.rate(item, value),
      { "aria-pressed": String(item.rating === value) });
    const copy = iconButton("copy", say("copy"), () => actions.copy(item, copy));
    return el("div", { class: "tools" }, rate(1, "up", say("good")), rate(-1, "down", say("bad")), copy,
      item.isThanked ? el("span", { class: "state" }, say("thanks")) : null);
  }

  function commentForm(item) {
    const field = el("input", { type: "text", maxlength: "500", "aria-label": say("what"), placeholder: say("what"), autocomplete: "off" });
    const submit = (event) => {
      event.preventDefault();
      actions.comment(item, field.value.trim());
    };
    return el("form", { class: "comment", submit }, field, el("button", { class: "small" }, say("submit")));
  }

  function ticket(item) {
    return [el("div", { class: "card notice" }, icon("person"),
      el("div", {}, el("strong", {}, say("human")), el("p", { dir: "auto" }, item.text || (item.ticket ? say("handoffDone", { ticket: item.ticket }) : say("handoffWaiting"))),
        item.text && item.ticket ? el("small", {}, say("handoffDone", { ticket: item.ticket })) : null))];
  }

  function textButton(key, click) {
    return el("button", { type: "button", class: "link", click }, say(key));
  }
}
