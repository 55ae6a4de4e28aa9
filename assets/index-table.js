/* The tables of all brands, locations and teams. A plain table and not a grid library: at most some fifty rows, groups with a
   row of sums between them that stays where it is, and one stop for Tab. Rows are keyed, so a change moves and rewrites them.

   What is ticked and how it is sorted stands after the "#" of the address: a link reproduces it. The two graphs below draw the
   ticked rows from the days of all rows, which come with the page. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const { make, icon, write, keyed, say } = window.WatchfloorDom;
  const part = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg", KINDS = ["brand", "location", "team"], MOST = 4, NET = 40;
  const known = {};
  for (const kind of KINDS) known[kind] = { kind, props: null, days: null, ticked: null, sort: { key: "", down: true }, at: "", waits: false };

  // -- what stands after the "#" -------------------------------------------------------------------------
  function remember(state) {
    const words = "#tick=" + state.ticked.map(encodeURIComponent).join(",") + (state.sort.key ? "&sort=" + (state.sort.down ? "-" : "") + state.sort.key : "");
    if (location.pathname !== "/" + state.kind + "s") return;
    history.replaceState(history.state, "", location.pathname + location.search + words);
    // Dash's own copy of the address follows; left behind it would take the next way to be a way back.
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  }
  function recall(state) {
    if (state.ticked !== null) return;
    const given = new URLSearchParams(location.hash.slice(1)), rows = members(state).map((row) => row.key);
    const sort = given.get("sort") || "";
    if (state.props.columns.some((column) => column.key === sort.replace(/^-/, ""))) state.sort = { key: sort.replace(/^-/, ""), down: sort.startsWith("-") };
    // Where the link names none the three largest of the first group are a beginning.
    state.ticked = given.has("tick") ? given.get("tick").split(",").map(decodeURIComponent).filter((key) => rows.includes(key)).slice(0, MOST)
      : state.props.groups.length ? [...state.props.groups[0].rows].sort((a, b) => b.mentions.v - a.mentions.v).slice(0, 3).filter((row) => row.mentions.v).map((row) => row.key) : [];
  }
  const members = (state) => state.props.groups.flatMap((group) => group.rows);

  // -- the table -----------------------------------------------------------------------------------------
  function valueOf(row, key) { return key === "name" ? row.name.toLocaleLowerCase() : key === "spark" ? row.mentions.points : row[key].v; }
  function sorted(state, rows) {
    const { key, down } = state.sort;
    if (!key) return rows;
    const turn = down ? -1 : 1;
    return [...rows].sort((a, b) => {
      const one = valueOf(a, key), two = valueOf(b, key);
      // What is not known stands last whichever way it is sorted.
      if (one === null || two === null) return (one === null) - (two === null);
      return one < two ? -turn : one > two ? turn : 0;
    });
  }
  function sortBy(state, key) {
    state.sort = state.sort.key === key ? { key, down: !state.sort.down } : { key, down: key !== "name" };
    remember(state);
    draw(state);
    const column = state.props.columns.find((one) => one.key === key);
    say("Sorted by " + column.label + (state.sort.down ? ", largest first" : ", smallest first"));
  }
  function frame(state, host) {
    if (host.table) return host.table;
    const table = make("table", "itab", host);
    table.setAttribute("aria-label", "All " + state.kind + "s");
    const head = make("tr", "", make("thead", "", table));
    const corner = make("th", "ct", head);
    make("span", "unseen", corner, "Ticked for the graphs");
    state.props.columns.forEach((column, n) => {
      const cell = make("th", "c-" + column.key, head);
      cell.scope = "col";
      cell.dataset.sort = column.key;
      const button = make("button", "", cell);
      button.type = "button";
      button.title = column.tip + " (S " + (n + 1) + ")";
      make("span", "", button, column.label);
      make("i", "dir", button).setAttribute("aria-hidden", "true");
      button.addEventListener("click", () => sortBy(state, column.key));
    });
    table.body = make("tbody", "", table);
    return (host.table = table);
  }
  function lines(state) {
    const found = [];
    for (const group of state.props.groups) {
      found.push({ type: "group", id: "g:" + group.key, name: group.name });
      for (const row of sorted(state, group.rows)) found.push({ type: "row", id: "r:" + group.key + ":" + row.key, row });
      if (group.total) found.push({ type: "total", id: "t:" + group.key, row: group.total });
      if (group.unknown) found.push({ type: "rest", id: "u:" + group.key, row: group.unknown });
    }
    return found;
  }
  function draw(state) {
    const host = part("index-" + state.kind + "s-table");
    if (!host || !state.props) return;
    const table = frame(state, host);
    for (const cell of table.tHead.rows[0].cells) {
      if (!cell.dataset.sort) continue;
      const on = cell.dataset.sort === state.sort.key;
      cell.setAttribute("aria-sort", on ? (state.sort.down ? "descending" : "ascending") : "none");
      write(cell.querySelector(".dir"), on ? (state.sort.down ? "▼" : "▲") : "");
    }
    const rows = members(state).map((row) => row.key);
    if (!rows.includes(state.at)) state.at = "";
    keyed(table.body, lines(state), (line) => line.id, (line) => build(state, line), (element, line) => fill(state, element, line));
    ticks(state);
  }
  function build(state, line) {
    const tr = make("tr", "is-" + line.type);
    if (line.type === "group") {
      const cell = make("th", "", tr);
      cell.colSpan = state.props.columns.length + 1;
      cell.scope = "rowgroup";
      tr.words = make("span", "", cell);
      return tr;
    }
    const corner = make("td", "ct", tr);
    if (line.type === "row") {
      const tick = make("button", "tick-box", corner);
      tick.type = "button";
      tick.tabIndex = -1;
      tick.setAttribute("role", "checkbox");
      icon("check", "s12", tick);
      tick.addEventListener("click", (event) => { event.stopPropagation(); toggle(state, line.row.key); });
      tr.tick = tick;
      tr.dataset.key = line.row.key;
      tr.addEventListener("click", (event) => { if (!event.target.closest("a,button") && !String(getSelection())) open(tr); });
      tr.addEventListener("focusin", () => mark(state, line.row.key));
    }
    tr.parts = {};
    for (const column of state.props.columns) {
      const cell = make(column.key === "name" ? "th" : "td", "c-" + column.key, tr);
      if (column.key === "name") cell.scope = "row";
      tr.parts[column.key] = CELLS[column.key].build(cell, line);
    }
    return tr;
  }
  function fill(state, tr, line) {
    if (line.type === "group") { write(tr.words, line.name); return; }
    for (const column of state.props.columns) CELLS[column.key].fill(tr.parts[column.key], line.row, line);
    if (tr.tick) tr.tick.setAttribute("aria-label", "Draw " + line.row.name + " in the graphs");
    tr.classList.toggle("theirs", !line.row.ours);
  }

  // -- the cells -----------------------------------------------------------------------------------------
  function svg(host, tag, className) {
    const element = document.createElementNS(SVG, tag);
    element.setAttribute("class", className);
    host.appendChild(element);
    return element;
  }
  const CELLS = {
    name: {
      build(cell, line) {
        const box = make("div", "who", cell), mono = make("span", "mono", box), words = make("div", "", box);
        mono.setAttribute("aria-hidden", "true");
        const link = make(line.type === "row" ? "a" : "b", "", words);
        if (line.type !== "row") mono.remove();
        return { mono, link, line: make("span", "t3", words) };
      },
      fill(p, row) {
        write(p.mono, row.mono);
        write(p.link, row.name);
        write(p.line, row.line);
        p.line.title = row.line;
        if (row.href) {
          p.link.href = row.href + location.search;
          p.link.tabIndex = -1;
        }
      },
    },
    spark: {
      build(cell) {
        const picture = svg(cell, "svg", "spk");
        picture.setAttribute("viewBox", "0 0 100 28");
        picture.setAttribute("preserveAspectRatio", "none");
        picture.setAttribute("aria-hidden", "true");
        const band = svg(picture, "polygon", "bnd"), line = svg(picture, "polyline", "lin");
        line.setAttribute("vector-effect", "non-scaling-stroke");
        return { band, line, dot: make("i", "dot", cell) };
      },
      fill(p, row) {
        if (p.line.getAttribute("points") !== row.spark.line) p.line.setAttribute("points", row.spark.line);
        if (p.band.getAttribute("points") !== row.spark.band) p.band.setAttribute("points", row.spark.band);
        const last = row.spark.line.split(" ").pop().split(",");
        p.dot.style.top = "calc(50% - 14px + " + last[1] + "px)";
      },
    },
    mentions: {
      build: (cell) => ({ text: make("b", "", cell), unit: make("span", "t3", cell), change: make("span", "t2 chg", cell) }),
      fill(p, row) { write(p.text, row.mentions.text); write(p.unit, row.mentions.unit ? " " + row.mentions.unit : ""); write(p.change, row.mentions.change); },
    },
    times: {
      build: (cell) => ({ cell }),
      fill(p, row) { write(p.cell, row.times.text); p.cell.classList.toggle("much", row.times.bold); p.cell.title = row.times.tip || "Too few to compare"; },
    },
    share: {
      build(cell) { const box = make("div", "shr", cell); return { bar: make("i", "", make("span", "bar", box)), text: make("b", "", box) }; },
      fill(p, row) { p.bar.style.width = (row.share.v || 0) + "%"; write(p.text, row.share.text); },
    },
    net: {
      build(cell) {
        const box = make("div", "nt", cell), axis = make("span", "ax", box);
        axis.setAttribute("aria-hidden", "true");
        const span = make("i", "iv", axis), tick = make("i", "tk", axis), words = make("span", "", box);
        return { box, span, tick, glyph: make("i", "gl", words), text: make("b", "", words), pm: make("span", "t3", words) };
      },
      fill(p, row) {
        const net = row.net, at = (value) => 50 + (50 * Math.max(-NET, Math.min(NET, value))) / NET;
        p.span.hidden = p.tick.hidden = net.v === null;
        p.box.className = "nt " + net.tone;
        p.box.title = net.tip || "Nothing scored";
        if (net.v !== null) {
          p.span.style.left = at(net.low) + "%";
          p.span.style.width = Math.max(0.5, at(net.high) - at(net.low)) + "%";
          p.tick.style.left = at(net.v) + "%";
          p.tick.classList.toggle("beyond", Math.abs(net.v) > NET);
        }
        write(p.glyph, net.glyph);
        write(p.text, net.text);
        write(p.pm, net.pm);
      },
    },
    reach: {
      build: (cell) => ({ text: make("b", "", cell), unit: make("span", "t3", cell) }),
      fill(p, row) { write(p.text, row.reach.text); write(p.unit, row.reach.unit ? " " + row.reach.unit : ""); },
    },
    spikes: {
      build: (cell) => ({ cell, glyph: make("i", "gl", cell), text: make("span", "", cell) }),
      fill(p, row, line) {
        write(p.glyph, row.spikes.glyph);
        write(p.text, row.spikes.text);
        p.cell.title = row.spikes.tip;
        p.cell.classList.toggle("some", Boolean(row.spikes.v));
      },
    },
  };

  // -- one row has the keys ------------------------------------------------------------------------------
  const rowsOf = (state) => [...document.querySelectorAll("#index-" + state.kind + "s-table tr.is-row")];
  function mark(state, key) {
    if (state.at === key) return;
    state.at = key;
    ticks(state);
  }
  function ticks(state) {
    const rows = rowsOf(state), stop = state.at || (rows.length ? rows[0].dataset.key : "");
    for (const tr of rows) {
      const on = state.ticked.includes(tr.dataset.key), at = stop === tr.dataset.key;
      tr.tick.setAttribute("aria-checked", String(on));
      tr.tick.tabIndex = tr.querySelector("a").tabIndex = at ? 0 : -1;
      tr.classList.toggle("on", on);
      tr.classList.toggle("at", at);
    }
    const host = part("index-" + state.kind + "s-head");
    if (host && host.parts) write(host.parts.side, state.ticked.length ? state.ticked.length + " ticked" : "");
  }
  function move(state, by) {
    const rows = rowsOf(state), now = rows.findIndex((tr) => tr.dataset.key === state.at);
    const inside = document.activeElement && document.activeElement.closest(".itab");
    const next = rows[Math.max(0, Math.min(rows.length - 1, inside ? now + by : Math.max(now, 0)))];
    if (!next) return;
    mark(state, next.dataset.key);
    const link = next.querySelector("a");
    link.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }
  function toggle(state, key) {
    const row = members(state).find((one) => one.key === key);
    if (!row) return;
    if (state.ticked.includes(key)) state.ticked = state.ticked.filter((one) => one !== key);
    else if (state.ticked.length >= MOST) { window.WatchfloorOverlay.toast("Four rows at most can be drawn beside each other. Untick one first."); return; }
    else state.ticked = [...state.ticked, key];
    remember(state);
    ticks(state);
    graphs(state);
    say(row.name + (state.ticked.includes(key) ? " ticked" : " unticked"));
  }
  function open(tr) {
    const link = tr.querySelector("a"), to = new URL(link.href);
    history.pushState({}, "", to.pathname + to.search);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  }
  // A plain click on the name stays inside the page as every link of it does.
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest(".itab a");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    open(link.closest("tr"));
  });

  // -- the graphs ----------------------------------------------------------------------------------------
  function labels(ends, low, high, tall) {
    // A label is 15 px high.
    const gap = (high - low) * Math.min(0.25, 15 / Math.max(40, tall)), found = [...ends].sort((a, b) => a.value - b.value);
    let y = -Infinity;
    for (const end of found) { end.y = Math.max(end.value, y + gap); y = end.y; }
    let ceiling = high;
    for (const end of found.reverse()) { end.y = Math.min(end.y, ceiling); ceiling = end.y - gap; }
    return found;
  }
  function top(highest) {
    const size = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(highest, 4) / 5)));
    const step = [1, 2, 5, 10].map((n) => n * size).find((n) => n * 5 >= highest) || 10 * size;
    return [Math.max(step, Math.ceil(highest / step) * step), step];
  }
  const short = (value) => (value >= 1e6 ? (value / 1e6).toFixed(1) + "M" : value >= 1e4 ? (value / 1e3).toFixed(1) + "k" : Math.round(value).toLocaleString("en"));
  const signed = (value) => (Math.round(value) > 0 ? "+" : Math.round(value) < 0 ? "−" : "") + Math.abs(Math.round(value));
  const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  function graphs(state) {
    const days = state.days, key = "index-" + state.kind + "s-days";
    if (!days || state.ticked === null || !part(key + "-mentions-graph")) return;
    const rows = state.ticked.map((one) => days.rows.find((row) => row.key === one)).filter(Boolean);
    for (const what of ["mentions", "net"]) {
      const none = part(key + "-" + what + "-none"), sub = part(key + "-" + what + "-sub");
      write(none, rows.length ? "" : "Tick up to four rows to see them beside each other.");
      none.hidden = rows.length > 0;
      write(sub, days.sub + (what === "net" ? "; positive above zero, days of fewer than 12 scored left out" : ""));
      const graph = document.querySelector('[data-graph="' + key + "-" + what + '"]');
      const figure = drawn(rows, what, days, graph.clientHeight - 40);
      const said = rows.map((row) => row.name + " " + ends(row[what], what));
      graph.setAttribute("aria-label", (what === "net" ? "Net sentiment" : "Mentions") + " per day: " + (said.join(", ") || "nothing ticked"));
      window.dash_clientside.set_props(key + "-" + what + "-graph", { figure: L.themed ? L.themed(figure) : figure });
    }
  }
  function lastOf(values) {
    for (let n = values.length - 1; n >= 0; n -= 1) if (values[n] !== null) return values[n];
    return null;
  }
  const ends = (values, what) => { const last = lastOf(values); return last === null ? "nothing known" : what === "net" ? signed(last) : short(last); };
  function drawn(rows, what, days, tall) {
    const values = rows.flatMap((row) => row[what].filter((value) => value !== null));
    let low = 0, high, step;
    if (what === "net") {
      const reach = Math.max(20, ...values.map((value) => Math.abs(value)));
      step = reach > 60 ? 40 : 20;
      high = Math.max(step, Math.ceil(Math.max(0, ...values) / step) * step);
      low = Math.min(0, Math.floor(Math.min(0, ...values) / step) * step);
    } else [high, step] = top(Math.max(4, ...values));
    // The first ticked one is the one that is compared with the others.
    const data = rows.map((row, n) => ({
      type: "scatter", mode: "lines", x: days.x, y: row[what], name: plain(row.name), connectgaps: false,
      line: { color: n ? "$text-3" : "$chart-ink", width: n ? 1.3 : 2.2, dash: ["solid", "solid", "dash", "dot"][n] },
      hovertemplate: (what === "net" ? "%{y:+.0f}" : "%{y:,.0f}") + "<extra>" + plain(row.name) + "</extra>",
    })).reverse();
    const marks = rows.map((row, n) => ({ row, n, value: lastOf(row[what]) })).filter((end) => end.value !== null);
    const notes = labels(marks, low, high, tall).map((end) => ({
      x: days.x[days.x.length - 1], y: end.y, xref: "x", yref: "y", showarrow: false, xanchor: "left", yanchor: "middle", xshift: 10,
      text: plain((end.row.name.length > 14 ? end.row.name.slice(0, 13) + "…" : end.row.name) + " " + ends(end.row[what], what)),
      font: { size: 12, color: end.n ? "$text-2" : "$text-1", weight: end.n ? 400 : 600 },
    }));
    const layout = {
      margin: { l: 44, r: 140, t: 12, b: 28 }, showlegend: false, hovermode: "x unified", uirevision: days.x[0] + what, dragmode: false,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", annotations: notes,
      xaxis: Object.assign({ showgrid: false, ticks: "outside", ticklen: 4 }, days.axis),
      yaxis: { showgrid: true, fixedrange: true, range: [low - (high - low) * 0.03, high + (high - low) * 0.05], dtick: step, zeroline: true, tickformat: what === "net" ? "+d" : ",d" },
    };
    return { data, layout };
  }
  // Drawn here and not by the server, so a change of theme has to be followed here.
  new MutationObserver(() => { for (const kind of KINDS) if (known[kind].days) graphs(known[kind]); })
    .observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });

  // -- the page ------------------------------------------------------------------------------------------
  for (const kind of KINDS) {
    const state = known[kind];
    L.custom["index-" + kind + "s-table"] = function (props) {
      state.props = props;
      recall(state);
      draw(state);
      graphs(state);
      return true;
    };
    L.custom["index-" + kind + "s-days-graphs"] = function (props) {
      const key = "index-" + kind + "s-days";
      if (!L.mounted(key + "-mentions-graph") || !L.mounted(key + "-net-graph")) throw new Error("the graphs are not there yet");
      state.days = props;
      graphs(state);
      return true;
    };
    const pages = (window.WatchfloorPages = window.WatchfloorPages || {});
    pages[kind + "s"] = {
      keys(event) {
        const letter = event.key.toLowerCase();
        if (state.waits) {
          state.waits = false;
          const column = state.props && state.props.columns[Number(event.key) - 1];
          if (column) { sortBy(state, column.key); return true; }
        }
        if (letter === "s") { state.waits = true; setTimeout(() => { state.waits = false; }, 2000); return true; }
        if (letter === "j" || letter === "k") { move(state, letter === "j" ? 1 : -1); return true; }
        if (letter === "x" && state.at) { toggle(state, state.at); return true; }
        if (event.key === "Enter") {
          const tr = document.activeElement && document.activeElement.closest("tr.is-row");
          if (tr && !document.activeElement.closest("button")) { open(tr); return true; }
        }
        return false;
      },
      escape() { const had = state.waits; state.waits = false; return had; },
    };
  }
  // The head is written after the table.
  window.addEventListener("live:frame", () => { for (const kind of KINDS) if (known[kind].props && known[kind].ticked) ticks(known[kind]); });
  // Leaving forgets the table that was drawn; what is ticked and sorted stays for the way back.
  window.addEventListener("watchfloor:page", () => { for (const kind of KINDS) if (!part("index-" + kind + "s-table")) known[kind].props = known[kind].days = null; });
})();
