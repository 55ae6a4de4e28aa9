/* The list of incidents: the open ones, then those that are over, with their reports. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const { make, icon, write, keyed } = window.WatchfloorDom;
  const PAGE = "incidents";
  const part = (id) => document.getElementById(id);
  let on = false, found = null, at = -1;

  function row() {
    const host = make("li", "inc-row"), way = make("a", "inc-way", host), p = { way };
    p.label = make("span", "chip", way);
    const what = make("div", "inc-what", way);
    p.name = make("b", "", what);
    p.name.dir = "auto";
    p.scope = make("span", "t3", what);
    p.scope.dir = "auto";
    p.severity = make("span", "chip line", way);
    const when = make("div", "inc-when", way);
    p.when = make("span", "num", when);
    p.by = make("span", "t3", when);
    p.by.dir = "auto";
    p.state = make("span", "inc-state t2", way);
    p.report = make("a", "btn sm", host, "Report");
    way.addEventListener("click", (event) => { if (event.ctrlKey || event.metaKey) return; event.preventDefault(); window.WatchfloorShell.go(host.item ? "/incidents/" + host.item.id : "/incidents"); });
    host.parts = p;
    return host;
  }
  function update(host, item) {
    const p = host.parts, open = item.state === "open";
    host.item = item;
    p.way.href = "/incidents/" + item.id;
    write(p.label, item.label);
    p.label.className = "chip " + (open ? "inc" : "line");
    write(p.name, item.name);
    write(p.scope, item.scope.join(", "));
    write(p.severity, "Severity " + item.severity);
    write(p.when, open ? "since " + item.when : item.when + " – " + item.until);
    write(p.by, "Lead " + item.lead);
    write(p.state, open ? item.held : item.ended_by ? "ended by " + item.ended_by : "its time was over");
    p.report.hidden = open;
    p.report.href = "/incidents/" + item.id + "/report";
    write(p.report, item.final ? "Report" : "Report, not final");
    p.report.setAttribute("aria-label", p.report.textContent + " of " + item.label);
  }
  function draw() {
    const host = part("incidents-list");
    if (!host || !found) return;
    if (!host.parts) {
      host.parts = {};
      for (const [key, words] of [["open", "Open"], ["over", "Over"]]) {
        const box = make("section", "inc-group", host);
        const head = make("h2", "inc-head", box, words), none = make("p", "t3 inc-none", box), list = make("ul", "inc-list", box);
        host.parts[key] = { head, none, list, words };
      }
    }
    const none = { open: "No incident is open.", over: "No incident is over yet." };
    for (const key of ["open", "over"]) {
      const p = host.parts[key];
      write(p.head, p.words + " " + found[key].length);
      write(p.none, found[key].length ? "" : none[key]);
      keyed(p.list, found[key], (item) => item.id, row, update);
    }
    bar();
  }
  L.custom["incidents-list"] = (props) => { found = props; draw(); return true; };

  function bar() {
    const host = part("bar-own");
    if (!on || !host) return;
    let box = host.querySelector(".inc-bar");
    if (!box) {
      host.textContent = "";
      box = make("div", "inc-bar ibar", host);
      make("h2", "ibar-title", box, "Incidents");
      make("span", "grow", box);
      box.go = make("button", "btn pri", box);
      box.go.type = "button";
      icon("plus", "s14", box.go);
      make("span", "", box.go, "Declare an incident");
      make("kbd", "", box.go, "I");
      box.go.addEventListener("click", () => window.WatchfloorIncidents.declare());
      host.incBar = box;
    }
    box.go.hidden = !window.WatchfloorIncidents.may("declare_incident");
  }
  function keys(event) {
    const ways = [...document.querySelectorAll(".inc-way")], key = event.key.toLowerCase();
    if (key === "i") { window.WatchfloorIncidents.declare(); return true; }
    if ((key !== "j" && key !== "k") || !ways.length) return false;
    const now = ways.indexOf(document.activeElement);
    at = now < 0 ? (key === "j" ? 0 : ways.length - 1) : Math.max(0, Math.min(ways.length - 1, now + (key === "j" ? 1 : -1)));
    ways[at].focus();
    return true;
  }
  window.addEventListener("watchfloor:page", (event) => {
    if (event.detail.page === PAGE) { on = true; at = -1; queueMicrotask(bar); return; }
    if (on) { on = false; found = null; const host = part("bar-own"); if (host && host.querySelector(".inc-bar")) host.textContent = ""; }
  });
  window.WatchfloorPages = Object.assign(window.WatchfloorPages || {}, { [PAGE]: { keys } });
})();
