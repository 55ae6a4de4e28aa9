/* The page of the people: figures, a line a role, filters, ticks, keys. Person and file open beside it (people-drawer.js, people-import.js). */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const P = (window.WatchfloorPeople = window.WatchfloorPeople || {});
  const { make, icon, write, keyed } = window.WatchfloorDom;
  const PAGE = "admin-people", FIND_MS = 250;
  const part = (id) => document.getElementById(id);
  const asks = () => window.WatchfloorAsks, over = () => window.WatchfloorOverlay;
  let data = null, filter = "role", find = "", found = null, findTimer = 0, selected = 0, ticked = new Set();

  P.toast = (error) => over().toast(error.message, { bad: true });
  P.button = function (words, className, parent, act) {
    const element = make("button", className, parent, words);
    element.type = "button";
    if (act) element.addEventListener("click", act);
    return element;
  };
  /* Do one thing; what came of it is said, and the promise tells whether it was done. */
  P.act = async function (name, given, button) {
    if (button) button.disabled = true;
    try {
      const said = await asks().act(name, given);
      over().toast(said.words, { bad: said.done === false });
      return said;
    } catch (error) { P.toast(error); return null; }
    finally { if (button) button.disabled = false; }
  };

  // -- what is shown -----------------------------------------------------------------------------------------
  const FILTERS = {
    all: ["All", () => true], role: ["With a role", (row) => row.number > 0], soon: ["Ends soon", (row) => row.soon],
    due: ["To review", (row) => row.due], leavers: ["Leavers", (row) => row.leaver], none: ["No role", (row) => !row.number && !row.left],
  };
  const people = (lines) => new Set(lines.map((row) => row.id)).size;
  function lines() {
    const wanted = find.trim().toLowerCase();
    if (wanted) {
      const here = data.rows.filter((row) => (row.name + " " + row.email).toLowerCase().includes(wanted));
      const known = new Set(here.map((row) => row.id));
      return here.concat((found || []).filter((row) => !known.has(row.id)));
    }
    return firsts(data.rows.filter(FILTERS[filter][1]));
  }
  /* Where a filter leaves the second of two roles alone, it shows whose it is. */
  function firsts(rows) {
    let before = 0;
    return rows.map((row) => { const shown = Object.assign({}, row, { first: row.id !== before }); before = row.id; return shown; });
  }
  function draw() {
    const host = part(PAGE + "-rows");
    if (!host || !data) return;
    const p = host.parts || (host.parts = build(host));
    bar();
    keyed(p.kpis, data.kpis, (cell) => cell.key, figure, figured);
    chips(p.chips);
    const shown = lines();
    keyed(p.body, shown, (row) => row.key, line, update);
    p.body.dataset.none = shown.length ? "" : find ? "Nobody by that name" : filter === "role" ? "Nobody has a role yet" : "Nobody";
    const ids = new Set(shown.map((row) => row.id));
    for (const id of ticked) if (!ids.has(id)) ticked.delete(id);
    ticks(p);
    write(p.sub, find ? "found by name or email" : "roles with what they are for, and from when to when");
    write(p.hidden, data.hidden && (filter === "none" || filter === "all") && !find ? "and " + data.hidden.toLocaleString("en") + " more without a role: find them by name" : "");
    write(p.at, data.foot);
  }
  function build(host) {
    const kpis = make("div", "panel kst people-kpis", host);
    kpis.setAttribute("role", "list");
    const box = make("div", "panel people-table", host), head = make("div", "ph", box);
    make("h2", "", head, "People");
    const sub = make("span", "sub", head);
    make("span", "grow", head);
    const chipsHost = make("span", "fchips", head);
    const bulk = make("div", "people-bulk", box);
    bulk.hidden = true;
    const scroll = make("div", "people-scroll", box);
    const names = make("div", "person-grid thd", scroll);
    names.setAttribute("aria-hidden", "true");
    for (const words of ["", "Person", "Role, for what", "From", "Until", "Team", "State", "Last seen"]) make("span", "", names, words);
    const body = make("div", "sbody", scroll);
    body.setAttribute("role", "list");
    body.setAttribute("aria-label", "People");
    const foot = make("div", "people-foot t3", box), hidden = make("span", "", foot);
    make("span", "grow", foot);
    return { kpis, chips: chipsHost, sub, bulk, body, hidden, at: make("span", "", foot) };
  }
  function figure() {
    const box = make("div", "");
    box.setAttribute("role", "listitem");
    const inside = make("button", "kc", box);
    inside.type = "button";
    make("span", "kl", inside);
    const value = make("span", "kv", inside);
    make("b", "", value); make("span", "", value);
    make("span", "kd", inside);
    inside.addEventListener("click", () => { choose(filter === box.cell.filter ? "all" : box.cell.filter); });
    return box;
  }
  function figured(box, cell) {
    const [label, value, words] = box.firstChild.children;
    box.cell = cell;
    box.firstChild.classList.toggle("att", cell.attention);
    box.firstChild.setAttribute("aria-pressed", String(filter === cell.filter && !find));
    write(label, cell.label); write(value.firstChild, cell.value); write(value.lastChild, cell.unit); write(words, cell.line);
    words.className = "kd " + (cell.attention ? "wn" : "t3");
  }
  function chips(host) {
    const shown = Object.keys(FILTERS).map((key) => ({ key, n: people(data.rows.filter(FILTERS[key][1])) + (key === "all" || key === "none" ? data.hidden : 0) })).filter((one) => one.n || one.key === filter || one.key === "role");
    keyed(host, shown, (one) => one.key, (one) => P.button("", "chip", null, () => choose(one.key)), (button, one) => {
      write(button, FILTERS[one.key][0] + " " + one.n.toLocaleString("en"));
      button.className = "chip " + (filter === one.key && !find ? "acc" : "line");
      button.setAttribute("aria-pressed", String(filter === one.key && !find));
    });
  }
  function choose(key) {
    filter = key; find = ""; found = null;
    if (part("people-find")) part("people-find").value = "";
    draw();
  }

  // -- a line ------------------------------------------------------------------------------------------------
  function line(row) {
    const box = make("div", "person-row");
    box.setAttribute("role", "listitem");
    const grid = make("div", "person-grid", box), tick = make("input", "tick", make("label", "tickbox", grid));
    tick.type = "checkbox";
    tick.addEventListener("change", () => { if (tick.checked) ticked.add(box.row.id); else ticked.delete(box.row.id); draw(); });
    const name = P.button("", "nm", grid, () => P.open(box.row.id)), avatar = make("span", "av", name), who = make("span", "two", name);
    const what = make("span", "two", grid);
    box.parts = { tick, name, avatar, title: make("b", "", who), email: make("em", "", who), role: make("b", "", what), what: make("em", "", what), from: make("span", "", grid), until: make("span", "", make("span", "until", grid)), team: make("span", "", grid), state: make("span", "state", grid), seen: make("span", "seen", grid) };
    grid.addEventListener("click", (event) => { if (!event.target.closest("button,label,a")) P.open(box.row.id); });
    return box;
  }
  function update(box, row) {
    const p = box.parts;
    box.row = row;
    box.className = "person-row" + (row.id === selected ? " on" : "") + (row.first ? "" : " is-more") + (row.left ? " is-left" : "");
    box.dataset.id = row.id;
    p.tick.checked = ticked.has(row.id);
    p.tick.setAttribute("aria-label", "Tick " + row.name);
    p.tick.parentElement.style.visibility = p.name.style.visibility = row.first ? "" : "hidden";
    p.avatar.className = "av" + (row.left ? "" : row.number ? " a1" : "");
    write(p.avatar, row.initials); write(p.title, row.name); write(p.email, row.email); p.email.title = row.email;
    write(p.role, row.role); write(p.what, row.for); p.what.title = row.for;
    write(p.from, row.from); write(p.until, row.until);
    p.until.className = row.left ? "chip late" : row.pill ? "chip warn" : "t3";
    write(p.team, row.team); p.team.title = row.team;
    write(p.state, row.due ? row.state + ", review due" : row.state);
    p.state.className = "state " + (row.tone || "");
    if (row.seen) p.seen.dataset.since = row.seen;
    else { delete p.seen.dataset.since; write(p.seen, row.left ? "" : "never"); }
    p.name.setAttribute("aria-label", row.name + ", " + row.role + (row.for ? " for " + row.for : "") + ". Open.");
  }

  // -- those that are ticked ---------------------------------------------------------------------------------
  function ticks(p) {
    p.bulk.hidden = !ticked.size;
    if (!ticked.size) { p.bulk.textContent = ""; return; }
    if (!p.bulk.firstChild) {
      make("b", "", p.bulk);
      P.button("Roles are still right", "btn sm", p.bulk, (event) => review(event.currentTarget));
      P.button("Deactivate", "btn sm", p.bulk, deactivate);
      P.button("Clear", "btn sm ghost", p.bulk, () => { ticked.clear(); draw(); });
    }
    write(p.bulk.firstChild, ticked.size + (ticked.size === 1 ? " person" : " people"));
  }
  const chosen = () => data.rows.concat(found || []).filter((row) => ticked.has(row.id));
  async function review(button) {
    const numbers = [...new Set(chosen().filter((row) => row.number).map((row) => row.number))];
    if (!numbers.length) { over().toast("None of them has a role.", { bad: true }); return; }
    if (await P.act("people.review", { numbers }, button)) { ticked.clear(); draw(); }
  }
  function deactivate() {
    const names = [...new Map(chosen().map((row) => [row.id, row.name]))];
    P.confirm("Deactivate " + (names.length === 1 ? names[0][1] : names.length + " people") + "?",
      "Nobody signs in as them any more; their sessions end within five seconds and what they claimed is free again. Their roles stay written down and hold again when somebody activates them.",
      "Deactivate" + (names.length === 1 ? "" : " " + names.length), async (go) => {
        for (const [id] of names) if (!(await P.act("people.deactivate", { person: id }, go))) break;
        ticked.clear(); draw();
      });
  }
  P.confirm = function (title, words, label, act) {
    over().dialog({ title, build(body, dialog) {
      make("p", "", body, words);
      P.button("Not now", "btn", dialog.foot, dialog.close);
      const go = P.button(label, "btn pri", dialog.foot, async () => { await act(go); dialog.close(); });
      setTimeout(() => go.focus());
    } });
  };

  // -- opening, keys, the bar above --------------------------------------------------------------------------
  P.open = function (id, quietly) {
    selected = id;
    if (!quietly) history.replaceState(history.state, "", location.pathname + location.search + "#person-" + id);
    P.person(id, closed);
    draw();
    const box = document.querySelector('.person-row[data-id="' + id + '"]');
    if (box) box.scrollIntoView({ block: "nearest" });
  };
  function closed() {
    if (location.hash.startsWith("#person-")) history.replaceState(history.state, "", location.pathname + location.search);
  }
  function move(step) {
    const ids = [...new Set(lines().map((row) => row.id))], at = ids.indexOf(selected);
    if (!ids.length) return;
    selected = ids[Math.max(0, Math.min(ids.length - 1, at < 0 ? 0 : at + step))];
    if (over().open() === "person") P.open(selected); else draw();
    const box = document.querySelector('.person-row[data-id="' + selected + '"]');
    if (box) box.scrollIntoView({ block: "nearest" });
  }
  function keys(event) {
    const key = event.key.toLowerCase();
    if (key === "j") move(1);
    else if (key === "k") move(-1);
    else if (key === "/") part("people-find").focus();
    else if (key === "a") P.add();
    else if (event.key === "Enter" && selected && !/^(BUTTON|A|INPUT)$/.test(event.target.tagName)) P.open(selected);
    else if (key === "x" && selected) { if (ticked.has(selected)) ticked.delete(selected); else ticked.add(selected); draw(); }
    else return false;
    return true;
  }
  function escape(event) {
    if (event.target.id !== "people-find") return false;
    if (event.target.value) { event.target.value = find = ""; found = null; draw(); } else event.target.blur();
    return true;
  }
  window.WatchfloorPages = Object.assign(window.WatchfloorPages || {}, { [PAGE]: { keys, escape } });

  function bar() {
    const host = part("bar-own");
    if (!host || host.firstChild) return;
    make("span", "grow", host);
    const box = make("label", "search", host);
    icon("search", "s16", box);
    const field = make("input", "", box);
    field.id = "people-find"; field.type = "search"; field.placeholder = "Find person"; field.autocomplete = "off";
    field.setAttribute("aria-label", "Find a person by name or email");
    field.addEventListener("input", () => { find = field.value; clearTimeout(findTimer); findTimer = setTimeout(look, FIND_MS); draw(); });
    make("kbd", "", box, "/");
    const file = P.button("", "btn people-load", host, () => P.load());
    icon("save", "s14", file); make("span", "", file, "Load people file");
    const add = P.button("", "btn pri", host, () => P.add());
    icon("plus", "s14", add); make("span", "", add, "Add a person");
  }
  /* Who is not among the lines that came by themselves is found by the server. */
  async function look() {
    const wanted = find.trim();
    if (!wanted || !part(PAGE + "-rows")) { found = null; return; }
    try {
      const said = await asks().read("people.find", { q: wanted });
      if (find.trim() === wanted) { found = said.rows; draw(); }
    } catch (error) { P.toast(error); }
  }
  window.addEventListener("watchfloor:page", (event) => {
    if (event.detail.page === PAGE) { const host = part("bar-own"); if (host && !part("people-find")) host.textContent = ""; return; }
    data = null; find = ""; found = null; selected = 0; filter = "role"; ticked.clear();
  });
  L.custom[PAGE + "-rows"] = function (props) {
    if (!part(PAGE + "-rows")) return true;
    const first = !data, wanted = /^#person-(\d+)$/.exec(location.hash);
    data = props;
    draw();
    if (first && wanted) P.open(Number(wanted[1]), true);
    else if (over().open() === "person" && selected) P.person(selected, closed, { again: true });
    return true;
  };
})();
