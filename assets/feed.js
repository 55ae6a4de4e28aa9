/* The live feed: one card a mention, keyed, at most fifty. While somebody reads (pointer or focus inside, a menu of a card
   open, or scrolled down) what is new waits behind "3 new above", so that nothing moves under the eye; what changes of a
   card that is there is drawn into it.

   WatchfloorFeed.menu.push(fn): one more entry in the menu of each card; fn(row) -> {words, act, keys, off, note}, an array
       of them, or null. `row` has brand, mention (ids as text), name, handle, network, at, url, text (pieces) and plain (the
       text as far as the card holds it).
   WatchfloorFeed.hidden(id), .shown(id): a card goes at once, or may come back; .mine(): the next change is one's own.
   WatchfloorFeed.card(): the card at hand. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  L.counts = L.counts || {};
  const F = (window.WatchfloorFeed = window.WatchfloorFeed || {});
  F.menu = F.menu || [];
  const MOST = 50;
  const { make, icon, write, keyed, say } = window.WatchfloorDom;
  const away = new Set();
  let pushed = [], newest = [], shown = [], over = false, fresh = new Set(), view = null, measuring = 0, own = 0;

  const host = () => document.getElementById("feed-list");
  const idOf = (row) => row.id;
  F.parts = (row) => {
    const at = row.id.indexOf("-");
    return { brand: row.id.slice(0, at), id: row.id.slice(at + 1) };
  };
  F.row = (row) => {
    const key = F.parts(row);
    return Object.assign({ brand: key.brand, mention: key.id, plain: row.text.map((piece) => piece[0]).join("") }, row);
  };

  // -- a card ----------------------------------------------------------------------------------------------
  function pieces(parent, text) {
    for (const [piece, hit] of text) {
      if (hit) make("mark", "", parent, piece);
      else parent.append(piece);
    }
  }
  F.pieces = pieces;
  function build(row) {
    const card = make("article", "mc");
    card.dataset.id = row.id;
    card.tabIndex = -1;
    fill(card, row);
    if (fresh.has(row.id)) card.classList.add("arrive", "new");
    return card;
  }
  function update(card, row) {
    const drawn = JSON.stringify(row);
    if (card.drawn === drawn) return;
    const at = document.activeElement, inside = at !== card && card.contains(at) ? at.dataset.part : "";
    fill(card, row);
    const again = inside && card.querySelector('[data-part="' + inside + '"]');
    if (again) again.focus({ preventScroll: true });
    else if (inside) card.focus({ preventScroll: true });
  }
  function fill(card, row) {
    if (card.row && JSON.stringify(card.row.text) !== JSON.stringify(row.text)) card.full = null;
    card.row = row;
    card.drawn = JSON.stringify(row);
    card.textContent = "";
    card.classList.toggle("gone", Boolean(row.gone));
    card.setAttribute("aria-label", row.name + " on " + row.network);
    head(card, row);
    if (row.answers) {
      const line = make("div", "mo t3", card);
      icon("right", "s12", line);
      make("bdi", "t2", line, row.answers[0] + (row.answers[1] ? ":" : ""));
      if (row.answers[1]) make("bdi", "said", line, row.answers[1]);
    }
    const text = (card.text = make("p", "", card));
    text.dir = "auto";
    if (row.lang) text.lang = row.lang;
    pieces(text, card.full || row.text);
    if (row.gone) write(text, row.gone);
    card.all = button(card, "more", "all", "Show all");
    card.all.hidden = !row.cut && !card.classList.contains("open");
    write(card.all, card.classList.contains("open") ? "Show less" : "Show all");
    card.unmeasured = true;
    for (const words of row.media) media(card, words);
    if (row.copies) {
      // Beside one picture there is room; what is unfolded needs the whole width.
      const copies = button(row.media.length === 1 ? card.lastElementChild : card, "mcopies", "copies", row.copies);
      copies.setAttribute("aria-expanded", String(Boolean(card.copies)));
      icon("chev", "s12", copies);
    }
    if (card.copies) card.append(card.copies);
    const foot = make("div", "m3", card);
    for (const chip of row.chips) make("bdi", "chip", foot, chip);
    if (row.wall) make("span", "chip acc fixed", foot, "On lobby walls");
    if (row.edited) make("span", "t3 fixed", foot, "edited");
    const mood = make("span", "sent " + row.tone, foot);
    mood.hidden = !row.word;
    make("i", "", mood, row.glyph).setAttribute("aria-hidden", "true");
    make("span", "", mood, row.word);
    if (row.case && F.desk) F.desk(make("div", "m3", card), row);
  }
  function media(parent, words) {
    const line = make("div", "m2 t3", parent);
    icon("image", "s14", line);
    make("bdi", "", line, words);
  }
  F.media = media;
  function head(card, row) {
    const top = make("div", "m1", card);
    const net = make("span", "net", top, row.net);
    net.title = row.network;
    net.setAttribute("aria-label", row.network);
    net.setAttribute("role", "img");
    make("bdi", "author", top, row.name);
    const who = make("span", "t3 who", top);
    if (row.handle) make("bdi", "", who, row.handle);
    if (row.handle && row.reach) who.append(" · ");
    who.append(row.reach);
    make("span", "grow", top);
    if (row.url && !row.gone) {
      const link = make("a", "t3 out", top);
      link.href = row.url;
      link.target = "_blank";
      link.rel = "noopener noreferrer";
      link.referrerPolicy = "no-referrer";
      link.dataset.part = "out";
      link.setAttribute("aria-label", "Open the original on " + row.network);
      link.title = "Open the original on " + row.network;
      icon("link", "s14", link);
    }
    const age = make("time", "t3 age", top);
    age.dateTime = row.at;
    age.dataset.since = row.at;
    age.title = new Date(row.at).toLocaleString();
    const menu = button(top, "t3 out mm", "menu", "⋯");
    menu.setAttribute("aria-haspopup", "menu");
    menu.setAttribute("aria-expanded", "false");
    menu.setAttribute("aria-label", "More about the mention of " + row.name);
    menu.title = "More (M)";
  }
  function button(parent, className, part, words) {
    const element = make("button", className, parent, words);
    element.type = "button";
    element.dataset.part = part;
    return element;
  }
  /* Whether a text is longer than its card shows is asked once for all cards, after they are drawn. */
  function measure() {
    measuring = 0;
    const list = host();
    if (!list) return;
    const found = [...list.children].filter((card) => card.unmeasured && card.text.clientHeight);
    const longer = found.map((card) => card.text.scrollHeight > card.text.clientHeight + 1);
    found.forEach((card, i) => {
      card.unmeasured = false;
      if (!card.classList.contains("open")) card.all.hidden = !(longer[i] || card.row.cut) || Boolean(card.row.gone);
    });
  }
  function later() { if (!measuring) measuring = requestAnimationFrame(measure); }
  window.addEventListener("resize", () => {
    const list = host();
    if (list) for (const card of list.children) card.unmeasured = true;
    later();
  });

  // -- the list --------------------------------------------------------------------------------------------
  function reading() {
    const list = host();
    if (!list) return false;
    const at = document.activeElement;
    return over || list.scrollTop > 8 || (list.contains(at) && at !== list) || Boolean(list.querySelector("[data-part=menu][aria-expanded=true]"));
  }
  function waiting() {
    if (!shown.length) return 0;
    const have = new Set(shown.map(idOf));
    const at = newest.findIndex((row) => have.has(row.id));
    return at === -1 ? newest.length : at;
  }
  const there = () => pushed.filter((row) => !away.has(row.id));
  /* The same cards in the same order: nothing would move. */
  const still = () => newest.length === shown.length && newest.every((row, i) => row.id === shown[i].id);
  function draw() {
    const list = host();
    if (!list) return;
    fresh = new Set();
    if (shown.length) {
      const have = new Set(shown.map(idOf));
      newest.forEach((row) => have.has(row.id) || fresh.add(row.id));
    }
    shown = newest;
    keyed(list, shown.slice(0, MOST), idOf, build, update);
    let place = 0;
    for (const card of list.children) {
      card.setAttribute("aria-posinset", String(++place));
      card.setAttribute("aria-setsize", String(shown.length));
    }
    later();
    if (fresh.size) setTimeout(() => list.querySelectorAll(".new").forEach((card) => card.classList.remove("new")), 5000);
    chip(0);
  }
  /* What is known of the cards that are there, without moving one. */
  function refresh() {
    const list = host(), rows = new Map(newest.map((row) => [row.id, row]));
    for (const card of list.children) if (rows.has(card.dataset.id)) update(card, rows.get(card.dataset.id));
    later();
  }
  function chip(count) {
    const button = document.querySelector("#feed-head .above");
    if (!button) return;
    button.hidden = !count;
    write(button, (count >= MOST ? "50 or more" : count) + " new above");
    if (count) say(count + " new mentions");
  }
  L.custom["feed-list"] = function (props) {
    const list = host();
    if (!list) return true;
    if (list !== view) { shown = []; view = list; over = false; listen(list); }
    pushed = props.rows;
    newest = there();
    if (F.offer) F.offer(props);
    if (still() || !reading() || !shown.length || performance.now() < own) {
      if (!still()) own = 0;
      draw();
    } else { refresh(); chip(waiting()); }
    return true;
  };
  L.counts["feed-list"] = function (after, before) {
    const have = new Set(((before && before.rows) || []).map(idOf));
    return ((after && after.rows) || []).filter((row) => !have.has(row.id)).length;
  };
  function catchUp() { if (!reading() && !still()) draw(); }
  function listen(list) {
    // The whole panel: on the way to "3 new above" nothing may move either.
    const panel = list.closest("[data-panel]");
    panel.addEventListener("mouseenter", () => { over = true; });
    panel.addEventListener("mouseleave", () => { over = false; catchUp(); });
    list.addEventListener("scroll", catchUp, { passive: true });
    list.addEventListener("focusout", () => setTimeout(catchUp, 0));
    list.addEventListener("click", (event) => {
      const part = event.target.closest("[data-part]"), card = event.target.closest(".mc");
      if (card) current(card);
      if (!part || !card) return;
      if (part.dataset.part === "all") all(card);
      else if (part.dataset.part === "copies") copies(card, part);
      else if (part.dataset.part === "menu") F.open(card);
      else if (part.dataset.part === "claim") F.claim(card);
    });
    list.addEventListener("focusin", (event) => { const card = event.target.closest(".mc"); if (card) current(card); });
  }
  // Another scope is another list: nothing of it is "new".
  window.addEventListener("live:subscribed", () => { shown = []; away.clear(); chip(0); });
  document.addEventListener("click", (event) => {
    if (!event.target.closest || !event.target.closest("#feed-head .above")) return;
    const list = host();
    draw();
    if (list) list.scrollTo({ top: 0 });
  });

  // -- a card opened ---------------------------------------------------------------------------------------
  function failed(error) { window.WatchfloorOverlay.toast(error.message, { bad: true }); }
  async function all(card) {
    const open = !card.classList.contains("open");
    if (open && card.row.cut && !card.full) {
      try { card.full = (await window.WatchfloorAsks.read("mention", F.parts(card.row))).full; } catch (error) { failed(error); return; }
    }
    card.classList.toggle("open", open);
    card.text.textContent = "";
    pieces(card.text, open && card.full ? card.full : card.row.text);
    write(card.all, open ? "Show less" : "Show all");
  }
  async function copies(card, opener) {
    if (card.copies) {
      card.copies.remove();
      card.copies = null;
      opener.setAttribute("aria-expanded", "false");
      return;
    }
    let rows;
    try { rows = (await window.WatchfloorAsks.read("mention.copies", F.parts(card.row))).rows; } catch (error) { failed(error); return; }
    const list = (card.copies = make("ul", "copies"));
    list.setAttribute("aria-label", "Others that say the same");
    for (const row of rows) {
      const line = make("li", "", list);
      make("span", "net", line, row.net).title = row.network;
      make(row.url ? "a" : "bdi", "author", line, row.name);
      if (row.url) Object.assign(line.lastChild, { href: row.url, target: "_blank", rel: "noopener noreferrer", referrerPolicy: "no-referrer" });
      make("span", "t3 who", line, row.reach);
      make("span", "grow", line);
      const age = make("time", "t3 age", line);
      age.dateTime = age.dataset.since = row.at;
    }
    if (!rows.length) make("li", "t3", list, "None of them is stored in what you may see.");
    const again = card.querySelector("[data-part=copies]");
    (again.parentElement === card ? again : again.parentElement).after(list);
    again.setAttribute("aria-expanded", "true");
  }

  // -- the card at hand ------------------------------------------------------------------------------------
  function current(card) {
    for (const other of card.parentElement.querySelectorAll('.mc[tabindex="0"]')) if (other !== card) other.tabIndex = -1;
    card.tabIndex = 0;
  }
  F.card = () => {
    const list = host();
    return list && (list.contains(document.activeElement) ? document.activeElement.closest(".mc") : null) || (list && list.querySelector('.mc[tabindex="0"]')) || (list && list.firstElementChild);
  };
  F.hidden = (id) => {
    away.add(id);
    const list = host(), card = list && [...list.children].find((one) => one.dataset.id === id);
    const next = card && card.contains(document.activeElement) ? card.nextElementSibling || card.previousElementSibling : null;
    newest = newest.filter((row) => row.id !== id);
    shown = shown.filter((row) => row.id !== id);
    if (list) keyed(list, shown.slice(0, MOST), idOf, build, update);
    if (next) next.focus({ preventScroll: true });
  };
  F.shown = (id) => {
    away.delete(id);
    // What was undone before the screen heard of it comes with no frame.
    newest = there();
    if (!still()) draw();
  };
  /* What a person has just done themselves is drawn although they read: the next change within ten seconds. */
  F.mine = () => { own = performance.now() + 10000; };
})();
