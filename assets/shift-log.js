/* The shift log beside the page: what one shift tells the next. Newest first; anybody adds a line, pinned to a mention, a spike or a
   source, and the next operator signs what others wrote.
   WatchfloorLog.toggle(), .note({kind: "mention" | "alert" | "source", id, words}): the drawer, with a line begun; the pin may be left out.
   The element log-pulse, where a page has it, says that there is something new. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const { make, icon, write, keyed } = window.WatchfloorDom;
  const READ = "watchfloor-log-read", KEY = "log";
  let drawn = null, pin = null, draft = "", pulse = "";
  const overlay = () => window.WatchfloorOverlay;
  const asks = () => window.WatchfloorAsks;
  const bad = (error) => overlay().toast(error.message, { bad: true });

  // -- what is new -------------------------------------------------------------------------------------------
  /* Ids are longer than a browser counts: of two the longer text is greater. */
  const after = (one, other) => one.length > other.length || (one.length === other.length && one > other);
  function newest(id) {
    const read = localStorage.getItem(READ) || "";
    document.querySelectorAll(".log-new").forEach((dot) => { dot.hidden = !(id && after(id, read)); });
    const button = document.querySelector("[data-do=log]");
    if (button) button.setAttribute("aria-label", id && after(id, read) ? "Shift log, new lines" : "Shift log");
  }
  function wasRead(id) {
    if (id && after(id, localStorage.getItem(READ) || "")) localStorage.setItem(READ, id);
    newest(id);
  }
  L.custom["log-pulse"] = function (props) {
    const now = props.newest + " " + props.signed;
    if (now !== pulse && drawn) load();
    pulse = now;
    if (!drawn) newest(props.newest);
    return true;
  };

  // -- the drawer --------------------------------------------------------------------------------------------
  function open() {
    overlay().drawer({ key: KEY, title: "Shift log", label: "Shift log", width: 440, build, closed: () => { drawn = null; } });
    load();
  }
  function toggle() {
    if (overlay().open() === KEY) overlay().escape(); else open();
  }
  function note(about) {
    pin = about || null;
    if (overlay().open() !== KEY) open();
    drawn.pinned();
    // At once: whoever types on must not lose a letter.
    drawn.text.focus();
  }
  function build(body) {
    body.classList.add("log-body");
    const form = make("form", "log-form", body), text = make("textarea", "field", form);
    text.rows = 3;
    text.maxLength = 1000;
    text.placeholder = "What the next shift should know";
    text.setAttribute("aria-label", "A line for the shift log");
    text.value = draft;
    text.addEventListener("input", () => { draft = text.value; });
    const row = make("div", "log-row", form), chip = make("span", "chip acc log-pin", row);
    const label = make("label", "log-about", row), about = make("select", "field", make("span", "t3", label, "About").parentElement);
    const add = make("button", "btn pri sm", row, "Add");
    add.type = "submit";
    make("kbd", "", add, "Ctrl ↵");
    const list = make("ol", "log-lines", body);
    list.setAttribute("aria-label", "Lines, newest first");
    const none = make("p", "t3 log-none", body), older = make("button", "btn sm log-older", body, "Older lines");
    older.type = "button";
    older.hidden = true;
    const foot = make("div", "log-foot", body), waits = make("span", "t2 grow", foot), sign = make("button", "btn pri", foot, "Read, I take over");
    sign.type = "button";
    foot.hidden = true;
    drawn = { text, about, list, none, older, foot, waits, sign, lines: [], more: false, pinned };
    function pinned() {
      chip.textContent = "";
      chip.hidden = !pin;
      label.hidden = Boolean(pin);
      if (!pin) return;
      icon("pin", "s12", chip);
      make("bdi", "", chip, pin.words || pin.kind);
      const off = make("button", "", chip);
      off.type = "button";
      off.setAttribute("aria-label", "Do not pin it");
      icon("x", "s12", off);
      off.addEventListener("click", () => { pin = null; pinned(); text.focus(); });
    }
    pinned();
    choices(about);
    form.addEventListener("submit", (event) => { event.preventDefault(); send(add); });
    text.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); send(add); } });
    older.addEventListener("click", () => load(drawn.lines[drawn.lines.length - 1].id));
    sign.addEventListener("click", () => signed(drawn.lines.length ? drawn.lines[0].id : ""));
  }
  /* What a line can be about: everybody, a brand, a spike or a source of these days. */
  function choices(select) {
    const option = (parent, value, words) => { const one = make("option", "", parent, words); one.value = value; };
    option(select, "", "everybody");
    const kinds = window.WatchfloorScope.offered().kinds || {}, brands = make("optgroup", "", select);
    brands.label = "Brands";
    for (const brand of kinds.brand || []) option(brands, "brand " + brand.key, brand.name);
    const chosen = window.WatchfloorScope.asked().brand;
    if (chosen.length === 1) select.value = "brand " + chosen[0];
    asks().read("log.about").then((said) => {
      for (const [name, kind, rows] of [["Spikes", "alert", said.alerts], ["Sources", "source", said.sources]]) {
        if (!rows.length) continue;
        const group = make("optgroup", "", select);
        group.label = name;
        for (const row of rows) option(group, kind + " " + row.id, row.words);
      }
    }, () => {});
  }
  function send(button) {
    const text = drawn.text.value.trim();
    if (!text) { drawn.text.focus(); return; }
    const [kind, key] = drawn.about.value.split(" ");
    const given = { text };
    if (pin) Object.assign(given, { pinned: pin.kind, pinned_id: String(pin.id) });
    else if (kind === "brand") given.about = key;
    else if (kind) Object.assign(given, { pinned: kind, pinned_id: key });
    button.disabled = true;
    asks().act("log.add", given).then((said) => {
      draft = ""; pin = null;
      wasRead(said.line.id);
      overlay().toast(said.words);
      if (!drawn) return;
      drawn.text.value = "";
      drawn.pinned();
      load();
    }).catch(bad).finally(() => { button.disabled = false; });
  }
  function signed(upTo) {
    return asks().act("log.sign", { up_to: upTo }).then((said) => { overlay().toast(said.words); if (drawn) load(); }).catch((error) => { bad(error); if (drawn) load(); });
  }
  function load(before) {
    const mine = drawn;
    return asks().read("log", before ? { before } : {}).then((said) => {
      if (!drawn || drawn !== mine) return;
      mine.lines = before ? [...mine.lines, ...said.lines] : said.lines;
      mine.more = said.more;
      draw(mine, said);
      if (said.newest && !before) wasRead(said.newest);
    }, (error) => { if (mine) write(mine.none, error.message); });
  }
  function draw(mine, said) {
    keyed(mine.list, mine.lines, (line) => line.id, () => make("li", "log-line"), fill);
    write(mine.none, mine.lines.length ? "" : "Nobody has written anything yet. A line here is read by the next shift.");
    mine.older.hidden = !mine.more;
    mine.foot.hidden = !said.waiting;
    write(mine.waits, said.waiting + (said.waiting === 1 ? " line of others is" : " lines of others are") + " not signed. Both names go to the audit.");
  }
  /* A line stands as it was written; only its signature may come later. */
  function fill(host, line) {
    const key = line.signed + "|" + (line.pin ? line.pin.words : "");
    if (host.dataset.drawn === key) return;
    host.dataset.drawn = key;
    host.textContent = "";
    const time = make("time", "t3", host, line.clock);
    time.dateTime = line.at;
    const av = make("span", "av s", host, line.author.split(/\s+/).filter(Boolean).map((part) => part[0]).slice(0, 2).join("").toUpperCase());
    av.setAttribute("aria-hidden", "true");
    const said = make("div", "", host), words = make("p", "", said);
    make("b", "", words, line.author + " ");
    make("bdi", "", words, line.text);
    const foot = make("div", "log-meta t3", said);
    if (line.about) make("span", "chip", foot, line.about);
    if (line.pin) link(foot, line.pin);
    if (line.signed) { icon("check", "s12", foot); make("span", "", foot, line.signed); }
    foot.hidden = !foot.childNodes.length;
  }
  function link(parent, to) {
    if (!to.href) { make("bdi", "", parent, to.words); return; }
    const way = make("a", "linked", parent);
    icon("pin", "s12", way);
    make("bdi", "", way, to.words);
    way.href = to.href;
    way.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      const url = new URL(to.href, location.href);
      window.dash_clientside.set_props("url", { pathname: url.pathname, search: url.search, hash: url.hash });
    });
  }
  document.addEventListener("click", (event) => {
    const what = event.target.closest && event.target.closest("[data-do=log]");
    if (what) toggle();
  });
  // The feed's cards offer it in their menu.
  const F = (window.WatchfloorFeed = window.WatchfloorFeed || {});
  (F.menu = F.menu || []).push((mention) => ({
    words: "Add to the shift log", keys: "",
    act: () => note({ kind: "mention", id: mention.mention || mention.id, words: [mention.name || mention.author, mention.network].filter(Boolean).join(" on ") }),
  }));
  window.WatchfloorLog = { toggle, note, newest, signed, fill };
})();
