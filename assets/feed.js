/* The live feed: one card a mention, keyed, at most fifty. While somebody reads (pointer or focus inside, or scrolled
   down) what is new waits behind "3 new above", so that nothing moves under the eye. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  L.counts = L.counts || {};
  const MOST = 50;
  const { make, icon, write, keyed, say } = window.WatchfloorDom;
  let newest = [], shown = [], over = false, fresh = new Set(), view = null;

  const host = () => document.getElementById("feed-list");
  const idOf = (row) => row.id;

  function build(row) {
    const card = make("article", "mc");
    card.dataset.id = row.id;
    card.tabIndex = -1;
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
    if (row.url) {
      const link = make("a", "t3 out", top);
      link.href = row.url;
      link.target = "_blank";
      link.rel = "noopener noreferrer";
      link.referrerPolicy = "no-referrer";
      link.setAttribute("aria-label", "Open the original on " + row.network);
      link.title = "Open the original on " + row.network;
      icon("link", "s14", link);
    }
    const age = make("time", "t3 age", top);
    age.dateTime = row.at;
    age.dataset.since = row.at;
    age.title = new Date(row.at).toLocaleString();
    const text = make("p", "", card);
    text.dir = "auto";
    if (row.lang) text.lang = row.lang;
    for (const [piece, hit] of row.text) {
      if (hit) make("mark", "", text, piece);
      else text.append(piece);
    }
    for (const words of row.media) {
      const line = make("div", "m2 t3", card);
      icon("image", "s14", line);
      make("bdi", "", line, words);
    }
    const foot = make("div", "m3", card);
    for (const chip of row.chips) make("bdi", "chip", foot, chip);
    card.mood = make("span", "sent", foot);
    make("i", "", card.mood).setAttribute("aria-hidden", "true");
    make("span", "", card.mood);
    card.setAttribute("aria-label", row.name + " on " + row.network);
    if (fresh.has(row.id)) card.classList.add("arrive", "new");
    return card;
  }
  function update(card, row) {
    // What may change after it came: how it was scored. Everything else belongs to the post.
    card.mood.className = "sent " + row.tone;
    card.mood.hidden = !row.word;
    write(card.mood.firstChild, row.glyph);
    write(card.mood.lastChild, row.word);
  }
  function reading() {
    const list = host();
    return over || (list && (list.scrollTop > 8 || (list.contains(document.activeElement) && document.activeElement !== list)));
  }
  function waiting() {
    if (!shown.length) return 0;
    const have = new Set(shown.map(idOf));
    const at = newest.findIndex((row) => have.has(row.id));
    return at === -1 ? newest.length : at;
  }
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
    if (fresh.size) setTimeout(() => list.querySelectorAll(".new").forEach((card) => card.classList.remove("new")), 5000);
    chip(0);
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
    newest = props.rows;
    const count = waiting();
    if (count && reading()) chip(count);
    else draw();
    return true;
  };
  L.counts["feed-list"] = function (after, before) {
    const have = new Set(((before && before.rows) || []).map(idOf));
    return ((after && after.rows) || []).filter((row) => !have.has(row.id)).length;
  };
  function listen(list) {
    // The whole panel: on the way to "3 new above" nothing may move either.
    const panel = list.closest("[data-panel]");
    panel.addEventListener("mouseenter", () => { over = true; });
    panel.addEventListener("mouseleave", () => { over = false; if (!reading() && waiting()) draw(); });
    list.addEventListener("scroll", () => { if (!reading() && waiting()) draw(); }, { passive: true });
    list.addEventListener("focusout", () => setTimeout(() => { if (!reading() && waiting()) draw(); }, 0));
  }
  // Another scope is another list: nothing of it is "new".
  window.addEventListener("live:subscribed", () => { shown = []; chip(0); });
  document.addEventListener("click", (event) => {
    if (!event.target.closest || !event.target.closest("#feed-head .above")) return;
    const list = host();
    draw();
    if (list) list.scrollTo({ top: 0 });
  });
})();
