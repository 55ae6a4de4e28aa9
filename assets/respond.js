/* The desk: which case is open, read again when it changed, drawn without ever touching what is being typed.

   WatchfloorDesk.select(id), .view (the open case as the server answered it), .seen (the newest event its reader has seen),
   .reload(), .close(). A part of the page offers .drawX(view, isFirst); the composer is told, never drawn anew. */
(function () {
  "use strict";
  const D = (window.WatchfloorDesk = window.WatchfloorDesk || {});
  const { make, write } = window.WatchfloorDom;
  const PAGE = "respond", POLL_MS = 5000, MOVE_MS = 120, AGAIN_MS = 150;
  const part = (id) => document.getElementById(id);
  const phone = window.matchMedia("(max-width:940px)");
  let on = false, moving = 0, again = 0, asked = 0, busy = false;
  D.selected = "";
  D.view = null;
  D.seen = 0;
  D.isPhone = () => phone.matches;

  const offered = () => (window.WatchfloorScope && window.WatchfloorScope.offered()) || {};
  D.me = () => offered().person || { id: 0, name: "", email: "" };
  D.may = (right) => { const rights = offered().rights || []; return rights.includes(right) || rights.includes("admin"); };
  D.asks = () => window.WatchfloorAsks;
  D.toast = (words, how) => window.WatchfloorOverlay.toast(words, how || {});
  D.fail = (error) => D.toast(error.message, { bad: true });

  // -- which case is open ------------------------------------------------------------------------------------
  const wanted = () => { const found = /^#case-(\d+-\d+)$/.exec(location.hash); return found ? found[1] : ""; };
  function address(id) {
    const url = location.pathname + location.search + (id ? "#case-" + id : "");
    if (url === location.pathname + location.search + location.hash) return;
    // On a phone the case is a screen of its own: the way back is the browser's.
    if (id && phone.matches && !wanted()) history.pushState(history.state, "", url);
    else history.replaceState(history.state, "", url);
  }
  function screen(name) {
    const host = part("respond");
    if (host) host.dataset.screen = name;
    document.documentElement.classList.toggle("desk-case-open", name === "case");
  }
  D.select = function (id, how) {
    const stay = how && how.stay;
    if (id !== D.selected) {
      D.caseLost();
      D.leaveComposer();
      D.leavePresence();
      D.selected = id;
      D.view = null;
      D.seen = 0;
      D.drawQueue();
      waiting(D.row(id));
      clearTimeout(moving);
      moving = setTimeout(() => load(true), stay ? MOVE_MS : 0);
    }
    if (!(stay && phone.matches)) { address(id); screen("case"); }
  };
  D.close = function () {
    if (!phone.matches || part("respond").dataset.screen !== "case") return false;
    screen("queue");
    address("");
    const line = D.line(D.selected);
    if (line) line.parts.open.focus({ preventScroll: true });
    return true;
  };
  /* Until the case has come, what the queue knows of it stands there. */
  function waiting(row) {
    D.drawHead(row ? { id: row.id, waits: true, name: row.name, network: row.network, net: row.net, places: row.places, p: row.p, due: row.due, snooze: row.snooze, incident: row.incident, handle: row.handle } : null);
    D.drawThread(null, true);
    D.drawSide(null);
  }
  async function load(isFirst) {
    const id = D.selected, mine = ++asked;
    if (!id) return;
    busy = true;
    let view;
    try {
      view = await D.asks().read("case", { case: id });
    } catch (error) {
      if (mine !== asked) return;
      busy = false;
      if (isFirst && part("respond")) broken(error);
      return;
    }
    if (mine !== asked || id !== D.selected) return;
    busy = false;
    // The page may be left already and its leaving not told yet.
    if (!part("respond")) return;
    D.view = view;
    if (isFirst) D.seen = view.n;
    D.drawHead(view);
    D.drawThread(view, isFirst);
    D.drawSide(view);
    if (isFirst) D.openComposer(view); else D.tellComposer(view);
    D.drawKeys();
    if (isFirst) D.caseCame();
    D.lookPresence(view);
    // What changed between the queue's frame and this answer.
    D.follow();
  }
  function broken(error) {
    D.caseLost();
    const host = part("desk-thread");
    D.drawHead(null);
    host.textContent = "";
    const box = make("div", "message", host);
    make("b", "", box, "This case cannot be shown");
    make("p", "", box, error.message);
    const back = make("button", "btn", box, "Try again");
    back.type = "button";
    back.addEventListener("click", () => load(true));
    D.closeComposer();
  }
  D.reload = function () {
    clearTimeout(again);
    again = setTimeout(() => load(D.view === null), AGAIN_MS);
  };
  /* What an act answered is newer than what is on the screen: read at once. */
  D.changed = function () { clearTimeout(again); return load(D.view === null); };

  // -- what the live link brought ----------------------------------------------------------------------------
  D.follow = function () {
    if (!on) enter();
    if (!on) return;
    const id = wanted();
    if (!D.selected && id) { D.select(id); return; }
    if (!D.selected && !phone.matches) {
      const shown = D.shown();
      // On a desk the most urgent one stands open; looking at it claims nothing.
      if (shown.length) { D.select(shown[0], { stay: true }); return; }
    }
    if (!D.selected) { empty(); return; }
    const row = D.rows.get(D.selected);
    if (row && D.view && row.n > D.view.n && !busy) D.reload();
    else if (row && D.view) D.drawDue(row);
  };
  function empty() {
    D.drawHead(null);
    const host = part("desk-thread");
    if (!host.firstChild || !host.querySelector(".desk-none")) {
      host.textContent = "";
      make("p", "desk-none t3", host, D.shown().length ? "Choose a case in the queue." : "No case is open here.");
    }
  }
  /* A case that the queue does not hold (closed, or beyond its part) brings no frame: it is asked for, lightly. */
  setInterval(async () => {
    if (!on || document.hidden || busy || !D.view || D.rows.has(D.selected)) return;
    const id = D.selected;
    try {
      const said = await D.asks().read("case.version", { case: id });
      if (id === D.selected && D.view && said.n > D.view.n) D.reload();
    } catch (_error) { /* the badge says that the link is down */ }
  }, POLL_MS);

  // -- coming and going --------------------------------------------------------------------------------------
  function enter() {
    if (on || !part("respond")) return;
    on = true;
    screen(wanted() ? "case" : "queue");
    D.drawKeys();
  }
  function leave() {
    if (!on) return;
    on = false;
    D.leaveComposer();
    D.leavePresence();
    clearTimeout(moving);
    clearTimeout(again);
    asked += 1;
    D.selected = "";
    D.view = null;
    D.queue = null;
    D.rows = new Map();
    D.ticked.clear();
    D.forgetOwn();
    D.closeComposer();
    document.documentElement.classList.remove("desk-case-open");
  }
  window.addEventListener("watchfloor:page", (event) => {
    if (event.detail.page !== PAGE) leave();
  });
  // The link of a case on the desk itself, and the way back on a phone.
  function moved() {
    if (!on) return;
    const id = wanted();
    if (id && id !== D.selected) D.select(id);
    else if (!id && phone.matches) screen("queue");
    else if (id) screen("case");
  }
  window.addEventListener("popstate", moved);
  window.addEventListener("hashchange", moved);
  // A link that was cut may have missed something of the open case.
  window.addEventListener("live:frame", (event) => { if (on && event.detail.full && D.view && !busy) D.reload(); });
  D.isOn = () => on;
  D.write = write;
})();
