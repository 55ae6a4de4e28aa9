/* Ctrl K: everything that has a name, and everything that can be done. Words in any order find it by how its words begin, or by
   letters in their order. Only what this person may see is here: the server says what that is.
   Other files add actions: (window.WatchfloorActions = window.WatchfloorActions || []).push({words, keys, icon, when(), act()}). */
(function () {
  "use strict";
  const { make, icon, write } = window.WatchfloorDom;
  const actions = (window.WatchfloorActions = window.WatchfloorActions || []);
  const MOST_IN_GROUP = 6;
  const GROUPS = ["Best", "Pages", "Brands", "Locations", "Teams", "Networks", "Saved views", "Do"];
  const KINDS = { brand: ["Brands", "brand"], location: ["Locations", ""], team: ["Teams", "team"], network: ["Networks", "network"] };
  let dialog = null;
  const scope = () => window.WatchfloorScope;
  const shell = () => window.WatchfloorShell;

  // -- finding -----------------------------------------------------------------------------------------------
  const folded = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  const letters = (text) => folded(text).length === text.length ? folded(text) : text.toLowerCase();
  /* How well one word fits a text: {score, marks: [[from, to], ...]}, or nothing. */
  function fit(word, text) {
    const at = text.indexOf(word);
    if (at === 0) return { score: text.length === word.length ? 110 : 100, marks: [[0, word.length]] };
    for (let from = at; from > 0; from = text.indexOf(word, from + 1)) {
      if (!/[\p{L}\p{N}]/u.test(text[from - 1])) return { score: 90, marks: [[from, from + word.length]] };
    }
    if (at > 0 && word.length > 1) return { score: 60, marks: [[at, at + word.length]] };
    if (word.length < 4) return null;
    // Letters in their order, beginning where a word does: "hldn" finds Halden, not everything with these letters.
    const marks = [];
    let place = -1;
    for (const letter of word) {
      const next = text.indexOf(letter, place + 1);
      if (next < 0 || (!marks.length && next > 0 && /[\p{L}\p{N}]/u.test(text[next - 1]))) return null;
      if (marks.length && marks[marks.length - 1][1] === next) marks[marks.length - 1][1] = next + 1; else marks.push([next, next + 1]);
      place = next;
    }
    return place - marks[0][0] < word.length * 2 ? { score: 30 - marks.length, marks } : null;
  }
  function match(item, words) {
    const text = letters(item.words), more = folded(item.more || "");
    let score = 0;
    const marks = [];
    for (const word of words) {
      const found = fit(word, text);
      if (found) { score += found.score; marks.push(...found.marks); } else if (more.includes(word)) score += 20; else return null;
    }
    // Of two that fit alike the shorter is meant.
    return { item, score: score / Math.max(words.length, 1) - item.words.length / 100 + (item.boost || 0), marks };
  }

  // -- what there is -----------------------------------------------------------------------------------------
  function everything() {
    const offered = scope().offered(), pages = offered.pages || [], found = [];
    for (const page of pages) {
      if (page.subject) continue;
      found.push({ group: "Pages", icon: page.icon, words: page.title, more: "page", keys: page.chord ? ["G", page.chord] : [], boost: 2, act: () => shell().go(page.path) });
    }
    for (const kind of Object.keys(KINDS)) {
      const page = pages.find((one) => one.subject === kind), options = (offered.kinds || {})[kind] || [], path = [];
      for (const option of options) {
        path.length = option.depth;
        path[option.depth] = option.name;
        const narrow = () => narrowed(kind, option.key);
        found.push({
          group: KINDS[kind][0], icon: page ? page.icon : "filter", words: option.name, narrow,
          note: kind === "location" ? [option.group, ...path.slice(0, option.depth).reverse()].join(", ") : kind === "brand" && option.group !== "Ours" ? option.group.toLowerCase() : KINDS[kind][1],
          more: option.key + " " + kind, act: page ? () => shell().go(page.path + "/" + option.key) : narrow, isScope: !page,
        });
      }
    }
    for (const view of window.WatchfloorViews.list()) {
      found.push({ group: "Saved views", icon: "view", words: view.name, note: view.start ? "your start page" : "saved view", more: "view", act: () => window.WatchfloorViews.open(view) });
    }
    return [...found, ...doing()];
  }
  /* To see one brand alone: on the page one is on where it can, else on Command. */
  function narrowed(kind, key) {
    const bar = document.getElementById("scope-bar").dataset;
    const asked = Object.assign(scope().asked(), { [kind]: [key] });
    if (bar.scope === "yes" && bar.live !== "none" && bar.subject !== kind) scope().change({ [kind]: [key] });
    else shell().go("/", scope().address(asked));
  }
  function doing() {
    const bar = document.getElementById("scope-bar").dataset, here = bar.scope === "yes" && bar.live !== "none";
    const spans = [["15m", "15 minutes"], ["1h", "1 hour"], ["24h", "24 hours"], ["7d", "7 days"], ["30d", "30 days"]];
    const found = [];
    const add = (when, symbol, words, keys, act, more) => { if (when) found.push({ group: "Do", icon: symbol, words, keys, act, more }); };
    add(bar.live === "true", window.LIVE.isPaused() ? "play" : "pause", window.LIVE.isPaused() ? "Resume" : "Pause", ["P"], () => shell().pause(), "live stop");
    spans.forEach(([key, words], place) => add(here, "clock", "Show the last " + words, [String(place + 1)], () => scope().change({ window: key, at: "" }), "window " + key));
    add(here, "calendar", "Choose from and to", [], () => { const button = document.querySelector("#scope-bar .dates"); if (button.offsetParent) window.WatchfloorDates.open(button); else document.querySelector("[data-do=sheet]").click(); }, "window dates range custom");
    add(here && scope().isFiltered(), "x", "Clear filters", [], () => scope().clear(), "scope all");
    add(here, "search", "Search mentions", ["/"], () => shell().find(), "find");
    add(true, "view", "Save this view", [], () => window.WatchfloorViews.save(), "bookmark");
    add(true, "link", "Copy link", [], () => window.WatchfloorViews.copy(), "share address");
    add(true, "log", "Open the shift log", ["L"], () => window.WatchfloorLog.toggle(), "hand over notes");
    add(true, "edit", "Write a note in the shift log", ["N"], () => window.WatchfloorLog.note(), "add line");
    add(true, "theme", "Switch between dark and light", [], () => window.WatchfloorTheme.toggle(), "theme colours");
    add(true, "keyboard", "Show the keys of this page", ["?"], () => shell().keys(), "keyboard help");
    add(true, "leave", "Sign out", [], () => location.assign("/signout"), "leave");
    for (const one of actions) if (!one.when || one.when()) found.push({ group: "Do", icon: one.icon || "right", words: one.words, keys: one.keys || [], act: one.act, more: one.more });
    return found;
  }
  function found(asked) {
    const only = asked.startsWith(">"), text = asked.replace(/^>/, "").trim();
    const words = folded(text).split(/\s+/).filter(Boolean), all = everything().filter((item) => !only || item.group === "Do");
    if (!words.length) return grouped(all.filter((item) => only || item.group === "Pages" || item.group === "Saved views" || item.keys && item.keys.length).map((item) => ({ item, score: 0, marks: [] })), false);
    const hits = all.map((item) => match(item, words)).filter(Boolean).sort((a, b) => b.score - a.score);
    // Long words are looked for in what people wrote as well.
    if (!only) hits.push({ item: { group: "Do", icon: "search", words: "Search mentions for “" + text + "”", act: () => searched(text), keys: ["Ctrl", "↵"] }, score: -1, marks: [] });
    return grouped(hits, true);
  }
  function searched(text) {
    const bar = document.getElementById("scope-bar").dataset;
    if (bar.scope === "yes" && bar.live !== "none") scope().change({ q: text });
    else shell().go("/", "?q=" + encodeURIComponent(text));
  }
  function grouped(hits, best) {
    const groups = new Map(GROUPS.map((name) => [name, []]));
    hits.forEach((hit, place) => groups.get(best && place === 0 && hit.score > 0 ? "Best" : hit.item.group).push(hit));
    const shown = [];
    for (const [name, rows] of groups) {
      const room = best ? MOST_IN_GROUP : 20, isCut = rows.length > room;
      // The search in the mentions stands last and is never cut off.
      if (rows.length) shown.push([name, !isCut ? rows : name === "Do" ? [...rows.slice(0, room - 1), rows[rows.length - 1]] : rows.slice(0, room)]);
    }
    return { groups: shown, count: hits.filter((hit) => hit.score >= 0).length };
  }

  // -- the dialog --------------------------------------------------------------------------------------------
  function open(begin) {
    if (dialog) { dialog.host.close(); return; }
    if (document.querySelector("dialog[open]")) return;
    scope().close();
    const before = document.activeElement, host = make("dialog", "dialog palette", document.body);
    host.setAttribute("aria-label", "Go to anything");
    const head = make("header", "", host);
    icon("search", "", head);
    const field = make("input", "", head);
    field.type = "text";
    field.placeholder = "Pages, brands, locations, teams, views, actions";
    field.autocomplete = "off";
    field.spellcheck = false;
    field.maxLength = 100;
    for (const [name, value] of [["role", "combobox"], ["aria-expanded", "true"], ["aria-controls", "palette-list"], ["aria-autocomplete", "list"], ["aria-label", "Go to anything"]]) field.setAttribute(name, value);
    const count = make("span", "t3 count", head);
    count.setAttribute("role", "status");
    const shut = make("button", "cap", head);
    shut.type = "button";
    shut.setAttribute("aria-label", "Close");
    make("kbd", "", shut, "Esc");
    shut.addEventListener("click", () => host.close());
    const list = make("div", "palette-list", host), foot = make("footer", "t3", host);
    list.id = "palette-list";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Found");
    for (const [keys, words] of [[["↑", "↓"], "move"], [["↵"], "open"], [["⇧ ↵"], "narrow to it"]]) {
      const part = make("span", "", foot);
      for (const key of keys) make("kbd", "", part, key);
      part.append(" " + words);
    }
    make("span", "grow", foot);
    make("span", "", foot, "> actions");
    const mine = (dialog = { host, rows: [], at: 0 });
    function draw() {
      const started = performance.now(), result = found(field.value);
      list.textContent = "";
      mine.rows = [];
      for (const [name, hits] of result.groups) {
        const group = make("div", "", list);
        group.setAttribute("role", "group");
        group.setAttribute("aria-label", name);
        make("h3", "t3", group, name).setAttribute("aria-hidden", "true");
        for (const hit of hits) mine.rows.push({ item: hit.item, row: line(group, hit, mine.rows.length) });
      }
      if (!mine.rows.length) make("p", "t3 none", list, "Nothing has that name.");
      const ms = performance.now() - started;
      write(count, field.value.trim() ? result.count + " found in " + (ms < 1 ? "under 1" : Math.round(ms)) + " ms" : "");
      mark(0);
    }
    function line(parent, hit, place) {
      const item = hit.item, row = make("div", "palette-row", parent);
      row.id = "palette-" + place;
      row.setAttribute("role", "option");
      icon(item.icon, "s16", row);
      const words = make("bdi", "words", row);
      let at = 0;
      for (const [from, to] of merged(hit.marks)) { words.append(item.words.slice(at, from)); make("mark", "", words, item.words.slice(from, to)); at = to; }
      words.append(item.words.slice(at));
      if (item.note) make("span", "t3 note", row, item.note);
      make("span", "grow", row);
      for (const key of item.keys || []) make("kbd", "", row, key);
      row.addEventListener("click", (event) => go(mine.rows[place].item, event.shiftKey));
      row.addEventListener("mousemove", () => { if (mine.at !== place) mark(place, true); });
      return row;
    }
    function mark(place, quiet) {
      mine.at = Math.max(0, Math.min(place, mine.rows.length - 1));
      mine.rows.forEach(({ row }, index) => { row.classList.toggle("at", index === mine.at); row.setAttribute("aria-selected", String(index === mine.at)); });
      const on = mine.rows[mine.at];
      field.setAttribute("aria-activedescendant", on ? on.row.id : "");
      if (on && !quiet) on.row.scrollIntoView({ block: "nearest" });
    }
    function go(item, narrow) {
      host.close();
      if (narrow && item.narrow) item.narrow(); else item.act();
    }
    field.addEventListener("input", draw);
    host.addEventListener("keydown", (event) => {
      const on = mine.rows[mine.at], last = mine.rows.length - 1;
      if (event.key === "ArrowDown") mark(mine.at === last ? 0 : mine.at + 1);
      else if (event.key === "ArrowUp") mark(mine.at === 0 ? last : mine.at - 1);
      else if (event.key === "PageDown") mark(mine.at + 8);
      else if (event.key === "PageUp") mark(mine.at - 8);
      else if (event.key === "Enter" && event.target !== shut) {
        const text = field.value.replace(/^>/, "").trim();
        if ((event.ctrlKey || event.metaKey) && text) { host.close(); searched(text); }
        else if (on) go(on.item, event.shiftKey);
      } else return;
      event.preventDefault();
    });
    host.addEventListener("click", (event) => { if (event.target === host) host.close(); });
    host.addEventListener("close", () => {
      host.remove();
      dialog = null;
      // Whatever was chosen may have opened something that has the focus now.
      if (!document.activeElement || document.activeElement === document.body) if (before && before.isConnected) before.focus({ preventScroll: true });
    });
    field.value = begin || "";
    draw();
    host.showModal();
    field.focus();
  }
  function merged(marks) {
    const sorted = marks.map((one) => [...one]).sort((a, b) => a[0] - b[0]), kept = [];
    for (const one of sorted) {
      const last = kept[kept.length - 1];
      if (last && one[0] <= last[1]) last[1] = Math.max(last[1], one[1]); else kept.push(one);
    }
    return kept;
  }
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") { event.preventDefault(); open(); }
  });
  window.addEventListener("watchfloor:person", (event) => {
    const { host, close } = event.detail, ways = make("div", "menu-ways", host);
    for (const [words, act] of [["Go to anything", () => open()], ["Shift log", () => window.WatchfloorLog.toggle()], ["Keys", () => shell().keys()]]) {
      const way = make("button", "btn", ways, words);
      way.type = "button";
      way.addEventListener("click", () => { close(); act(); });
    }
  });
  document.addEventListener("click", (event) => { if (event.target.closest && event.target.closest("[data-do=palette]")) open(); });
  window.WatchfloorPalette = { open };
})();
