/* What a person does to a mention: its menu, corrections by hand with undo, what is known of it in a drawer, the keys.

   WatchfloorFeed.open(card): the menu of a card. WatchfloorFeed.details(row): the drawer about a mention. */
(function () {
  "use strict";
  const F = (window.WatchfloorFeed = window.WatchfloorFeed || {});
  F.menu = F.menu || [];
  const { make, icon, write } = window.WatchfloorDom;
  const MOODS = [[1, "Positive", "pos"], [0, "Neutral", "neu"], [-1, "Negative", "neg"]];
  const toast = (words, how) => window.WatchfloorOverlay.toast(words, how);
  const asks = () => window.WatchfloorAsks;
  const isAdmin = () => document.documentElement.classList.contains("may-admin");

  // -- doing -----------------------------------------------------------------------------------------------
  async function act(name, given, row) {
    try {
      const said = await asks().act(name, Object.assign(F.parts(row), given));
      toast(said.words, said.undo ? { undo: () => undo(said.undo, row) } : {});
      return true;
    } catch (error) {
      toast(error.message, { bad: true });
      return false;
    }
  }
  async function undo(given, row) {
    try {
      // Before the screen comes back with it.
      F.shown(row.id);
      F.mine();
      toast((await asks().act("mention.undo", given)).words);
    } catch (error) { toast(error.message, { bad: true }); }
  }
  const correct = (row, field, value) => act("mention.correct", { field, value: String(value) }, row);
  async function hide(row) { if (await act("mention.hide", {}, row)) F.hidden(row.id); }
  async function move(row, key) {
    F.mine();
    if (await correct(row, "brand", key)) F.hidden(row.id);
  }

  function entries(row) {
    const found = [{ words: "Details", keys: "Enter", act: () => F.details(row) }];
    if (!row.gone) {
      found.push({ line: true });
      for (const [value, words, tone] of MOODS) {
        found.push({ words: "Sentiment: " + words.toLowerCase(), on: row.tone === tone, off: row.tone === tone, act: () => correct(row, "sentiment", value) });
      }
      found.push({ words: "Correct the brand…", act: () => choose(row, "brand") });
      found.push({ words: "Correct the place…", act: () => choose(row, "location") });
      found.push({ line: true });
      found.push({ words: "Hide as irrelevant", act: () => hide(row) });
      found.push({ words: row.wall ? "Take off lobby walls" : "Show on lobby walls", act: () => act("mention.wall", { on: !row.wall }, row) });
    }
    const others = F.menu.flatMap((give) => give(F.row(row)) || []);
    return others.length ? [...found, { line: true }, ...others] : found;
  }
  F.open = (card) => window.WatchfloorOverlay.menu(card.querySelector("[data-part=menu]"), entries(card.row));

  // -- choosing a brand or a place -------------------------------------------------------------------------
  const CHOICES = {
    brand: { title: "Which brand is meant?", find: "Find a brand", none: ["unmatched", "No brand (unmatched)"], set: move },
    location: { title: "Which place is it about?", find: "Find a location", none: ["unknown", "Unknown"], set: (row, key) => correct(row, "location", key) },
  };
  function choose(row, kind) {
    const choice = CHOICES[kind];
    window.WatchfloorOverlay.dialog({
      title: choice.title,
      build(body, dialog) {
        make("p", "t2 quote", body, F.row(row).plain).dir = "auto";
        const host = make("label", "find", body), list = make("ul", "choices", body);
        icon("search", "s14", host);
        const field = make("input", "", host);
        field.placeholder = choice.find;
        field.setAttribute("aria-label", choice.find);
        const offered = (window.WatchfloorScope.offered().kinds[kind] || []).filter((item) => item.key !== choice.none[0]);
        const all = [...offered, { key: choice.none[0], name: choice.none[1], depth: 0 }];
        function draw() {
          const wanted = field.value.trim().toLowerCase();
          list.textContent = "";
          const fitting = all.filter((item) => item.name.toLowerCase().includes(wanted));
          for (const item of fitting) {
            const entry = make("button", "menu-item", make("li", "", list));
            entry.type = "button";
            entry.style.setProperty("--depth", wanted ? 0 : item.depth);
            make("bdi", "", entry, item.name);
            entry.addEventListener("click", () => { dialog.close(); choice.set(row, item.key); });
          }
          if (!fitting.length) make("li", "t3", list, "Nothing has that name");
        }
        field.addEventListener("input", draw);
        field.addEventListener("keydown", (event) => {
          const first = list.querySelector("button");
          if (event.key === "Enter" && field.value.trim() && first) { event.preventDefault(); first.click(); }
        });
        list.addEventListener("keydown", (event) => {
          if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
          const stops = [...list.querySelectorAll("button")], at = stops.indexOf(document.activeElement);
          const next = stops[at + (event.key === "ArrowDown" ? 1 : -1)] || field;
          next.focus();
          event.preventDefault();
        });
        draw();
        setTimeout(() => field.focus(), 0);
      },
    });
  }

  // -- everything about one --------------------------------------------------------------------------------
  F.details = (row) => {
    window.WatchfloorOverlay.drawer({
      key: "mention", title: row.name + " on " + row.network, label: "Mention", width: 456,
      build(body) {
        body.classList.add("mention");
        make("p", "t3", body, "Loading…");
        asks().read("mention", F.parts(row)).then((found) => { if (body.isConnected) tell(body, found, row); }, (error) => {
          if (body.isConnected) write(body.firstChild, error.message);
        });
      },
    });
  };
  function tell(body, found, row) {
    body.textContent = "";
    const text = make("p", "whole", body);
    text.dir = "auto";
    if (found.lang) text.lang = found.lang;
    if (found.gone) write(text, "Deleted or made private on its network. It stays counted.");
    else F.pieces(text, found.full);
    for (const words of found.media) F.media(body, words);
    if (found.url && !found.gone) {
      const link = make("a", "btn sm", body, "Open on " + row.network);
      Object.assign(link, { href: found.url, target: "_blank", rel: "noopener noreferrer", referrerPolicy: "no-referrer" });
    }
    const facts = make("dl", "facts", body);
    const fact = (name, value) => { make("dt", "t3", facts, name); return make("dd", "", facts, value); };
    for (const [name, at] of found.times) fact(name, new Date(at).toLocaleString());
    for (const [name, value] of found.facts) fact(name, value).dir = "auto";
    if (found.copies) fact("Said by others", found.copies);
    if (found.thread.length) {
      make("h3", "", body, "Conversation" + (found.thread_count > found.thread.length ? ", " + found.thread.length + " of " + found.thread_count + " posts" : ""));
      const list = make("ol", "thread", body);
      for (const post of found.thread) {
        const line = make("li", (post.this ? "this" : "") + (post.ours ? " ours" : ""), list);
        line.style.setProperty("--depth", post.depth);
        const top = make("div", "t3", line);
        make("bdi", "t2", top, post.who);
        if (post.at) { top.append(" · "); const age = make("time", "", top); age.dateTime = age.dataset.since = post.at; }
        make("p", post.held ? "" : "t3", line, post.text).dir = "auto";
      }
    }
    if (found.corrections.length) section(body, "Corrected by hand", found.corrections.map((one) => [one.words, one.who + ", " + new Date(one.at).toLocaleString()]));
    if (found.versions.length) section(body, "Earlier texts", found.versions.map(([words, at]) => [words, "until " + new Date(at).toLocaleString()]));
  }
  function section(body, title, lines) {
    make("h3", "", body, title);
    const list = make("ul", "told", body);
    for (const [words, note] of lines) {
      const line = make("li", "", list);
      make("bdi", "", line, words);
      make("span", "t3", line, note);
    }
  }

  // -- what administrators take away -----------------------------------------------------------------------
  async function take(format) {
    try { window.WatchfloorPanelMenu.save(await asks().read("corrections", { format })); } catch (error) { toast(error.message, { bad: true }); }
  }
  window.WatchfloorPanelMore = Object.assign(window.WatchfloorPanelMore || {}, {
    feed: () => (isAdmin() ? [{ line: true }, { words: "Corrections for training, CSV", act: () => take("csv") }, { words: "Corrections for training, JSON lines", act: () => take("jsonl") }] : []),
  });

  // -- keys ------------------------------------------------------------------------------------------------
  function step(by) {
    const list = document.getElementById("feed-list"), cards = [...list.children];
    if (!cards.length) return;
    const inside = list.contains(document.activeElement) && document.activeElement !== list;
    const at = inside ? cards.indexOf(F.card()) + by : cards.findIndex((card) => card.offsetTop + card.offsetHeight > list.scrollTop + list.offsetTop);
    const card = cards[Math.max(0, Math.min(at, cards.length - 1))];
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  }
  const KEYS = {
    j: () => step(1),
    k: () => step(-1),
    c: () => { const card = F.card(); if (card) F.claim(card); },
    m: () => { const card = F.card(); if (card) { card.focus({ preventScroll: true }); F.open(card); } },
  };
  document.addEventListener("keydown", (event) => {
    const at = event.target, list = document.getElementById("feed-list");
    if (!list || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat && !/^[jk]$/i.test(event.key)) return;
    if (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName) || document.querySelector("dialog[open],.pop")) return;
    if (event.key === "Enter" && at.classList.contains("mc")) { F.details(at.row); event.preventDefault(); return; }
    const does = KEYS[event.key.toLowerCase()], shell = window.WatchfloorShell;
    // Who turned single keys off still has them where the feed itself has the focus.
    if (!does || document.querySelector(".chord-hint") || (shell.singleKeys && !shell.singleKeys() && !list.contains(at))) return;
    does();
    event.preventDefault();
  });
})();
