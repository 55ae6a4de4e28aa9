/* The scope bar. The address is the scope: every control writes it, and what the controls show is read from it. */
(function () {
  "use strict";
  const { make, icon, write } = window.WatchfloorDom;
  const LISTS = ["brand", "location", "team", "network"];
  const SINGLES = ["window", "q", "sort", "at"];
  // What narrows the feed alone: kept whatever else of the scope changes.
  const FEED = ["show", "lang"];
  const NAMES = { brand: "Brand", location: "Location", team: "Team", network: "Network" };
  const PLURALS = { brand: "brands", location: "locations", team: "teams", network: "networks" };
  const WINDOWS = ["15m", "1h", "24h", "7d", "30d"];
  let offered = { kinds: {} }, open = null;

  /* Other files add to the bar, the sheet of a phone and the person's menu: watchfloor:scope, :sheet, :person. */
  const tell = (name, detail) => window.dispatchEvent(new CustomEvent("watchfloor:" + name, { detail: detail }));

  // -- the address -----------------------------------------------------------------------------------------
  function asked() {
    const query = new URLSearchParams(location.search), found = {};
    for (const name of [...LISTS, ...FEED]) found[name] = (query.get(name) || "").split(",").filter(Boolean);
    for (const name of SINGLES) found[name] = query.get(name) || "";
    return found;
  }
  function address(scope) {
    const parts = [];
    const quoted = (value) => encodeURIComponent(value).replace(/%2C/g, ",").replace(/%3A/g, ":");
    for (const name of LISTS) if (scope[name].length) parts.push(name + "=" + quoted([...scope[name]].sort().join(",")));
    if (scope.window && scope.window !== "24h") parts.push("window=" + quoted(scope.window));
    if (scope.q) parts.push("q=" + quoted(scope.q));
    for (const name of FEED) if (scope[name] && scope[name].length) parts.push(name + "=" + quoted([...scope[name]].sort().join(",")));
    if (scope.sort && scope.sort !== "age") parts.push("sort=" + quoted(scope.sort));
    if (scope.at) parts.push("at=" + quoted(scope.at));
    return parts.length ? "?" + parts.join("&") : "";
  }
  function go(search) {
    if (search !== location.search) window.dash_clientside.set_props("url", { search: search });
  }
  function change(part) { go(address(Object.assign(asked(), part))); }
  function clear() { go(address({ brand: [], location: [], team: [], network: [], q: "", sort: asked().sort, window: asked().window, at: asked().at })); }
  function isFiltered(feedToo) {
    const scope = asked();
    if (feedToo && FEED.some((name) => scope[name].length)) return true;
    return Boolean(scope.q) || LISTS.some((name) => scope[name].length);
  }

  // -- what the controls show ------------------------------------------------------------------------------
  const options = (kind) => offered.kinds[kind] || [];
  function words(kind, chosen) {
    const all = options(kind);
    const leaves = all.filter((item) => kind !== "location" || item.group === "site");
    const ours = kind === "brand" ? all.filter((item) => item.group === "Ours") : leaves;
    if (!chosen.length) return "All" + (ours.length ? " " + ours.length : "");
    const first = all.find((item) => item.key === chosen[0]);
    return chosen.length === 1 ? (first ? first.name : chosen[0]) : chosen.length + " of " + all.length;
  }
  function show() {
    const scope = asked();
    for (const button of document.querySelectorAll("#scope-bar [data-kind]")) {
      const kind = button.dataset.kind;
      write(button.querySelector(".v"), words(kind, scope[kind]));
      button.classList.toggle("set", scope[kind].length > 0);
      button.setAttribute("aria-label", NAMES[kind] + ": " + words(kind, scope[kind]));
    }
    windows(document.getElementById("scope-bar"), scope.window);
    const field = searchField();
    if (field) {
      // Words that somebody is typing stay; words that were searched for follow the address.
      if (!field.dataset.typing) field.value = scope.q;
      field.closest(".search").classList.toggle("filled", Boolean(scope.q));
    }
    phone(scope);
    if (open && open.redraw) open.redraw();
    tell("scope", scope);
    return location.search;
  }
  function searchField() {
    const box = document.getElementById("search-box");
    if (!box || box.firstChild) return box && box.firstChild;
    const field = searching(make("input", "", box), "search-text");
    field.addEventListener("input", () => { field.dataset.typing = "1"; });
    field.addEventListener("blur", () => { if (!field.value.trim()) delete field.dataset.typing; });
    return field;
  }
  function searching(field, id) {
    if (id) field.id = id;
    field.type = "search";
    field.placeholder = "Search the mentions";
    field.maxLength = 200;
    field.autocomplete = "off";
    field.spellcheck = false;
    field.setAttribute("enterkeyhint", "search");
    field.setAttribute("aria-label", "Search the mentions");
    return field;
  }
  function windows(host, chosen) {
    const span = chosen || "24h";
    const buttons = [...host.querySelectorAll("[data-window]")];
    const at = buttons.find((button) => button.dataset.window === span);
    for (const button of buttons) {
      button.setAttribute("aria-checked", String(button === at));
      // One stop for Tab; arrows move inside, as in every group of radio buttons.
      button.tabIndex = button === (at || buttons[0]) ? 0 : -1;
    }
  }
  function phone(scope) {
    const button = document.querySelector("#scope-bar .phone.sel");
    if (!button) return;
    const parts = LISTS.filter((kind) => scope[kind].length).map((kind) => words(kind, scope[kind]));
    if (scope.q) parts.push("“" + scope.q + "”");
    write(button.querySelector(".v"), parts.join(", ") || "All brands");
    const span = scope.window || "24h";
    write(button.querySelector(".w"), WINDOWS.includes(span) ? span.replace(/(\d+)([a-z])/, "$1 $2") : "dates");
    button.setAttribute("aria-label", "Scope: " + (parts.join(", ") || "all brands") + ", " + span);
  }
  function offer(found) {
    if (found) offered = found;
    write(document.getElementById("zone"), offered.zone ? offered.zone.replace(/_/g, " ") : "");
    if (offered.person) {
      const initials = offered.person.name.split(/\s+/).filter(Boolean).map((part) => part[0]);
      const two = (initials[0] || "?") + (initials.length > 1 ? initials[initials.length - 1] : "");
      document.querySelectorAll("[data-initials]").forEach((host) => write(host, two.toUpperCase()));
    }
    show();
    return "";
  }

  // -- lists to choose from --------------------------------------------------------------------------------
  function parents(kind) {
    const found = new Map(), path = [];
    for (const item of options(kind)) {
      path.length = item.depth;
      found.set(item.key, [...path]);
      path[item.depth] = item.key;
    }
    return found;
  }
  /* Choosing a region takes all below it; choosing below a chosen region narrows to that. */
  function toggled(kind, key) {
    const chosen = new Set(asked()[kind]), above = parents(kind);
    const implied = (above.get(key) || []).filter((parent) => chosen.has(parent));
    if (implied.length) { implied.forEach((parent) => chosen.delete(parent)); chosen.add(key); }
    else if (chosen.has(key)) chosen.delete(key);
    else {
      for (const other of [...chosen]) if ((above.get(other) || []).includes(key)) chosen.delete(other);
      chosen.add(key);
    }
    return [...chosen];
  }
  function list(kind, parent, find) {
    const host = make("ul", "list", parent);
    host.id = "list-" + kind;
    host.setAttribute("role", "listbox");
    host.setAttribute("aria-multiselectable", "true");
    host.setAttribute("aria-label", NAMES[kind]);
    let at = -1;
    function draw() {
      const wanted = (find ? find.value : "").trim().toLowerCase();
      const chosen = new Set(asked()[kind]), above = parents(kind);
      const keep = host.scrollTop;
      host.textContent = "";
      const matching = new Set();
      for (const item of options(kind)) {
        if (!item.name.toLowerCase().includes(wanted)) continue;
        matching.add(item.key);
        (above.get(item.key) || []).forEach((key) => matching.add(key));
      }
      let group = "";
      for (const item of options(kind)) {
        if (!matching.has(item.key)) continue;
        if (kind === "brand" && item.group !== group) {
          group = item.group;
          make("li", "", host, group).setAttribute("role", "presentation");
        }
        const named = item.name.toLowerCase().includes(wanted);
        const implied = (above.get(item.key) || []).some((key) => chosen.has(key));
        const row = make("li", implied ? "implied" : "", host);
        row.id = "option-" + kind + "-" + item.key;
        row.setAttribute("role", "option");
        row.setAttribute("aria-selected", String(implied || chosen.has(item.key)));
        row.style.setProperty("--depth", item.depth);
        row.dataset.key = item.key;
        if (wanted && !named) row.dataset.above = "1";
        icon("check", "s12", make("span", "tick-box", row));
        make("bdi", "", row, item.name);
      }
      if (!matching.size) make("li", "none", host, "Nothing has that name");
      host.scrollTop = keep;
      mark(at, false);
    }
    const rows = () => [...host.querySelectorAll("[role=option]")];
    function mark(index, scroll) {
      const all = rows();
      at = all.length ? Math.min(Math.max(index, -1), all.length - 1) : -1;
      all.forEach((row, place) => row.classList.toggle("at", place === at));
      if (find) find.setAttribute("aria-activedescendant", at < 0 ? "" : all[at].id);
      if (at >= 0 && scroll) all[at].scrollIntoView({ block: "nearest" });
    }
    function choose(key) { change({ [kind]: toggled(kind, key) }); }
    host.addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) choose(row.dataset.key);
    });
    if (find) {
      find.addEventListener("input", () => { at = -1; draw(); });
      find.addEventListener("keydown", (event) => {
        if (event.key === "ArrowDown") mark(at + 1, true);
        else if (event.key === "ArrowUp") mark(Math.max(at - 1, 0), true);
        else if (event.key === "Enter") {
          // What stands there only to show where it is found is not what was looked for.
          const all = rows(), hit = at < 0 ? all.find((row) => !row.dataset.above) : all[at];
          if (hit) choose(hit.dataset.key);
        }
        else return;
        event.preventDefault();
      });
    }
    draw();
    return draw;
  }
  function finder(kind, parent) {
    const host = make("label", "find", parent);
    icon("search", "s14", host);
    const find = make("input", "", host);
    find.type = "text";
    find.placeholder = "Find a " + kind;
    find.setAttribute("role", "combobox");
    find.setAttribute("aria-expanded", "true");
    find.setAttribute("aria-controls", "list-" + kind);
    find.setAttribute("aria-label", "Find a " + kind);
    return find;
  }

  // -- popovers --------------------------------------------------------------------------------------------
  function popover(opener, className, label) {
    close();
    const host = make("div", "pop " + className, document.body);
    host.setAttribute("role", "dialog");
    host.setAttribute("aria-label", label);
    opener.setAttribute("aria-expanded", "true");
    open = { host, opener };
    return host;
  }
  function place(host, opener) {
    const from = opener.getBoundingClientRect(), size = host.getBoundingClientRect();
    const below = from.bottom + 4 + size.height <= innerHeight;
    host.style.left = Math.max(8, Math.min(from.left, innerWidth - size.width - 8)) + "px";
    host.style.top = (below ? from.bottom + 4 : Math.max(8, from.top - size.height - 4)) + "px";
  }
  function close() {
    if (!open) return false;
    const { host, opener } = open;
    open = null;
    const inside = host.contains(document.activeElement);
    host.remove();
    opener.setAttribute("aria-expanded", "false");
    if (inside) opener.focus();
    return true;
  }
  function choose(button) {
    if (open && open.opener === button) { close(); return; }
    const kind = button.dataset.kind;
    const host = popover(button, "", NAMES[kind]);
    const find = finder(kind, host);
    const draw = list(kind, host, find);
    const foot = make("div", "foot", host);
    const count = make("span", "grow", foot);
    const none = make("button", "btn sm", foot, "Clear");
    none.addEventListener("click", () => change({ [kind]: [] }));
    open.redraw = function () {
      draw();
      const chosen = asked()[kind];
      write(count, chosen.length ? chosen.length + " chosen" : "All " + PLURALS[kind]);
      none.hidden = !chosen.length;
    };
    open.redraw();
    place(host, button);
    find.focus();
  }
  function sheet(button) {
    const host = popover(button, "sheet", "Scope");
    const top = make("header", "", host);
    make("b", "", top, "Scope");
    const shut = make("button", "close", top);
    shut.setAttribute("aria-label", "Close");
    icon("x", "", shut);
    shut.addEventListener("click", close);
    const parts = make("div", "parts", host), draws = [];
    make("h3", "", parts, "Window");
    const span = make("div", "seg", parts);
    span.setAttribute("role", "radiogroup");
    span.setAttribute("aria-label", "Window");
    for (const name of WINDOWS) {
      const one = make("button", "", span, name);
      one.setAttribute("role", "radio");
      one.dataset.window = name;
    }
    tell("sheet", { parts, close });
    make("h3", "", parts, "Search");
    const field = make("label", "find", parts), text = make("input", "", field);
    searching(text, "");
    text.value = asked().q;
    text.addEventListener("change", () => change({ q: text.value.trim() }));
    for (const kind of LISTS) {
      make("h3", "", parts, NAMES[kind]);
      draws.push(list(kind, parts, null));
    }
    const foot = make("div", "foot", host);
    const none = make("button", "btn", foot, "Clear filters"), done = make("button", "btn pri", foot, "Show");
    none.addEventListener("click", clear);
    done.addEventListener("click", close);
    open.redraw = function () { draws.forEach((draw) => draw()); windows(span, asked().window); };
    open.redraw();
    shut.focus();
    return text;
  }
  function person(button) {
    if (open && open.opener === button) { close(); return; }
    const host = popover(button, "menu", "You");
    const who = make("div", "who", host), you = offered.person || { name: "", email: "" };
    make("b", "", who, you.name);
    make("span", "t3", who, you.email);
    const ways = make("div", "menu-ways", host);
    const theme = make("button", "btn", ways, "Dark or light");
    theme.addEventListener("click", () => window.WatchfloorTheme.toggle());
    tell("person", { host, close });
    const out = make("a", "btn", ways, "Sign out");
    out.href = "/signout";
    place(host, button);
    theme.focus();
  }

  // -- what people do --------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const at = event.target;
    if (!at.closest) return;
    const kind = at.closest("#scope-bar [data-kind]"), span = at.closest("[data-window]"), what = at.closest("[data-do]");
    if (kind) choose(kind);
    else if (span) change({ window: span.dataset.window });
    else if (what && what.dataset.do === "sheet") sheet(what);
    else if (what && what.dataset.do === "find") sheet(what).focus();
    else if (what && what.dataset.do === "person") person(what);
    else if (what && what.dataset.do === "dates") window.WatchfloorDates.open(what);
    else if (what && what.dataset.do === "views") { close(); window.WatchfloorViews.menu(what); }
    else if (what && what.dataset.do === "clear-search") { leaveSearch(document.getElementById("search-text")); change({ q: "" }); }
    else if (open && !open.host.contains(at) && at.isConnected) close();
  });
  document.addEventListener("keydown", (event) => {
    const at = event.target;
    if (at.id === "search-text" && event.key === "Enter") { delete at.dataset.typing; change({ q: at.value.trim() }); }
    if (at.dataset && at.dataset.window && ["ArrowRight", "ArrowLeft"].includes(event.key)) {
      const all = [...at.parentElement.querySelectorAll("[data-window]")];
      const next = all[(all.indexOf(at) + (event.key === "ArrowRight" ? 1 : all.length - 1)) % all.length];
      next.focus();
      change({ window: next.dataset.window });
    }
    // Focus never leaves an open popover by Tab: it goes round.
    if (event.key === "Tab" && open) {
      const stops = [...open.host.querySelectorAll("input,button,a")].filter((one) => !one.hidden && one.tabIndex >= 0);
      const first = stops[0], last = stops[stops.length - 1];
      if (event.shiftKey && document.activeElement === first) { last.focus(); event.preventDefault(); }
      else if (!event.shiftKey && document.activeElement === last) { first.focus(); event.preventDefault(); }
    }
  });
  window.addEventListener("resize", close);
  function leaveSearch(field) {
    delete field.dataset.typing;
    field.value = asked().q;
    field.blur();
  }
  window.WatchfloorScope = { leaveSearch, show, offer, change, clear, close, isFiltered, isOpen: () => Boolean(open), asked, address, go, popover, place, toggled, openedBy: () => (open ? open.opener : null), offered: () => offered };
})();
