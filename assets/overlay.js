/* What opens over a page or beside it. One place decides about focus, Escape and the way back.

   WatchfloorOverlay.drawer({key, title, label, width, build(body, drawer), closed()}): beside the page, which reflows to its left. One at a time;
       the same key again is built anew in place. Answers {body, head, close}.
   WatchfloorOverlay.dialog({title, build(body, dialog), closed(), wide}): a modal dialog. Answers {body, foot, close}.
   WatchfloorOverlay.menu(button, [{words, keys, act, off, on, note} or {line: true}, ...]): a menu under a button.
   WatchfloorOverlay.toast(words, {undo, bad, ms}): what was done, for six seconds or `ms`; `undo` is a function behind a button.
   WatchfloorOverlay.escape(): closes the innermost thing that is open; answers whether there was one. */
(function () {
  "use strict";
  const { make, icon, say } = window.WatchfloorDom;
  let drawer = null, menu = null, toastTimer = 0;

  function closer(parent, act) {
    const button = make("button", "close", parent);
    button.type = "button";
    button.setAttribute("aria-label", "Close");
    icon("x", "s16", button);
    button.addEventListener("click", act);
    return button;
  }
  function focusBack(element) {
    if (element && element.isConnected) element.focus({ preventScroll: true });
  }

  // -- drawer --------------------------------------------------------------------------------------------
  function openDrawer(given) {
    const before = drawer && drawer.key === given.key ? drawer.before : document.activeElement;
    closeDrawer({ quiet: true });
    const frame = document.querySelector(".frame") || document.body;
    const host = make("aside", "side-drawer", frame);
    host.tabIndex = -1;
    host.setAttribute("aria-label", given.label || given.title || "Details");
    host.style.setProperty("--drawer-w", (given.width || 456) + "px");
    frame.style.setProperty("--drawer-w", (given.width || 456) + "px");
    frame.classList.add("with-drawer");
    const head = make("header", "", host);
    if (given.title) make("h2", "", head, given.title);
    const slot = make("div", "grow", head);
    const mine = (drawer = { key: given.key, host, head: slot, before, closed: given.closed, body: null, close: () => { if (drawer === mine) closeDrawer(); } });
    closer(head, mine.close);
    mine.body = make("div", "drawer-body", host);
    if (given.build) given.build(mine.body, mine);
    host.focus({ preventScroll: true });
    return mine;
  }
  function closeDrawer(how) {
    if (!drawer) return false;
    const old = drawer;
    drawer = null;
    old.host.remove();
    const frame = document.querySelector(".frame");
    if (frame) frame.classList.remove("with-drawer");
    if (!(how && how.quiet)) focusBack(old.before);
    if (old.closed) old.closed();
    return true;
  }

  // -- dialog --------------------------------------------------------------------------------------------
  function openDialog(given) {
    const before = document.activeElement;
    const host = make("dialog", "dialog over" + (given.wide ? " wide" : ""), document.body);
    host.setAttribute("aria-label", given.title);
    const head = make("header", "", host);
    make("h2", "", head, given.title);
    const mine = { host, body: make("div", "dialog-body", host), foot: make("footer", "dialog-foot", host), close: () => host.close() };
    closer(head, mine.close);
    host.addEventListener("close", () => { host.remove(); focusBack(before); if (given.closed) given.closed(); });
    host.addEventListener("click", (event) => { if (event.target === host) host.close(); });
    if (given.build) given.build(mine.body, mine);
    mine.foot.hidden = !mine.foot.childNodes.length;
    host.showModal();
    return mine;
  }

  // -- menu ----------------------------------------------------------------------------------------------
  function openMenu(button, items) {
    const again = menu && menu.button === button;
    closeMenu();
    if (again) return;
    const host = make("div", "menu pop", document.body);
    host.setAttribute("role", "menu");
    for (const item of items) {
      if (item.line) { make("hr", "menu-line", host); continue; }
      const entry = make("button", "menu-item", host, item.words);
      entry.type = "button";
      entry.setAttribute("role", "menuitem");
      entry.disabled = Boolean(item.off);
      if (item.on) { entry.setAttribute("aria-current", "true"); icon("check", "s14", entry); }
      if (item.note) make("span", "t3", entry, item.note);
      if (item.keys) make("kbd", "", entry, item.keys);
      entry.addEventListener("click", () => { closeMenu(true); item.act(); });
    }
    const place = button.getBoundingClientRect();
    host.style.position = "fixed";
    host.style.top = Math.min(place.bottom + 4, innerHeight - host.offsetHeight - 8) + "px";
    host.style.left = Math.max(8, Math.min(place.right - host.offsetWidth, innerWidth - host.offsetWidth - 8)) + "px";
    button.setAttribute("aria-expanded", "true");
    menu = { host, button };
    const first = host.querySelector("button:not(:disabled)");
    if (first) first.focus();
  }
  function closeMenu(focus) {
    if (!menu) return false;
    const old = menu;
    menu = null;
    old.button.setAttribute("aria-expanded", "false");
    old.host.remove();
    if (focus) focusBack(old.button);
    return true;
  }
  document.addEventListener("pointerdown", (event) => {
    if (menu && !menu.host.contains(event.target) && !menu.button.contains(event.target)) closeMenu();
  });
  document.addEventListener("keydown", (event) => {
    if (!menu) return;
    const entries = [...menu.host.querySelectorAll("button:not(:disabled)")];
    const at = entries.indexOf(document.activeElement);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      entries[(at + (event.key === "ArrowDown" ? 1 : entries.length - 1)) % entries.length].focus();
    } else if (event.key === "Tab") closeMenu();
  });

  // -- toast ---------------------------------------------------------------------------------------------
  function toast(words, how) {
    const old = document.getElementById("toast");
    if (old) old.remove();
    clearTimeout(toastTimer);
    // A modal dialog covers everything outside of it.
    const host = make("div", "toast" + (how && how.bad ? " bad" : ""), document.querySelector("dialog[open]") || document.body);
    host.id = "toast";
    host.setAttribute("role", how && how.bad ? "alert" : "status");
    make("span", "", host, words);
    if (how && how.undo) {
      const back = make("button", "btn sm", host, "Undo");
      back.addEventListener("click", () => { host.remove(); how.undo(); });
    }
    say(words);
    toastTimer = setTimeout(() => host.remove(), (how && how.ms) || (how && how.bad ? 10000 : 6000));
  }

  function escape() { return closeMenu(true) || closeDrawer(); }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (escape()) { event.preventDefault(); event.stopPropagation(); }
  }, true);
  // Another page has other things beside it; a change of scope alone keeps them.
  window.addEventListener("watchfloor:page", (event) => { closeMenu(); if (drawer && drawer.page && drawer.page !== event.detail.page) closeDrawer({ quiet: true }); if (drawer) drawer.page = event.detail.page; });

  window.WatchfloorOverlay = { drawer: openDrawer, dialog: openDialog, menu: openMenu, toast, escape, open: () => (drawer ? drawer.key : "") };
})();
