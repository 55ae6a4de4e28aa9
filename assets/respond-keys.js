/* The keys of the desk. Single ones are off while somebody types (shell.js sees to that); those with Ctrl always work. */
(function () {
  "use strict";
  const D = (window.WatchfloorDesk = window.WatchfloorDesk || {});
  const { make } = window.WatchfloorDom;
  const PAGE = "respond";
  const part = (id) => document.getElementById(id);
  const KEYS = {
    j: () => D.step(1), k: () => D.step(-1), c: (event) => (event.shiftKey ? D.claimNext() : D.claim()), r: () => D.reply(), "/": () => D.canned(),
    a: () => (D.ticked.size ? D.assign([...D.ticked]) : D.assign()), e: () => D.act("resolved"), n: () => D.writeNote(), s: () => D.snooze(), d: () => D.dismiss(),
    b: () => D.sendBack(), i: () => D.side(part("respond").dataset.side !== "on"), u: () => D.undo(), x: () => { if (D.selected) D.tick(D.selected, !D.ticked.has(D.selected)); },
    1: () => D.choose("team"), 2: () => D.choose("mine"), 3: () => D.choose("sign"),
  };
  /* Those that need the open case to be there. */
  const NEEDS_CASE = "creaensdb/";

  /* A key before its case has come waits for it, and what is typed behind it is no key of the page: after R, N or B it is the beginning
     of what that key opens a field for. */
  let held = null;
  D.caseCame = function () {
    if (!held) return;
    const { key, words } = held, event = held.event;
    held = null;
    KEYS[key](event);
    const field = document.activeElement;
    if ("rnb".includes(key) && words && field && field.tagName === "TEXTAREA") document.execCommand("insertText", false, words);
  };
  D.caseLost = function () { held = null; };

  function keys(event) {
    if (held && !/^[jk]$/i.test(event.key)) { if (event.key.length === 1) held.words += event.key; return true; }
    const key = event.key.toLowerCase(), does = KEYS[key];
    if (!does) return false;
    const isNext = event.key === "C" && event.shiftKey;
    if (NEEDS_CASE.includes(key) && !isNext && !D.view) { if (D.selected) held = { key, event, words: "" }; return true; }
    does(event);
    return true;
  }
  function escape(event) {
    if (D.closeCanned()) return true;
    const at = event.target;
    if (part("desk-composer") && part("desk-composer").contains(at)) {
      at.blur();
      const line = D.line(D.selected);
      if (line && line.offsetParent) line.parts.open.focus({ preventScroll: true });
      return true;
    }
    return D.side(false) || D.close();
  }
  // Outside of the composer too: what waits for a signature is signed, a stale text is marked as read.
  document.addEventListener("keydown", (event) => {
    if (!D.isOn() || event.defaultPrevented || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    if (document.querySelector("dialog[open],.pop")) return;
    const at = event.target;
    if (/^(INPUT|SELECT)$/.test(at.tagName)) return;
    event.preventDefault();
    if (D.maySign()) D.sign(); else D.send();
  });
  window.WatchfloorPages = Object.assign(window.WatchfloorPages || {}, { [PAGE]: { keys, escape } });

  D.drawKeys = function () {
    const host = part("desk-keys");
    if (!host) return;
    const signs = D.maySign && D.maySign();
    const shown = [[["J", "K"], "next, previous"], [["C"], "claim"], [["R"], "reply"], [["/"], "canned"], [["A"], "assign"], [["E"], "close"], [["N"], "note"], [["S"], "snooze"],
      ...(signs ? [[["B"], "send back"]] : []), [["Ctrl", "↵"], signs ? "sign" : "send or request sign-off"], [["?"], "all keys"]];
    const drawn = JSON.stringify(shown);
    if (host.dataset.drawn === drawn) return;
    host.dataset.drawn = drawn;
    host.textContent = "";
    for (const [caps, words] of shown) {
      const item = make("span", "", host);
      for (const cap of caps) make("kbd", "", item, cap);
      item.append(" " + words);
    }
  };
})();
