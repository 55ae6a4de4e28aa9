/* The queue of the desk: who waits, most urgent first, in three groups by the clock of the server. Rows come by the live link and are
   the same for everybody; what is mine of them is found here, and what of it cannot be there is asked for (respond-own.js).

   WatchfloorDesk.rows: id -> row; .shown(): the ids in their order; .ticked: the ids ticked; .drawQueue().
   WatchfloorDesk.pill(element, due, state): draws a countdown into an element, again each second while it is on the page. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const D = (window.WatchfloorDesk = window.WatchfloorDesk || {});
  const { make, icon, write, keyed, say } = window.WatchfloorDom;
  const SOON_MS = 15 * 60000;
  const GROUPS = [["late", "Late"], ["soon", "Due within 15 min"], ["later", "Later"], ["none", "Nobody waits"], ["asleep", "Snoozed"]];
  const SHOWN = { needs: "Needs an answer", unclaimed: "Unclaimed", p1: "P1 only", waiting: "Waiting for the customer", asleep: "Snoozed", all: "All open", closed: "Closed" };
  const part = (id) => document.getElementById(id);
  const now = () => (L.now ? L.now() : Date.now());
  let parts = null, host = null, late = null;
  D.rows = new Map();
  D.queue = null;
  D.tab = "team";
  D.show = "needs";
  D.ticked = new Set();
  D.part = part;
  D.now = now;

  // -- time --------------------------------------------------------------------------------------------------
  function span(ms) {
    const seconds = Math.floor(Math.abs(ms) / 1000), minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
    if (hours >= 24) return Math.floor(hours / 24) + " d " + (hours % 24) + " h";
    if (hours) return hours + " h " + String(minutes % 60).padStart(2, "0");
    return minutes >= 15 && ms > 0 ? minutes + " min" : minutes + ":" + String(seconds % 60).padStart(2, "0");
  }
  /* Times of the day are those of the organisation, as everywhere on a page. */
  const zone = () => { const found = window.WatchfloorScope && window.WatchfloorScope.offered().zone; return found ? { timeZone: found } : {}; };
  D.clock = (iso) => new Date(iso).toLocaleTimeString("en-GB", Object.assign({ hour: "2-digit", minute: "2-digit" }, zone()));
  D.day = (iso) => new Date(iso).toLocaleDateString("en-GB", Object.assign({ day: "numeric", month: "short" }, zone()));
  /* [class, words] of a promise. Filled yellow and the word "late": never the colour alone. */
  function promise(due, row) {
    if (row && isAsleep(row)) return ["", "until " + (Date.parse(row.snooze) - now() > 20 * 3600000 ? D.day(row.snooze) : D.clock(row.snooze))];
    if (!due) return ["", row && row.waiting ? "no promise" : "nobody waits"];
    const left = Date.parse(due) - now();
    if (left <= 0) return ["late", span(left) + " late"];
    return left <= SOON_MS ? ["warn", span(left) + " left"] : ["", span(left)];
  }
  function draw(pill) {
    const [tone, words] = promise(pill.dataset.due, pill.row);
    const wanted = (pill.classList.contains("deskpill") ? "deskpill fixed chip pill" : "chip pill") + (tone ? " " + tone : "");
    if (pill.className !== wanted) pill.className = wanted;
    write(pill.lastChild, words);
  }
  D.pill = function (pill, due, row) {
    if (!pill.firstChild) { icon("clock", "s12", pill); make("span", "", pill); }
    pill.row = row;
    pill.dataset.due = due || "";
    draw(pill);
  };
  const isAsleep = (row) => Boolean(row.snooze) && Date.parse(row.snooze) > now();
  function groupOf(row) {
    if (isAsleep(row)) return "asleep";
    if (!row.waiting && !row.due) return "none";
    if (!row.due) return "later";
    const left = Date.parse(row.due) - now();
    return left <= 0 ? "late" : left <= SOON_MS ? "soon" : "later";
  }
  D.groupOf = groupOf;
  const claimed = (row) => row.by && Date.parse(row.by.until) > now() ? row.by : null;
  D.claimed = claimed;
  D.isMine = (row) => { const by = claimed(row); return Boolean(by) && by.id === D.me().id; };

  // -- what is shown -----------------------------------------------------------------------------------------
  const TABS = { team: "Team", mine: "Mine", sign: "Sign-off" };
  const needs = (row) => row.waiting && !isAsleep(row);
  const FILTERS = {
    needs: needs,
    unclaimed: (row) => needs(row) && !claimed(row),
    p1: (row) => row.p === 1 && needs(row),
    waiting: (row) => !row.waiting && !isAsleep(row),
    asleep: isAsleep,
    all: () => true,
  };
  const isForMe = (row) => D.isMine(row) || (row.to === D.me().id && !claimed(row));
  /* The rows of a tab, in their order. */
  function listed(tab) {
    const own = D.own || {};
    if (tab === "sign") return own.sign || [];
    if (tab === "mine") return D.queue.more ? own.mine || [] : D.queue.rows.filter(isForMe);
    return D.show === "closed" ? own.closed || [] : D.queue.rows.filter(FILTERS[D.show]);
  }
  D.row = (id) => D.rows.get(id) || listed("sign").find((row) => row.id === id) || ((D.own || {}).mine || []).find((row) => row.id === id) || ((D.own || {}).closed || []).find((row) => row.id === id);
  let order = [];
  D.shown = () => order;

  L.custom["queue-list"] = function (props) {
    if (!part("queue-list")) return true;
    D.queue = props;
    D.rows = new Map(props.rows.map((row) => [row.id, row]));
    D.drawQueue();
    D.askOwn();
    D.follow();
    return true;
  };
  D.drawQueue = function () {
    const list = part("queue-list");
    if (!list || !D.queue) return;
    if (host !== list) { host = list; parts = build(part("queue-top")); late = null; listen(list); }
    head();
    const grouped = new Map(GROUPS.map(([key]) => [key, []]));
    const rows = listed(D.tab), there = new Set(rows.map((row) => row.id));
    for (const id of D.ticked) if (!there.has(id)) D.ticked.delete(id);
    for (const row of rows) grouped.get(groupOf(row)).push(row);
    const items = [];
    for (const [key, words] of GROUPS) {
      const found = grouped.get(key);
      if (found.length) items.push({ id: "group-" + key, words: key === "none" && D.show === "closed" ? "Closed" : words, count: found.length }, ...found);
    }
    order = items.filter((item) => !item.words).map((item) => item.id);
    keyed(list, items, (item) => item.id, (item) => (item.words ? group() : card(item)), (element, item) => (item.words ? grouping(element, item) : fill(element, item)));
    const none = part("queue-none"), shown = items.length > 0;
    none.hidden = shown;
    if (!shown) write(none, nothing());
    said(D.queue.rows.filter((row) => groupOf(row) === "late"));
    D.drawBulk();
  };
  function nothing() {
    if (D.tab === "mine") return "Nothing is claimed by you. C claims the case that is open, Shift C the most urgent one.";
    if (D.tab === "sign") return "Nothing waits for your signature.";
    if (D.show !== "needs") return "No open case fits “" + SHOWN[D.show] + "”.";
    return "Nobody waits for an answer here. A case opens by itself when a rule of routing says so.";
  }
  /* Who has become late is said once; on arrival nobody is. */
  function said(rows) {
    const ids = new Set(rows.map((row) => row.id));
    if (late) for (const row of rows) if (!late.has(row.id)) { say(row.name + " is late"); break; }
    late = ids;
  }

  // -- the head ----------------------------------------------------------------------------------------------
  function build(top) {
    top.textContent = "";
    const line = make("div", "q-head", top);
    make("h2", "", line, "Queue");
    make("span", "t3 q-sub", line, "by risk of a late answer");
    make("span", "grow", line);
    const oldest = make("span", "t3 q-oldest", line, "oldest "), age = make("span", "", oldest);
    const tabs = make("div", "seg q-tabs", top);
    tabs.setAttribute("role", "group");
    tabs.setAttribute("aria-label", "Which cases");
    const buttons = {};
    for (const key of Object.keys(TABS)) {
      const button = (buttons[key] = make("button", "", tabs));
      button.type = "button";
      button.addEventListener("click", () => D.choose(key));
    }
    const tools = make("div", "q-tools", top), filter = make("button", "sel", tools);
    filter.type = "button";
    filter.setAttribute("aria-haspopup", "menu");
    filter.setAttribute("aria-expanded", "false");
    make("em", "", filter, "Show");
    const chosen = make("span", "", filter);
    icon("chev", "s14", filter);
    filter.addEventListener("click", () => window.WatchfloorOverlay.menu(filter, Object.entries(SHOWN).map(([key, words]) => (
      { words, on: D.show === key, act: () => { D.show = key; D.askOwn(); D.drawQueue(); } }))));
    make("span", "grow", tools);
    const next = make("button", "btn", tools, "Claim next");
    next.type = "button";
    next.title = "The most urgent case that you may take (Shift C)";
    next.addEventListener("click", () => D.claimNext());
    return { oldest, age, buttons, filter, chosen, next };
  }
  D.choose = function (tab) { D.tab = tab; D.ticked.clear(); D.askOwn(); D.drawQueue(); };
  function head() {
    parts.oldest.hidden = !D.queue.oldest;
    if (D.queue.oldest) parts.age.dataset.since = D.queue.oldest;
    for (const key of Object.keys(TABS)) {
      // All that wait are counted by the server; what is mine, from its rows.
      const n = key === "team" ? (D.queue.more ? D.queue.counts.team : D.queue.rows.filter(needs).length) : listed(key).length;
      write(parts.buttons[key], TABS[key] + " " + n);
      parts.buttons[key].setAttribute("aria-pressed", String(D.tab === key));
    }
    parts.filter.hidden = D.tab !== "team";
    write(parts.chosen, SHOWN[D.show]);
    parts.filter.setAttribute("aria-label", "Show: " + SHOWN[D.show]);
    parts.next.hidden = !D.may("draft");
  }

  // -- a row -------------------------------------------------------------------------------------------------
  function group() {
    const line = make("li", "qh");
    line.title_ = make("b", "", line);
    line.count = make("span", "t3", line);
    return line;
  }
  function grouping(line, item) { write(line.title_, item.words); write(line.count, String(item.count)); }
  function card(row) {
    const line = make("li", "qi"), p = (line.parts = {});
    line.dataset.id = row.id;
    const tick = make("label", "q-tick", line);
    p.tick = make("input", "", tick);
    p.tick.type = "checkbox";
    const open = (p.open = make("button", "q-open", line));
    open.type = "button";
    const one = make("span", "q1", open);
    p.net = make("span", "net", one);
    p.name = make("bdi", "q-name", one);
    make("span", "grow", one);
    p.pill = make("span", "", one);
    p.text = make("bdi", "q-text", open);
    const three = make("span", "q3", open);
    p.p = make("span", "", three);
    p.inc = make("span", "chip inc", three);
    p.place = make("bdi", "t3 q-place", three);
    make("span", "grow", three);
    p.own = make("span", "own", three);
    return line;
  }
  function fill(line, row) {
    const p = line.parts;
    const on = row.id === D.selected;
    line.classList.toggle("on", on);
    if (on) p.open.setAttribute("aria-current", "true"); else p.open.removeAttribute("aria-current");
    p.tick.checked = D.ticked.has(row.id);
    D.pill(p.pill, row.due, row);
    const drawn = JSON.stringify(row) + D.me().id;
    if (line.drawn === drawn && !row.by) return;
    line.drawn = drawn;
    p.tick.setAttribute("aria-label", "Tick the case of " + row.name);
    write(p.net, row.net);
    p.net.title = row.network;
    write(p.name, row.name);
    write(p.text, row.text === null ? "Deleted or made private on its network" : row.text);
    p.text.classList.toggle("t3", row.text === null);
    p.text.dir = "auto";
    if (row.lang) p.text.lang = row.lang; else p.text.removeAttribute("lang");
    write(p.p, "P" + row.p);
    p.p.className = row.p === 1 ? "pr1" : "t3";
    p.inc.hidden = !row.incident;
    write(p.inc, row.incident ? "INC-" + row.incident : "");
    write(p.place, row.places.join(", "));
    D.owner(p.own, row);
  }
  D.initials = (name) => name.split(/\s+/).filter(Boolean).map((word) => word[0]).slice(0, 2).join("").toUpperCase();
  const first = (name) => name.split(/\s+/)[0];
  /* Who is at it, most telling first: whoever types, whoever must sign, whoever holds it, whoever looks. */
  D.owner = function (element, row) {
    const me = D.me().id, by = claimed(row), here = row.here || [];
    const typing = here.find((one) => one.doing === "typing" && one.id !== me) || here.find((one) => one.doing === "typing");
    const looking = here.find((one) => one.id !== me);
    let who = null, words = "unclaimed";
    if (typing) { who = typing; words = typing.id === me ? "You are drafting" : first(typing.name) + " is drafting"; }
    else if (row.sign) words = "waits for sign-off";
    else if (by) { who = by; words = by.id === me ? "You claimed" : first(by.name) + " claimed"; }
    else if (row.to) words = row.to === me ? "yours" : "for " + first(row.toName);
    else if (looking) { who = looking; words = first(looking.name) + " is looking"; }
    element.className = "own" + (who || row.sign || row.to === me ? "" : " t3");
    element.textContent = "";
    if (who) make("span", "av s a1", element, D.initials(who.name)).setAttribute("aria-hidden", "true");
    make("span", "", element, words);
  };
  function listen(list) {
    list.addEventListener("click", (event) => {
      const line = event.target.closest(".qi");
      if (!line) return;
      if (event.target.closest(".q-tick")) { if (event.target.tagName === "INPUT") D.tick(line.dataset.id, event.target.checked); return; }
      D.select(line.dataset.id);
    });
  }
  D.tick = function (id, on) {
    if (on) D.ticked.add(id); else D.ticked.delete(id);
    D.drawQueue();
  };
  D.step = function (by) {
    const ids = D.shown();
    if (!ids.length) return;
    const at = ids.indexOf(D.selected);
    const id = ids[Math.max(0, Math.min(ids.length - 1, at < 0 ? 0 : at + by))];
    D.select(id, { stay: true });
    const line = D.line(id);
    if (line) { line.scrollIntoView({ block: "nearest" }); line.parts.open.focus({ preventScroll: true }); }
  };
  D.line = (id) => { const list = part("queue-list"); return list ? [...list.children].find((one) => one.dataset.id === id) : null; };

  /* Countdowns each second; a row that becomes late changes its group without moving among the others. */
  setInterval(() => {
    if (document.hidden) return;
    for (const pill of document.querySelectorAll("#respond .pill, .deskpill")) if (pill.firstChild) draw(pill);
    if (part("queue-list") && D.queue) {
      const groups = D.queue.rows.map(groupOf).join() + D.queue.rows.map((row) => Boolean(claimed(row))).join();
      if (groups !== D.queue.groups) { D.queue.groups = groups; D.drawQueue(); }
    }
  }, 1000);
})();
