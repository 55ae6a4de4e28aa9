/* The frame: which page is on, the pause button, the keys, the theme. */
(function () {
  "use strict";
  const { write, say } = window.WatchfloorDom;
  const WINDOWS = ["15m", "1h", "24h", "7d", "30d"];
  const part = (id) => document.getElementById(id);
  /* Pages without a scope have keys of their own: WatchfloorPages[page] = {keys: (event) => whether it did something,
     escape: () => whether there was something to close}. */
  const pages = (window.WatchfloorPages = window.WatchfloorPages || {});
  let page = "";
  const own = () => pages[page];

  /* The server has decided which page an address shows: subscribe to it, or to nothing. */
  function follow(view) {
    if (!view) return "";
    document.title = view.title;
    page = view.page;
    const bar = part("scope-bar");
    if (bar) {
      bar.dataset.live = view.path ? String(Boolean(view.live)) : "none";
      bar.dataset.scope = view.scope === false ? "none" : "yes";
      // On the page of one brand there is no other brand to choose.
      bar.dataset.subject = view.subject || "";
      bar.dataset.admin = (view.path || "").startsWith("/admin/") ? "yes" : "no";
      for (const tab of bar.querySelectorAll(".admin-tabs .tab")) {
        const on = tab.getAttribute("href") === view.path;
        tab.classList.toggle("on", on);
        if (on) tab.setAttribute("aria-current", "page"); else tab.removeAttribute("aria-current");
      }
    }
    for (const right of ["admin", "viewer"]) document.documentElement.classList.toggle("may-" + right, view.rights.includes(right));
    for (const list of document.querySelectorAll("#keys [data-page]")) list.hidden = list.dataset.page !== page && (list.dataset.page !== "command" || own());
    window.dispatchEvent(new CustomEvent("watchfloor:page", { detail: { page: page } }));
    badge();
    for (const link of document.querySelectorAll(".ri,.ri-phone")) {
      const on = link.getAttribute("href") === view.rail;
      link.classList.toggle("on", on);
      if (on) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (view.path) window.LIVE.sub(view.path, view.search);
    else window.LIVE.leave();
    return "";
  }

  /* The link may have said how it stands before there was a badge to say it. */
  function badge() {
    const now = window.LIVE.status ? window.LIVE.status() : null;
    if (!now || !part("live-badge")) return;
    part("live-badge").dataset.state = now.state;
    write(part("live-badge-words"), now.words);
    write(part("live-badge-detail"), now.detail);
  }
  function pause() {
    if (part("scope-bar").dataset.live !== "true") return;
    if (window.LIVE.isPaused()) window.LIVE.resume();
    else window.LIVE.pause();
  }
  let before = "";
  window.addEventListener("live:status", (event) => {
    const now = event.detail;
    const button = document.querySelector("[data-do=pause]");
    if (button) {
      button.setAttribute("aria-pressed", String(now.paused));
      button.firstElementChild.className = "ic s14 " + (now.paused ? "ic-play" : "ic-pause");
      write(button.children[1], now.paused ? "Resume" : "Pause");
    }
    document.documentElement.classList.toggle("is-paused", now.paused);
    // The badge changes every second; only a change of its kind is worth saying.
    if (before && now.state !== before) say(now.words);
    before = now.state;
  });
  window.addEventListener("live:version", () => { const host = part("new-version"); if (host) host.hidden = false; });
  // What this person may see was changed while the page was open: ask anew, once an address, so never in a circle.
  const REFUSED = "watchfloor-refused";
  window.addEventListener("live:refused", () => {
    if (sessionStorage.getItem(REFUSED) === location.href) return;
    sessionStorage.setItem(REFUSED, location.href);
    location.reload();
  });
  window.addEventListener("live:frame", () => sessionStorage.removeItem(REFUSED), { once: true });

  function typing(target) {
    return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  }
  function escape(event) {
    const keys = part("keys");
    if (keys && keys.open) keys.close();
    else if (window.WatchfloorScope.close()) event.preventDefault();
    else if (own()) { if (own().escape(event)) event.preventDefault(); }
    else if (event.target.id === "search-text") {
      // Otherwise the browser empties the field, and it would show another scope than the address.
      event.preventDefault();
      window.WatchfloorScope.leaveSearch(event.target);
    }
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { escape(event); return; }
    if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const dialog = part("keys");
    if (dialog && dialog.open && event.key !== "?") return;
    if (own() && event.key !== "?") {
      if (!own().keys(event)) return;
    } else if (event.key === "/") {
      const field = part("search-text");
      if (field && field.offsetParent) field.focus();
      else document.querySelector("[data-do=find]").click();
    } else if (event.key === "p" || event.key === "P") pause();
    else if (event.key === "?") { if (dialog.open) dialog.close(); else dialog.showModal(); }
    else if (event.key >= "1" && event.key <= "5") window.WatchfloorScope.change({ window: WINDOWS[event.key - 1] });
    else return;
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const what = event.target.closest && event.target.closest("[data-do]");
    if (!what) { if (event.target.id === "keys") event.target.close(); return; }
    if (what.dataset.do === "theme") window.WatchfloorTheme.toggle();
    else if (what.dataset.do === "pause") pause();
    else if (what.dataset.do === "close") part("keys").close();
    else if (what.dataset.do === "reload") location.reload();
  });
  window.WatchfloorShell = { follow };
})();
