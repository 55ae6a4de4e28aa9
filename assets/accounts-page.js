/* Accounts of ours: a strip of counts, a row an account, and beside it one account whole: who could post, what is kept. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const { make, write, keyed } = window.WatchfloorDom;
  const asks = () => window.WatchfloorAsks, over = () => window.WatchfloorOverlay;
  const bad = (error) => over().toast(error.message, { bad: true });
  const MARKS = { works: "●", lost: "✕", never: "○" };
  let rows = [], onlyNeeds = false, opened = "";

  function button(words, className, parent, act) {
    const element = make("button", className, parent, words);
    element.type = "button";
    element.addEventListener("click", act);
    return element;
  }
  const dated = (iso) => iso ? new Date(iso).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" }) : "";

  // -- the table -----------------------------------------------------------------------------------------
  function parts(host) {
    if (host.parts) return host.parts;
    const strip = make("div", "acc-strip", host), bar = make("div", "acc-bar", host);
    make("h2", "", bar, "Channel accounts");
    make("span", "t3 grow", bar, "one row = one account on one network");
    const all = button("All", "chip", bar, () => choose(false)), needs = button("Need you", "chip", bar, () => choose(true));
    const scroll = make("div", "acc-scroll", host);
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", "Accounts");
    const table = make("table", "acc-table", scroll), line = make("tr", "", make("thead", "", table));
    for (const name of ["Account, place", "Purpose, voice", "Owner, deputy", "Read", "Reply", "Publish", "Access ends, team"]) make("th", "", line, name).scope = "col";
    return (host.parts = { strip, all, needs, body: make("tbody", "", table) });
  }
  function choose(needs) { onlyNeeds = needs; redraw(); }
  function redraw() {
    const host = document.getElementById("accounts-rows");
    if (host && host.parts) fill(host.parts);
  }
  function cell(parent) {
    const host = make("td", "", parent);
    return { host, first: make("div", "acc-1", host), second: make("div", "acc-2", host) };
  }
  function build(row) {
    const line = make("tr"), head = make("th", "", line);
    head.scope = "row";
    const open = button("", "acc-open", head, () => show(line.row.id));
    line.parts = { mono: make("span", "net", open), first: make("span", "acc-1", open), second: make("span", "acc-2", open), purpose: cell(line), owner: cell(line), health: [], ends: null };
    for (let i = 0; i < 3; i += 1) line.parts.health.push(make("td", "acc-health", line));
    line.parts.ends = cell(line);
    return line;
  }
  function update(line, row) {
    const p = line.parts;
    line.row = row;
    line.classList.toggle("on", row.id === opened);
    write(p.mono, row.network);
    p.mono.title = row.network_name;
    write(p.first, row.handle);
    write(p.second, row.place);
    write(p.purpose.first, row.purpose);
    write(p.purpose.second, row.voice);
    write(p.owner.first, row.owner);
    write(p.owner.second, row.deputy);
    p.owner.first.classList.toggle("warn", row.owner_bad);
    p.owner.second.classList.toggle("warn", row.deputy_bad);
    row.health.forEach((item, i) => {
      const words = item.state === "lost" ? "✕ lost" : MARKS[item.state];
      write(p.health[i], words);
      p.health[i].classList.toggle("lost", item.state === "lost");
      p.health[i].title = item.name + ": " + item.words + (item.at ? ", " + dated(item.at) : "") + (item.error ? ". " + item.error : "");
      p.health[i].setAttribute("aria-label", item.name + " " + item.words);
    });
    write(p.ends.first, row.ends_words === "ends" ? dated(row.ends) : row.ends_words);
    p.ends.first.classList.toggle("warn", row.ends_bad);
    write(p.ends.second, row.team);
  }
  function fill(p) {
    const needing = rows.filter((row) => row.needs.length), shown = onlyNeeds ? needing : rows;
    write(p.all, "All " + rows.length);
    write(p.needs, "Need you " + needing.length);
    p.all.setAttribute("aria-pressed", String(!onlyNeeds));
    p.needs.setAttribute("aria-pressed", String(onlyNeeds));
    keyed(p.body, shown, (row) => row.id, build, update);
  }
  L.custom["accounts-rows"] = (props) => {
    const host = document.getElementById("accounts-rows");
    if (!host) return true;
    const p = parts(host);
    rows = props.rows;
    keyed(p.strip, props.strip, (item) => item.name, () => {
      const box = make("div", "acc-cell");
      box.parts = { name: make("div", "t2", box), value: make("div", "acc-value", box), note: make("div", "t3", box) };
      box.parts.number = make("b", "", box.parts.value);
      box.parts.of = make("span", "t3", box.parts.value);
      return box;
    }, (box, item) => {
      write(box.parts.name, item.name);
      write(box.parts.number, item.value);
      write(box.parts.of, item.of ? " " + item.of : "");
      write(box.parts.note, item.note);
      box.classList.toggle("wanted", item.needs);
    });
    fill(p);
    return true;
  };

  // -- one account ---------------------------------------------------------------------------------------
  async function show(id) {
    let said;
    try { said = await asks().read("account", { id }); } catch (error) { bad(error); return; }
    opened = id;
    redraw();
    over().drawer({ key: "account", title: said.title, label: said.title, closed() { opened = ""; redraw(); }, build(body) {
      if (said.needs.length) make("p", "acc-needs", body, "Needs you: " + said.needs.join(", ") + ".");
      could(make("section", "acc-part", body), said);
      if (said.may_change) {
        form(make("section", "acc-part", body), said);
        credentials(make("section", "acc-part", body), said);
      }
    } });
  }
  function could(host, said) {
    make("h3", "", host, "Who could post as this account");
    const line = make("div", "acc-line", host), label = make("label", "t3", line, "On"), day = make("input", "input", line);
    day.type = "date";
    day.id = "acc-day";
    label.htmlFor = day.id;
    day.value = day.max = said.today;
    const answer = make("div", "acc-answer", host);
    answer.setAttribute("aria-live", "polite");
    async function ask() {
      if (!day.value) return;
      let found;
      try { found = await asks().read("account.could", { id: said.id, day: day.value }); } catch (error) { bad(error); return; }
      answer.textContent = "";
      const sentence = make("p", "acc-sentence", answer);
      make("b", "", sentence, found.could + (found.could === 1 ? " person" : " people"));
      sentence.append(" could post on " + found.day + ".");
      make("p", "t2", answer, found.did + " did: " + found.sent + (found.sent === 1 ? " reply" : " replies") + " through Watchfloor. " +
        found.others + (found.others === 1 ? " post" : " posts") + " of the account did not go through it.");
      const list = make("ul", "acc-people", answer);
      for (const item of found.people) {
        const row = make("li", "", list), left = make("div", "grow", row), right = make("div", "acc-right", row);
        make("div", "acc-1", left, item.name);
        make("div", "acc-2", left, item.why);
        make("div", "acc-2", right, "since " + dated(item.since) + (item.until ? " until " + dated(item.until) : ""));
        make("div", item.sent ? "acc-sent" : "acc-2", right, item.sent ? "sent " + item.sent : "sent none");
      }
      make("p", "t3", answer, "From " + found.rows + " rows: roles as they were valid then, what was sent, what the account published.");
    }
    day.addEventListener("change", ask);
    ask();
  }
  function entry(host, name, label, value, given) {
    const box = make("div", "org-field", host), id = "acc-" + name;
    make("label", "", box, label).htmlFor = id;
    const field = make(given && given.tag || "input", "input", box);
    field.id = id;
    if (given && given.type) field.type = given.type;
    for (const choice of given && given.choices || []) make("option", "", field, choice.name).value = choice.id;
    field.value = value;
    if (given && given.help) make("p", "t3", box, given.help);
    return field;
  }
  function form(body, said) {
    make("h3", "", body, "What it is for");
    const host = make("form", "org-form", body), nobody = { id: "", name: "nobody" };
    const fields = {
      owner: entry(host, "owner", "Owner", said.owner, { tag: "select", choices: [nobody, ...said.people] }),
      deputy: entry(host, "deputy", "Deputy", said.deputy, { tag: "select", choices: [nobody, ...said.people] }),
      team: entry(host, "team", "Team", said.team, { tag: "select", choices: [{ id: "", name: "none" }, ...said.teams] }),
      purpose: entry(host, "purpose", "Purpose", said.purpose),
      audience: entry(host, "audience", "Audience", said.audience),
      tone: entry(host, "tone", "Voice", said.tone, { help: "In a few words, e.g. calm, exact" }),
      greeting: entry(host, "greeting", "Greeting", said.greeting, { help: "How a reply begins, e.g. Hi {name}" }),
      sign_off: entry(host, "sign_off", "Sign-off", said.sign_off, { help: "How it ends, e.g. ^AN" }),
      forbidden: entry(host, "forbidden", "Forbidden words", said.forbidden, { tag: "textarea", help: "One a line" }),
      languages: entry(host, "languages", "Languages", said.languages, { tag: "textarea", help: "One a line, e.g. en" }),
    };
    const go = make("button", "btn pri", make("div", "org-foot", host), "Save");
    go.type = "submit";
    host.addEventListener("submit", async (event) => {
      event.preventDefault();
      const given = { id: said.id };
      for (const name of Object.keys(fields)) given[name] = fields[name].value;
      go.disabled = true;
      try { over().toast((await asks().act("account.save", given)).words); } catch (error) { bad(error); }
      go.disabled = false;
    });
  }
  function credentials(body, said) {
    make("h3", "", body, "Credentials");
    if (!said.secrets.length) { make("p", "t2", body, said.network + " takes no replies from programs; answer there."); return; }
    make("p", "t2", body, said.connected ? "Entered, sealed, and never shown. An empty field keeps what is there." : "Not entered yet.");
    const host = make("form", "org-form", body), fields = {};
    for (const field of said.secrets) {
      fields[field.name] = entry(host, field.name, field.label, "", { type: "password" });
      fields[field.name].autocomplete = "off";
    }
    const ends = entry(host, "ends", "Runs out on", said.ends, { type: "date", help: "Warned 14, 7 and 1 days before. Empty = it does not." });
    const foot = make("div", "org-foot", host), go = make("button", "btn pri", foot, said.connected ? "Replace what is filled in" : "Connect");
    go.type = "submit";
    if (said.connected) button("Disconnect", "btn", foot, () => leave(said));
    host.addEventListener("submit", async (event) => {
      event.preventDefault();
      const secrets = {};
      for (const name of Object.keys(fields)) secrets[name] = fields[name].value;
      go.disabled = true;
      try {
        over().toast((await asks().act("account.connect", { id: said.id, secrets, ends: ends.value })).words);
        show(said.id);
      } catch (error) { bad(error); }
      go.disabled = false;
    });
  }
  function leave(said) {
    over().dialog({ title: "Disconnect " + said.title + "?", build(body, dialog) {
      make("p", "", body, "The credentials are forgotten, and nothing is sent as this account until new ones are entered.");
      const why = entry(body, "why", "Why", "");
      button("Keep it", "btn", dialog.foot, dialog.close);
      button("Disconnect", "btn pri", dialog.foot, async () => {
        try {
          const done = await asks().act("account.disconnect", { id: said.id, reason: why.value });
          dialog.close();
          over().toast(done.words);
          show(said.id);
        } catch (error) { bad(error); }
      });
    } });
  }

  // -- keys ----------------------------------------------------------------------------------------------
  (window.WatchfloorPages = window.WatchfloorPages || {}).accounts = {
    keys(event) {
      const key = event.key.toLowerCase();
      if (key !== "j" && key !== "k") return false;
      const all = [...document.querySelectorAll("#accounts-rows .acc-open")], at = all.indexOf(document.activeElement);
      const next = all[Math.max(0, Math.min(all.length - 1, at + (key === "j" ? 1 : -1)))];
      if (!next) return false;
      next.focus();
      if (document.querySelector(".side-drawer") && opened) next.click();
      return true;
    },
  };
})();
