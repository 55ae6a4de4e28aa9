/* What is done to an incident, each in a dialog: updates, lines, tasks, people, statements, changes with a reason, its end. */
(function () {
  "use strict";
  const P = (window.WatchfloorIncident = window.WatchfloorIncident || {});
  const { make } = window.WatchfloorDom;
  const asks = () => window.WatchfloorAsks, over = () => window.WatchfloorOverlay, I = () => window.WatchfloorIncidents;
  const bad = (error) => over().toast(error.message, { bad: true });
  const act = (name, given) => asks().act("incident." + name, Object.assign({ id: P.id() }, given));
  const everybody = () => (P.mine ? P.mine.people.map((one) => [String(one.id), one.name]) : []);
  const nobodyOr = () => [["", "nobody yet"], ...everybody()];
  const DUE = [["", "no time is set"], ["10", "in 10 min"], ["30", "in 30 min"], ["60", "in 1 h"], ["180", "in 3 h"], ["1440", "tomorrow"]];
  const reason = { name: "reason", words: "Reason", type: "area", rows: 2 };

  P.update = () => I().form("Public update", [
    { name: "text", words: "What the public was told", type: "area", rows: 4, max: 2000 },
    { name: "next_minutes", words: "It hears more", type: "select", options: I().NEXT, value: "30", optional: true },
  ], (values) => act("update", values), { go: "Note the update", intro: "Notes what was published, and when the next update was promised. It publishes nothing by itself." });
  const line = (kind, title, words) => I().form(title, [{ name: "text", words, type: "area", rows: 3, max: 2000 }], (values) => act("line", Object.assign({ kind }, values)), { go: "Add to the timeline" });
  P.note = () => line("note", "Note", "What others must know");
  P.decision = () => line("decision", "Decision", "What was decided, and why");
  P.task = () => I().form("Task", [
    { name: "text", words: "What is to be done", max: 300 },
    { name: "owner", words: "Who does it", type: "select", options: nobodyOr(), optional: true, half: true },
    { name: "due_minutes", words: "Until", type: "select", options: DUE, value: "30", optional: true, half: true },
  ], (values) => act("task", values), { go: "Add" });
  P.give = (row) => I().form("Task " + row.n + ": " + row.text, [
    { name: "owner", words: "Who does it", type: "select", options: nobodyOr(), value: String(row.owner_id || ""), optional: true, half: true },
    { name: "due_minutes", words: "Until", type: "select", options: [["", "as it is"], ...DUE.slice(1)], optional: true, half: true },
  ], (values) => act("task_give", Object.assign({ task: row.n }, values)), { go: "Give" });
  P.tick = async (row, box) => {
    box.disabled = true;
    try { over().toast((await act("task_done", { task: row.n })).words); } catch (error) { box.checked = false; box.disabled = false; bad(error); }
  };
  P.join = () => I().form("Put somebody on it", [
    { name: "person", words: "Who", type: "select", options: everybody(), half: true },
    { name: "part", words: "As what", max: 80, half: true, help: "For instance: signs off; replies, NL; facts" },
  ], (values) => act("join", values), { go: "Add", done: P.ask });
  P.handOver = () => I().form("Hand the lead over", [
    { name: "person", words: "New lead", type: "select", options: everybody() },
    { name: "reason", words: "What they must know", type: "area", rows: 3 },
  ], (values) => act("lead", values), { go: "Hand over", done: P.ask });

  // -- what we say -----------------------------------------------------------------------------------------
  P.statement = () => {
    const before = P.inUse();
    I().form("Statement", [{ name: "text", words: "What we say", type: "area", rows: 7, max: 2000, value: before ? before.text : "" }], (values) => act("statement", values), {
      go: "Keep as draft", intro: "Somebody else puts it into use. Drafts of replies that quote an older version are marked then.",
    });
  };
  P.approve = async (row) => { try { over().toast((await act("approve", { version: row.version })).words); } catch (error) { bad(error); } };
  P.withdraw = (row) => I().form("Withdraw " + row.label, [reason], (values) => act("withdraw", Object.assign({ version: row.version }, values)), { go: "Withdraw" });

  // -- changes with a reason -------------------------------------------------------------------------------
  P.changes = () => {
    const item = P.card, scope = P.scope();
    return [
      { words: "Severity…", act: () => I().form("Severity", [{ name: "severity", words: "Severity", type: "choice", options: I().SEVERITY, value: String(item.severity) }, reason], (values) => act("severity", values), { go: "Change" }) },
      { words: "What is held…", act: () => I().form("What is held", [{ name: "outbound", words: "In its scope", type: "choice", options: I().OUTBOUND, value: item.outbound }, reason], (values) => act("outbound", values), { go: "Change" }) },
      { words: "Scope…", act: () => I().form("Scope", [...I().scopeFields({ brands: scope.brands, locations: scope.locations, networks: scope.network_keys, search: scope.search }), reason], (values) => act("scope", values), { go: "Change the scope" }) },
      { words: "Until when it runs…", act: () => I().form("Until when it runs", [{ name: "runs_minutes", words: "Ends by itself, from now, after", type: "select", options: I().RUNS, value: "240" }, reason], (values) => act("extend", values), { go: "Set" }) },
    ];
  };

  // -- the end ---------------------------------------------------------------------------------------------
  P.end = async () => {
    let asked;
    try { asked = await asks().read("incident.ending", { id: P.id() }); } catch (error) { bad(error); return; }
    const fields = [], open = asked.tasks;
    if (asked.statement) {
      fields.push({ name: "said", type: "note", words: "Last word, " + asked.statement.label + ": “" + asked.statement.text + "”" });
      fields.push({ name: "final", words: "Is it final?", type: "choice", options: [["yes", "Yes, it is the last word"], ["no", "No"]], value: "no" });
    } else fields.push({ name: "said", type: "note", words: "No statement is in use." });
    if (asked.drafts.length) fields.push({ name: "drafts", type: "note", warn: true, words: "Never used: " + asked.drafts.join(", ") + ". They stay in the report as drafts." });
    const waits = asked.awaiting + asked.approved;
    fields.push({ name: "held", words: waits ? "Held back: " + asked.awaiting + " waiting for sign-off, " + asked.approved + " approved" : "Held back: nothing waits now", type: "choice", options: [["release", "Goes on as policy asks"], ["return", "Back to its authors"]] });
    for (const task of open) fields.push({ name: "task" + task.n, words: "Task " + task.n + " is left to: " + task.text, type: "select", options: task.owner ? everybody() : nobodyOr(), value: String(task.owner || ""), optional: Boolean(task.owner) });
    fields.push({ name: "reason", words: "Why it is over", type: "area", rows: 2 });
    I().form("Close " + (P.card ? P.card.label : "the incident"), fields, (values) => {
      if (asked.statement && values.final !== "yes") throw new Error("A statement that is not final is changed or withdrawn first.");
      const tasks = {};
      for (const task of open) if (values["task" + task.n]) tasks[task.n] = Number(values["task" + task.n]);
      return act("end", { reason: values.reason, held: values.held, statement: asked.statement ? asked.statement.version : "", tasks });
    }, {
      go: "Close, nothing is held any more", intro: "Closing lifts what is held. The report is made from what stands in the timeline, and people write the words.",
      done: (said) => { P.ask(); over().toast(said.words); window.setTimeout(() => { if (said.report) ready(said.report); }, 400); },
    });
  };
  function ready(href) {
    over().dialog({
      title: "The incident is over",
      build(body, dialog) {
        make("p", "", body, "Its after-action report is filled in with figures. What went well, what badly and what changes is for people to write.");
        const later = make("button", "btn", dialog.foot, "Later"), now = make("a", "btn pri", dialog.foot, "Open the report");
        later.type = "button";
        later.addEventListener("click", () => dialog.close());
        now.href = href;
      },
    });
  }
})();
