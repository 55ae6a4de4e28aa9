/* The composer: built once for a case and then only told what changed. What is typed is never drawn anew.

   WatchfloorDesk.openComposer(view), .tellComposer(view), .leaveComposer(), .closeComposer(), .compose("reply" | "note"), .fillComposer(text). */
(function () {
  "use strict";
  const D = (window.WatchfloorDesk = window.WatchfloorDesk || {});
  const { make, icon, write } = window.WatchfloorDom;
  const part = (id) => document.getElementById(id);
  const TALLEST = 260;
  let c = null;
  D.composer = () => c;

  // -- building ----------------------------------------------------------------------------------------------
  function build(view) {
    const host = part("desk-composer");
    host.textContent = "";
    host.hidden = false;
    c = { id: view.id, mode: "reply", host, account: "", known: "", texts: {}, strip: make("div", "c-strip", null) };
    c.panel = make("div", "c-panel", host);
    c.editor = make("div", "c-editor", host);
    const one = make("div", "c1", c.editor), seg = make("span", "seg", one);
    seg.setAttribute("role", "group");
    seg.setAttribute("aria-label", "What you write");
    c.modes = {};
    for (const [mode, words] of [["reply", "Public reply"], ["note", "Internal note"]]) {
      const button = (c.modes[mode] = make("button", "", seg, words));
      button.type = "button";
      button.addEventListener("click", () => D.compose(mode));
    }
    make("span", "grow", one);
    c.as = make("label", "sel c-as", one);
    make("em", "", c.as, "As");
    c.net = make("span", "net", c.as);
    c.accounts = make("select", "", c.as);
    c.accounts.setAttribute("aria-label", "Posting account");
    c.accounts.addEventListener("change", () => { c.account = c.accounts.value; kept(); D.check(); });
    c.fold = make("button", "c-fold", one);
    c.fold.type = "button";
    c.fold.setAttribute("aria-label", "Fold the composer");
    c.fold.addEventListener("click", () => host.classList.toggle("folded"));
    icon("chev", "", c.fold);
    c.strip.setAttribute("role", "alert");
    c.editor.append(c.strip);
    for (const mode of ["reply", "note"]) {
      const text = (c.texts[mode] = make("textarea", "c-text", c.editor));
      text.id = "desk-" + mode;
      text.dir = "auto";
      text.rows = 3;
      text.maxLength = 10000;
      text.setAttribute("aria-label", mode === "reply" ? "Public reply" : "Internal note");
      text.addEventListener("input", () => typed(mode));
      text.addEventListener("keydown", keys);
    }
    c.texts.note.placeholder = "For your colleagues only. @ names one of them.";
    const two = (c.two = make("div", "c2", c.editor));
    c.cannedWords = make("span", "t3", two, "Canned ");
    make("kbd", "", c.cannedWords, "/");
    c.chips = make("span", "c-chips", two);
    make("span", "grow", two);
    c.saved = make("span", "t3 c-saved", two);
    c.saved.setAttribute("role", "status");
    c.checks = make("div", "cks", c.editor);
    c.policy = make("div", "so", c.editor);
    c.policyIcon = icon("lock", "", c.policy);
    c.policyWords = make("div", "so-words", c.policy);
    make("span", "grow", c.policy);
    c.go = make("button", "btn pri", c.policy);
    c.go.type = "button";
    c.goWords = make("span", "", c.go, "Send");
    make("kbd", "", c.go, "Ctrl ↵");
    c.go.addEventListener("click", () => D.send());
  }
  /* Which text of this person the server has, and this composer knows of. */
  const version = (draft) => (draft ? draft.id + ":" + draft.hash : "");
  D.openComposer = function (view) {
    build(view);
    const local = D.keep(view.id, "reply"), note = D.keep(view.id, "note"), draft = view.draft;
    if (note) c.texts.note.value = note.text;
    c.account = String((local && local.account) || (draft && draft.account) || view.reply.account || "");
    if (local && !local.saved && (local.text || draft)) {
      // The server has not confirmed it: this browser knows better.
      c.texts.reply.value = local.text;
      D.saving(view.id, 0);
    } else if (draft) {
      c.texts.reply.value = draft.text;
      c.known = version(draft);
      says("Saved " + D.clock(draft.at));
    } else if (local) D.drop(view.id, "reply");
    accounts(view);
    D.compose("reply", true);
    D.tellComposer(view);
    D.drawCanned(view);
    for (const mode in c.texts) grow(c.texts[mode]);
  };
  D.leaveComposer = function () { if (c) D.flush(); };
  D.closeComposer = function () {
    const host = part("desk-composer");
    if (host) { host.textContent = ""; host.hidden = true; }
    c = null;
  };

  // -- what is told ------------------------------------------------------------------------------------------
  D.tellComposer = function (view) {
    if (!c || c.id !== view.id) return;
    comesBack(view.draft);
    const text = c.texts.reply.value.trim(), mine = view.mine;
    c.panel.hidden = !D.drawPanel(c.panel, view);
    accounts(view);
    const isBusy = Boolean(view.panel) && !text && c.mode === "reply";
    c.host.classList.toggle("only-panel", isBusy);
    // Nobody types into what they may not send; what stands there already stays theirs.
    const locked = !mine && !text && !c.claiming;
    c.texts.reply.disabled = locked;
    c.texts.reply.placeholder = locked ? placeholder(view) : "Write to " + view.name;
    c.host.classList.toggle("locked", locked);
    if (!text) D.seen = view.n;
    D.strip(view);
    D.check();
  };
  /* What was sent back, or written elsewhere, goes into a composer in which nothing stands; into no other. */
  function comesBack(draft) {
    const local = D.keep(c.id, "reply");
    if (!draft || !draft.text || c.texts.reply.value.trim() || version(draft) === c.known || (local && !local.saved)) return;
    c.texts.reply.value = draft.text;
    c.known = version(draft);
    c.account = draft.account || c.account;
    grow(c.texts.reply);
    says("Saved " + D.clock(draft.at));
  }
  function placeholder(view) {
    if (view.closed) return "This case is closed.";
    if (!view.may.draft) return "You may read this case, and not answer it.";
    if (view.by && !view.mine) return view.by.name + " has this case until " + D.clock(view.by.until) + ". C takes it over, with a reason.";
    return view.reply.how === "blocked" ? view.reply.why : "Claim it to answer: C, or R to claim and write.";
  }
  function accounts(view) {
    const offered = view.reply.accounts, drawn = JSON.stringify(offered);
    if (c.accounts.drawn !== drawn) {
      c.accounts.drawn = drawn;
      c.accounts.textContent = "";
      for (const one of offered) {
        const option = make("option", "", c.accounts, one.name);
        option.value = one.id;
      }
    }
    if (!offered.some((one) => one.id === c.account)) c.account = offered.length ? offered[0].id : "";
    c.accounts.value = c.account;
    write(c.net, view.net);
    c.as.hidden = c.mode !== "reply" || !offered.length;
  }
  D.account = () => (c ? c.account : "");

  // -- typing ------------------------------------------------------------------------------------------------
  function grow(text) {
    if (!text.offsetParent) return;
    text.style.height = "auto";
    text.style.height = Math.min(TALLEST, Math.max(text.scrollHeight + 2, 84)) + "px";
  }
  function kept() { D.put(c.id, "reply", c.texts.reply.value, c.account); }
  function typed(mode) {
    grow(c.texts[mode]);
    if (mode === "note") { D.put(c.id, "note", c.texts.note.value, ""); D.tellNote(c.texts.note); D.drawPolicy(); return; }
    kept();
    D.check();
    D.typingPresence();
  }
  function says(words, bad) { if (c) { write(c.saved, words); c.saved.classList.toggle("wn", Boolean(bad)); } }
  D.saveSays = function (how, said) {
    if (how === "unsaved") { if (c && !c.saved.textContent) says("Not saved yet"); }
    else if (how === "saved") { says("Saved " + D.clock(said.at)); if (c) c.known = version({ id: said.reply, hash: said.hash }); }
    else says(said.status >= 400 && said.status < 500 && said.status !== 401 ? said.message : "Not saved on the server yet; kept in this browser", true);
  };
  function keys(event) {
    const text = event.target;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); D.send(); }
    else if (event.key === "/" && text === c.texts.reply && /(^|\s)$/.test(text.value.slice(0, text.selectionStart))) { event.preventDefault(); D.canned(); }
  }
  /* Puts words in at the caret so that the browser's own undo takes them back. */
  D.insert = function (words, mode) {
    const text = c.texts[mode || "reply"];
    text.disabled = false;
    text.focus();
    if (!document.execCommand("insertText", false, words)) {
      text.setRangeText(words, text.selectionStart, text.selectionEnd, "end");
      text.dispatchEvent(new Event("input", { bubbles: true }));
    }
  };
  D.fillComposer = function (words) {
    if (!c) return;
    const text = c.texts.reply;
    D.compose("reply", true);
    text.disabled = false;
    text.value = text.value.trim() && text.value.trim() !== words.trim() ? text.value + "\n" + words : words;
    typed("reply");
    c.host.classList.remove("only-panel", "locked");
    text.focus();
  };
  D.clearComposer = function (mode) {
    if (!c) return;
    c.texts[mode].value = "";
    // What was handed over comes back as a new text.
    if (mode === "reply") c.known = "";
    D.drop(c.id, mode);
    grow(c.texts[mode]);
    says("");
  };
  D.compose = function (mode, quietly) {
    if (!c) return;
    c.mode = mode;
    for (const key in c.modes) c.modes[key].setAttribute("aria-pressed", String(key === mode));
    for (const key in c.texts) c.texts[key].hidden = key !== mode;
    c.host.classList.toggle("is-note", mode === "note");
    c.host.classList.remove("folded");
    c.checks.hidden = mode === "note";
    c.two.hidden = mode === "note";
    if (D.view) { accounts(D.view); c.host.classList.toggle("only-panel", Boolean(D.view.panel) && !c.texts.reply.value.trim() && mode === "reply"); }
    grow(c.texts[mode]);
    D.drawPolicy();
    if (!quietly) c.texts[mode].focus();
  };
  /* R: a reply needs the case. Whoever types on while the server answers types into the text, and not into the keys of the page. */
  D.reply = async function () {
    const view = D.view, mine = c;
    if (!view || !mine) return;
    D.compose("reply", true);
    const text = mine.texts.reply;
    if (!view.mine && (view.by || view.closed || !view.may.draft)) { if (view.by && view.may.draft) D.claim(); else D.toast(placeholder(view)); return; }
    mine.claiming = !view.mine;
    text.disabled = false;
    mine.host.classList.remove("locked", "only-panel");
    text.focus();
    text.scrollIntoView({ block: "nearest" });
    if (!mine.claiming) return;
    await D.claim();
    mine.claiming = false;
    if (c === mine && D.view && D.view.id === mine.id) D.tellComposer(D.view);
  };
})();
