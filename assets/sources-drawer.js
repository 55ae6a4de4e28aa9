/* The drawer of one source: its state with the arithmetic, what can be done, its settings, money, credentials, fetches. */
(function () {
  "use strict";
  const S = (window.WatchfloorSources = window.WatchfloorSources || {});
  const { make, icon, write, keyed } = window.WatchfloorDom;
  const part = (id) => document.getElementById(id);
  let parts = null;

  function build(host) {
    host.textContent = "";
    const head = make("div", "dh", host), first = make("div", "l1", head), net = make("span", "net", first), name = make("h2", "", first);
    make("span", "grow", first);
    const shut = make("button", "ib", first);
    shut.setAttribute("aria-label", "Close"); icon("x", "s16", shut);
    shut.addEventListener("click", () => S.close());
    const second = make("div", "l1", head), chip = make("span", "chip", second), normal = make("span", "t3", second);
    const matter = make("div", "dm", head), words = make("p", "", matter), ways = make("span", "eways", matter);
    const buttons = make("div", "l1 acts", head);
    const button = (symbol, key, act) => {
      const one = make("button", "btn", buttons), mark = icon(symbol, "s14", one), said = make("span", "", one);
      one.title = key;
      one.addEventListener("click", () => act(parts.row));
      return { one, mark, said };
    };
    const fetchNow = button("again", "F", (row) => S.act("fetch", row.id)), pause = button("pause", "P", (row) => S.pauseOrStart(row)), edit = button("edit", "E", (row) => S.form(row));
    make("span", "grow", buttons);
    const mentions = make("button", "btn", buttons);
    make("span", "", mentions, "Mentions"); icon("right", "s14", mentions);
    mentions.addEventListener("click", () => S.mentions(parts.row, -1));
    const why = make("form", "why", head);
    why.hidden = true;
    const body = make("div", "dbody", host);
    const section = (title, side) => {
      const box = make("section", "sec", body), top = make("div", "st", box);
      make("h3", "", top, title);
      const said = make("span", "t3", top, side || "");
      return { box, said, top, inside: make("div", "", box) };
    };
    const query = section("Query"), settings = section("Settings"), cadence = section("Cadence and cost"), credentials = section("Credentials"), fetches = section("Last fetches");
    write(fetches.said, "");
    fetches.said.classList.add("end");
    parts = { host, net, name, chip, normal, words, ways, matter, fetchNow, pause, edit, why, query, settings, cadence, credentials, fetches, row: null, body };
    query.inside.className = "q";
    cadence.money = make("div", "money", cadence.box);
    const grid = make("table", "ft", fetches.box), top = make("tr", "", make("thead", "", grid));
    for (const words of ["End", "Asked", "Items", "New", "Cost", "Took", "Result"]) make("th", "", top, words).scope = "col";
    fetches.rows = make("tbody", "", grid);
  }
  function facts(host, pairs) {
    const key = JSON.stringify(pairs);
    if (host.drawn === key) return;
    host.drawn = key;
    host.textContent = "";
    const list = make("dl", "dl", host);
    for (const [label, text] of pairs) { make("dt", "", list, label); make("dd", "", list, text).dir = "auto"; }
  }
  function money(host, month) {
    const key = JSON.stringify(month);
    if (host.drawn === key) return;
    host.drawn = key;
    host.textContent = "";
    if (!month) { make("span", "t3", host, "It costs nothing."); return; }
    const line = make("div", "dl", host);
    make("span", "t3", line, "Month");
    const said = make("span", "", line, month.words + " ");
    make("span", "wn", said, month.ends);
    if (month.share === null) return;
    const box = make("div", "mbar", host), bar = make("span", "bar", box);
    make("i", "", bar).style.width = 100 * month.share + "%";
    make("u", "", box).style.left = 100 * month.day + "%";
    const below = make("div", "ml", host);
    make("span", "", below, month.spent);
    make("span", "day", below, month.day_words).style.left = Math.max(22, Math.min(88, 100 * month.day)) + "%";
  }
  /* What is looked for wears the tint of matched words, operators are bold, what is shut out is struck through. */
  function query(host, text) {
    if (host.drawn === text) return;
    host.drawn = text;
    host.textContent = "";
    for (const token of text.match(/-?"[^"]*"|\s+|[()]|[^\s()]+/g) || []) {
      const kind = /^\s+$/.test(token) ? "" : /^(OR|AND|NOT|[()])$/.test(token) ? "o" : /^-?\w+:/.test(token) ? "f" : token[0] === "-" && token.length > 1 ? "n" : "s";
      make("span", kind, host, token);
    }
  }
  function line(row) {
    const tr = make("tr", "");
    for (let n = 0; n < 7; n += 1) make("td", "", tr);
    return tr;
  }
  function lined(tr, row) {
    [row.end, row.asked, row.items, row.new, row.cost, row.took, row.result].forEach((text, n) => write(tr.children[n], text));
    tr.children[6].className = row.tone;
    tr.title = row.why;
  }

  S.drawer = function (row) {
    const host = part("source-drawer");
    if (!host) return;
    const page = document.querySelector(".admin");
    page.classList.toggle("open", Boolean(row));
    if (!row) { parts = null; host.textContent = ""; return; }
    if (!parts || parts.host !== host || !host.firstChild) build(host);
    const p = parts, d = row.drawer;
    if (p.row && p.row.id !== row.id) { S.closePause(); p.body.scrollTop = 0; }
    p.row = row;
    write(p.net, row.net); write(p.name, row.name); p.name.title = row.name;
    write(p.chip, row.chip[0] + " " + row.chip[1]); p.chip.className = "chip " + row.chip[2];
    write(p.normal, d.normal);
    p.matter.hidden = !row.matter;
    write(p.words, row.matter ? row.matter.words : "");
    S.ways(p.ways, row);
    const active = row.condition !== "paused" && row.condition !== "disconnected" && row.condition !== "gone";
    p.fetchNow.one.disabled = !active || row.done;
    write(p.fetchNow.said, "Fetch now");
    p.pause.one.disabled = row.done;
    write(p.pause.said, active ? "Pause" : "Start");
    p.pause.mark.className = "ic s14 ic-" + (active ? "pause" : "play");
    p.edit.one.hidden = !row.editable;
    write(p.edit.said, "Edit");
    p.query.box.hidden = !d.query;
    query(p.query.inside, d.query);
    write(p.query.said, d.query ? d.query.length + " characters" : "");
    p.settings.box.hidden = !d.settings.length;
    facts(p.settings.inside, d.settings);
    facts(p.cadence.inside, d.cadence);
    money(p.cadence.money, d.month);
    const held = JSON.stringify(d.credentials);
    if (p.credentials.inside.drawn !== held) {
      p.credentials.inside.drawn = held;
      p.credentials.inside.textContent = "";
      for (const [what, word, rest, tone] of d.credentials) {
        const box = make("div", "cp", p.credentials.inside);
        make("span", "t2", box, (tone === "wn" ? "✕ " : "● ") + what); make("b", tone, box, word); make("span", "t3", box, rest);
      }
    }
    write(p.fetches.said, d.summary);
    keyed(p.fetches.rows, d.fetches, (one) => one.end + one.asked + one.result, line, lined);
  };

  // -- pausing asks why, so that the next shift knows -----------------------------------------------------------
  S.pauseOrStart = function (row) {
    if (row.done) return;
    if (["paused", "disconnected", "gone"].includes(row.condition)) { S.act("resume", row.id); return; }
    const host = parts && parts.why;
    if (!host) return;
    if (!host.hidden) { S.closePause(); return; }
    host.textContent = "";
    host.hidden = false;
    const label = make("label", "", host), field = make("input", "fld", label);
    field.id = "source-why"; field.maxLength = 200; field.placeholder = "Why? The next shift will read it."; field.setAttribute("aria-label", "Why it is paused");
    const go = make("button", "btn pri", host, "Pause");
    go.type = "submit";
    const no = make("button", "btn", host, "Cancel");
    no.type = "button";
    no.addEventListener("click", S.closePause);
    host.onsubmit = (event) => { event.preventDefault(); S.act("pause", row.id, field.value.trim()); S.closePause(); };
    field.focus();
  };
  S.closePause = function () {
    if (!parts || parts.why.hidden) return false;
    parts.why.hidden = true;
    parts.why.textContent = "";
    return true;
  };
})();
