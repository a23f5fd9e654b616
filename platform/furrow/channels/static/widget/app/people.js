/* What staff say and do, in the log: their words, who speaks now, the wait, and the question how it was. */

const FACES = [[1, "sad"], [2, "fair"], [3, "glad"]];

export function createPeopleView({ el, icon, renderText, words, moment, actions }) {
  const { say } = words;

  function staff(item) {
    return [el("p", { class: "who" }, el("span", { class: "badge person" }, say("person")), item.name ? el("span", { dir: "auto" }, item.name) : null),
      el("div", { class: "bubble staff text", dir: "auto" }, ...renderText(el, item.text, () => null))];
  }

  function event(item) {
    return [el("p", { class: "event", dir: "auto" }, statusText(item.status))];
  }

  function statusText(status) {
    if (status.owner === "person") return status.name ? say("personNow", { name: status.name }) : say("someoneNow");
    if (status.owner === "queue") return waitText(status.wait || {});
    return status.state === "closed" ? say("closedNow") : say("assistantNow");
  }

  function waitText(wait) {
    if (wait.opens_at) return say("waitOpens", { time: moment(wait.opens_at, words.lang) });
    const typical = wait.typical_s ? ` ${say("typical", { minutes: Math.max(1, Math.round(wait.typical_s / 60)) })}` : "";
    return say("waitPlace", { place: wait.place || 1 }) + typical;
  }

  function csat(item) {
    if (item.score) return [el("div", { class: "card csat", role: "status" }, el("p", {}, say("csatThanks")))];
    const faces = FACES.map(([score, name]) => el("button", { type: "button", class: "face-button", "aria-label": say(name), title: say(name),
      click: () => actions.judge(item, score) }, icon(name), el("span", { "aria-hidden": "true" }, say(name))));
    return [el("div", { class: "card csat" }, el("p", { id: "csat" }, say("csatAsk")), el("div", { class: "faces-row", role: "group", "aria-labelledby": "csat" }, ...faces),
      item.isFailed ? el("p", { class: "problem" }, say("failed_network")) : null)];
  }

  return { staff, event, csat, statusText };
}
