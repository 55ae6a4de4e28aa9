/* The page of the rules: the list, the editor with its bar, saving and publishing, conflicts and versions. What is tried stands in rules-try.js. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const { make, write, keyed } = window.WatchfloorDom;
  const R = (window.WatchfloorRules = window.WatchfloorRules || {});
  const PAGE = "admin-rules", WAIT_MS = 400;
  // What is put in, and how many characters before its end the caret stands.
  const CHIPS = [["AND", "AND ", 0], ["OR", "OR ", 0], ["NOT", "NOT ", 0], ['"phrase"', '"···"', 1], ["near/n", "NEAR/5 ", 0], ["word*", "···*", 1], ["lang:", "lang:", 0], ["author:", "author:", 0], ["network:", "network:", 0]];
  const narrow = window.matchMedia("(max-width:640px)");
  const part = (id) => document.getElementById(id);
  const asks = () => window.WatchfloorAsks, over = () => window.WatchfloorOverlay;
  let on = false, rows = [], organisation = "", editor = null, parts = {}, timer = 0, opening = 0;
  /* What is open: the published version, the draft as it was last seen, the text as it was saved, what the server said of it last. */
  R.open = null;
  R.said = null;

  // -- the list ----------------------------------------------------------------------------------------------
  L.custom["rule-list-rows"] = function (props) {
    rows = props.rows;
    organisation = props.organisation;
    if (!part("rule-list-rows")) return true;
    if (!on) enter();
    list();
    if (!R.open && rows.length) choose(wanted() || rows[0].key);
    else newer();
    return true;
  };
  function wanted() {
    const key = decodeURIComponent(location.hash.slice(1));
    return rows.some((row) => row.key === key) ? key : "";
  }
  function list() {
    write(part("rule-list-of"), organisation + ", " + rows.length);
    const others = rows.filter((row) => row.kind !== "own"), items = rows.filter((row) => row.kind === "own");
    if (others.length) items.push({ key: " competitors", count: others.length }, ...others);
    keyed(part("rule-list-rows"), items, (row) => row.key, (row) => {
      if (row.count) {
        const group = make("div", "rgroup", null, "Competitors");
        group.count = make("span", "", group);
        return group;
      }
      const button = make("button", "rrow");
      button.type = "button";
      button.cells = [make("b", "", button), make("b", "num", button), make("span", "", button), make("span", "", button)];
      button.addEventListener("click", () => choose(row.key));
      return button;
    }, (button, row) => {
      if (row.count) { write(button.count, String(row.count)); return; }
      const texts = [row.name, row.mentions, row.about, row.draft ? "draft open" : row.version ? "24 h" : "off"];
      button.cells.forEach((cell, i) => write(cell, texts[i]));
      button.cells[3].className = row.draft ? "acc" : "";
      const isOn = Boolean(R.open) && R.open.brand === row.key;
      button.classList.toggle("on", isOn);
      if (isOn) button.setAttribute("aria-current", "true"); else button.removeAttribute("aria-current");
    });
  }

  // -- the middle --------------------------------------------------------------------------------------------
  function build() {
    const host = part("rule-editor");
    host.textContent = "";
    const panel = make("section", "panel redit", host);
    panel.setAttribute("aria-label", "Rule");
    const head = make("div", "ph", panel);
    parts.name = make("h2", "", head);
    parts.about = make("span", "sub", head);
    make("span", "grow", head);
    parts.errors = make("button", "chip late", head);
    parts.errors.type = "button";
    parts.errors.hidden = true;
    parts.errors.title = "Next error (F8)";
    parts.errors.addEventListener("click", () => editor.next());
    const old = make("button", "btn sm", head, "Versions");
    old.type = "button";
    old.addEventListener("click", versions);
    parts.newer = make("div", "rnewer", panel);
    parts.newer.hidden = true;
    parts.newer.setAttribute("role", "status");
    editor = new window.WatchfloorRuleEditor(make("div", "ewrap", panel), { changed, repaired: () => R.try(), save, publish });
    const chips = make("div", "echips", panel);
    make("span", "", chips, "Insert");
    for (const [words, text, back] of CHIPS) {
      const chip = make("button", "echip", chips, words);
      chip.type = "button";
      // The field keeps its caret.
      chip.addEventListener("mousedown", (event) => event.preventDefault());
      chip.addEventListener("click", () => editor.insert(text, back));
    }
    parts.counter = make("span", "side", chips);
    parts.foot = make("div", "ractions", panel);
    R.buildTried(host, part("rule-preview"));
    parts.built = panel;
  }
  async function choose(key) {
    if (R.open && R.open.brand === key) { editor.field.focus(); return; }
    await leave();
    const mine = (opening += 1);
    try {
      const answer = await asks().read("rules.rule", { brand: key });
      if (mine === opening && on) show(answer);
    } catch (error) { over().toast(error.message, { bad: true }); }
  }
  function show(answer) {
    if (!parts.built || !parts.built.isConnected) build();
    const draft = answer.draft;
    R.open = {
      brand: answer.brand, name: answer.name, published: answer.published, versions: answer.versions, seen: draft ? draft.at : "", by: draft ? draft.by : "",
      base: draft ? draft.base : answer.published.version, saved: draft ? draft.query : answer.published.query, isDraft: Boolean(draft),
    };
    R.said = null;
    history.replaceState(history.state, "", location.pathname + location.search + "#" + encodeURIComponent(answer.brand));
    write(parts.name, answer.name);
    editor.set(R.open.saved);
    list();
    head();
    newer();
    R.try();
  }
  function head() {
    const at = R.open, number = at.published.version;
    const by = at.published.by ? ", published by " + at.published.by : number ? ", from a file" : "";
    write(parts.about, (number ? "version " + number + (at.isDraft || dirty() ? ", draft of " + (number + 1) : by) : "no version yet") + "; makes a post a mention");
    const said = R.said, count = said ? said.errors.length : 0;
    parts.errors.hidden = !count;
    write(parts.errors, count === 1 ? "1 error" : count + " errors");
    const counter = said && said.counter;
    parts.counter.hidden = !counter;
    if (counter) {
      write(parts.counter, counter.used.toLocaleString("en") + " of " + counter.limit.toLocaleString("en") + " for " + counter.network);
      parts.counter.title = "The longest query that " + counter.network + " takes: a rule within it can be asked for there too";
      parts.counter.classList.toggle("over", counter.used > counter.limit);
    }
    bar();
  }
  const dirty = () => Boolean(R.open) && editor.text !== R.open.saved;
  R.text = () => editor.text;
  R.apply = (repair) => { editor.apply(repair); R.try(); };
  R.errors = (found) => { editor.errors(found); head(); };

  function changed() {
    R.stale();
    head();
    clearTimeout(timer);
    timer = setTimeout(() => R.try(), WAIT_MS);
  }

  // -- the bar above -----------------------------------------------------------------------------------------
  function bar() {
    const host = narrow.matches ? parts.foot : part("bar-own");
    if (!host || !on) return;
    if (!host.querySelector(".rsaid")) {
      // A phone's bar holds the way to the other pages and no more.
      for (const other of [part("bar-own"), parts.foot]) if (other) other.textContent = "";
      parts.saidOf = make("span", "rsaid", host);
      parts.discard = button(host, "btn", "Discard", discard);
      parts.save = button(host, "btn", "Save draft", save);
      parts.publish = button(host, "btn pri", "Publish rule", publish);
    }
    const at = R.open;
    const saved = at && at.isDraft ? "Draft by " + at.by + ", saved " + new Date(at.seen).toLocaleString([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false }) : "";
    write(parts.saidOf, at && dirty() ? "Not saved yet" + (saved ? ". " + saved : "") : saved);
    parts.discard.hidden = !at || !(at.isDraft || dirty());
    parts.save.hidden = !at || !dirty();
    const why = hindrance();
    write(parts.publish, why ? why[0] : "Publish rule");
    parts.publish.title = why ? why[1] : "Let it count from now on (Ctrl Enter)";
    parts.publish.setAttribute("aria-disabled", String(Boolean(why)));
    parts.publish.classList.toggle("dis", Boolean(why));
  }
  function button(host, className, words, act) {
    const made = make("button", className, host, words);
    made.type = "button";
    made.addEventListener("click", act);
    return made;
  }
  /* Why it cannot be published: what stands on the button, and the whole sentence. */
  function hindrance() {
    const said = R.said;
    if (!R.open || !said) return ["Publish rule", "It is being tried"];
    if (said.errors.length) return ["Error in line " + said.errors[0].line, "Not yet: line " + said.errors[0].line + ", column " + said.errors[0].column + ": " + said.errors[0].words];
    const failing = said.examples.filter((example) => example.passes === false).length;
    if (failing) return [failing === 1 ? "1 example fails" : failing + " examples fail", "Not yet: " + said.hindrance];
    return said.hindrance ? ["Publish rule", "Not yet: " + said.hindrance] : null;
  }

  // -- what people do ----------------------------------------------------------------------------------------
  const given = () => ({ brand: R.open.brand, query: editor.text, base: R.open.base, seen: R.open.seen });
  async function save() {
    if (!R.open || !dirty()) { if (R.open) over().toast("Nothing was changed since it was saved."); return true; }
    const at = R.open, asked = given();
    try {
      const done = await asks().act("rules.save", asked);
      if (done.conflict) { conflict(done, asked, "save"); return false; }
      Object.assign(at, { seen: done.draft.at, by: done.draft.by, saved: asked.query, isDraft: true });
      if (R.open === at) { over().toast(done.words); head(); }
      return true;
    } catch (error) { over().toast(error.message, { bad: true }); return false; }
  }
  async function publish() {
    if (!R.open) return;
    const why = hindrance();
    if (why && !(why[1] === "It is being tried")) { over().toast(why[1] + (/[.?!]$/.test(why[1]) ? "" : "."), { bad: true }); return; }
    const at = R.open, asked = given();
    try {
      const done = await asks().act("rules.publish", asked);
      if (done.conflict) { conflict(done, asked, "publish"); return; }
      over().toast(done.words);
      if (R.open === at) show(await asks().read("rules.rule", { brand: at.brand }));
    } catch (error) { over().toast(error.message, { bad: true }); }
  }
  function discard() {
    const at = R.open, text = editor.text;
    over().dialog({
      title: "Discard what was written?",
      build(body, dialog) {
        make("p", "t2", body, "The rule of " + at.name + " stays as version " + at.published.version + " has it" + (at.isDraft ? "; the draft by " + at.by + " is thrown away. The audit log keeps its text." : "."));
        button(dialog.foot, "btn", "Keep it", () => dialog.close());
        button(dialog.foot, "btn pri", "Discard", async () => {
          dialog.close();
          try {
            if (at.isDraft) over().toast((await asks().act("rules.discard", { brand: at.brand })).words);
            else over().toast("Discarded.", { undo: () => { if (R.open && R.open.brand === at.brand) { editor.replace(0, editor.text.length, text); } } });
            show(await asks().read("rules.rule", { brand: at.brand }));
          } catch (error) { over().toast(error.message, { bad: true }); }
        });
      },
    });
  }
  /* Somebody else wrote meanwhile: both texts, and nothing is lost whichever counts. */
  function conflict(done, asked, way) {
    const theirs = done.conflict;
    over().dialog({
      title: "Two texts", wide: true,
      build(body, dialog) {
        make("p", "t2", body, done.words + " Nothing was overwritten.");
        const both = make("div", "rboth", body);
        for (const [title, text] of [[theirs.kind === "published" ? "Version " + theirs.version + ", by " + theirs.by : "Draft by " + theirs.by, theirs.query], ["Yours", asked.query]]) {
          const side = make("section", "", both);
          make("h3", "", side, title);
          make("pre", "rtext", side, text || "(nothing)");
        }
        button(dialog.foot, "btn", "Take theirs", () => {
          dialog.close();
          const at = R.open;
          Object.assign(at, theirs.kind === "published" ? { base: theirs.version, published: { version: theirs.version, query: theirs.query, by: theirs.by, at: theirs.at } } : { seen: theirs.at, by: theirs.by, isDraft: true });
          at.saved = theirs.query;
          editor.replace(0, editor.text.length, theirs.query);
          head();
        });
        button(dialog.foot, "btn pri", "Keep mine over it", async () => {
          dialog.close();
          const at = R.open;
          Object.assign(at, theirs.kind === "published" ? { base: theirs.version } : { seen: theirs.at });
          at.saved = theirs.query;
          if (way === "save") await save(); else await publish();
        });
      },
    });
  }
  /* A version that somebody published while this page was open. */
  function newer() {
    const row = R.open && rows.find((each) => each.key === R.open.brand);
    if (!row || !parts.newer) return;
    const late = row.version > R.open.base;
    if (late && !dirty() && !R.open.isDraft) { refresh(); return; }
    parts.newer.hidden = !late;
    if (!late || parts.newer.dataset.of === String(row.version)) return;
    parts.newer.dataset.of = String(row.version);
    parts.newer.textContent = "";
    make("span", "", parts.newer, "Version " + row.version + " was published meanwhile; this was written over version " + R.open.base + ".");
    button(parts.newer, "btn sm", "Look at both", async () => {
      try {
        const now = (await asks().read("rules.rule", { brand: R.open.brand })).published;
        conflict({ words: "Version " + now.version + " was published meanwhile.", conflict: { kind: "published", query: now.query, version: now.version, by: now.by || "a file", at: now.at } }, given(), "save");
      } catch (error) { over().toast(error.message, { bad: true }); }
    });
  }
  async function refresh() {
    const at = R.open;
    try {
      const answer = await asks().read("rules.rule", { brand: at.brand });
      if (R.open === at && !dirty()) show(answer);
    } catch (_error) { /* The next change asks again. */ }
  }
  async function versions() {
    let answer;
    try { answer = await asks().read("rules.rule", { brand: R.open.brand }); } catch (error) { over().toast(error.message, { bad: true }); return; }
    over().drawer({
      key: "versions", title: "Versions of " + answer.name, width: 456,
      build(body) {
        if (!answer.versions.length) make("p", "t3", body, "Nothing was published yet.");
        for (const item of answer.versions) {
          const box = make("section", "rversion", body), top = make("header", "", box);
          make("b", "", top, "Version " + item.version);
          const until = item.until ? " – " + new Date(item.until).toLocaleDateString() : ", counts now";
          make("span", "", top, "by " + item.by + ", " + new Date(item.at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) + until);
          button(top, "btn sm", "Write from it", () => { editor.replace(0, editor.text.length, item.query); R.try(); });
          make("pre", "rtext", box, item.query);
        }
      },
    });
  }
  /* Whoever leaves keeps what they wrote. */
  async function leave() {
    clearTimeout(timer);
    if (R.open && parts.built && dirty()) await save();
  }

  // -- keys and the way in and out ---------------------------------------------------------------------------
  function keys(event) {
    const key = event.key.toLowerCase(), at = rows.findIndex((row) => R.open && row.key === R.open.brand);
    if (!R.open) return false;
    if (key === "j" && rows[at + 1]) choose(rows[at + 1].key);
    else if (key === "k" && rows[at - 1]) choose(rows[at - 1].key);
    else if (key === "e") editor.field.focus();
    else if (event.key === "F8") editor.next();
    else return false;
    return true;
  }
  function escape(event) {
    if (editor && event.target === editor.field) { editor.field.blur(); return true; }
    return false;
  }
  document.addEventListener("keydown", (event) => {
    if (!on || !R.open || event.defaultPrevented || !(event.ctrlKey || event.metaKey) || document.querySelector("dialog[open]")) return;
    if (event.key.toLowerCase() === "s") save();
    else if (event.key === "Enter") publish();
    else return;
    event.preventDefault();
  });
  window.addEventListener("beforeunload", (event) => { if (on && parts.built && dirty()) event.preventDefault(); });
  window.WatchfloorPages = Object.assign(window.WatchfloorPages || {}, { [PAGE]: { keys, escape } });
  function enter() {
    on = true;
    bar();
  }
  window.addEventListener("watchfloor:page", (event) => {
    // The other pages clear the bar of what is not theirs; this one fills it after them.
    if (event.detail.page === PAGE) { setTimeout(() => { if (part("rule-editor")) enter(); }, 0); return; }
    if (!on) return;
    leave();
    on = false;
    R.open = R.said = null;
    parts = {};
    const host = part("bar-own");
    if (host) host.textContent = "";
  });
  narrow.addEventListener("change", () => { if (on && R.open) bar(); });
})();
