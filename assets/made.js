/* How a figure was made: a drawer over the page, opened by a click on a key figure, by H on it, from a panel's menu, or by
   the fragment #made=KEY of a link. What it says comes from the server; nothing here computes.

   WatchfloorMade.open("net_sentiment"), WatchfloorMade.close(), WatchfloorMade.mark(): frame the figure that is open. */
(function () {
  "use strict";
  const { make, icon, say } = window.WatchfloorDom;
  const SVG = "http://www.w3.org/2000/svg", WIDTH = 744, KEY = "made", FRAGMENT = "#made=";
  let open = "", drawer = null, asking = 0, part = "all", next = "";

  const asks = (name, given) => window.WatchfloorAsks.read(name, given);
  const wanted = () => (location.hash.startsWith(FRAGMENT) ? decodeURIComponent(location.hash.slice(FRAGMENT.length)) : "");
  /* The open figure stands in the address without a step of history: Back leads to another scope, not through drawers. */
  function address(key) {
    const hash = key ? FRAGMENT + encodeURIComponent(key) : "";
    if (location.hash !== hash) history.replaceState(history.state, "", location.pathname + location.search + hash);
  }
  function mark() {
    for (const box of document.querySelectorAll(".kpi[data-kpi]")) box.setAttribute("aria-expanded", String(box.dataset.kpi === open));
  }
  const frame = () => document.querySelector(".frame") || document.body;
  /* Below the key figures, so that the number one asks about stays in sight. */
  function place() {
    if (!drawer) return;
    const strip = document.getElementById("panel-kpi"), body = document.querySelector(".body");
    const from = strip ? strip.getBoundingClientRect().bottom + 8 : body ? body.getBoundingClientRect().top : 0;
    frame().style.setProperty("--made-top", Math.max(0, Math.round(from)) + "px");
  }

  function show(key) {
    if (open === key && drawer && drawer.host.isConnected) { close(); return; }
    open = key;
    part = ""; next = "";
    drawer = window.WatchfloorOverlay.drawer({ key: KEY, title: " ", label: "How the figure was made", width: WIDTH, closed: closed, build: () => {} });
    open = key;
    drawer.host.classList.add("made");
    drawer.host.setAttribute("role", "dialog");
    frame().classList.add("with-made");
    drawer.path = location.pathname;
    address(key);
    mark();
    place();
    load();
  }
  function closed() {
    if (drawer && drawer.host.isConnected) return;
    open = ""; drawer = null; asking += 1;
    frame().classList.remove("with-made");
    address("");
    mark();
  }
  function close() { if (drawer) drawer.close(); }

  async function load() {
    const mine = ++asking, host = drawer, key = open;
    host.body.setAttribute("aria-busy", "true");
    try {
      const told = await asks("made", { metric: key });
      if (mine !== asking || drawer !== host) return;
      draw(host, told);
    } catch (error) {
      if (mine !== asking || drawer !== host) return;
      host.body.textContent = "";
      make("p", "made-fault", host.body, error.message);
    }
    host.body.removeAttribute("aria-busy");
  }

  function draw(host, told) {
    const title = host.host.querySelector("h2");
    title.textContent = told.label;
    host.host.setAttribute("aria-label", told.label + ", how it was made");
    host.head.textContent = "";
    host.head.className = "grow made-head";
    const sub = make("span", "sub t3", host.head, "how it was made · " + told.scope + ", as known " + told.until);
    sub.title = sub.textContent;
    button(host.head, "link", "Copy link", () => copy(location.origin + told.link));
    if (told.chips.length) button(host.head, "", "CSV", () => save(told));
    host.body.textContent = "";
    host.body.tabIndex = 0;
    const grid = make("div", "made-grid", host.body);
    definition(section(grid, "Definition", "metric " + told.key + ", version " + told.version), told);
    formula(make("section", "made-formula", grid), told);
    let lines = null;
    if (told.counted.length) {
      lines = make("div", "made-lines", section(grid, "Counted and left out", told.partial ? "only the newest 50,000 of the scope are counted" : ""));
      counted(lines, told.counted);
    }
    if (told.ages.length) ages(section(grid, "Data age by source", "age, times its normal"), told.ages);
    if (told.change) change(section(host.body, told.change.title, ""), told.change);
    if (told.chips.length) {
      part = told.chips[0].part;
      behind(section(host.body, "Rows behind it", ""), told);
      if (lines) kinds(lines);
    }
    place();
    say(told.label + " " + told.value + " " + told.unit);
  }
  function button(parent, symbol, words, act) {
    const element = make("button", "btn sm", parent);
    element.type = "button";
    if (symbol) icon(symbol, "s14", element);
    make("span", "", element, words);
    element.addEventListener("click", act);
    return element;
  }
  function section(parent, title, sub) {
    const host = make("section", "", parent), head = make("header", "", host);
    make("h3", "", head, title);
    make("span", "sub t3", head, sub);
    return host;
  }

  // -- definition and formula ------------------------------------------------------------------------------
  function definition(host, told) {
    make("p", "", host, told.definition);
    if (!told.counted.length) for (const words of told.left_out) make("p", "t3 out", host, words);
  }
  function pieces(parent, list, className) {
    const host = make("span", className, parent);
    for (const piece of list) make("span", piece.tone, host, piece.text);
  }
  function formula(host, told) {
    host.setAttribute("aria-label", "Formula: " + told.formula_words);
    const line = make("div", "fx", host);
    if (told.formula.lead) make("span", "t3", line, told.formula.lead);
    const ratio = make("span", "ratio" + (told.formula.under.length ? " over" : ""), line);
    pieces(ratio, told.formula.over, "a");
    if (told.formula.under.length) pieces(ratio, told.formula.under, "b");
    if (told.value) {
      const value = make("div", "fv", host);
      make("b", "", value, told.value);
      if (told.unit) make("span", "t2", value, told.unit);
      make("span", "t2", value, told.interval);
    }
    if (told.filled) make("div", "t3 fw", host, told.formula_words);
  }

  // -- counted and left out --------------------------------------------------------------------------------
  function row(line) {
    const can = line.part || (line.narrow && Object.keys(line.narrow).length);
    const host = make(can ? "button" : "div", "cl " + line.kind);
    if (can) {
      host.type = "button";
      host.addEventListener("click", () => (line.part ? choose(line.part, true) : narrow(line.narrow)));
    }
    make("span", "w", host, line.words).title = line.words;
    make("span", "num", host, line.n === null ? "" : line.n.toLocaleString("en"));
    make("span", "num t3", host, line.share === null ? "" : (100 * line.share).toFixed(1) + "%");
    return host;
  }
  function counted(host, lines) {
    for (const line of lines) {
      const element = row(line);
      if (line.id) element.dataset.line = line.id;
      host.appendChild(element);
    }
    make("div", "cl t3 wait", host, "Looking at the rows …");
  }
  async function kinds(host) {
    const mine = asking, wait = host.querySelector(".wait");
    let found;
    try { found = await asks("made.kinds", { metric: open }); } catch (error) { if (wait.isConnected) wait.textContent = error.message; return; }
    if (mine !== asking || !wait.isConnected) return;
    const line = host.querySelector('[data-line="unscored"]');
    if (line && found.under.length) line.after(...found.under.map((one) => { const element = row(one); element.classList.add("under"); return element; }));
    const base = host.querySelector(".base:last-of-type");
    for (const one of found.kept) {
      if (one.kind === "base" || !base || base === host.firstElementChild) wait.before(row(one)); else base.before(row(one));
    }
    if (found.note) wait.textContent = "What only rows tell is shown " + found.note + "."; else wait.remove();
  }
  function narrow(scope) {
    const part = {};
    for (const name in scope) part[name] = [scope[name]];
    window.WatchfloorScope.change(part);
  }

  // -- data age --------------------------------------------------------------------------------------------
  function ages(host, list) {
    for (const source of list) {
      const line = make("div", "da " + source.tone, host);
      if (source.net) make("span", "net", line, source.net).title = source.network;
      make("span", "w", line, source.name).title = source.name;
      make("i", "", make("span", "bar", line)).style.width = 100 * source.share + "%";
      make("span", "num age", line, source.age);
      make("span", "num t3 times", line, source.times);
    }
  }

  // -- change ----------------------------------------------------------------------------------------------
  function change(host, told) {
    host.classList.add("made-change");
    const sub = host.querySelector(".sub");
    sub.className = "sub " + told.tone;
    make("b", "", sub, told.words);
    make("span", "t3", sub, told.was);
    make("span", "grow", host.firstChild);
    if (told.note) make("span", "t3", host.firstChild, told.note);
    if (told.why) make("p", "t2", host, told.why);
    if (told.bars.length) { bars(make("div", "wf", host), told.bars); make("div", "t3 when", host, told.compared); }
  }
  function shape(svg, tag, attributes) {
    const element = document.createElementNS(SVG, tag);
    for (const name in attributes) element.setAttribute(name, attributes[name]);
    svg.appendChild(element);
    return element;
  }
  /* Start, a bar for each part from where the one before it ended, end. */
  function bars(host, list) {
    const width = 712, height = 132, top = 22, foot = 24, wide = width / list.length, thick = Math.min(88, wide - 16);
    let level = 0, low = 0, high = 0;
    const spans = list.map((bar) => {
      const from = bar.kind === "end" ? 0 : level, to = bar.kind === "end" ? bar.value : level + bar.value;
      level = to;
      low = Math.min(low, from, to); high = Math.max(high, from, to);
      return [from, to];
    });
    // Around bars that all stand high above zero the axis begins near them, and says so by its broken foot.
    const inner = spans.slice(1, -1).flat().concat(spans[0][1], level), least = Math.min(...inner), most = Math.max(...inner);
    const cut = least > 0 && most - least < 0.5 * most ? Math.max(0, least - (most - least || 1) * 0.6) : 0;
    if (cut) low = cut;
    const y = (value) => top + ((high - Math.max(value, cut)) * (height - top - foot - 14)) / (high - low || 1);
    const svg = shape(host, "svg", { viewBox: "0 0 " + width + " " + height, role: "img" });
    svg.setAttribute("aria-label", list.map((bar) => bar.label + " " + bar.words).join(", "));
    shape(svg, "line", { x1: 0, x2: width, y1: y(cut), y2: y(cut), class: cut ? "zero cut" : "zero" });
    list.forEach((bar, i) => {
      const [from, to] = spans[i], x = i * wide + (wide - thick) / 2, upper = Math.min(y(from), y(to)), tall = Math.max(2, Math.abs(y(from) - y(to)));
      const group = shape(svg, "g", { class: "wb " + bar.kind + " " + (bar.tone || "plain") });
      shape(group, "rect", { x, y: upper, width: thick, height: tall, rx: 2 });
      if (i + 1 < list.length) shape(group, "line", { x1: x + thick, x2: x + wide, y1: y(to), y2: y(to), class: "joint" });
      const below = bar.kind === "end" ? to < 0 : bar.value < 0 && upper + tall + 16 < height - foot;
      const value = shape(group, "text", { x: x + thick / 2, y: below ? upper + tall + 14 : upper - 6, class: "v" });
      value.textContent = bar.words;
      const label = shape(group, "text", { x: x + thick / 2, y: height - 6, class: "l" });
      const room = Math.max(4, Math.floor(wide / 6.2));
      label.textContent = bar.label.length > room ? bar.label.slice(0, room - 1) + "…" : bar.label;
      shape(group, "title", {}).textContent = bar.label + ": " + bar.words;
      if (Object.keys(bar.narrow).length) {
        group.classList.add("can");
        group.addEventListener("click", () => narrow(bar.narrow));
      }
    });
  }

  // -- rows ------------------------------------------------------------------------------------------------
  let list = null;
  function behind(host, told) {
    host.classList.add("made-rows");
    const head = host.firstChild, sub = host.querySelector(".sub");
    make("span", "grow", head);
    const chips = make("div", "chips", head);
    chips.setAttribute("role", "group");
    chips.setAttribute("aria-label", "Which rows");
    for (const chip of told.chips) {
      const element = make("button", "chip line", chips, chip.words);
      element.type = "button";
      element.dataset.part = chip.part;
      if (chip.tone) element.classList.add(chip.tone);
      if (chip.words !== "All" || told.chips.length === 1) make("span", "num", element, chip.n.toLocaleString("en"));
      element.addEventListener("click", () => choose(chip.part));
    }
    const scroll = make("div", "made-table", host), table = make("table", "", scroll);
    make("caption", "unseen", table, "Rows behind " + told.label);
    list = { sub, chips, table, totals: new Map(told.chips.map((chip) => [chip.part, chip.n])), head: make("thead", "", table), body: make("tbody", "", table), more: make("button", "btn sm more", host, "Show more") };
    list.more.type = "button";
    list.more.addEventListener("click", () => page(true));
    choose(part);
  }
  function choose(wantedPart, scroll) {
    if (!list) return;
    part = wantedPart;
    for (const chip of list.chips.children) chip.setAttribute("aria-pressed", String(chip.dataset.part === part));
    page(false);
    if (scroll) list.table.closest("section").scrollIntoView({ block: "start" });
  }
  async function page(more) {
    const mine = list, asked = part;
    mine.more.hidden = true;
    mine.table.setAttribute("aria-busy", "true");
    let found;
    try {
      found = await asks("made.rows", more ? { metric: open, part: asked, after: next } : { metric: open, part: asked });
    } catch (error) { if (mine === list && part === asked) mine.sub.textContent = error.message; return; }
    if (mine !== list || part !== asked || !mine.table.isConnected) return;
    mine.table.removeAttribute("aria-busy");
    if (!more) {
      mine.head.textContent = ""; mine.body.textContent = "";
      const line = make("tr", "", mine.head);
      for (const name of found.columns) { const cell = make("th", "", line, name || ""); cell.scope = "col"; if (!name) make("span", "unseen", cell, "Network"); }
    }
    for (const one of found.rows) mine.body.appendChild(behindRow(one));
    next = found.next;
    mine.more.hidden = !next;
    const shown = mine.body.childElementCount, total = mine.totals.get(asked);
    mine.sub.textContent = !shown ? "none" : "newest " + shown.toLocaleString("en") + (total ? " of " + total.toLocaleString("en") : "");
    if (!next && total > found.most) mine.sub.textContent += "; no more than " + found.most.toLocaleString("en") + " are shown";
  }
  function behindRow(one) {
    const line = make("tr", "");
    make("td", "num t3", line, one.when).title = one.at;
    make("span", "net", make("td", "", line), one.net).title = one.network;
    const text = make("td", "text", line), words = make("bdi", one.gone ? "t3" : "", text, one.gone || one.text);
    if (one.language) words.lang = one.language;
    text.title = one.text;
    for (const cell of one.cells) make("td", cell.tone === "num" ? "num" : cell.tone || "t2", line, cell.text).title = cell.text;
    return line;
  }

  // -- taking it away --------------------------------------------------------------------------------------
  function copy(words) {
    window.WatchfloorPanelMenu.copy(words, "The link is copied. It shows this figure as known now.");
  }
  async function save(told) {
    try {
      const file = await window.WatchfloorAsks.act("export.rows", { metric: told.key, part });
      window.WatchfloorPanelMenu.save(file);
    } catch (error) { window.WatchfloorOverlay.toast(error.message, { bad: true }); }
  }

  // -- when it opens by itself -------------------------------------------------------------------------------
  function follow() {
    const key = wanted();
    if (key && key !== open) show(key);
    else if (!key && open) close();
  }
  window.addEventListener("live:subscribed", () => {
    // A change of scope writes an address without a fragment; the drawer stays and asks anew.
    if (open && drawer && drawer.host.isConnected && drawer.path === location.pathname) { address(open); load(); }
    else if (wanted()) setTimeout(follow, 0);
  });
  window.addEventListener("hashchange", follow);
  window.addEventListener("resize", place);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "h" && event.key !== "H") return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const box = document.activeElement && document.activeElement.closest && document.activeElement.closest(".kpi[data-kpi]");
    if (!box) return;
    event.preventDefault();
    event.stopPropagation();
    show(box.dataset.kpi);
  }, true);

  window.WatchfloorMade = { open: show, close, mark };
})();
