/* Since you looked: who was away for half an hour (no key, no pointer, no visible tab) is told what happened meanwhile. When somebody
   looked last is kept with the person, so it holds over browsers; within one browser all tabs share it, and one of them tells. */
(function () {
  "use strict";
  const { make } = window.WatchfloorDom;
  const AWAY_MS = 30 * 60000, TELL_MS = 5 * 60000, NOTE_MS = 5000, PATIENCE_MS = 10 * 60000;
  const LOOKED = "watchfloor-looked", TOLD = "watchfloor-told";
  let waiting = null, began = false, noted = 0;
  const overlay = () => window.WatchfloorOverlay;
  const at = (name) => Number(localStorage.getItem(name)) || 0;

  // -- whether somebody looks --------------------------------------------------------------------------------
  function looked() {
    const now = Date.now();
    if (document.hidden || !began || now - noted < NOTE_MS) return;
    noted = now;
    const before = at(LOOKED);
    localStorage.setItem(LOOKED, String(now));
    if (now - before >= AWAY_MS) ask();
    else tell(false);
  }
  /* Every five minutes is enough: half an hour is what counts. */
  function tell(force) {
    const now = Date.now();
    if (!force && now - at(TOLD) < TELL_MS) return;
    localStorage.setItem(TOLD, String(now));
    const seen = new Date(window.LIVE.now()).toISOString();
    window.WatchfloorAsks.act("preference.put", { key: "seen", value: seen }).catch(() => localStorage.removeItem(TOLD));
  }
  function ask() {
    if (waiting) return;
    window.WatchfloorAsks.read("since").then((said) => {
      if (said.newest) window.WatchfloorLog.newest(said.newest);
      if (said.away) show(said); else tell(true);
    }, () => {});
  }
  function begin() {
    if (began || document.hidden) return;
    began = true;
    noted = Date.now();
    const before = at(LOOKED);
    localStorage.setItem(LOOKED, String(noted));
    if (noted - before >= AWAY_MS) ask(); else tell(false);
  }
  window.addEventListener("live:frame", begin, { once: true });
  for (const name of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) window.addEventListener(name, looked, { passive: true });
  document.addEventListener("visibilitychange", () => { begin(); looked(); });

  // -- the dialog --------------------------------------------------------------------------------------------
  /* Never over something that is open, and never under the fingers of somebody who types. */
  function busy() {
    const on = document.activeElement;
    return document.hidden || document.querySelector("dialog[open], .pop") || overlay().open() || (on && /^(INPUT|TEXTAREA|SELECT)$/.test(on.tagName));
  }
  function show(said) {
    waiting = said;
    const until = Date.now() + PATIENCE_MS;
    (function attempt() {
      if (Date.now() > until) { waiting = null; return; }
      if (busy()) { setTimeout(attempt, 1000); return; }
      waiting = null;
      tell(true);
      open(said);
    })();
  }
  function open(said) {
    const shown = overlay().dialog({ title: "Since you looked, " + said.clock, build: (body, dialog) => build(body, dialog, said) });
    shown.host.classList.add("since");
    const title = shown.host.querySelector("h2");
    title.after(make("span", "t3 since-about", null, said.about));
    shown.host.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) {
        if (event.key === "Enter" && said.unsigned) { event.preventDefault(); shown.host.querySelector(".take-over").click(); }
        return;
      }
      const row = shown.host.querySelector('[data-key="' + event.key + '"]');
      if (row && /^[1-9]$/.test(event.key)) { event.preventDefault(); row.click(); }
    });
  }
  function build(body, dialog, said) {
    body.classList.add("since-body");
    said.lines.forEach((line, place) => row(body, dialog, line, String(place + 1)));
    if (said.log.length) {
      const head = make("div", "since-head", body);
      make("b", "", head, "Shift log");
      make("span", "t3 grow", head, said.log.length + said.more + (said.log.length + said.more === 1 ? " new line" : " new lines"));
      const all = make("button", "linked", head, "show all");
      all.type = "button";
      all.addEventListener("click", () => { dialog.close(); window.WatchfloorLog.toggle(); });
      const list = make("ol", "log-lines", body);
      for (const line of said.log) window.WatchfloorLog.fill(make("li", "log-line", list), line);
      list.addEventListener("click", (event) => { if (event.target.closest("a")) dialog.close(); });
    }
    if (said.unsigned) make("span", "t3 grow", dialog.foot, "Both names go to the audit.");
    const later = make("button", "btn", dialog.foot, said.unsigned ? "Later" : "Close");
    later.type = "button";
    later.addEventListener("click", dialog.close);
    if (!said.unsigned) return;
    const take = make("button", "btn pri take-over", dialog.foot, "Read, I take over ");
    take.type = "button";
    make("kbd", "", take, "Ctrl ↵");
    take.addEventListener("click", () => { dialog.close(); window.WatchfloorLog.signed(said.newest); });
  }
  function row(parent, dialog, line, key) {
    const way = make("a", "since-row", parent);
    way.href = line.href;
    way.dataset.key = key;
    const glyph = make("i", line.tone || "t2", way, line.glyph);
    glyph.setAttribute("aria-hidden", "true");
    const words = make("span", "since-words", way);
    make("b", "", words, line.title);
    make("span", "t3", words, line.sub);
    make("b", "value " + (line.tone || ""), way, line.value);
    make("kbd", "", way, key);
    way.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      dialog.close();
      const url = new URL(line.href, location.href);
      window.WatchfloorShell.go(url.pathname, url.search);
    });
  }
  window.WatchfloorSince = { open };
})();
