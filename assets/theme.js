/* Dark or light: what the person chose, else what the system prefers. Runs in the head, before anything is painted. */
(function () {
  "use strict";
  if (window.WatchfloorTheme) return;
  const KEY = "watchfloor-theme";
  const system = window.matchMedia("(prefers-color-scheme: light)");

  function stored() {
    try {
      return localStorage.getItem(KEY);
    } catch (refused) {
      return null;
    }
  }
  function current() {
    const chosen = stored();
    return chosen === "dark" || chosen === "light" ? chosen : system.matches ? "light" : "dark";
  }
  function show() {
    const theme = current();
    const root = document.documentElement;
    if (root.dataset.theme === theme) return;
    root.dataset.theme = theme;
    root.setAttribute("data-mantine-color-scheme", theme);
    if (window.LIVE && window.LIVE.reapply) window.LIVE.reapply();
  }
  function toggle() {
    try {
      localStorage.setItem(KEY, current() === "dark" ? "light" : "dark");
    } catch (refused) {
      return;
    }
    show();
  }
  window.WatchfloorTheme = { current, toggle };
  system.addEventListener("change", show);
  window.addEventListener("storage", (event) => event.key === KEY && show());
  show();
})();
