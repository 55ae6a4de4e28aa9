/* One person beside the table: who it is, every role, giving and ending one, the ways in; and the form that adds a person. */
(function () {
  "use strict";
  const P = (window.WatchfloorPeople = window.WatchfloorPeople || {});
  const { make, write } = window.WatchfloorDom;
  const asks = () => window.WatchfloorAsks, over = () => window.WatchfloorOverlay;
  let choices = null, shown = "", number = 0;

  async function choose() { return (choices = choices || (await asks().read("people.choices", {}))); }

  // -- one person --------------------------------------------------------------------------------------------
  P.person = async function (id, closed, how) {
    const mine = (number += 1);
    let one;
    try { [one] = await Promise.all([asks().read("people.one", { id }), choose()]); }
    catch (error) { if (mine === number) { P.toast(error); over().escape(); } return; }
    if (mine !== number) return;
    // What somebody is filling in is never drawn anew under their hands.
    const key = JSON.stringify(one), open = over().open() === "person";
    if (how && how.again && (!open || key === shown || document.querySelector(".side-drawer form.role-form:not([hidden])"))) return;
    shown = key;
    over().drawer({ key: "person", title: one.name, label: one.name, build: (body) => person(body, one), closed });
  };
  const again = (id) => P.person(id, null);

  function person(body, one) {
    const who = make("div", "person-who", body);
    make("span", "av l a1", who, one.initials);
    const words = make("div", "two", who);
    make("b", "", words, one.name); make("em", "", words, one.email);
    const facts = make("dl", "person-facts", body);
    fact(facts, "Gets in by", one.breakGlass ? "password, also when the company sign-on is down" : one.madeUp ? "no way: of the simulated organisation" : one.state);
    fact(facts, "Last seen", one.seen ? "" : "never").dataset.since = one.seen || "";
    fact(facts, "Added", one.added);
    if (one.left) fact(facts, "Deactivated", one.left);
    if (one.accounts) fact(facts, "Answers for", one.accounts + (one.accounts === 1 ? " account" : " accounts"));
    if (!one.mine) make("p", "t2 person-note", body, one.self ? "Nobody changes their own roles. Ask somebody else who manages people." : "Their roles go beyond yours. Ask an administrator to change them.");
    const now = one.roles.filter((role) => !role.over), past = one.roles.filter((role) => role.over);
    make("h3", "", body, "Roles");
    if (!now.length) make("p", "t3", body, "None: they cannot sign in.");
    for (const role of now) roleBox(body, one, role);
    if (one.mine && !one.left) {
      const give = P.button("Give a role", "btn sm", body, () => { give.hidden = true; form.hidden = false; form.querySelector("select").focus(); });
      const form = roleForm(body, async (given, go) => { if (await P.act("people.give", Object.assign({ person: one.id }, given), go)) { form.hidden = true; again(one.id); } }, () => { form.hidden = true; give.hidden = false; });
      form.hidden = true;
    }
    if (past.length) {
      make("h3", "", body, "Before");
      for (const role of past) make("p", "t3 past", body, role.role + " for " + role.for + (role.team ? ", " + role.team : "") + ", " + role.from + " to " + role.until);
    }
    if (one.mine) ways(body, one);
  }
  function fact(host, name, words) {
    make("dt", "", host, name);
    return make("dd", "", host, words);
  }
  function roleBox(body, one, role) {
    const box = make("div", "role-box", body), line = make("div", "l1", box);
    make("b", "", line, role.role);
    make("span", role.pill ? "chip warn" : "t3", line, role.until === "open" ? "no end" : "until " + role.until);
    make("div", "t2", box, role.for + (role.team ? " · " + role.team : ""));
    make("div", "t3", box, "from " + role.from + ", by " + role.by + (role.due ? " · not reviewed for 90 days" : ""));
    if (!one.mine || one.left) return;
    const acts = make("div", "acts", box);
    P.button("Still right", "btn sm", acts, async (event) => { if (await P.act("people.review", { numbers: [role.number] }, event.currentTarget)) again(one.id); });
    P.button("End now", "btn sm", acts, async (event) => { if (await P.act("people.end", { number: role.number }, event.currentTarget)) again(one.id); });
    const at = make("input", "input", make("label", "t3", acts, "or on "));
    at.type = "date";
    at.addEventListener("change", async () => { if (at.value && (await P.act("people.end", { number: role.number, at: at.value }))) again(one.id); });
  }
  function ways(body, one) {
    make("h3", "", body, "Ways in");
    const acts = make("div", "acts", body);
    if (one.left) { P.button("Activate again", "btn sm", acts, async (event) => { if (await P.act("people.activate", { person: one.id }, event.currentTarget)) again(one.id); }); return; }
    if (!one.breakGlass && !one.madeUp) P.button(one.linked ? "Link company sign-on anew" : one.invited ? "Invite again" : "Invite", "btn sm", acts, async (event) => { if (await P.act("people.invite", { person: one.id }, event.currentTarget)) again(one.id); });
    if (one.newcomer) P.button("Make a sign-in link", "btn sm", acts, async (event) => { const said = await P.act("people.link", { person: one.id }, event.currentTarget); if (said) link(body, said.link); });
    P.button(one.trainee ? "Training is over" : "In training", "btn sm", acts, async (event) => { if (await P.act("people.train", { person: one.id, trainee: !one.trainee }, event.currentTarget)) again(one.id); });
    P.button("Deactivate", "btn sm", acts, () => P.confirm("Deactivate " + one.name + "?",
      "Nobody signs in as " + one.name + " any more; open sessions end within five seconds and what they claimed is free again." + (one.accounts ? " They answer for " + one.accounts + (one.accounts === 1 ? " account" : " accounts") + ": their deputies become the owners; where there is none, name one on Accounts." : ""),
      "Deactivate", async (go) => { if (await P.act("people.deactivate", { person: one.id }, go)) again(one.id); }));
  }
  function link(body, path) {
    const box = make("div", "person-link", body);
    make("p", "t2", box, "Works once, within 24 hours. It is shown only now; hand it over yourself.");
    const field = make("input", "input", box);
    field.readOnly = true;
    field.value = location.origin + path;
    field.setAttribute("aria-label", "Sign-in link");
    field.focus(); field.select();
  }

  // -- the form of a role ------------------------------------------------------------------------------------
  function field(host, name, label, entry, help) {
    const box = make("div", "org-field", host), id = "role-" + name + "-" + (number += 1);
    make("label", "", box, label).htmlFor = id;
    entry.id = id;
    entry.classList.add("input");
    box.append(entry);
    if (help) make("p", "t3", box, help);
    return entry;
  }
  function many(host, name, label, all) {
    const entry = make("select", "");
    entry.multiple = true;
    entry.size = Math.min(4, Math.max(2, all.length));
    for (const one of all) make("option", "", entry, one.name).value = one.key;
    return field(host, name, label, entry, "None chosen = all. Ctrl or ⌘ chooses several.");
  }
  function roleFields(host, optional) {
    const role = make("select", "");
    if (optional) make("option", "", role, "No role yet").value = "";
    for (const one of choices.roles) make("option", "", role, one.key[0].toUpperCase() + one.key.slice(1)).value = one.key;
    field(host, "role", "Role", role);
    const limits = make("div", "role-limits", host);
    const entries = { brands: many(limits, "brands", "Brands", choices.brands), locations: many(limits, "locations", "Locations", choices.locations), teams: many(limits, "teams", "Teams (cases and replies)", choices.teams) };
    const span = make("div", "role-span", host), from = make("input", ""), until = make("input", "");
    from.type = until.type = "date";
    field(span, "from", "From", from, "Empty = now");
    field(span, "until", "Until", until, "Empty = no end");
    const follow = () => {
      const one = choices.roles.find((item) => item.key === role.value);
      limits.hidden = !one || !one.limited;
      span.hidden = !one;
    };
    role.addEventListener("change", follow);
    follow();
    return () => {
      const given = { role: role.value, from: from.value, until: until.value };
      for (const name of Object.keys(entries)) given[name] = limits.hidden ? [] : [...entries[name].selectedOptions].map((option) => option.value);
      return given;
    };
  }
  function roleForm(host, act, cancel) {
    const form = make("form", "role-form", host), read = roleFields(form, false), foot = make("div", "org-foot", form);
    const go = make("button", "btn pri", foot, "Give this role");
    go.type = "submit";
    P.button("Cancel", "btn", foot, cancel);
    form.noValidate = true;
    form.addEventListener("submit", (event) => { event.preventDefault(); act(read(), go); });
    return form;
  }

  // -- a new person ------------------------------------------------------------------------------------------
  P.add = async function () {
    try { await choose(); } catch (error) { P.toast(error); return; }
    const opened = over().drawer({ key: "person-new", title: "Add a person", label: "Add a person", build(body) {
      const form = make("form", "", body), name = make("input", ""), email = make("input", "");
      email.type = "email"; email.autocomplete = name.autocomplete = "off"; email.spellcheck = false;
      field(form, "name", "Name", name);
      field(form, "email", "Work email", email, "The company sign-on with this verified email is linked to them once.");
      const read = roleFields(form, true), fault = make("p", "org-fault", form), foot = make("div", "org-foot", form);
      fault.setAttribute("role", "alert");
      const go = make("button", "btn pri", foot, "Add");
      go.type = "submit";
      form.noValidate = true;
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        go.disabled = true;
        try {
          const said = await asks().act("people.add", Object.assign({ name: name.value, email: email.value }, read()));
          over().toast(said.words);
          opened.close();
          P.open(said.id);
        } catch (error) { write(fault, error.message); }
        go.disabled = false;
      });
      setTimeout(() => name.focus());
    } });
  };
})();
