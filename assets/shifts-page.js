/* The shifts of a team: a row a person over four days, what I say about myself, the pattern changed by form or file. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const { make, write, keyed } = window.WatchfloorDom;
  const asks = () => window.WatchfloorAsks, over = () => window.WatchfloorOverlay;
  const bad = (error) => over().toast(error.message, { bad: true });
  const ORDER = ["on", "break", "off"], NAMES = { on: "On", break: "Break", off: "Off" };
  let mine = "", drawn = null;

  function button(words, className, parent, act) {
    const element = make("button", className, parent, words);
    element.type = "button";
    element.addEventListener("click", act);
    return element;
  }
  const may = (right) => document.documentElement.classList.contains("may-" + right) || document.documentElement.classList.contains("may-admin");

  async function say(status) {
    try {
      const done = await asks().act("shift.say", { status });
      mine = status;
      mark();
      over().toast(done.words);
    } catch (error) { bad(error); }
  }
  function mark() {
    for (const choice of document.querySelectorAll(".shift-say button")) choice.setAttribute("aria-pressed", String(choice.dataset.status === mine));
  }
  function parts(host) {
    if (host.parts) return host.parts;
    const bar = make("div", "shift-bar", host), head = make("h2", "", bar), sub = make("span", "t3 grow", bar);
    const gaps = make("span", "shift-gaps", bar), own = make("div", "shift-say seg", bar);
    own.setAttribute("role", "group");
    own.setAttribute("aria-label", "I am");
    for (const status of ORDER) button(NAMES[status], "", own, () => say(status)).dataset.status = status;
    button("Stand-in", "btn", bar, standIn);
    if (may("manage_people")) {
      button("Load a file", "btn", bar, load);
      button("Add a shift", "btn pri", bar, add);
    }
    const scroll = make("div", "shift-scroll", host);
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", "Four days");
    const days = make("div", "shift-days", scroll), rows = make("div", "shift-rows", scroll), planned = make("div", "shift-planned", scroll);
    asks().read("shifts.mine", {}).then((said) => { mine = said.said || (said.here ? "on" : "off"); mark(); }, () => {});
    return (host.parts = { head, sub, gaps, days, rows, planned });
  }
  L.custom["shifts-rows"] = (props) => {
    const host = document.getElementById("shifts-rows");
    if (!host) return true;
    const p = parts(host);
    drawn = props;
    write(p.head, "Shifts of " + props.team);
    write(p.sub, props.zone.replace(/_/g, " ") + "; teal = there now");
    write(p.gaps, props.gaps && props.rows.length ? props.gaps + (props.gaps === 1 ? " hour" : " hours") + " without anybody" : "");
    keyed(p.days, props.days.map((name, i) => ({ name, i })), (day) => String(day.i), () => make("span", "t2"), (cell, day) => write(cell, day.name));
    keyed(p.rows, props.rows, (row) => row.id, () => {
      const line = make("div", "shift-row");
      line.parts = { name: button("", "shift-name", line, () => one(line.row)), track: make("div", "shift-track", line) };
      line.parts.words = make("span", "", line.parts.name);
      line.parts.note = make("span", "t3", line.parts.name);
      return line;
    }, (line, row) => {
      line.row = row;
      line.classList.toggle("here", row.here);
      write(line.parts.words, row.name);
      write(line.parts.note, row.deputy ? row.deputy + " signs" : row.here ? "there" : row.status === "break" ? "on a break" : "");
      keyed(line.parts.track, row.bars, (bar) => bar.left + ":" + bar.width, () => make("i", "shift-span"), (bar, item) => {
        bar.style.insetInlineStart = item.left + "%";
        bar.style.width = item.width + "%";
        bar.classList.toggle("now", item.now && row.here);
        bar.title = item.words;
      });
    });
    const most = Math.max(1, ...props.planned);
    keyed(p.planned, props.rows.length ? props.planned.map((count, hour) => ({ count, hour })) : [], (item) => String(item.hour), () => make("i", "shift-hour"), (bar, item) => {
      bar.style.height = item.count ? 4 + (20 * item.count) / most + "px" : "24px";
      bar.classList.toggle("none", !item.count);
      bar.title = item.count + " planned";
    });
    mark();
    return true;
  };

  function one(row) {
    over().drawer({ key: "shift", title: row.name, label: row.name, build(body) {
      make("p", "t2", body, row.here ? "There now." : "Not there now.");
      const list = make("ul", "shift-list", body);
      for (const span of row.spans) {
        const line = make("li", "", list);
        make("span", "grow", line, span.words);
        if (may("manage_people")) button("Take out", "btn sm", line, async () => {
          try { over().toast((await asks().act("shift.remove", { id: span.id })).words); line.remove(); } catch (error) { bad(error); }
        });
      }
      if (!row.spans.length) make("p", "t3", body, "No shift of the week is kept for them in this team.");
    } });
  }
  function field(host, name, label, tag, type) {
    const box = make("div", "org-field", host), id = "shift-" + name;
    make("label", "", box, label).htmlFor = id;
    const entry = make(tag, "input", box);
    entry.id = id;
    if (type) entry.type = type;
    return entry;
  }
  function offer(entry, choices) { for (const choice of choices) make("option", "", entry, choice.name).value = choice.id; }
  async function add() {
    let said;
    try { said = await asks().read("shifts.form", {}); } catch (error) { bad(error); return; }
    over().drawer({ key: "shift", title: "Add a shift", label: "Add a shift", build(body) {
      const host = make("form", "org-form", body), who = field(host, "person", "Person", "select"), day = field(host, "day", "Weekday", "select");
      const start = field(host, "start", "From", "input", "time"), end = field(host, "end", "Until", "input", "time");
      offer(who, said.people);
      offer(day, said.days.map((name, i) => ({ id: String(i), name })));
      start.value = "09:00";
      end.value = "17:00";
      make("p", "t3", host, "On the clock of the team. An end before the beginning is on the next day.");
      const go = make("button", "btn pri", make("div", "org-foot", host), "Add");
      go.type = "submit";
      host.addEventListener("submit", async (event) => {
        event.preventDefault();
        try { over().toast((await asks().act("shift.add", { person: who.value, weekday: day.value, start: start.value, end: end.value })).words); } catch (error) { bad(error); }
      });
      setTimeout(() => who.focus());
    } });
  }
  async function standIn() {
    let said;
    try { said = await asks().read("shifts.deputies", {}); } catch (error) { bad(error); return; }
    over().drawer({ key: "shift", title: "Who signs for me", label: "Who signs for me", build(body) {
      const host = make("form", "org-form", body), who = field(host, "deputy", "Stand-in", "select");
      const start = field(host, "start", "From", "input", "date"), end = field(host, "end", "Until and with", "input", "date");
      offer(who, said.people);
      start.value = end.value = said.today;
      make("p", "t3", host, "While you are away, what asks for your signature goes to them. They need the right to sign there themselves.");
      const go = make("button", "btn pri", make("div", "org-foot", host), "Note it");
      go.type = "submit";
      host.addEventListener("submit", async (event) => {
        event.preventDefault();
        try { over().toast((await asks().act("shift.deputy", { deputy: who.value, start: start.value, end: end.value })).words); } catch (error) { bad(error); }
      });
      setTimeout(() => who.focus());
    } });
  }
  async function load() {
    let said;
    try { said = await asks().read("shifts.form", {}); } catch (error) { bad(error); return; }
    over().dialog({ title: "Load the shifts of " + (drawn ? drawn.team : "the team"), wide: true, build(body, dialog) {
      make("p", "t2", body, "email, weekday, start, end; a line a shift. What is in the file stays or is added, what is not in it ends.");
      const text = make("textarea", "input shift-file", body), found = make("div", "shift-found", body);
      text.setAttribute("aria-label", "The file");
      text.value = said.csv;
      const pick = make("input", "", body);
      pick.type = "file";
      pick.accept = ".csv,text/csv";
      pick.setAttribute("aria-label", "Choose a file");
      pick.addEventListener("change", async () => { if (pick.files[0]) text.value = await pick.files[0].text(); });
      button("Look at it", "btn", dialog.foot, async () => {
        try {
          const seen = await asks().act("shift.look", { text: text.value });
          found.textContent = "";
          make("p", "", found, seen.new.length + " to add, " + seen.gone.length + " to end, " + seen.same + " as before.");
          for (const fault of seen.faults.slice(0, 20)) make("p", "org-fault", found, fault);
          go.disabled = seen.faults.length > 0;
        } catch (error) { bad(error); }
      });
      const go = button("Load", "btn pri", dialog.foot, async () => {
        try { const done = await asks().act("shift.load", { text: text.value }); dialog.close(); over().toast(done.words); } catch (error) { bad(error); }
      });
      go.disabled = true;
    } });
  }
  (window.WatchfloorPages = window.WatchfloorPages || {}).shifts = {
    keys(event) {
      if (event.key.toLowerCase() !== "o") return false;
      say(ORDER[(ORDER.indexOf(mine) + 1) % ORDER.length]);
      return true;
    },
  };
})();
