/* Checks, policy and sending: what the server says of the text while it is written, and what becomes of it. A text never leaves the composer
   before the server has taken it.

   WatchfloorDesk.check(), .drawPolicy(), .strip(view), .send(), .confirmReply(reply). */
(function () {
  "use strict";
  const D = (window.WatchfloorDesk = window.WatchfloorDesk || {});
  const { make, icon, write } = window.WatchfloorDom;
  const WAIT_MS = 400, UNDO_MS = 10000;
  let timer = 0, asked = 0, outlook = null, sending = false, refused = null;

  // -- checks ------------------------------------------------------------------------------------------------
  D.check = function () {
    clearTimeout(timer);
    timer = setTimeout(ask, outlook && outlook.id === D.selected ? WAIT_MS : 0);
    D.drawPolicy();
  };
  async function ask() {
    const c = D.composer(), view = D.view;
    if (!c || !view || c.id !== view.id || !view.may.draft) return;
    const mine = ++asked, id = view.id, text = c.texts.reply.value;
    try {
      const said = await D.asks().ask("reply.checks", { case: id, text, account: c.account || null });
      if (mine !== asked || D.selected !== id) return;
      outlook = Object.assign(said, { id, text });
      draw(said.checks);
      D.drawPolicy();
    } catch (_error) { /* what was said last stands; the server checks again when it is sent */ }
  }
  function draw(checks) {
    const host = D.composer().checks, drawn = JSON.stringify(checks);
    host.classList.toggle("none", !D.composer().texts.reply.value.trim());
    if (host.drawn === drawn) return;
    host.drawn = drawn;
    host.textContent = "";
    for (const one of checks) {
      const cell = make("div", "ck" + (one.verdict === "ok" ? "" : " w"), host);
      icon(one.verdict === "ok" ? "check" : one.verdict === "block" ? "lock" : "info", "s14", cell);
      make("b", "", cell, one.name);
      make("span", "", cell, one.words);
      cell.title = one.name + ": " + one.words;
    }
  }
  D.drawPolicy = function () {
    const c = D.composer(), view = D.view;
    if (!c || !view || c.id !== view.id) return;
    const words = c.policyWords, isNote = c.mode === "note", known = outlook && outlook.id === view.id ? outlook : null;
    const text = c.texts[c.mode].value.trim();
    let title = "", about = "", label = "Send", tone = "", off = "";
    if (isNote) {
      title = "Your colleagues read this";
      about = "Never sent to the network; it stands in the conversation and in the audit trail.";
      label = "Add the note";
      if (!view.may.work) off = "You may not write here.";
    } else {
      title = known ? known.title : "";
      about = known ? known.about : "";
      label = known ? known.label : "Send";
      tone = known ? known.tone : "";
      if (view.reply.how !== "api") { about = [view.reply.why, about].filter(Boolean).join(" "); if (view.reply.how === "native") label = known && !known.at_once ? label : "Take it to " + view.network; }
      if (!view.mine) off = "Claim the case first.";
      else if (view.reply.how === "blocked") off = view.reply.why;
      // What was said of another text stops nobody: the server looks at this one before it goes.
      else if (known && known.off && known.text === c.texts.reply.value) off = known.off;
    }
    if (!text) off = off || "Nothing is written yet.";
    c.policy.className = "so " + tone;
    c.policyIcon.className = "ic ic-" + (tone === "plain" || isNote ? "info" : "lock");
    if (words.drawn !== title + about + off) {
      words.drawn = title + about + off;
      words.textContent = "";
      make("b", "", words, title);
      make("span", "t2", words, about);
    }
    write(c.goWords, sending ? "Sending…" : label);
    c.go.disabled = sending || Boolean(off);
    c.go.title = off;
  };

  // -- what stands in the way --------------------------------------------------------------------------------
  const newer = (view) => view.events.filter((event) => event.n > D.seen && event.matters && !event.mine);
  D.strip = function (view) {
    const c = D.composer();
    if (!c) return;
    const found = c.texts.reply.value.trim() ? newer(view) : [];
    if (!found.length && refused && refused.kind === "stale") refused = null;
    if (!view.mine && !c.claiming && c.texts.reply.value.trim() && !refused) show({ words: view.by ? view.by.name + " has the case now. Your text is kept." : "Your claim has ended. Your text is kept.", ways: [[view.by ? "Take over" : "Claim again", () => D.claim()]] });
    else if (found.length) show({ words: refused ? "Not sent: this was written meanwhile. Read it, then send again." : "Written meanwhile:", events: found, ways: [["I have read it", () => read(), refused ? "Ctrl ↵" : ""]] });
    else if (refused) show(refused);
    else show(null);
  };
  function read() { D.seen = D.view.n; refused = null; D.strip(D.view); D.drawThread(D.view); D.saving(D.view.id); D.composer().texts.reply.focus(); }
  D.markRead = () => { const c = D.composer(); if (!c || c.strip.hidden || !newer(D.view).length) return false; read(); return true; };
  function show(what) {
    const strip = D.composer().strip, drawn = what ? JSON.stringify([what.words, what.events, (what.ways || []).map((way) => way[0])]) : "";
    if (strip.drawn === drawn) return;
    strip.drawn = drawn;
    strip.textContent = "";
    strip.hidden = !what;
    if (!what) return;
    const line = make("div", "s-line", strip);
    icon("info", "s16", line);
    make("b", "", line, what.words);
    make("span", "grow", line);
    for (const [words, act, keys] of what.ways || []) {
      const button = make("button", "btn sm", line, words);
      button.type = "button";
      if (keys) make("kbd", "", button, keys);
      button.addEventListener("click", act);
    }
    for (const event of (what.events || []).slice(-3)) {
      const row = make("p", "s-new", strip);
      make("bdi", "t2", row, event.words + (event.text ? ": " : ""));
      if (event.text) make("bdi", "", row, event.text);
    }
  }

  // -- sending -----------------------------------------------------------------------------------------------
  D.send = async function (reason) {
    const c = D.composer(), view = D.view;
    if (!c || !view || sending) return;
    if (c.mode === "note") { D.addNote(c.texts.note); return; }
    // Refused because something came meanwhile: the same keys say that it is read, and then send.
    if (refused && refused.kind === "stale" && D.markRead()) return;
    const text = c.texts.reply.value;
    if (!text.trim() || c.go.disabled) { if (c.go.title) D.toast(c.go.title); return; }
    sending = true;
    refused = null;
    D.drawPolicy();
    await D.flush();
    let said = null;
    try {
      said = await D.asks().act("reply.submit", { case: view.id, text, account: c.account || null, token: view.token, event: D.seen, reason: reason || "" });
    } catch (error) { sending = false; D.drawPolicy(); await stopped(error); return; }
    sending = false;
    if (D.composer() !== c) { D.drop(view.id, "reply"); return; }
    // What was typed while the server took it is the next text.
    if (c.texts.reply.value === text) D.clearComposer("reply");
    D.doneTyping();
    D.toast(said.words, said.undo ? { undo: () => D.undoSend(), ms: UNDO_MS } : {});
    await D.changed();
    D.check();
  };
  async function stopped(error) {
    const told = error.told || {};
    if (told.kind === "reason") {
      D.reason("Answer it all the same?", error.message, "Send it anyway", async (reason) => { D.send(reason); return true; });
      return;
    }
    if (told.kind === "blocked") draw(told.checks);
    refused = { kind: told.kind, words: error.message, ways: told.kind === "lapsed" || told.kind === "taken" ? [["Claim again", () => D.claim()]] : [] };
    if (told.kind === "stale" || told.kind === "lapsed" || told.kind === "taken") await D.changed();
    const c = D.composer();
    if (c) { D.strip(D.view); c.texts.reply.focus(); }
    window.WatchfloorDom.say(error.message);
  }
  D.forgetRefusal = () => { refused = null; };
  window.addEventListener("watchfloor:incidents", () => {
    if (!D.isOn() || !D.view) return;
    if (refused && (refused.kind === "frozen" || refused.kind === "blocked")) refused = null;
    D.reload();
  });
  /* Signed too late, or something came meanwhile: one key of its author sends it. */
  D.confirmReply = async function (it, reason) {
    try {
      const said = await D.asks().act("reply.confirm", { case: D.selected, reply: it.id, token: D.view.token, event: D.seen, reason: reason || "" });
      D.toast(said.words, { undo: () => D.undoSend(), ms: UNDO_MS });
    } catch (error) {
      const told = error.told || {};
      if (told.kind === "reason") { D.reason("Answer it all the same?", error.message, "Send it anyway", async (why) => { D.confirmReply(it, why); return true; }); return; }
      D.fail(error);
    }
    await D.changed();
  };
})();
