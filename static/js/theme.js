// Loaded before the first paint, so that the remembered theme does not flash. Not a module: those run late.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const remembered = localStorage.getItem("furrow-theme");
  if (remembered) root.dataset.theme = remembered;

  addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const systemIsDark = matchMedia("(prefers-color-scheme: dark)").matches;
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : systemIsDark;
    root.dataset.theme = isDark ? "light" : "dark";
    localStorage.setItem("furrow-theme", root.dataset.theme);
  });
})();
