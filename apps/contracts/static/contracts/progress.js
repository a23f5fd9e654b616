// A review under way: each event of its stream has the page ask for the progress anew. Without a stream it still asks
// every few seconds.
const WAIT_MS = 250;
const shown = () => document.getElementById("progress");

const address = shown()?.dataset.events;
if (address) {
  // EventSource reconnects by itself and sends Last-Event-ID, so a broken line loses nothing.
  const source = new EventSource(address);
  let waiting = 0;
  const ask = () => {
    waiting ||= setTimeout(() => {
      waiting = 0;
      if (shown()) window.htmx?.trigger(shown(), "progress");
    }, WAIT_MS);
  };
  source.addEventListener("stage", ask);
  source.addEventListener("done", () => {
    source.close();
    ask();
  });
}
