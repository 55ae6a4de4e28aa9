/* Incidents on every page: the banner while one is open, key I, and the dialog that declares one.

   WatchfloorIncidents.declare({from, id, name, reason, brand, said}): the dialog; `from` is alert or mention, `id` is "brand-id",
       `brand` the name of one and `said` what it is declared from, in words.
   WatchfloorIncidents.ofAlert(item): the same from an alert.
   WatchfloorIncidents.form(title, fields, act, how): a dialog of fields, also used by the page of one incident.
   The event "watchfloor:incidents" says that what is open, or what is held by it, changed.
   WatchfloorIncidents.key(): what key I does: to the open incident, else the dialog. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  L.arrived = L.arrived || {};
  const { make, icon, write, keyed } = window.WatchfloorDom;
  const asks = () => window.WatchfloorAsks, over = () => window.WatchfloorOverlay;
  const may = (right) => document.documentElement.classList.contains("may-" + right) || document.documentElement.classList.contains("may-admin");
  const bad = (error) => over().toast(error.message, { bad: true });
  let banner = { items: [], more: 0 };

  // -- the banner ------------------------------------------------------------------------------------------
  function age(iso) { return L.age(Math.max(0, (L.now() - Date.parse(iso)) / 1000)); }
  function line() {
    const host = make("div", "banner"), p = {};
    p.label = make("span", "chip inc", host);
    icon("incidents", "s12", p.label);
    p.number = make("span", "", p.label);
    p.name = make("b", "", host);
    p.name.dir = "auto";
    p.since = make("span", "bn-since t2", host);
    p.times = make("span", "bn-times t2", host);
    p.net = make("span", "bn-net", host);
    p.lead = make("span", "bn-lead t2", host);
    p.held = make("span", "bn-held", host);
    p.statement = make("span", "bn-statement t2", host);
    make("span", "grow", host);
    p.open = make("a", "btn sm", host, "Open incident");
    make("kbd", "", p.open, "I");
    p.open.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      window.WatchfloorShell.go("/incidents/" + host.item.id);
    });
    host.parts = p;
    return host;
  }
  function update(host, item) {
    const p = host.parts, first = banner.items[0];
    host.item = item;
    write(p.number, item.label);
    write(p.name, item.name);
    write(p.since, "Open " + age(item.since));
    write(p.times, item.times ? item.times + " expected volume" : "");
    write(p.net, item.glyph ? item.glyph + " net " + item.net : "");
    p.net.className = "bn-net " + item.tone;
    write(p.lead, "Lead " + item.lead + ", " + item.on + " on it");
    write(p.held, item.held);
    write(p.statement, item.statement);
    p.open.href = "/incidents/" + item.id;
    p.open.setAttribute("aria-label", "Open incident " + item.label);
    p.open.lastChild.hidden = item !== first;
  }
  function draw() {
    const host = document.getElementById("banner-list"), panel = document.getElementById("panel-banner");
    if (!host || !panel) return;
    // On its own page the head says all of that, and more.
    const here = /^\/incidents\/(\d+)/.exec(location.pathname), shown = banner.items.filter((item) => !here || item.id !== Number(here[1]));
    panel.dataset.count = String(shown.length);
    if (!host.list) {
      host.list = make("div", "banner-lines", host);
      host.more = make("a", "btn sm ghost more", host);
      host.more.href = "/incidents";
      host.more.addEventListener("click", (event) => { event.preventDefault(); window.WatchfloorShell.go("/incidents"); });
    }
    keyed(host.list, shown, (item) => item.id, line, update);
    host.more.hidden = !banner.more;
    write(host.more, "+" + banner.more);
    host.more.setAttribute("aria-label", banner.more + " more open incidents");
    const count = banner.items.length + banner.more;
    for (const way of document.querySelectorAll('.ri[href="/incidents"],.ri-phone[href="/incidents"]')) {
      let mark = way.querySelector(".rb");
      if (!mark) mark = make("span", "rb inc", way);
      mark.hidden = !count;
      write(mark, count ? String(count) : "");
    }
  }
  /* What is held may be another thing now: whoever stands ready to send asks again. */
  L.arrived["banner-list"] = (props) => {
    const held = (found) => JSON.stringify([found.items.map((item) => [item.id, item.held]), found.more]), changed = held(banner) !== held(props);
    banner = props;
    draw();
    if (changed) window.dispatchEvent(new CustomEvent("watchfloor:incidents"));
  };
  L.custom["banner-list"] = () => { draw(); return true; };
  window.addEventListener("watchfloor:page", draw);
  setInterval(() => { if (banner.items.length && !document.hidden) draw(); }, 15000);

  // -- a dialog of fields ----------------------------------------------------------------------------------
  /* fields: {name, words, type: text|area|select|people|chips|note, options: [[value, words]], value, help, optional, rows}.
     `act(values)` gives a promise of what was said; its words are shown, and its refusal stays in the dialog. */
  function form(title, fields, act, how) {
    const settings = how || {}, inputs = {};
    let go = null, fault = null;
    const dialog = over().dialog({
      title, wide: settings.wide,
      build(body, opened) {
        const host = make("form", "iform", body);
        host.id = "iform-" + Math.random().toString(36).slice(2);
        host.noValidate = true;
        if (settings.intro) make("p", "t2 iform-intro", host, settings.intro);
        for (const field of fields) inputs[field.name] = build(host, field);
        fault = make("p", "iform-fault", host);
        fault.setAttribute("role", "alert");
        const back = make("button", "btn", opened.foot, "Cancel");
        back.type = "button";
        back.addEventListener("click", () => opened.close());
        go = make("button", "btn pri", opened.foot, settings.go || "Save");
        go.type = "submit";
        go.setAttribute("form", host.id);
        host.addEventListener("submit", async (event) => {
          event.preventDefault();
          const values = {};
          for (const field of fields) if (inputs[field.name]) values[field.name] = inputs[field.name].value();
          const empty = fields.find((field) => field.type !== "note" && !field.optional && inputs[field.name] && values[field.name] === "");
          if (empty) { write(fault, empty.words + ": this is needed."); inputs[empty.name].focus(); return; }
          go.disabled = true;
          write(fault, "");
          try {
            const said = await act(values);
            opened.close();
            if (said && said.words) over().toast(said.words);
            if (settings.done) settings.done(said);
          } catch (error) { write(fault, error.message); }
          go.disabled = false;
        });
      },
    });
    const first = fields.find((field) => inputs[field.name] && field.type !== "chips");
    setTimeout(() => { if (first) inputs[first.name].focus(); }, 0);
    return dialog;
  }
  let fieldNumber = 0;
  function build(host, field) {
    if (field.type === "note") { make("p", "iform-note" + (field.warn ? " wn" : " t2"), host, field.words).dir = "auto"; return null; }
    const box = make("div", "iform-field" + (field.half ? " half" : ""), host), id = "ifield-" + (fieldNumber += 1);
    const label = make(field.type === "chips" || field.type === "choice" ? "span" : "label", "iform-label", box, field.words);
    if (field.type === "chips") return chips(box, field, label, id);
    if (field.type === "choice") return choice(box, field, id);
    const entry = make(field.type === "area" ? "textarea" : field.type === "select" ? "select" : "input", "input", box);
    label.htmlFor = entry.id = id;
    if (field.type === "select") for (const [value, words] of field.options) make("option", "", entry, words).value = value;
    if (field.type === "area") entry.rows = field.rows || 3;
    entry.value = field.value === undefined ? (field.type === "select" && field.options.length ? field.options[0][0] : "") : field.value;
    entry.dir = field.type === "select" ? "" : "auto";
    if (field.max) entry.maxLength = field.max;
    if (field.help) { const help = make("p", "t3 iform-help", box, field.help); help.id = id + "-help"; entry.setAttribute("aria-describedby", help.id); }
    return { value: () => entry.value.trim(), focus: () => entry.focus() };
  }
  /* One of a few, all of them seen. */
  function choice(box, field, id) {
    const group = make("span", "seg", box);
    group.setAttribute("role", "radiogroup");
    group.setAttribute("aria-label", field.words);
    let chosen = String(field.value === undefined ? field.options[0][0] : field.value);
    const buttons = field.options.map(([value, words]) => {
      const one = make("button", "", group, words);
      one.type = "button";
      one.setAttribute("role", "radio");
      one.addEventListener("click", () => { chosen = String(value); show(); });
      one.value = String(value);
      return one;
    });
    group.addEventListener("keydown", (event) => {
      const at = buttons.findIndex((one) => one.value === chosen), by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!by) return;
      event.preventDefault();
      const next = buttons[(at + by + buttons.length) % buttons.length];
      chosen = next.value;
      show();
      next.focus();
    });
    function show() {
      for (const one of buttons) { one.setAttribute("aria-checked", String(one.value === chosen)); one.tabIndex = one.value === chosen ? 0 : -1; }
    }
    show();
    group.id = id;
    return { value: () => chosen, focus: () => buttons.find((one) => one.value === chosen).focus() };
  }
  /* Several keys out of a list: chips with a cross, and a select that adds one. None = all of them. */
  function chips(box, field, label, id) {
    const list = make("div", "iform-chips", box), add = make("select", "input", list);
    label.id = id;
    add.setAttribute("aria-label", field.words + ": add one");
    let chosen = [...(field.value || [])];
    function show() {
      for (const old of list.querySelectorAll(".chip")) old.remove();
      if (!chosen.length) list.insertBefore(make("span", "chip", null, field.all), add);
      for (const key of chosen) {
        const option = field.options.find(([value]) => value === key), one = make("button", "chip", null, option ? option[1].trim() : key);
        one.type = "button";
        one.setAttribute("aria-label", "Take out " + one.textContent);
        icon("x", "s12", one);
        one.addEventListener("click", () => { chosen = chosen.filter((other) => other !== key); show(); add.focus(); });
        list.insertBefore(one, add);
      }
      add.textContent = "";
      make("option", "", add, "Add…").value = "";
      for (const [value, words] of field.options) if (!chosen.includes(value)) make("option", "", add, words).value = value;
    }
    add.addEventListener("change", () => { if (add.value) chosen.push(add.value); show(); add.focus(); });
    show();
    return { value: () => chosen, focus: () => add.focus() };
  }

  // -- declaring -------------------------------------------------------------------------------------------
  const RUNS = [["240", "4 h"], ["720", "12 h"], ["1440", "24 h"], ["4320", "3 days"], ["10080", "7 days"]];
  const NEXT = [["", "nothing is promised"], ["15", "in 15 min"], ["30", "in 30 min"], ["60", "in 1 h"], ["120", "in 2 h"]];
  const OUTBOUND = [["manager", "A manager signs every reply"], ["frozen", "Nothing is sent"]];
  const SEVERITY = [["1", "1 worst"], ["2", "2"], ["3", "3"]];
  function kinds(kind) {
    const offered = (window.WatchfloorScope.offered().kinds || {})[kind] || [];
    return offered.filter((item) => kind !== "brand" || item.group === "Ours").filter((item) => item.key !== "unknown").map((item) => [item.key, " ".repeat(2 * item.depth) + item.name]);
  }
  function scopeFields(value) {
    return [
      { name: "brands", words: "Brands", type: "chips", all: "All brands", options: kinds("brand"), value: value.brands },
      { name: "locations", words: "Places", type: "chips", all: "Everywhere", options: kinds("location"), value: value.locations },
      { name: "networks", words: "Networks", type: "chips", all: "All networks", options: kinds("network"), value: value.networks },
      { name: "search", words: "What is said (as in the search field)", optional: true, value: value.search, max: 200, help: "Cases and counts that hold these words. Replies are held in the whole scope." },
    ];
  }
  async function declare(given) {
    if (!may("declare_incident")) { over().toast("Declaring an incident needs the right “declare_incident”; ask a manager.", { bad: true }); return; }
    const from = given || {};
    let there;
    try { there = await asks().read("incident.form"); } catch (error) { bad(error); return; }
    const bar = document.getElementById("scope-bar"), asked = bar && bar.dataset.scope === "yes" ? window.WatchfloorScope.asked() : { brand: [], location: [], network: [], q: "" };
    const ours = new Set(kinds("brand").map(([key]) => key));
    const named = from.brand ? kinds("brand").filter(([, words]) => words === from.brand).map(([key]) => key) : [];
    const about = (/^\/(brand|location)\/([^/]+)/.exec(location.pathname) || []).slice(1);
    const brands = named.length ? named : about[0] === "brand" ? [about[1]] : asked.brand;
    const places = about[0] === "location" ? [about[1]] : asked.location;
    const value = { brands: brands.filter((key) => ours.has(key)), locations: places, networks: asked.network, search: asked.q };
    form("Declare an incident", [
      ...(from.said ? [{ name: "said", type: "note", words: "From: " + from.said }] : []),
      { name: "name", words: "Name", value: from.name || "", max: 200 },
      { name: "severity", words: "Severity", type: "choice", options: SEVERITY, value: "2", half: true },
      { name: "lead", words: "Lead", type: "select", options: there.people.map((one) => [String(one.id), one.name]), value: String(there.me), half: true },
      ...scopeFields(value),
      { name: "outbound", words: "What is said in its scope", type: "choice", options: OUTBOUND, value: "manager" },
      { name: "reason", words: "Reason", type: "area", rows: 2, value: from.reason || "" },
      { name: "runs_minutes", words: "Ends by itself after", type: "select", options: RUNS, value: "240", half: true },
      { name: "next_minutes", words: "Next public update", type: "select", options: NEXT, value: "30", optional: true, half: true },
    ], (values) => asks().act("incident.declare", Object.assign(values, from.from ? { from: from.from, from_id: from.id } : {})), {
      go: "Declare", intro: "From this moment replies in its scope are held as chosen here, and every page of its readers says so.",
      done: (said) => window.WatchfloorShell.go("/incidents/" + said.id),
    });
  }
  function key() {
    if (banner.items.length) window.WatchfloorShell.go("/incidents/" + banner.items[0].id);
    else if (may("declare_incident")) declare();
    else over().toast("No incident is open.");
    return true;
  }
  /* From a post: in the menu of its card. */
  function ofMention(row) {
    if (!may("declare_incident")) return [];
    const at = row.name ? "a post by " + row.name + " on " + row.network : "a post";
    return [{ words: "Declare an incident…", act: () => declare({ from: "mention", id: row.brand + "-" + row.mention, said: at, brand: (row.chips || [])[0] }) }];
  }
  const F = (window.WatchfloorFeed = window.WatchfloorFeed || {});
  F.menu = F.menu || [];
  F.menu.push(ofMention);
  /* From a spike: beside its "Acknowledge". */
  function ofAlert(item) { declare({ from: "alert", id: item.id, said: item.words, brand: item.title, name: item.title + ": " + item.text, reason: item.words }); }
  window.WatchfloorIncidents = { declare, form, key, scopeFields, ofAlert, OUTBOUND, RUNS, NEXT, SEVERITY, may };
})();
