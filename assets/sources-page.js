/* The page of the sources: figures, a row a source with its last day, filters, keys. Drawer and forms stand beside it. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const S = (window.WatchfloorSources = window.WatchfloorSources || {});
  const { make, icon, write, keyed } = window.WatchfloorDom;
  const SVG = "http://www.w3.org/2000/svg", PAGE = "admin-sources", QUARTER = 900000;
  const part = (id) => document.getElementById(id);
  let filter = "all", find = "", selected = "", opened = false, number = 0;
  S.data = null;
  S.waiting = new Map();

  // -- what is shown -----------------------------------------------------------------------------------------
  S.row = (id) => S.data && S.data.rows.find((row) => row.id === id);
  S.selected = () => S.row(selected);
  const FILTERS = {
    all: ["All", (row) => !row.done], needs: ["Needs you", (row) => row.needs], paid: ["Costs money", (row) => row.paid && !row.done],
    done: ["Read to the end", (row) => row.done],
  };
  function rows() {
    const wanted = find.trim().toLowerCase();
    return S.data.rows.filter((row) => FILTERS[filter][1](row) && (!wanted || (row.name + " " + row.network).toLowerCase().includes(wanted)));
  }
  S.draw = function () {
    if (!S.data || !part(PAGE + "-table")) return;
    if (!FILTERS[filter][1] || (filter !== "all" && !S.data.rows.some(FILTERS[filter][1]))) filter = "all";
    const shown = rows();
    keyed(part(PAGE + "-kpis"), S.data.kpis, (cell) => cell.key, figure, figured);
    chips();
    const host = part(PAGE + "-table");
    hatching();
    if (!host.dataset.headed) header(host);
    keyed(host.lastChild, shown, (row) => row.id, build, update);
    host.lastChild.dataset.none = shown.length || !S.data.rows.length ? "" : find ? "No source has that name" : "Nothing here";
    foot();
    ratios();
    if (opened && !S.selected()) S.close();
    else if (opened) S.drawer(S.selected());
    S.checks(S.data.checks);
  };

  // -- the figures -------------------------------------------------------------------------------------------
  function figure(cell) {
    const box = make("div", "");
    box.setAttribute("role", "listitem");
    const inside = make(cell.filters || cell.opens ? "button" : "div", "kc", box);
    make("span", "kl", inside);
    const value = make("span", "kv", inside);
    make("b", "", value); make("span", "", value);
    make("span", "kd", inside);
    inside.addEventListener("click", () => {
      if (box.cell.opens) S.open(box.cell.opens);
      else if (box.cell.filters) { filter = filter === box.cell.filters ? "all" : box.cell.filters; S.draw(); }
    });
    return box;
  }
  function figured(box, cell) {
    const inside = box.firstChild, [label, value, line] = inside.children;
    box.cell = cell;
    inside.classList.toggle("att", cell.attention);
    write(label, cell.label);
    if (cell.since) value.firstChild.dataset.since = cell.since;
    else { delete value.firstChild.dataset.since; write(value.firstChild, cell.value); }
    write(value.lastChild, cell.unit);
    line.className = "kd " + cell.tone;
    line.title = cell.line;
    line.dataset.words = cell.line;
    if (cell.since) { line.dataset.of = cell.since; line.dataset.normal = cell.normal; } else write(line, cell.line);
    if (cell.filters) inside.setAttribute("aria-pressed", String(filter === cell.filters));
  }
  function chips() {
    const host = part(PAGE + "-bar");
    if (!host.firstChild) { make("h2", "", host, "Sources"); make("span", "sub", host); make("span", "grow", host); make("span", "fchips", host); }
    write(host.children[1], "by network");
    const shown = Object.keys(FILTERS).map((key) => ({ key, n: S.data.rows.filter(FILTERS[key][1]).length })).filter((one) => one.n || one.key === "all");
    keyed(host.lastChild, shown, (one) => one.key, (one) => {
      const button = make("button", "chip");
      button.addEventListener("click", () => { filter = one.key; S.draw(); });
      return button;
    }, (button, one) => {
      write(button, FILTERS[one.key][0] + " " + one.n);
      button.className = "chip " + (filter === one.key ? "acc" : "line");
      button.setAttribute("aria-pressed", String(filter === one.key));
    });
  }
  function header(host) {
    host.dataset.headed = "1";
    const head = make("div", "sgrid thd", host);
    head.setAttribute("aria-hidden", "true");
    for (const words of ["Source, cadence", "Data age", "Last 24 h by 15 min", "New items", "Cost today, month", "Limit left"]) make("span", "", head, words);
    make("div", "sbody", host).setAttribute("role", "list");
  }
  function foot() {
    const host = part(PAGE + "-foot");
    if (!host.firstChild) {
      for (const [kind, words] of [["got", "fetched, height = items"], ["quiet", "quiet: asked, nothing said"], ["bad", "every fetch failed"], ["deaf", "not listening"]]) {
        const item = make("span", "lg", host);
        make("i", kind, item); make("span", "", item, words);
      }
      make("span", "grow", host); make("span", "", host);
    }
    write(host.lastChild, S.data.at);
  }

  // -- a row -------------------------------------------------------------------------------------------------
  function build(row) {
    const box = make("div", "srow");
    box.setAttribute("role", "listitem");
    const line = make("div", "sgrid", box);
    const name = make("button", "nm", line), net = make("span", "net", name), who = make("span", "two", name);
    const two = (className) => { const host = make("span", "two " + (className || ""), line); return [make("b", "", host), make("em", "", host), host]; };
    const nameParts = [make("b", "", who), make("em", "", who)], age = two("age"), strip = make("button", "strip24", line);
    const items = two("r"), cost = two("cost"), left = two("left");
    const ends = make("i", "wn", null);
    cost[2].insertBefore(ends, cost[1]);
    const matter = make("div", "er", box);
    box.parts = { net, name, title: nameParts[0], cadence: nameParts[1], age, strip, items, cost, ends, left, chip: make("span", "chip", matter), words: make("span", "ew", matter), ways: make("span", "eways", matter), matter };
    line.addEventListener("click", (event) => { if (!event.target.closest(".strip24")) S.open(box.row.id); });
    strip.addEventListener("mousemove", (event) => { strip.title = quarterWords(box.row, quarterAt(strip, event)); });
    strip.addEventListener("click", (event) => mentions(box.row, event.detail ? quarterAt(strip, event) : -1));
    return box;
  }
  function update(box, row) {
    const p = box.parts;
    box.row = row;
    box.className = "srow" + (row.id === selected ? " on" : "") + (row.matter ? " has" : "");
    box.dataset.id = row.id;
    box.dataset.condition = row.condition;
    write(p.net, row.net); p.net.title = row.network;
    write(p.title, row.name); p.title.title = row.name;
    write(p.cadence, row.cadence);
    p.name.setAttribute("aria-label", row.name + ", " + row.chip[1] + ". Open.");
    if (row.since) { p.age[0].dataset.since = row.since; p.age[1].dataset.of = row.since; p.age[1].dataset.normal = row.normal; }
    else { delete p.age[0].dataset.since; delete p.age[1].dataset.of; write(p.age[0], row.age); write(p.age[1], row.done ? "" : row.chip[1].toLowerCase()); }
    p.age[2].dataset.tone = row.tone;
    bars(p.strip, row);
    write(p.items[0], row.new); write(p.items[1], row.of);
    write(p.cost[0], row.cost); write(p.cost[1], row.month); write(p.ends, row.ends);
    p.cost[2].classList.toggle("free", row.cost === "free");
    write(p.left[0], row.left); write(p.left[1], "");
    p.matter.hidden = !row.matter;
    if (!row.matter) { write(p.chip, ""); write(p.words, ""); S.ways(p.ways, row); return; }
    write(p.chip, row.chip[0] + " " + row.chip[1]);
    p.chip.className = "chip " + row.chip[2];
    write(p.words, row.matter.words); p.words.title = row.matter.words;
    p.words.className = "ew " + (row.matter.tone === "warn" ? "wn" : "t2");
    S.ways(p.ways, row);
  }
  S.ways = function (host, row) {
    keyed(host, row.matter ? row.matter.ways : [], (way) => way.do + way.label, (way) => {
      const button = make("button", "way", null, way.label);
      button.addEventListener("click", (event) => { event.stopPropagation(); S.way(way.do, host.rowId); });
      return button;
    });
    host.rowId = row.id;
  };
  S.way = function (what, id) {
    if (what === "edit") S.form(S.row(id));
    else S.act(what, id);
  };
  /* Four shapes, not four colours: a bar, a line of two pixels, a bar of full height in yellow, hatching. */
  function hatching() {
    if (part("hatching")) return;
    const svg = document.createElementNS(SVG, "svg"), box = document.createElementNS(SVG, "pattern");
    svg.setAttribute("class", "unseen"); svg.setAttribute("aria-hidden", "true");
    for (const [name, value] of Object.entries({ id: "hatching", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" })) box.setAttribute(name, value);
    for (const [width, className] of [[6, "ground"], [2, "stroke"]]) {
      const one = document.createElementNS(SVG, "rect");
      one.setAttribute("width", width); one.setAttribute("height", 6); one.setAttribute("class", "hatch-" + className);
      box.appendChild(one);
    }
    svg.appendChild(box);
    document.body.appendChild(svg);
  }
  function bars(host, row) {
    const key = JSON.stringify(row.strip);
    if (host.drawn === key) return;
    host.drawn = key;
    host.textContent = "";
    const most = Math.max(1, ...row.strip.bars), paths = { got: "", quiet: "", bad: "" };
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 192 20");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    const add = (tag, className, values) => {
      const element = document.createElementNS(SVG, tag);
      element.setAttribute("class", className);
      for (const name in values) element.setAttribute(name, values[name]);
      svg.appendChild(element);
    };
    let failures = 0, from = -1;
    const hatch = (upto) => { if (from >= 0) add("rect", "deaf", { x: 2 * from, y: 0, width: 2 * (upto - from), height: 20 }); from = -1; };
    row.strip.bars.forEach((value, place) => {
      if (value === -2 && from < 0) from = place;
      if (value !== -2) hatch(place);
      const bar = (height) => "M" + 2 * place + " 20v-" + height.toFixed(1) + "h1.5v" + height.toFixed(1) + "z";
      if (value > 0) paths.got += bar(3 + (17 * value) / most);
      else if (value === 0) paths.quiet += bar(2);
      else if (value === -1) { paths.bad += bar(20); failures += 1; }
    });
    hatch(96);
    for (const kind in paths) if (paths[kind]) add("path", kind, { d: paths[kind] });
    host.appendChild(svg);
    const deaf = row.strip.bars.filter((value) => value === -2).length;
    host.setAttribute("aria-label", "Last 24 hours: " + row.new + " new " + row.of + (failures ? ", " + failures + " quarter hours failed" : "") + (deaf ? ", " + deaf + " quarter hours not listening" : "") + ". Its mentions.");
  }
  function quarterAt(strip, event) {
    const box = strip.getBoundingClientRect();
    return Math.max(0, Math.min(95, Math.floor((96 * (event.clientX - box.left)) / box.width)));
  }
  const clock = (ms) => new Date(ms).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  function quarterWords(row, place) {
    const start = row.strip.start + place * QUARTER, value = row.strip.bars[place], failed = row.strip.failed[place];
    const words = value === -2 ? "not listening" : value === -3 ? "not asked" : value === -1 ? "every fetch failed" : value === 0 ? "quiet" : value.toLocaleString("en") + " items";
    return clock(start) + " to " + clock(start + QUARTER) + ": " + words + (failed ? ", " + failed[0] + " of " + failed[1] + " fetches failed" : "");
  }
  /* Of a quarter hour (−1: of the last day), on the command screen. */
  function mentions(row, place) {
    const at = (ms) => new Date(ms).toISOString().slice(0, 16) + "Z", parts = [];
    if (row.network_key && row.network_key !== "other") parts.push("network=" + row.network_key);
    if (place >= 0) parts.push("window=" + at(row.strip.start + place * QUARTER) + ".." + at(row.strip.start + (place + 1) * QUARTER));
    window.dash_clientside.set_props("url", { pathname: "/", search: parts.length ? "?" + parts.join("&") : "", hash: "" });
  }
  S.mentions = mentions;

  function ratios() {
    const now = L.now ? L.now() : Date.now();
    for (const element of document.querySelectorAll(".admin [data-of]")) {
      const normal = Number(element.dataset.normal), times = normal ? (now - Date.parse(element.dataset.of)) / 1000 / normal : 0;
      const words = normal ? (times < 10 ? Math.max(0, times).toFixed(1) : Math.round(times).toLocaleString("en")) + "× normal" : "not asked";
      write(element, element.dataset.words ? element.dataset.words + ", " + words : words);
      const host = element.closest(".age");
      if (host) host.classList.toggle("wn", Boolean(host.dataset.tone) || times >= 3);
    }
  }
  setInterval(ratios, 1000);

  // -- what people do ----------------------------------------------------------------------------------------
  S.open = function (id, quietly) {
    selected = id; opened = true;
    if (!quietly) history.replaceState(history.state, "", location.pathname + location.search + "#source-" + id);
    S.draw();
    const box = document.querySelector('.srow[data-id="' + id + '"]');
    if (box) box.scrollIntoView({ block: "nearest" });
  };
  S.close = function () {
    if (!opened) return false;
    opened = false;
    S.drawer(null);
    history.replaceState(history.state, "", location.pathname + location.search);
    S.draw();
    return true;
  };
  S.isOpen = () => opened;
  S.act = function (what, id, because) {
    number += 1;
    S.waiting.set(number, what);
    window.dash_clientside.set_props("source-asked", { data: { n: number, do: what, source: id, because: because || "" } });
  };
  S.done = function (done) {
    if (done && S.waiting.delete(done.n)) S.toast(done.words, done.ok);
    return "";
  };
  let toastTimer = 0;
  S.toast = function (words, ok) {
    let host = part("source-toast");
    if (!host) { host = make("div", "toast", document.body); host.id = "source-toast"; host.setAttribute("role", "status"); }
    host.textContent = "";
    make("span", ok ? "t2" : "wn", host, ok ? words : "✕ " + words);
    host.hidden = false;
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => { host.hidden = true; }, ok ? 5000 : 12000);
  };
  function move(step) {
    const shown = rows(), at = shown.findIndex((row) => row.id === selected);
    if (!shown.length) return;
    const next = shown[Math.max(0, Math.min(shown.length - 1, at < 0 ? 0 : at + step))];
    selected = next.id;
    if (opened) S.open(next.id); else S.draw();
    const box = document.querySelector('.srow[data-id="' + next.id + '"]');
    if (box) box.scrollIntoView({ block: "nearest" });
  }
  function keys(event) {
    const row = S.selected(), key = event.key.toLowerCase();
    if (S.formOpen()) return false;
    if (key === "j") move(1);
    else if (key === "k") move(-1);
    else if (key === "/") part("source-find").focus();
    else if (!row) return false;
    else if (event.key === "Enter") { if (/^(BUTTON|A)$/.test(event.target.tagName)) return false; S.open(row.id); }
    else if (key === "f") S.act("fetch", row.id);
    else if (key === "p" && opened) S.pauseOrStart(row);
    else if (key === "e") { if (row.editable) S.form(row); else S.toast("A source of this kind is set up on the command line.", false); }
    else return false;
    return true;
  }
  function escape(event) {
    if (event.target.id === "source-find" && event.target.value) { event.target.value = find = ""; S.draw(); return true; }
    if (event.target.id === "source-find") event.target.blur();
    return S.closeForm() || S.closePause() || S.close();
  }
  window.WatchfloorPages = Object.assign(window.WatchfloorPages || {}, { [PAGE]: { keys, escape } });

  // -- the bar above -----------------------------------------------------------------------------------------
  function bar() {
    const host = part("bar-own");
    if (!host || host.firstChild) return;
    make("span", "grow", host);
    const box = make("label", "search", host);
    icon("search", "s16", box);
    const field = make("input", "", box);
    field.id = "source-find"; field.type = "search"; field.placeholder = "Find a source"; field.autocomplete = "off";
    field.setAttribute("aria-label", "Find a source");
    field.addEventListener("input", () => { find = field.value; S.draw(); });
    make("kbd", "", box, "/");
    const add = make("button", "btn pri", host);
    icon("plus", "s14", add); make("span", "", add, "Add a source");
    add.id = "source-add";
    add.addEventListener("click", () => S.form(null));
  }
  window.addEventListener("watchfloor:page", (event) => {
    const host = part("bar-own");
    if (event.detail.page === PAGE) { bar(); return; }
    if (host) host.textContent = "";
    S.data = null; opened = false; selected = ""; find = ""; filter = "all";
    S.closeForm();
  });
  L.custom[PAGE + "-table"] = function (props) {
    if (!part(PAGE + "-table")) return true;
    const first = !S.data;
    S.data = props;
    const wanted = /^#source-(\d+)$/.exec(location.hash);
    if (first && wanted && S.row(wanted[1])) S.open(wanted[1], true); else S.draw();
    return true;
  };
})();
