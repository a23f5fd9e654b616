// One box that ticks all boxes of its list; it stands halfway while only some are ticked.
for (const form of document.querySelectorAll("[data-choose]")) {
  const all = form.querySelector("[data-choose-all]");
  const boxes = [...form.querySelectorAll('input[name="finding"]')];
  const show = () => {
    const count = boxes.filter((box) => box.checked).length;
    all.checked = count === boxes.length;
    all.indeterminate = count > 0 && count < boxes.length;
  };
  if (!all) continue;
  all.addEventListener("change", () => boxes.forEach((box) => (box.checked = all.checked)));
  boxes.forEach((box) => box.addEventListener("change", show));
  show();
}
