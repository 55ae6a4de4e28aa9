/* The open case: who it is with, the conversation with what happened between, earlier cases folded, replies under way. Keyed, so that
   nothing on it moves when something is added; texts go in by textContent alone.

   WatchfloorDesk.drawHead(view), .drawDue(row), .drawThread(view, isFirst). */
(function () {
  "use strict";
  const D = (window.WatchfloorDesk = window.WatchfloorDesk || {});
  const { make, icon, write, keyed } = window.WatchfloorDom;
  const part = (id) => document.getElementById(id);
  let pill = null;

  // -- the head ----------------------------------------------------------------------------------------------
  D.drawHead = function (view) {
    const host = part("desk-head");
    if (!host) return;
    host.textContent = "";
    host.hidden = !view;
    if (!view) return;
    const back = make("button", "desk-back", host);
    back.type = "button";
    back.setAttribute("aria-label", "Back to the queue");
    icon("back", "", back);
    back.addEventListener("click", () => D.close());
    make("span", "av l", host, D.initials(view.name)).setAttribute("aria-hidden", "true");
    const who = make("div", "desk-who", host);
    make("bdi", "desk-name", make("h2", "", who), view.name);
    make("bdi", "t3", who, [view.handle, view.network, ...view.places.slice(1)].filter(Boolean).join(" · "));
    const chips = make("span", "desk-chips", host);
    if (view.incident) make("span", "chip inc", chips, "INC-" + view.incident);
    if (view.places[0]) make("bdi", "chip", chips, view.places[0]);
    make("span", "chip" + (view.p === 1 ? " p1" : ""), chips, "P" + view.p);
    if (view.level) make("span", "chip", chips, "escalated" + (view.level > 1 ? " ×" + view.level : ""));
    for (const tag of view.tags || []) make("bdi", "chip line", chips, tag);
    pill = make("span", "", chips);
    D.pill(pill, view.due, view);
    make("span", "grow", host);
    if (!view.waits) buttons(host, view);
  };
  D.drawDue = function (row) { if (pill && pill.isConnected) D.pill(pill, row.due, row); };
  function action(parent, words, keys, act, title) {
    const button = make("button", "btn", parent, words);
    button.type = "button";
    if (keys) make("kbd", "", button, keys);
    if (title) button.title = title;
    button.addEventListener("click", act);
    return button;
  }
  function buttons(host, view) {
    const ways = make("span", "desk-ways", host);
    if (!view.may.draft) return;
    if (view.closed) { action(ways, "Open again", "", () => D.act("reopened")); return; }
    if (view.by && !view.mine) action(ways, "Take over", "C", () => D.claim());
    else if (!view.mine) action(ways, "Claim", "C", () => D.claim(), view.reply.why).classList.toggle("pri", D.isPhone());
    // On a phone these stand behind the dots.
    action(ways, "Assign", "A", () => D.assign()).classList.add("optional");
    action(ways, "Close", "E", () => D.act("resolved")).classList.add("optional");
    const about = make("button", "btn desk-info", ways);
    about.type = "button";
    about.setAttribute("aria-label", "About this case");
    about.title = "About this case (I)";
    icon("info", "s16", about);
    about.addEventListener("click", () => D.side(true));
    const more = make("button", "btn desk-more", ways, "⋯");
    more.type = "button";
    more.setAttribute("aria-label", "More about this case");
    more.setAttribute("aria-haspopup", "menu");
    more.setAttribute("aria-expanded", "false");
    more.addEventListener("click", () => D.more(more));
  }

  // -- the conversation --------------------------------------------------------------------------------------
  let shownCase = "";
  D.drawThread = function (view, isFirst) {
    const host = part("desk-thread");
    if (!host) return;
    if (!view) {
      host.textContent = "";
      host.list = null;
      shownCase = "";
      if (D.selected) for (let n = 0; n < 3; n += 1) make("div", "msg skeleton" + (n === 1 ? " out" : ""), host).setAttribute("aria-hidden", "true");
      return;
    }
    if (shownCase !== view.id || !host.list || !host.list.isConnected) {
      host.textContent = "";
      host.earlier = make("div", "", host);
      host.list = make("ol", "posts", host);
      host.list.setAttribute("aria-label", "Conversation");
      shownCase = view.id;
    }
    const atEnd = host.scrollHeight - host.scrollTop - host.clientHeight < 48;
    earlier(host.earlier, view.earlier);
    keyed(host.list, view.thread, (item) => item.key, () => make("li", ""), item);
    if (isFirst || atEnd) host.scrollTop = host.scrollHeight;
  };
  function earlier(host, found) {
    const drawn = JSON.stringify(found);
    if (host.drawn === drawn) return;
    host.drawn = drawn;
    host.textContent = "";
    if (!found.length) return;
    const box = make("details", "hist", host), head = make("summary", "", box);
    icon("right", "s14", head);
    make("b", "", head, found.length === 1 ? "1 earlier conversation" : found.length + " earlier conversations");
    make("span", "t3", head, "last " + found[0].words);
    const list = make("ul", "", box);
    for (const one of found) {
      const link = make("a", "linked", make("li", "", list), one.words);
      link.href = location.pathname + location.search + "#case-" + one.id;
      link.addEventListener("click", (event) => { event.preventDefault(); D.select(one.id); });
    }
  }
  function item(line, it) {
    const drawn = JSON.stringify(it) + (it.n > D.seen ? "new" : "");
    if (line.drawn === drawn) return;
    line.drawn = drawn;
    line.textContent = "";
    line.className = "";
    if (it.kind === "post") post(line, it);
    else if (it.kind === "reply") D.drawReply(line, it);
    else event(line, it);
  }
  function time(parent, at, className) {
    const isToday = D.day(at) === D.day(new Date(D.now()).toISOString());
    const element = make("time", className || "t3", parent, isToday ? D.clock(at) : D.day(at) + ", " + D.clock(at));
    element.dateTime = at;
    element.title = new Date(at).toLocaleString();
    return element;
  }
  D.time = time;
  function event(line, it) {
    line.className = "ev" + (it.note ? " ev-note" : "");
    time(line, it.at);
    make("bdi", "", line, it.words);
    if (it.text) { const words = make("p", "", line, it.text); words.dir = "auto"; }
  }
  function post(line, it) {
    line.className = "msg" + (it.ours ? " out" : "") + (it.depth ? " deep" : "") + (it.n > D.seen ? " fresh" : "");
    const top = make("div", "mm", line);
    make("bdi", "m-who", top, it.who);
    if (it.at) time(top, it.at);
    if (it.about) make("span", "t3", top, it.about);
    if (it.answering) make("span", "chip acc", top, "answering this");
    if (it.edited) make("span", "t3", top, "edited " + D.clock(it.edited));
    make("span", "grow", top);
    if (it.word) {
      const mood = make("span", "sent " + it.tone, top);
      make("i", "", mood, it.glyph).setAttribute("aria-hidden", "true");
      make("span", "", mood, it.word);
    }
    if (it.url && !it.gone) {
      const link = make("a", "t3 out", top);
      Object.assign(link, { href: it.url, target: "_blank", rel: "noopener noreferrer", referrerPolicy: "no-referrer", title: "Open the original" });
      link.setAttribute("aria-label", "Open the original of " + it.who);
      icon("link", "s14", link);
    }
    const text = make("p", it.gone || !it.text ? "t3" : "", line);
    text.dir = "auto";
    if (it.lang) text.lang = it.lang;
    if (it.gone) write(text, it.ours ? "Deleted on its network." : "Deleted by its author, or made private. It stays counted.");
    else if (!it.text) write(text, "This post was not collected.");
    else for (const [piece, hit] of it.text) { if (hit) make("mark", "", text, piece); else text.append(piece); }
    for (const words of it.media || []) {
      const row = make("div", "m2 t3", line);
      icon("image", "s14", row);
      make("bdi", "", row, words);
    }
  }
})();
