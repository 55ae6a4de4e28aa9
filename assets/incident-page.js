/* The page of one incident: its head, timeline, narratives, statement, people, scope, tasks. What one may do is asked for
   once a page (incident.mine); what changes comes by the live link. The dialogs are in incident-acts.js. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const P = (window.WatchfloorIncident = window.WatchfloorIncident || {});
  const { make, icon, write, keyed } = window.WatchfloorDom;
  const PAGE = "incident";
  const part = (id) => document.getElementById(id);
  let only = "all", openStatements = new Set();
  P.on = false;
  P.card = null;
  P.mine = null;
  P.id = () => Number((/^\/incidents\/(\d+)/.exec(location.pathname) || [])[1] || 0);
  const ago = (iso) => L.age(Math.max(0, (L.now() - Date.parse(iso)) / 1000));

  function tool(host, words, key, act, symbol) {
    const one = make("button", "btn sm", host);
    one.type = "button";
    if (symbol) icon(symbol, "s14", one);
    make("span", "", one, words);
    if (key) make("kbd", "", one, key);
    one.addEventListener("click", act);
    return one;
  }
  /* A head is drawn by panels.js; what one may do is put at its end once. */
  function tools(key, build) {
    const head = part(key + "-head");
    if (!head || !head.parts) return null;
    let host = head.querySelector(".itools");
    if (!host) { host = make("span", "itools", head); build(host); }
    return host;
  }

  // -- the head --------------------------------------------------------------------------------------------
  function head() {
    const host = part("incident-card"), item = P.card;
    if (!host || !item) return;
    if (!host.parts) {
      const p = (host.parts = {}), first = make("div", "ih1", host), second = make("div", "ih2", host);
      p.label = make("span", "chip inc", first);
      icon("incidents", "s12", p.label);
      p.number = make("span", "", p.label);
      p.name = make("h2", "ih-name", first);
      p.name.dir = "auto";
      p.severity = make("span", "chip line", first);
      make("span", "grow", first);
      p.next = make("span", "ih-next t2", first, "next public update in");
      p.count = make("span", "chip warn num", first);
      p.update = tool(first, "Post update", "U", () => P.update());
      for (const name of ["open", "times", "net", "mentions", "reach", "cases", "held"]) p[name] = make("span", "ih-" + name, second);
    }
    const p = host.parts, open = item.state === "open";
    host.dataset.state = item.state;
    write(p.number, item.label);
    write(p.name, item.name);
    write(p.severity, "Severity " + item.severity);
    p.severity.title = item.reason;
    write(p.open, open ? "Open " + ago(item.since) + ", declared " + item.when + " by " + item.declared_by : "Over" + (item.ended_by ? ", ended by " + item.ended_by : ""));
    parts(p.times, item.times ? [["b", item.times], ["", " " + item.times_words]] : []);
    parts(p.net, item.glyph ? [[item.tone, item.glyph + " net " + item.net]] : []);
    write(p.mentions, item.mentions + " mentions" + (item.part ? ", newest 50,000 counted" : ""));
    write(p.reach, "Reach " + item.reach + ", " + item.reach_words);
    parts(p.cases, [["b", String(item.waiting)], ["", " waiting"], ...(item.late ? [["", ", "], ["late", item.late + " late"]] : []), ["", " of " + item.cases + (item.cases === 1 ? " case" : " cases")]]);
    write(p.held, open ? item.held : "");
    p.update.hidden = !open || !P.mine || !P.mine.work;
    countdown();
    bar();
  }
  function parts(host, pieces) {
    const said = JSON.stringify(pieces);
    if (host.dataset.said === said) return;
    host.dataset.said = said;
    host.textContent = "";
    for (const [tone, words] of pieces) make(tone === "b" ? "b" : "span", tone === "b" || !tone ? "" : tone === "late" ? "wn" : tone, host, words);
  }
  function countdown() {
    const host = part("incident-card");
    if (!host || !host.parts || !P.card) return;
    const p = host.parts, item = P.card, open = item.state === "open";
    p.next.hidden = p.count.hidden = !open || !item.next;
    if (p.next.hidden) return;
    const left = Math.floor((Date.parse(item.next) - L.now()) / 1000), late = left < 0, off = Math.abs(left);
    write(p.next, late ? "public update late by" : "next public update in");
    p.count.className = "chip num " + (late ? "late" : "warn");
    write(p.count, off >= 3600 ? Math.floor(off / 3600) + " h " + Math.floor((off % 3600) / 60) + " min" : Math.floor(off / 60) + ":" + String(off % 60).padStart(2, "0"));
  }
  L.custom["incident-card"] = (props) => { P.card = props; head(); return true; };
  L.custom["incident-held"] = (props) => {
    const host = part("incident-held");
    if (!host) return true;
    keyed(host, props.rows, (row) => row.words, (row) => {
      const line = make("div", "iheld-row");
      make("span", "", line, row.words);
      line.count = make("b", "num", line);
      const way = make("a", "linked", line, "see");
      way.href = row.href;
      way.setAttribute("aria-label", "See " + row.words.toLowerCase());
      way.addEventListener("click", (event) => { event.preventDefault(); window.WatchfloorShell.go(row.href); });
      return line;
    }, (line, row) => { write(line.count, String(row.count)); line.count.className = "num" + (row.count ? " wn" : " t3"); });
    return true;
  };

  // -- timeline --------------------------------------------------------------------------------------------
  function entry() {
    const host = make("li", "il"), p = {};
    p.clock = make("time", "il-clock num t3", host);
    p.mark = make("span", "il-mark", host);
    p.mark.setAttribute("aria-hidden", "true");
    const body = make("div", "il-body", host);
    p.what = make("b", "il-what", body);
    p.what.dir = "auto";
    p.text = make("div", "il-text t2", body);
    p.text.dir = "auto";
    p.way = make("a", "il-way linked", host);
    p.way.addEventListener("click", (event) => { if (event.ctrlKey || event.metaKey) return; event.preventDefault(); const to = new URL(p.way.href); window.WatchfloorShell.go(to.pathname, to.search); });
    host.parts = p;
    return host;
  }
  /* What stands before a colon is the headline of a line; a note and an update are told by who wrote them. */
  function said(row) {
    if (row.kind === "note" || row.kind === "update") return [row.word + ", " + row.actor, row.text];
    if (row.kind === "evidence") return [row.actor.charAt(0).toUpperCase() + row.actor.slice(1), row.text];
    const at = row.text.indexOf(": ");
    return at > 0 && at < 60 ? [row.text.slice(0, at), row.text.slice(at + 2) + ", " + row.actor] : [row.text, row.actor];
  }
  function entryUpdate(host, row) {
    const p = host.parts, [what, text] = said(row);
    host.dataset.kind = row.kind;
    p.clock.dateTime = row.at;
    write(p.clock, row.clock);
    write(p.what, what);
    write(p.text, text);
    p.way.hidden = !row.href;
    if (row.href) { p.way.href = row.href; write(p.way, row.kind === "evidence" ? "evidence" : "see"); p.way.setAttribute("aria-label", "See what “" + what + "” speaks of"); }
  }
  let timeline = null;
  function drawTimeline() {
    const host = part("incident-timeline-list");
    if (!host || !timeline) return;
    const rows = timeline.rows.filter((row) => only === "all" || row.kind === "decision");
    keyed(host, rows, (row) => row.n, entry, entryUpdate);
    const box = tools("incident-timeline", (host) => {
      for (const [key, words] of [["all", "All"], ["decisions", "Decisions"]]) {
        const one = make("button", "chip", host);
        one.type = "button";
        one.dataset.only = key;
        one.words = words;
        one.addEventListener("click", () => { only = key; drawTimeline(); });
      }
      host.note = tool(host, "Note", "N", () => P.note(), "plus");
    });
    if (!box) return;
    for (const one of box.querySelectorAll("[data-only]")) {
      const on = one.dataset.only === only;
      one.className = "chip " + (on ? "acc" : "line");
      one.setAttribute("aria-pressed", String(on));
      write(one, one.words + " " + (one.dataset.only === "all" ? timeline.rows.length : timeline.decisions));
    }
    box.note.hidden = !P.mine || !P.mine.work;
  }
  L.custom["incident-timeline-list"] = (props) => { timeline = props; setTimeout(drawTimeline); return true; };

  // -- narratives ------------------------------------------------------------------------------------------
  L.custom["incident-narratives-list"] = (props) => {
    const host = part("incident-narratives-list");
    if (!host) return true;
    keyed(host, props.rows, (row) => row.id, (row) => {
      const line = make("li", ""), way = make("a", "in-row", line), p = {};
      p.term = make("bdi", "in-term", way);
      const box = make("span", "bar", way);
      p.bar = make("i", "", box);
      p.texts = make("span", "num in-n", way);
      p.share = make("span", "num t3 in-n", way);
      p.net = make("span", "num in-net", way);
      p.times = make("span", "num in-n", way);
      way.addEventListener("click", (event) => { if (event.ctrlKey || event.metaKey) return; event.preventDefault(); const to = new URL(way.href); window.WatchfloorShell.go(to.pathname, to.search); });
      line.parts = Object.assign(p, { way });
      return line;
    }, (line, row) => {
      const p = line.parts;
      p.way.href = row.href;
      write(p.term, row.term);
      p.term.lang = row.lang;
      p.bar.style.width = 100 * row.share + "%";
      write(p.texts, row.texts);
      write(p.share, row.percent);
      write(p.net, row.glyph ? row.glyph + " " + row.net : row.net);
      p.net.className = "num in-net " + row.tone;
      write(p.times, row.times);
    });
    return true;
  };

  // -- statement -------------------------------------------------------------------------------------------
  const WORDS = { in_use: "in use", draft: "draft", withdrawn: "withdrawn" };
  let statements = null;
  function drawStatements() {
    const host = part("incident-statement-list");
    if (!host || !statements) return;
    keyed(host, statements.rows, (row) => row.version, () => make("article", "is"), (one, row) => {
      const open = row.state === "in_use" || openStatements.has(row.version), mine = P.mine || {};
      const key = JSON.stringify([row, open, mine.work, mine.lead, mine.approve, mine.me, statements.open]);
      if (one.dataset.drawn === key) return;
      one.dataset.drawn = key;
      one.textContent = "";
      one.dataset.state = row.state;
      const top = make("header", "is-top", one);
      make("b", "", top, row.label);
      make("span", "chip " + (row.state === "in_use" ? "acc" : row.state === "withdrawn" ? "line" : ""), top, WORDS[row.state]);
      const saying = make("span", "t3 is-said", top, row.said);
      saying.dir = "auto";
      if (row.state !== "in_use") {
        const more = tool(top, open ? "Close" : "Read", "", () => { if (openStatements.has(row.version)) openStatements.delete(row.version); else openStatements.add(row.version); drawStatements(); });
        more.setAttribute("aria-expanded", String(open));
        more.setAttribute("aria-label", (open ? "Close " : "Read ") + row.label);
      }
      if (statements.open && row.state === "draft" && mine.approve && row.author !== mine.me) tool(top, "Approve", "", () => P.approve(row)).classList.add("pri");
      if (statements.open && row.state !== "withdrawn" && mine.lead) tool(top, "Withdraw", "", () => P.withdraw(row));
      if (!open) return;
      const text = make("p", "is-text", one);
      text.dir = "auto";
      row.pieces.forEach(([kind, words], at) => { if (at) text.append(" "); make(kind === "added" ? "ins" : kind === "removed" ? "del" : "span", "", text, words); });
    });
    const box = tools("incident-statement", (host) => { host.write = tool(host, "Write", "S", () => P.statement(), "plus"); });
    if (box) box.write.hidden = !statements.open || !P.mine || !P.mine.work;
  }
  P.inUse = () => (statements ? statements.rows.find((row) => row.state === "in_use") || statements.rows[0] : null);
  L.custom["incident-statement-list"] = (props) => { statements = props; setTimeout(drawStatements); return true; };

  // -- who is on it, scope, tasks ----------------------------------------------------------------------------
  let people = null, scope = null, tasks = null;
  const initials = (name) => name.split(/\s+/).slice(0, 2).map((one) => one.charAt(0)).join("").toUpperCase();
  function drawPeople() {
    const host = part("incident-people-list");
    if (!host || !people) return;
    keyed(host, people.rows, (row) => row.id, (row) => {
      const line = make("div", "ip"), p = {};
      p.av = make("span", "av", line);
      const who = make("div", "ip-who", line), did = make("div", "ip-did", line);
      p.name = make("b", "", who); p.part = make("span", "t3", who);
      p.did = make("span", "", did); p.since = make("span", "t3", did);
      p.name.dir = p.part.dir = "auto";
      line.parts = p;
      return line;
    }, (line, row) => {
      const p = line.parts;
      write(p.av, initials(row.name));
      p.av.className = "av" + (row.lead ? " a1" : "");
      write(p.name, row.name);
      write(p.part, row.part);
      write(p.did, row.did || row.since);
      write(p.since, row.last ? ago(row.last) + " ago" : row.did ? row.since : "");
    });
    const box = tools("incident-people", (host) => { host.hand = tool(host, "Hand over", "", () => P.handOver()); host.add = tool(host, "Add", "W", () => P.join(), "plus"); });
    if (box) { box.add.hidden = !P.mine || !P.mine.work; box.hand.hidden = !P.mine || !P.mine.lead; }
  }
  L.custom["incident-people-list"] = (props) => { people = props; setTimeout(drawPeople); return true; };
  P.people = () => (people ? people.rows : []);

  function drawScope() {
    const host = part("incident-scope-list");
    if (!host || !scope) return;
    const key = JSON.stringify(scope);
    if (host.dataset.drawn !== key) {
      host.dataset.drawn = key;
      host.textContent = "";
      const chips = make("div", "isc-chips", host);
      for (const words of scope.chips) make("span", "chip", chips, words).dir = "auto";
      make("p", "t2", host, scope.open ? scope.held + ". Ends by itself " + scope.until + " unless somebody extends it." : "Nothing is held any more.");
    }
    const box = tools("incident-scope", (host) => { host.change = tool(host, "Change", "", () => window.WatchfloorOverlay.menu(host.change, P.changes()), "lock"); host.change.setAttribute("aria-haspopup", "menu"); });
    if (box) box.change.hidden = !scope.open || !P.mine || !P.mine.lead;
  }
  L.custom["incident-scope-list"] = (props) => { scope = props; setTimeout(drawScope); return true; };
  P.scope = () => scope;

  function drawTasks() {
    const host = part("incident-tasks-list");
    if (!host || !tasks) return;
    const may = Boolean(tasks.open && P.mine && P.mine.work);
    keyed(host, tasks.rows, (row) => row.n, (row) => {
      const line = make("div", "it"), p = {};
      const label = make("label", "it-what", line);
      p.tick = make("input", "", label);
      p.tick.type = "checkbox";
      p.tick.addEventListener("change", () => P.tick(line.row, p.tick));
      p.text = make("span", "", label);
      p.text.dir = "auto";
      p.owner = make("button", "it-owner linkish", line);
      p.owner.type = "button";
      p.owner.addEventListener("click", () => P.give(line.row));
      p.due = make("span", "chip num", line);
      line.parts = p;
      return line;
    }, (line, row) => {
      const p = line.parts;
      line.row = row;
      p.tick.checked = Boolean(row.done);
      p.tick.disabled = Boolean(row.done) || !may;
      write(p.text, row.text);
      write(p.owner, row.owner || (row.done ? "" : "nobody"));
      p.owner.disabled = Boolean(row.done) || !may;
      p.owner.setAttribute("aria-label", "Task " + row.n + ": " + (row.owner ? row.owner + ", give to somebody else" : "nobody has it, give it to somebody"));
      write(p.due, row.done || row.due_words);
      const late = !row.done && row.due && Date.parse(row.due) <= L.now();
      p.due.className = "num " + (row.done || !row.due_words ? "t3 it-done" : late ? "chip late" : "chip warn");
    });
    const box = tools("incident-tasks", (host) => { host.add = tool(host, "Add", "T", () => P.task(), "plus"); });
    if (box) box.add.hidden = !may;
  }
  L.custom["incident-tasks-list"] = (props) => { tasks = props; setTimeout(drawTasks); return true; };

  // -- the bar, keys, coming and going -----------------------------------------------------------------------
  function bar() {
    const host = part("bar-own");
    if (!P.on || !host) return;
    // The list has a bar of its own here, which may not be gone yet.
    if (!host.contains(host.ibar || null)) {
      host.textContent = "";
      const box = make("div", "ibar", host), back = make("a", "btn", box);
      icon("back", "s16", back);
      make("span", "ibar-wide", back, "Incidents");
      back.setAttribute("aria-label", "Back to the incidents");
      back.href = "/incidents";
      back.addEventListener("click", (event) => { event.preventDefault(); window.WatchfloorShell.go("/incidents"); });
      make("span", "grow", box);
      // Where there is little room the first words give way.
      box.report = make("a", "btn", box);
      make("span", "ibar-wide", box.report, "After-action report");
      make("span", "ibar-narrow", box.report, "Report");
      box.end = make("button", "btn", box);
      make("span", "", box.end, "Close");
      make("span", "ibar-wide", box.end, " incident");
      box.end.setAttribute("aria-label", "Close incident");
      box.end.type = "button";
      box.end.addEventListener("click", () => P.end());
      host.ibar = box;
    }
    host.ibar.report.href = "/incidents/" + P.id() + "/report";
    host.ibar.end.hidden = !P.card || P.card.state !== "open" || !P.mine || !P.mine.lead;
  }
  function all() { head(); drawTimeline(); drawStatements(); drawPeople(); drawScope(); drawTasks(); }
  P.ask = async function () {
    const id = P.id();
    try {
      const found = await window.WatchfloorAsks.read("incident.mine", { id });
      if (P.on && id === P.id()) { P.mine = found; all(); }
    } catch (_error) { P.mine = null; }
  };
  let timer = 0, asked = 0;
  function enter() {
    const id = P.id();
    if (P.on && asked === id) return;
    leave();
    P.on = true;
    asked = id;
    bar();
    P.ask();
    timer = setInterval(() => { countdown(); }, 1000);
  }
  function leave() {
    P.on = false;
    asked = 0;
    clearInterval(timer);
    P.card = P.mine = timeline = statements = people = scope = tasks = null;
    only = "all";
    openStatements = new Set();
  }
  window.addEventListener("watchfloor:page", (event) => {
    if (event.detail.page === PAGE) { enter(); queueMicrotask(bar); return; }
    if (P.on) { leave(); const host = part("bar-own"); if (host) host.textContent = ""; }
  });
  function keys(event) {
    const mine = P.mine || {}, key = event.key.toLowerCase();
    if (!P.card || P.card.state !== "open" || !mine.work) return false;
    if (key === "u") P.update();
    else if (key === "n") P.note();
    else if (key === "d") P.decision();
    else if (key === "t") P.task();
    else if (key === "w") P.join();
    else if (key === "s") P.statement();
    else return false;
    return true;
  }
  function escape() { window.WatchfloorShell.go("/incidents"); return true; }
  window.WatchfloorPages = Object.assign(window.WatchfloorPages || {}, { [PAGE]: { keys, escape } });
})();
