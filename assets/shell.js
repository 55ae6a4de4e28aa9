/* The frame: which page is on, the pause button, the keys, the theme. */
(function () {
  "use strict";
  const { make, icon, write, say } = window.WatchfloorDom;
  const CHORD_MS = 1000;
  const WINDOWS = ["15m", "1h", "24h", "7d", "30d"];
  const part = (id) => document.getElementById(id);
  /* A page may have keys of its own, asked before those of every page: WatchfloorPages[page] = {keys: (event) => whether it
     did something, escape: () => whether there was something to close}. */
  const pages = (window.WatchfloorPages = window.WatchfloorPages || {});
  let page = "", title = "", single = true, chordTimer = 0, chordAt = -1e9;
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
      bar.dataset.page = view.page;
      // On the page of one brand there is no other brand to choose.
      bar.dataset.subject = view.subject || "";
      bar.dataset.admin = (view.path || "").startsWith("/admin/") ? "yes" : "no";
      for (const tab of bar.querySelectorAll(".admin-tabs .tab")) {
        const on = tab.getAttribute("href") === view.path;
        tab.classList.toggle("on", on);
        if (on) tab.setAttribute("aria-current", "page"); else tab.removeAttribute("aria-current");
      }
    }
    const root = document.documentElement;
    for (const name of [...root.classList]) if (name.startsWith("may-") && !view.rights.includes(name.slice(4))) root.classList.remove(name);
    for (const right of view.rights) root.classList.add("may-" + right);
    title = view.title.split(" · ")[0];
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

  /* A field of a dialog that was closed a moment ago has the focus until the next picture. */
  function typing(target) {
    return (!target.checkVisibility || target.checkVisibility()) && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
  }
  function escape(event) {
    const keys = part("keys");
    if (keys && keys.open) keys.close();
    else if (window.WatchfloorScope.close()) event.preventDefault();
    else if (own() && own().escape && own().escape(event)) event.preventDefault();
    else if (event.target.id === "search-text") {
      // Otherwise the browser empties the field, and it would show another scope than the address.
      event.preventDefault();
      window.WatchfloorScope.leaveSearch(event.target);
    }
  }
  // -- keys ----------------------------------------------------------------------------------------------
  const hasScope = () => part("scope-bar").dataset.scope === "yes" && part("scope-bar").dataset.live !== "none";
  const pagesHere = () => window.WatchfloorScope.offered().pages || [];
  function go(path, search) { window.dash_clientside.set_props("url", { pathname: path, search: search || "", hash: "" }); }

  /* G waits a second for the letter of a page. */
  function chord(event) {
    // By the clock of the keys: on a busy machine the timer may come late, or between the two.
    const waits = event.timeStamp - chordAt <= CHORD_MS;
    endChord();
    chordAt = -1e9;
    if (waits) {
      const to = pagesHere().find((one) => one.chord && one.chord === event.key.toUpperCase());
      if (to) go(to.path);
      return Boolean(to);
    }
    if (event.key.toUpperCase() !== "G") return false;
    chordAt = event.timeStamp;
    chordTimer = setTimeout(endChord, CHORD_MS);
    const hint = make("div", "chord-hint", document.body);
    hint.setAttribute("aria-hidden", "true");
    make("kbd", "", hint, "G");
    for (const one of pagesHere()) if (one.chord) { make("kbd", "", hint, one.chord); make("span", "t2", hint, one.title); }
    return true;
  }
  function endChord() {
    clearTimeout(chordTimer);
    const hint = document.querySelector(".chord-hint");
    if (hint) hint.remove();
  }
  function find() {
    const field = part("search-text");
    if (field && field.offsetParent) field.focus();
    else document.querySelector("[data-do=find]").click();
  }
  /* Keys of every page; those that narrow what is shown only where something is. */
  function everywhere(event) {
    if (event.key === "?") keysOpen();
    else if (hasScope() && event.key === "/") find();
    else if (hasScope() && (event.key === "p" || event.key === "P")) pause();
    else if (hasScope() && event.key >= "1" && event.key <= "5") window.WatchfloorScope.change({ window: WINDOWS[event.key - 1] });
    else if (event.key === "l" || event.key === "L") window.WatchfloorLog.toggle();
    else if (event.key === "n" || event.key === "N") window.WatchfloorLog.note();
    else if (event.key === "i" || event.key === "I") return window.WatchfloorIncidents.key();
    else return false;
    return true;
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { endChord(); chordAt = -1e9; escape(event); return; }
    if (event.defaultPrevented || typing(event.target) || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const dialog = part("keys"), isLetter = event.key.length === 1;
    if (dialog.open && event.key === "?") { dialog.close(); event.preventDefault(); return; }
    // What is open over the page has the keys; and whoever speaks to the computer turns single ones off.
    if (document.querySelector("dialog[open]") || (isLetter && (document.querySelector(".pop") || !single))) return;
    if ((isLetter && chord(event)) || (own() && own().keys(event)) || everywhere(event)) event.preventDefault();
  });

  // -- the list of keys ----------------------------------------------------------------------------------
  function keysOpen() {
    const dialog = part("keys"), before = document.activeElement, host = part("keys-find");
    if (!host.firstChild) {
      icon("search", "s14", host);
      const field = make("input", "", host);
      field.type = "search";
      field.placeholder = "Find a key";
      field.setAttribute("aria-label", "Find a key");
      field.addEventListener("input", () => keysFound(field.value));
    }
    host.lastChild.value = "";
    write(part("keys-page"), title ? "on " + title : "");
    keysFound("");
    dialog.showModal();
    dialog.querySelector(".close").focus();
    dialog.addEventListener("close", () => { if (before && before.isConnected) before.focus({ preventScroll: true }); }, { once: true });
  }
  function keysFound(asked) {
    const wanted = asked.trim().toLowerCase(), reachable = new Set(pagesHere().map((one) => one.path));
    let count = 0;
    for (const section of document.querySelectorAll("#keys section")) {
      const fits = section.dataset.page !== undefined ? section.dataset.page === page : section.dataset.scopeKeys === undefined || hasScope();
      let shown = 0;
      for (const row of section.querySelectorAll(".key-row")) {
        const here = fits && (!row.dataset.goes || reachable.has(row.dataset.goes));
        row.hidden = !here || (wanted !== "" && !row.textContent.toLowerCase().includes(wanted));
        if (!row.hidden) shown += 1;
      }
      section.hidden = !shown;
      count += shown;
    }
    part("keys-none").hidden = count > 0;
  }
  function showSingle(on) {
    single = on;
    const button = document.querySelector("[data-do=single-keys]");
    if (button) button.setAttribute("aria-checked", String(on));
    if (part("single-keys-words")) write(part("single-keys-words"), on ? "Single keys on" : "Single keys off");
  }
  function turnSingle() {
    showSingle(!single);
    window.WatchfloorAsks.act("preference.put", { key: "single_keys", value: single }).catch((error) => {
      showSingle(!single);
      window.WatchfloorOverlay.toast(error.message, { bad: true });
    });
  }
  window.WatchfloorAsks.read("preferences").then((said) => showSingle(said.preferences.single_keys !== false), () => {});

  document.addEventListener("click", (event) => {
    const what = event.target.closest && event.target.closest("[data-do]");
    if (!what) { if (event.target.id === "keys") event.target.close(); return; }
    if (what.dataset.do === "theme") window.WatchfloorTheme.toggle();
    else if (what.dataset.do === "pause") pause();
    else if (what.dataset.do === "close") part("keys").close();
    else if (what.dataset.do === "single-keys") turnSingle();
    else if (what.dataset.do === "reload") location.reload();
  });
  window.WatchfloorShell = { follow, go, pause, find, keys: keysOpen, singleKeys: () => single, page: () => page };
})();
