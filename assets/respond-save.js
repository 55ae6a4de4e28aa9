/* What is being written is kept: in this browser at every key, on the server every two seconds. It outlives a lost connection, a reload and a
   restart of the server; what the server has not confirmed wins over what it knows.

   WatchfloorDesk.keep(id, mode) -> {text, account, saved, at} or null, .put(id, mode, text, account), .drop(id, mode),
   .saving(id): has the server save it; .flush(): at once. */
(function () {
  "use strict";
  const D = (window.WatchfloorDesk = window.WatchfloorDesk || {});
  const EVERY_MS = 2000, AGAIN_MS = 3000, OLD_MS = 30 * 86400000, PREFIX = "watchfloor-draft:";
  // Where a browser keeps nothing, it holds as long as the tab is open.
  const memory = new Map();
  let timer = 0, due = "", running = null;

  const key = (id, mode) => PREFIX + D.me().id + ":" + id + ":" + mode;
  function stores() { return [() => localStorage, () => sessionStorage]; }
  D.keep = function (id, mode) {
    for (const store of stores()) {
      try { const found = store().getItem(key(id, mode)); if (found) return JSON.parse(found); } catch (_error) { /* the next one */ }
    }
    return memory.get(key(id, mode)) || null;
  };
  function write(id, mode, kept) {
    memory.set(key(id, mode), kept);
    for (const store of stores()) {
      try { store().setItem(key(id, mode), JSON.stringify(kept)); return; } catch (_error) { /* full, or forbidden */ }
    }
  }
  D.put = function (id, mode, text, account) {
    write(id, mode, { text, account, saved: false, at: Date.now() });
    if (mode === "reply") { D.saveSays("unsaved"); D.saving(id); }
  };
  D.drop = function (id, mode) {
    memory.delete(key(id, mode));
    for (const store of stores()) try { store().removeItem(key(id, mode)); } catch (_error) { /* nothing is there */ }
    if (mode === "reply" && due === id) { clearTimeout(timer); timer = 0; due = ""; }
  };
  D.saving = function (id, wait) {
    if (timer && due === id) return;
    if (timer && due !== id) { clearTimeout(timer); timer = 0; push(due); }
    due = id;
    timer = setTimeout(() => { timer = 0; push(id); }, wait === undefined ? EVERY_MS : wait);
  };
  D.flush = function () {
    if (!timer) return running || Promise.resolve();
    clearTimeout(timer);
    timer = 0;
    return push(due);
  };
  async function push(id) {
    if (running) await running;
    const kept = D.keep(id, "reply");
    if (!kept || kept.saved) return;
    const view = D.view && D.view.id === id ? D.view : null;
    running = D.asks().act("reply.save", { case: id, text: kept.text, account: kept.account || null, token: view ? view.token : null, event: view ? D.seen : kept.event || 0 })
      .then((said) => {
        const now = D.keep(id, "reply");
        if (now && now.text === kept.text && now.account === kept.account) write(id, "reply", Object.assign(now, { saved: true, event: D.seen }));
        if (D.selected === id) D.saveSays("saved", said);
      }, (error) => {
        if (D.selected === id) D.saveSays("failed", error);
        // What the server refused is tried again at the next key; what it never got, by itself.
        if (!error.status || error.status >= 500 || error.status === 401) D.saving(id, AGAIN_MS);
      })
      .finally(() => { running = null; });
    await running;
  }
  /* Sent drafts leave nothing behind; what was forgotten for a month goes. */
  function tidy() {
    try {
      for (const name of Object.keys(localStorage)) {
        if (name.startsWith(PREFIX) && Date.now() - JSON.parse(localStorage.getItem(name)).at > OLD_MS) localStorage.removeItem(name);
      }
    } catch (_error) { /* nothing is kept there */ }
  }
  tidy();
  window.addEventListener("pagehide", () => D.flush());
  document.addEventListener("visibilitychange", () => { if (document.hidden) D.flush(); });
})();
