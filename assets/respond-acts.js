/* What is done to a case: claimed, released, given to somebody, put off, closed, tagged, noted. Rights and states are the server's business:
   what it refuses is said in its words.

   WatchfloorDesk.claim(), .claimNext(), .act(step, details), .assign(ids), .snooze(), .tags(ids), .more(button), .addNote(textarea). */
(function () {
  "use strict";
  const D = (window.WatchfloorDesk = window.WatchfloorDesk || {});
  const { make, icon, write } = window.WatchfloorDom;
  const over = () => window.WatchfloorOverlay;
  let people = null;

  // -- claiming ----------------------------------------------------------------------------------------------
  D.claim = async function () {
    const view = D.view;
    if (!view || view.mine) return Boolean(view);
    if (view.by) { takeOver(view); return false; }
    try {
      const said = await D.asks().act("case.claim", { case: view.id });
      D.forgetRefusal();
      D.toast(said.words);
      await D.changed();
      return true;
    } catch (error) { D.fail(error); await D.changed(); return false; }
  };
  function takeOver(view) {
    D.reason("Take over from " + view.by.name + "?", view.by.name + " has this case until " + D.clock(view.by.until) + " and is told that you took it.", "Take it over", async (reason) => {
      try { D.toast((await D.asks().act("case.take", { case: view.id, reason })).words); D.forgetRefusal(); } catch (error) { D.fail(error); return false; }
      await D.changed();
      return true;
    });
  }
  D.claimNext = async function () {
    try {
      const said = await D.asks().act("case.next", {});
      D.toast(said.words);
      if (!said.case) return;
      if (D.tab === "sign") D.choose("team");
      D.select(said.case);
      if (D.view) await D.changed();
    } catch (error) { D.fail(error); }
  };
  D.release = async function () {
    if (!D.view || !D.view.mine) return;
    await D.flush();
    await run("case.release", { case: D.view.id, token: D.view.token });
  };

  // -- steps -------------------------------------------------------------------------------------------------
  async function run(name, given) {
    try {
      const said = await D.asks().act(name, given);
      D.toast(said.words, said.undo ? { undo: () => undo(said.undo) } : {});
      await D.changed();
      return true;
    } catch (error) { D.fail(error); D.reload(); return false; }
  }
  async function undo(done) {
    try { D.toast((await D.asks().act("case.undo", { done })).words); } catch (error) { D.fail(error); }
    D.reload();
  }
  D.undoBulk = undo;
  D.act = function (step, details) {
    if (!D.view) return Promise.resolve(false);
    return run("case.step", { case: D.view.id, step, details: details || {}, event: D.seen });
  };
  D.dismiss = () => D.reason("Dismiss this case?", "Nobody answers it. A new post of this person opens it again.", "Dismiss it", (reason) => D.act("dismissed", { reason }));
  D.escalate = () => D.reason("Escalate this case?", "It rises one level, and those who look after it see that.", "Escalate it", (reason) => D.act("escalated", { reason }));
  D.snooze = function (button) {
    const at = (hours, minutes) => { const day = new Date(D.now()); day.setDate(day.getDate() + 1); day.setHours(hours, minutes, 0, 0); return day; };
    const after = (minutes) => new Date(D.now() + minutes * 60000);
    const until = (when) => () => D.act("snoozed", { until: when ? when.toISOString() : null });
    over().menu(button || anchor(), [
      { words: "Until an answer", act: until(null) }, { words: "For 30 minutes", act: until(after(30)) }, { words: "For 2 hours", act: until(after(120)) },
      { words: "Until tomorrow 9:00", act: until(at(9, 0)) }, { words: "For a week", act: until(after(7 * 1440)) },
    ]);
  };
  const anchor = () => document.querySelector(".desk-more") || document.getElementById("desk-head");
  D.more = function (button) {
    const view = D.view, entries = [];
    const add = (words, keys, act, off) => entries.push({ words, keys, act, off });
    if (D.isPhone()) { add("Assign…", "", () => D.assign()); add("Close as resolved", "", () => D.act("resolved")); add("About this case", "", () => D.side(true)); entries.push({ line: true }); }
    if (view.mine) add("Release", "", D.release);
    if (view.snooze) add("Wake up", "", () => D.act("woken")); else add("Snooze…", "S", () => D.snooze(anchor()));
    add("Hand over…", "", () => D.handOver());
    add("Tags…", "", () => D.tags([view.id]));
    add("Escalate…", "", () => D.escalate());
    entries.push({ line: true });
    for (const p of [1, 2, 3]) entries.push({ words: "Priority " + p, on: view.p === p, off: view.p === p, act: () => D.act("prioritised", { priority: p }) });
    entries.push({ line: true });
    add("Dismiss…", "D", () => D.dismiss());
    if (view.url) entries.push({ words: "Open on " + view.network, act: () => window.open(view.url, "_blank", "noopener,noreferrer") });
    over().menu(button, entries);
  };

  // -- giving it to somebody ---------------------------------------------------------------------------------
  async function listed(id) {
    if (people && people.of === id) return people;
    people = Object.assign(await D.asks().read("case.people", { case: id }), { of: id });
    return people;
  }
  /* A list to choose from, found by typing. */
  function chooser(title, items, act) {
    over().dialog({
      title,
      build(body, dialog) {
        const host = make("label", "find", body), list = make("ul", "choices", body);
        icon("search", "s14", host);
        const field = make("input", "", host);
        field.placeholder = "Find a person or a team";
        field.setAttribute("aria-label", field.placeholder);
        const draw = () => {
          const wanted = field.value.trim().toLowerCase(), found = items.filter((one) => one.name.toLowerCase().includes(wanted));
          list.textContent = "";
          for (const one of found) {
            const entry = make("button", "menu-item", make("li", "", list));
            entry.type = "button";
            make("bdi", "", entry, one.name);
            make("span", "t3", entry, one.note || "");
            entry.addEventListener("click", () => { dialog.close(); act(one); });
          }
          if (!found.length) make("li", "t3", list, "Nobody has that name");
        };
        field.addEventListener("input", draw);
        field.addEventListener("keydown", (event) => {
          const first = list.querySelector("button");
          if (event.key === "Enter" && first) { event.preventDefault(); first.click(); } else if (event.key === "ArrowDown" && first) { event.preventDefault(); first.focus(); }
        });
        list.addEventListener("keydown", (event) => {
          if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
          const stops = [...list.querySelectorAll("button")], at = stops.indexOf(document.activeElement);
          (stops[at + (event.key === "ArrowDown" ? 1 : -1)] || field).focus();
          event.preventDefault();
        });
        draw();
        field.autofocus = true;
      },
    });
  }
  async function choices() {
    const said = await listed(D.selected);
    return [...said.people.map((one) => ({ details: { assigned_to: one.id }, name: one.id === D.me().id ? one.name + " (you)" : one.name, note: one.note })),
      ...said.teams.map((one) => ({ details: { team_id: one.id }, name: one.name, note: "team" }))];
  }
  D.assign = async function (ids) {
    try {
      chooser(ids ? "Assign " + ids.length + " cases to" : "Assign this case to", await choices(), (one) => (ids ? D.bulk("assigned", one.details) : D.act("assigned", one.details)));
    } catch (error) { D.fail(error); }
  };
  D.handOver = async function () {
    try {
      chooser("Hand this case over to", await choices(), (one) => D.reason("What should " + one.name + " know?", "It stands in the case as a note; your claim ends.", "Hand it over", async (text) => {
        await D.flush();
        return D.act("handed_over", Object.assign({ text }, one.details));
      }));
    } catch (error) { D.fail(error); }
  };
  D.tags = function (ids) {
    const held = ids.length === 1 && D.view && D.view.id === ids[0] ? D.view.tags : [];
    over().dialog({
      title: ids.length === 1 ? "Tags" : "Tag " + ids.length + " cases",
      build(body, dialog) {
        const form = make("form", "name-form", body), label = make("label", "", form, "Tags, parted by commas"), field = make("input", "field", label);
        field.value = held.join(", ");
        field.maxLength = 400;
        const go = make("button", "btn pri", dialog.foot, ids.length === 1 ? "Set the tags" : "Add to " + ids.length + " cases");
        const run = async () => {
          const wanted = [...new Set(field.value.split(",").map((word) => word.trim()).filter(Boolean))];
          const details = { add: wanted.filter((tag) => !held.includes(tag)), remove: held.filter((tag) => !wanted.includes(tag)) };
          dialog.close();
          if (!details.add.length && !details.remove.length) return;
          if (ids.length === 1 && D.view && D.view.id === ids[0]) D.act("tagged", details); else D.bulk("tagged", details);
        };
        go.addEventListener("click", run);
        form.addEventListener("submit", (event) => { event.preventDefault(); run(); });
        field.autofocus = true;
      },
    });
  };

  // -- notes -------------------------------------------------------------------------------------------------
  /* "@" names a colleague: offered while the name is typed. */
  D.tellNote = async function (text) {
    const found = /(^|\s)@([\p{L}\p{N}]*)$/u.exec(text.value.slice(0, text.selectionStart)), old = document.getElementById("note-people");
    if (old) old.remove();
    if (!found) return;
    let said;
    try { said = await listed(D.selected); } catch (_error) { return; }
    const wanted = found[2].toLowerCase(), fitting = said.people.filter((one) => one.name.toLowerCase().includes(wanted)).slice(0, 5);
    if (!fitting.length || document.getElementById("note-people")) return;
    const host = make("div", "c-people");
    host.id = "note-people";
    text.after(host);
    for (const one of fitting) {
      const button = make("button", "chip line", host, one.name);
      button.type = "button";
      button.addEventListener("click", () => {
        text.setRangeText("@" + one.name + " ", text.selectionStart - found[2].length - 1, text.selectionStart, "end");
        host.remove();
        text.focus();
        text.dispatchEvent(new Event("input", { bubbles: true }));
      });
    }
  };
  D.addNote = async function (text) {
    const words = text.value.trim();
    if (!words) return;
    const named = people && people.of === D.selected ? people.people.filter((one) => words.includes("@" + one.name)).map((one) => one.id) : [];
    if (await D.act("noted", { text: words, people: named })) D.clearComposer("note");
  };
  D.writeNote = () => D.compose("note");
  D.write = write;
})();
