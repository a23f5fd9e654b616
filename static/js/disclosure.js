// Menus and confirmations are <details>, so they work without scripts; this closes them like a menu.
const openOnes = () => document.querySelectorAll("details.menu[open], details.confirm[open]");

addEventListener("click", (event) => {
  for (const details of openOnes()) {
    if (!details.contains(event.target)) details.open = false;
  }
  const close = event.target.closest("[data-close-details]");
  if (close) close.closest("details").open = false;
});

addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const details of openOnes()) {
    details.open = false;
    details.querySelector("summary").focus();
  }
});
