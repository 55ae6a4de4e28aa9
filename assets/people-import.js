/* A file of people beside the table: what it would change, which lines are not read and why; nothing is written before "Load". */
(function () {
  "use strict";
  const P = (window.WatchfloorPeople = window.WatchfloorPeople || {});
  const { make, write } = window.WatchfloorDom;
  const asks = () => window.WatchfloorAsks, over = () => window.WatchfloorOverlay;
  const SIGNS = { new: "+", changed: "≈", leaver: "−" }, FIRST = 6;
  const n = (number) => number.toLocaleString("en");

  P.load = function () {
    let given = null;
    const opened = over().drawer({ key: "people-file", title: "Load people file", label: "Load people file", width: 408, build(body, drawer) {
      body.classList.add("people-file");
      const intro = make("div", "people-intro", body);
      make("p", "t2", intro, "A CSV file with a line a person: email, name, role, brands, locations, teams, from, until, trainee, left. Only email must be there.");
      make("p", "t3", intro, "What it does not name stays as it is. New people get no role unless their line says so. Nothing is written before you have seen the difference.");
      const label = make("label", "org-file", intro, "File "), file = make("input", "", label);
      file.type = "file";
      file.accept = ".csv,.txt,.tsv";
      const out = make("div", "people-difference", body), foot = make("div", "people-file-foot", body);
      out.setAttribute("role", "status");
      const go = P.button("Load", "btn pri", foot, load);
      P.button("Cancel", "btn", foot, drawer.close);
      foot.hidden = true;
      async function load() {
        const said = await P.act("people.load", given, go);
        if (said && said.done) opened.close(); else if (said) show(said);
      }
      function show(said) {
        given.seen = said.seen;
        out.textContent = "";
        difference(out, said);
        foot.hidden = false;
        go.disabled = !said.number;
        write(go, "Load " + n(said.number) + (said.number === 1 ? " change" : " changes"));
      }
      file.addEventListener("change", async () => {
        if (!file.files.length) return;
        out.textContent = "";
        foot.hidden = true;
        write(intro.children[0], file.files[0].name);
        try {
          given = { content: await file.files[0].text() };
          show(await asks().ask("people.look", given));
        } catch (error) { for (const words of error.message.split("\n")) make("p", "org-fault", out, words); }
      });
      setTimeout(() => file.focus());
    } });
  };

  function difference(host, said) {
    const sum = make("div", "people-sum", host);
    for (const [key, one, several] of [["new", "new", "new"], ["changed", "changed", "changed"], ["leaver", "leaver", "leavers"], ["same", "same", "same"]]) {
      const cell = make("div", "", sum), count = said.counts[key];
      make("b", key === "leaver" && count ? "wn" : "", cell, n(count));
      make("span", "t3", cell, count === 1 ? one : several);
    }
    if (!said.number) make("p", "people-said", host, "The file says what is there already.");
    for (const kind of ["leaver", "changed", "new"]) group(host, said, kind);
    if (said.number > said.changes.length) make("p", "t3 people-said", host, "and " + n(said.number - said.changes.length) + " more changes that are not listed");
    if (said.unread_number) {
      const box = make("div", "people-unread", host);
      make("b", "", box, n(said.unread_number) + (said.unread_number === 1 ? " line not read" : " lines not read"));
      for (const [line, reason] of said.unread.slice(0, 20)) make("div", "t2", box, "line " + line + ": " + reason);
      if (said.unread_number > 20) make("div", "t3", box, "and " + n(said.unread_number - 20) + " more");
    }
    const beside = [];
    if (said.absent) beside.push(n(said.absent) + (said.absent === 1 ? " person" : " people") + " with a role stand in no line: nothing happens to them.");
    if (said.ignored.length) beside.push("Columns not read: " + said.ignored.join(", ") + ".");
    for (const words of beside) make("p", "t3 people-said", host, words);
  }
  function group(host, said, kind) {
    const all = said.changes.filter((change) => change.kind === kind);
    if (!all.length) return;
    if (kind === "new") {
      const head = make("div", "people-group", host);
      make("b", "", head, n(said.counts.new) + " new");
      make("span", "t3", head, "invited; no role but what the line says");
    }
    const list = make("div", "", host);
    all.slice(0, FIRST).forEach((change) => row(list, change));
    if (all.length <= FIRST) return;
    const more = make("div", "people-more", host);
    make("span", "t3", more, "and " + n(all.length - FIRST) + " more");
    P.button("show", "people-show", more, () => { more.remove(); all.slice(FIRST).forEach((change) => row(list, change)); });
  }
  function row(host, change) {
    const line = make("div", "people-change " + change.kind, host), sign = make("i", "pm", line, SIGNS[change.kind]), who = make("div", "two", line);
    sign.setAttribute("aria-hidden", "true");
    make("b", "", who, change.name || change.email);
    make("em", "", who, change.what).title = change.what;
    make("span", change.kind === "leaver" ? "wn" : "t3", line, change.kind === "leaver" ? (change.accounts ? change.accounts + (change.accounts === 1 ? " account" : " accounts") : "left " + change.since) : change.kind === "new" ? "invite" : change.since ? "from " + change.since : "");
    if (change.kind === "leaver" && change.accounts) make("p", "people-still", host, "Left " + change.since + ", and still answers for " + (change.accounts === 1 ? "an account" : change.accounts + " accounts") + ". The deputy becomes the owner; where there is none, name one on Accounts.");
  }
})();
