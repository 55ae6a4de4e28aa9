/* The page of the audit log: the bar of the chain, filters, the trail and its keys. One row and the export stand in audit-row.js.

   What is filtered and which row is open stands after the "#" of the address: a link reproduces it. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const A = (window.WatchfloorAudit = window.WatchfloorAudit || {});
  const { make, icon, write, keyed } = window.WatchfloorDom;
  const part = (id) => document.getElementById(id);
  const PAGE = "audit", POLL_MS = 3000, FIND_MS = 350, LATE_MS = 5000, MOST_ROWS = 1000, NEAR = 400;
  const WINDOWS = ["1h", "24h", "7d", "30d", "all"];
  const narrow = window.matchMedia("(max-width:640px)");
  const FRESH = { who: "", what: "", brand: "", window: "24h", find: "" };
  let on = false, filter = Object.assign({}, FRESH), rows = [], before = "", looked = "", loading = 0, waitingRows = [], parts = {}, timer = 0, finding = 0, pinned = null, brokenId = "";
  A.chain = null;
  A.filter = () => Object.assign({}, filter);
  A.counted = null;
  A.selected = "";
  const bad = (error) => window.WatchfloorOverlay.toast(error.message, { bad: true });

  // -- what stands after the "#" -------------------------------------------------------------------------
  function recall() {
    const given = new URLSearchParams(location.hash.slice(1));
    filter = Object.assign({}, FRESH);
    for (const key of Object.keys(FRESH)) if (given.get(key)) filter[key] = given.get(key);
    A.selected = given.get("row") || "";
  }
  A.remember = function () {
    if (location.pathname !== "/audit") return;
    const said = new URLSearchParams();
    for (const key of Object.keys(FRESH)) if (filter[key] !== FRESH[key]) said.set(key, filter[key]);
    if (A.selected) said.set("row", A.selected);
    history.replaceState(history.state, "", location.pathname + location.search + (said.size ? "#" + said : ""));
    // Dash's own copy of the address follows; left behind it would take the next way to be a way back.
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  };

  // -- the chain -----------------------------------------------------------------------------------------
  L.custom["audit-chain-bar"] = function (props) {
    A.chain = props;
    const host = part("audit-chain-bar");
    if (!host) return true;
    if (!on) enter();
    if (!host.parts || !host.firstChild) chainBuilt(host);
    chainDrawn(host, props);
    return true;
  };
  function cell(host, className) {
    const box = make("div", "acell " + (className || ""), host);
    return { box, title: make("b", "", box), line: make("span", "t3", box) };
  }
  function chainBuilt(host) {
    host.textContent = "";
    const first = make("div", "afirst", host);
    icon("shield", "s24", first);
    const state = cell(first);
    state.bar = make("i", "aprogress", first);
    host.parts = { first, state, head: cell(host), waiting: cell(host, "await"), rows: cell(host) };
    make("span", "grow", host);
    const again = make("button", "btn sm", host);
    again.type = "button";
    icon("again", "s14", again);
    make("span", "", again, "Verify all again");
    again.addEventListener("click", async () => {
      try { window.WatchfloorOverlay.toast((await window.WatchfloorAsks.act("audit.check", {})).words); } catch (error) { bad(error); }
    });
    const self = make("button", "btn sm", host);
    self.type = "button";
    icon("right", "s14", self);
    make("span", "", self, "Check it yourself");
    self.addEventListener("click", () => A.howTo());
    host.parts.again = again;
  }
  function chainDrawn(host, props) {
    const p = host.parts;
    host.dataset.kind = props.kind;
    write(p.state.title, props.title);
    write(p.state.line, props.line);
    p.state.line.title = [props.line, ...props.notes].join("; ");
    p.state.bar.hidden = props.kind !== "checking";
    p.state.bar.style.setProperty("--share", String(props.share || 0));
    p.again.disabled = props.kind === "checking";
    write(p.head.title, props.head);
    write(p.head.line, props.head_line);
    write(p.rows.title, props.rows);
    write(p.rows.line, props.rows_line);
    waits(props.waiting);
    pin(props.fault);
  }
  function waits(waiting) {
    const host = part("audit-chain-bar");
    if (!host || !host.parts) return;
    const { box, title, line } = host.parts.waiting;
    const age = waiting.since ? Math.max(0, (L.now ? L.now() : Date.now()) - Date.parse(waiting.since)) : 0, late = waiting.rows && age >= LATE_MS;
    write(title, waiting.rows ? "○ " + waiting.rows.toLocaleString("en") + (waiting.rows === 1 ? " row unchained" : " rows unchained") : "● Every row is linked");
    title.className = late ? "chip warn" : "";
    write(line, waiting.rows ? "oldest " + span(age) + "; 2 s is usual" : "2 s after it is written is usual");
    box.classList.toggle("late", Boolean(late));
  }
  function span(ms) {
    const seconds = ms / 1000;
    return seconds < 120 ? Math.round(seconds) + " s" : seconds < 7200 ? Math.round(seconds / 60) + " min" : seconds < 172800 ? Math.round(seconds / 3600) + " h" : Math.round(seconds / 86400) + " d";
  }
  /* Where the chain breaks: that row stands on top, whatever is filtered. */
  async function pin(fault) {
    const id = fault && fault.id ? fault.id : "";
    if (id === brokenId) return;
    brokenId = id;
    pinned = null;
    if (id) try { pinned = await window.WatchfloorAsks.read("audit.row", { id }); } catch (_error) { /* The row itself is gone. */ }
    if (id === brokenId) draw();
  }

  // -- filters -------------------------------------------------------------------------------------------
  function choose(label, key, name) {
    const box = make("label", "sel afilter");
    make("em", "", box, label);
    const field = make("select", "", box);
    field.id = "audit-" + key;
    field.setAttribute("aria-label", name);
    icon("chev", "s14", box);
    field.addEventListener("change", () => change({ [key]: field.value }));
    return { box, field };
  }
  function options(field, all, list, chosen) {
    const wanted = [["", all], ...list];
    // A link may name what the newest rows do not hold.
    if (chosen && !wanted.some(([key]) => key === chosen)) wanted.push([chosen, chosen.replace(/^[pa]:/, "")]);
    const drawn = JSON.stringify(wanted);
    if (field.drawn !== drawn) {
      field.drawn = drawn;
      field.textContent = "";
      for (const [key, words] of wanted) make("option", "", field, words).value = key;
    }
    field.value = chosen;
  }
  function bar() {
    const host = narrow.matches ? part("audit-filters") : part("bar-own");
    if (!host || host.querySelector(".afilter")) return;
    for (const other of [part("bar-own"), part("audit-filters")]) if (other) other.textContent = "";
    if (!narrow.matches) make("b", "pt", host, "Audit");
    parts.who = choose("Who", "who", "Who did it");
    parts.what = choose("What", "what", "What was done");
    parts.brand = choose("Brand", "brand", "Of which brand");
    for (const one of [parts.who, parts.what, parts.brand]) host.appendChild(one.box);
    const seg = make("span", "seg", host);
    seg.setAttribute("role", "radiogroup");
    seg.setAttribute("aria-label", "Window");
    parts.windows = WINDOWS.map((name) => {
      const button = make("button", "", seg, name);
      button.type = "button";
      button.setAttribute("role", "radio");
      button.addEventListener("click", () => change({ window: name }));
      return button;
    });
    parts.dates = make("button", "sel", host);
    parts.dates.type = "button";
    icon("calendar", "s14", parts.dates);
    parts.datesWords = make("span", "", parts.dates, "From, to");
    parts.dates.addEventListener("click", dates);
    make("span", "grow", host);
    const box = make("label", "search afind", host);
    icon("search", "s16", box);
    parts.find = make("input", "", box);
    Object.assign(parts.find, { id: "audit-find", type: "search", placeholder: "Row, name, case", autocomplete: "off", maxLength: 200 });
    parts.find.setAttribute("aria-label", "Find a row, a name or a case");
    parts.find.addEventListener("input", () => { clearTimeout(finding); finding = setTimeout(() => change({ find: parts.find.value.trim() }), FIND_MS); });
    make("kbd", "", box, "/");
    const save = make("button", "btn aout", host);
    save.type = "button";
    save.title = "Export what the filter shows (Ctrl E)";
    icon("save", "s14", save);
    make("span", "", save, "Export");
    save.addEventListener("click", () => A.export());
    filters();
  }
  let there = { actions: [], families: [], actors: [], brands: [] };
  function filters() {
    if (!parts.who || !parts.who.box.isConnected) return;
    options(parts.who.field, "Everybody", there.actors.map((one) => [one.key, one.name]), filter.who);
    const kinds = [...there.families.map((name) => [name, name + "*"]), ...there.actions.map((name) => [name, name])];
    options(parts.what.field, there.actions.length ? "All " + there.actions.length + " kinds" : "Everything", kinds, filter.what);
    options(parts.brand.field, "All " + (there.brands.length || ""), there.brands.map((one) => [one.key, one.name]), filter.brand);
    parts.windows.forEach((button, i) => {
      const is = WINDOWS[i] === filter.window;
      button.classList.toggle("on", is);
      button.setAttribute("aria-checked", String(is));
    });
    const custom = filter.window.includes("..");
    write(parts.datesWords, custom ? filter.window.replace("..", " to ") : "From, to");
    parts.dates.classList.toggle("on", custom);
    if (document.activeElement !== parts.find) parts.find.value = filter.find;
  }
  function dates() {
    const [from, to] = filter.window.includes("..") ? filter.window.split("..") : ["", ""];
    window.WatchfloorOverlay.dialog({
      title: "From which day to which",
      build(body, dialog) {
        const fields = ["From", "To"].map((words, i) => {
          const label = make("label", "adate", body, words), field = make("input", "fld", label);
          field.type = "date";
          field.value = [from, to][i];
          return field;
        });
        const no = make("button", "btn", dialog.foot, "Cancel"), go = make("button", "btn pri", dialog.foot, "Show these days");
        no.type = go.type = "button";
        no.addEventListener("click", () => dialog.close());
        go.addEventListener("click", () => {
          const [first, last] = fields.map((field) => field.value);
          if (!first || !last || first > last) { window.WatchfloorOverlay.toast("Give both days, the first one first.", { bad: true }); return; }
          dialog.close();
          change({ window: first + ".." + last });
        });
      },
    });
  }
  function change(what) {
    Object.assign(filter, what);
    A.remember();
    filters();
    load();
  }

  // -- the trail -----------------------------------------------------------------------------------------
  function built() {
    const host = part("audit-trail");
    if (!host || host.firstChild) return;
    const head = make("div", "ph", host);
    make("h2", "", head, "Trail");
    parts.about = make("span", "sub", head);
    make("span", "grow", head);
    parts.above = make("button", "chip acc", head);
    parts.above.type = "button";
    parts.above.hidden = true;
    parts.above.addEventListener("click", () => { parts.scroll.scrollTop = 0; take(); });
    parts.bars = make("span", "abars", head);
    parts.bars.setAttribute("aria-hidden", "true");
    make("div", "", host).id = "audit-filters";
    parts.scroll = make("div", "ascroll", host);
    parts.scroll.tabIndex = 0;
    parts.scroll.setAttribute("aria-label", "Rows of the trail");
    parts.scroll.setAttribute("role", "region");
    const table = make("table", "atab", parts.scroll), top = make("tr", "", make("thead", "", table));
    for (const [name, words] of [["time", "Time"], ["no", "Row"], ["who", "Who"], ["what", "What"], ["on", "On what"], ["change", "Before → after"], ["brand", ""], ["chained", "Chained"]]) {
      const cellOf = make("th", "c-" + name, top, words);
      cellOf.scope = "col";
      if (!words) make("span", "unseen", cellOf, "Brand");
    }
    parts.body = make("tbody", "", table);
    parts.none = make("p", "anone", parts.scroll);
    parts.scroll.addEventListener("scroll", () => {
      if (parts.scroll.scrollHeight - parts.scroll.scrollTop - parts.scroll.clientHeight < NEAR) older();
      if (!parts.scroll.scrollTop) take();
    });
    const foot = make("div", "sfoot", host);
    parts.foot = make("span", "", foot);
    make("span", "grow", foot);
    for (const [caps, words] of [["J K", "row"], ["F", "filter to this person"], ["PgDn", "older"]]) {
      const key = make("span", "akey", foot);
      for (const cap of caps.split(" ")) make("kbd", "", key, cap);
      make("span", "", key, words);
    }
  }
  function line(row) {
    const tr = make("tr", "");
    tr.parts = {};
    for (const name of ["time", "no", "who", "what", "on", "change", "brand", "chained"]) tr.parts[name] = make("td", "c-" + name, tr);
    const who = tr.parts.who;
    tr.face = make("span", "av s", who);
    tr.face.setAttribute("aria-hidden", "true");
    tr.name = make("span", "", who);
    tr.addEventListener("click", () => A.open(tr.row.id));
    return tr;
  }
  function drawnLine(tr, row) {
    const p = tr.parts;
    tr.row = row;
    write(p.time, row.clock);
    p.time.title = row.at;
    write(p.no, row.number || "–");
    write(tr.face, row.person ? initials(row.who) : "·");
    tr.face.classList.toggle("a1", row.person);
    write(tr.name, row.who);
    write(p.what, row.action);
    write(p.on, row.subject);
    write(p.change, row.change);
    for (const name of ["on", "change", "what"]) p[name].title = p[name].textContent;
    p.on.dir = p.change.dir = "auto";
    if (row.monogram) { if (!p.brand.firstChild) make("span", "net", p.brand); write(p.brand.firstChild, row.monogram); } else p.brand.textContent = "";
    write(p.chained, row.id === brokenId ? "✕ broken" : row.linked_at ? "●" : "○ not yet");
    p.chained.title = row.linked_at ? "Linked " + row.linked_at : "Not linked yet";
    tr.className = (row.linked_at ? "" : "un ") + (row.id === A.selected ? "on " : "") + (row.id === brokenId ? "broken" : "");
    if (row.id === A.selected) tr.setAttribute("aria-current", "true"); else tr.removeAttribute("aria-current");
  }
  function initials(name) {
    const words = name.split(/[\s.@_-]+/).filter(Boolean);
    return ((words[0] || "?")[0] + (words.length > 1 && !name.includes("@") ? words[words.length - 1][0] : words[1] ? words[1][0] : "")).toUpperCase();
  }
  function draw() {
    if (!parts.body || !parts.body.isConnected) return;
    const shown = pinned ? [pinned, ...rows.filter((row) => row.id !== pinned.id)] : rows;
    keyed(parts.body, shown, (row) => row.id, line, drawnLine);
    const count = A.counted, of = count ? count.rows.toLocaleString("en") + (count.is_part ? " or more" : "") : "";
    write(parts.none, rows.length || loading ? "" : looked ? "None among the newest 20,000 rows of this time." : "No row that the filter lets through.");
    if (looked && before && !loading) {
      parts.none.textContent = "Looked back to " + new Date(looked).toLocaleString([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false }) + ". ";
      const on = make("button", "btn sm", parts.none, "Look further back");
      on.type = "button";
      on.addEventListener("click", () => older(true));
    }
    const span = filter.window === "all" ? "in all" : filter.window.includes("..") ? "in these days" : "in " + filter.window.replace(/(\d+)/, "$1 ");
    write(parts.about, (count ? of + (count.rows === 1 ? " row " : " rows ") + span + ", " : "") + "newest first; customers’ text only as a hash");
    write(parts.foot, rows.length ? "Rows 1 to " + rows.length.toLocaleString("en") + (of ? " of " + of : "") : "");
    if (A.drawExport) A.drawExport();
  }
  function bars(found) {
    const host = parts.bars, top = Math.max(1, ...found.bars);
    host.textContent = "";
    for (const value of found.bars) make("i", value ? "" : "none", host).style.height = Math.max(value ? 8 : 0, (100 * value) / top) + "%";
  }
  async function load() {
    const mine = (loading = Date.now() + Math.random());
    rows = []; before = ""; looked = ""; waitingRows = [];
    A.counted = null;
    if (parts.scroll) parts.scroll.classList.add("trying");
    try {
      const [found, counts] = await Promise.all([window.WatchfloorAsks.read("audit.trail", filter), window.WatchfloorAsks.read("audit.counts", filter)]);
      if (mine !== loading) return;
      rows = found.rows; before = found.before; looked = found.looked_to;
      A.counted = counts;
      bars(counts);
    } catch (error) { if (mine === loading) bad(error); }
    if (mine !== loading) return;
    loading = 0;
    parts.scroll.classList.remove("trying");
    parts.scroll.scrollTop = 0;
    above();
    draw();
  }
  async function older(further) {
    // What was looked through in vain is gone on with only when somebody asks.
    if (loading || !before || (looked && !further)) return;
    if (rows.length >= MOST_ROWS) { write(parts.none, "The newest " + MOST_ROWS.toLocaleString("en") + " are shown. Narrow the time or the filter, or export."); return; }
    const mine = (loading = Date.now() + Math.random());
    try {
      const found = await window.WatchfloorAsks.read("audit.trail", Object.assign({}, filter, { before }));
      if (mine !== loading) return;
      rows = rows.concat(found.rows); before = found.before; looked = found.looked_to;
    } catch (error) { if (mine === loading) bad(error); }
    if (mine !== loading) return;
    loading = 0;
    draw();
  }
  /* What came since: at the top it shows at once; else it waits, so that nothing moves under the eye. */
  async function poll() {
    if (!on || document.hidden || loading || filter.window.includes("..")) return;
    const wants = [...rows, ...waitingRows].filter((row) => !row.linked_at).map((row) => BigInt(row.id));
    const known = [...waitingRows, ...rows];
    let after = known.length ? BigInt(known[0].id) : 0n;
    // Rows without a link are asked for again, until they have one.
    for (const id of wants) if (id - 1n < after) after = id - 1n;
    const mine = filter;
    const asked = JSON.stringify(filter);
    try {
      const found = await window.WatchfloorAsks.read("audit.since", Object.assign({}, filter, { after: String(after) }));
      if (!on || loading || JSON.stringify(mine) !== asked) return;
      waits(found.waiting);
      if (found.more) { load(); return; }
      for (const row of found.rows) {
        for (const list of [rows, waitingRows]) { const at = list.findIndex((one) => one.id === row.id); if (at >= 0) list[at] = row; }
      }
      const ids = new Set(known.map((row) => row.id)), fresh = found.rows.filter((row) => !ids.has(row.id));
      if (fresh.length && A.counted) A.counted.rows += fresh.length;
      waitingRows = [...fresh, ...waitingRows];
      if (!parts.scroll.scrollTop && !parts.scroll.matches(":hover")) take();
      above();
      draw();
    } catch (_error) { /* The next one asks again. */ }
  }
  function take() {
    if (!waitingRows.length) return;
    rows = [...waitingRows, ...rows].sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? 1 : -1));
    waitingRows = [];
    above();
    draw();
  }
  function above() {
    parts.above.hidden = !waitingRows.length;
    write(parts.above, waitingRows.length + " new above");
  }

  // -- keys ----------------------------------------------------------------------------------------------
  function move(by) {
    const shown = [...parts.body.children].map((tr) => tr.row);
    if (!shown.length) return;
    const at = shown.findIndex((row) => row.id === A.selected), next = shown[Math.max(0, Math.min(shown.length - 1, at < 0 ? 0 : at + by))];
    A.open(next.id);
    parts.body.children[shown.indexOf(next)].scrollIntoView({ block: "nearest" });
    if (at + by >= shown.length - 5) older();
  }
  A.mark = function () { draw(); A.remember(); };
  A.row = (id) => (pinned && pinned.id === id ? pinned : rows.find((row) => row.id === id));
  A.only = function (row) { change({ who: filter.who === row.who_key ? "" : row.who_key }); };
  function keys(event) {
    const key = event.key.toLowerCase(), row = A.row(A.selected);
    if (key === "j") move(1);
    else if (key === "k") move(-1);
    else if (key === "/") parts.find.focus();
    else if (event.key === "PageDown") { parts.scroll.scrollBy({ top: parts.scroll.clientHeight - 80 }); older(); }
    else if (event.key === "PageUp") parts.scroll.scrollBy({ top: 80 - parts.scroll.clientHeight });
    else if (key === "f" && (row || filter.who)) { if (filter.who) change({ who: "" }); else A.only(row); }
    else if (event.key === "Enter" && !/^(BUTTON|A|SELECT)$/.test(event.target.tagName)) move(0);
    else return false;
    return true;
  }
  function escape(event) {
    if (event.target.id === "audit-find") { if (event.target.value) { event.target.value = ""; change({ find: "" }); } else event.target.blur(); return true; }
    return A.close();
  }
  window.WatchfloorPages = Object.assign(window.WatchfloorPages || {}, { [PAGE]: { keys, escape } });
  document.addEventListener("keydown", (event) => {
    if (!on || !event.ctrlKey || event.altKey || event.shiftKey || event.key.toLowerCase() !== "e" || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    A.export();
  });

  // -- coming and going ----------------------------------------------------------------------------------
  async function enter() {
    if (on || !part("audit-trail")) return;
    on = true;
    recall();
    built();
    bar();
    A.built();
    if (A.selected) A.open(A.selected);
    load();
    timer = setInterval(poll, POLL_MS);
    try { there = await window.WatchfloorAsks.read("audit.choices"); filters(); } catch (error) { bad(error); }
  }
  function leave() {
    on = false;
    clearInterval(timer);
    parts = {};
    rows = []; waitingRows = []; pinned = null; brokenId = ""; loading = 0;
    A.counted = null;
    A.selected = "";
  }
  window.addEventListener("watchfloor:page", (event) => {
    // What other pages had in the bar is taken away by them at this same event.
    if (event.detail.page === PAGE) { enter(); queueMicrotask(() => { if (on) bar(); }); return; }
    if (on) { leave(); part("bar-own").textContent = ""; }
  });
  narrow.addEventListener("change", () => { if (on) bar(); });
})();
