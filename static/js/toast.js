// Toasts leave by themselves, except while somebody reads or reaches for one.
const LIFE_MS = 9000;

for (const toast of document.querySelectorAll(".toast")) {
  let timer = setTimeout(() => toast.remove(), LIFE_MS);
  const hold = () => clearTimeout(timer);
  const release = () => {
    timer = setTimeout(() => toast.remove(), LIFE_MS / 2);
  };
  toast.addEventListener("mouseenter", hold);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("mouseleave", release);
  toast.addEventListener("focusout", release);
  toast.querySelector("[data-close-toast]")?.addEventListener("click", () => toast.remove());
}
