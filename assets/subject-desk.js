/* What the desk adds to the pages of a brand and a team: its channels with their health, who is on shift and has what in hand. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const { make, write, keyed } = window.WatchfloorDom;
  const part = (id) => document.getElementById(id);

  // -- channels of a brand -----------------------------------------------------------------------------------
  function channel() {
    const row = make("div", "cnl"), first = make("div", "cnl1", row), second = make("div", "cnl2 t2", row);
    row.setAttribute("role", "listitem");
    row.parts = { net: make("span", "net", first), name: make("b", "", first), grow: make("span", "grow", first), health: make("span", "health", first), team: make("span", "", second), purpose: make("span", "t3", second) };
    row.parts.name.dir = "auto";
    return row;
  }
  L.custom["channels-list"] = function (props) {
    const host = part("channels-list");
    if (!host) return true;
    keyed(host, props.rows, (row) => row.id, channel, (box, row) => {
      const p = box.parts;
      write(p.net, row.net);
      p.net.title = row.network;
      write(p.name, row.name);
      write(p.health, row.health);
      p.health.className = "health " + (row.bad ? "warn" : "t3");
      write(p.team, row.team);
      write(p.purpose, row.purpose);
      box.title = [row.network + " " + row.name, row.team, row.purpose, row.health].filter(Boolean).join("\n");
    });
    return true;
  };

  // -- who is there ------------------------------------------------------------------------------------------
  function person() {
    const row = make("div", "ons");
    row.setAttribute("role", "listitem");
    row.parts = { mark: make("i", "", row), name: make("b", "", row), words: make("span", "t3", row), bar: make("i", "", make("span", "bar", row)), cases: make("b", "num", row), late: make("span", "late", row) };
    row.parts.mark.setAttribute("aria-hidden", "true");
    row.parts.name.dir = "auto";
    return row;
  }
  L.custom["on-shift-list"] = function (props) {
    const host = part("on-shift-list");
    if (!host) return true;
    const most = Math.max(1, ...props.rows.map((row) => row.cases));
    keyed(host, props.rows, (row) => row.id, person, (box, row) => {
      const p = box.parts;
      box.dataset.status = row.status;
      write(p.name, row.name);
      write(p.words, row.words);
      p.bar.style.width = (100 * row.cases) / most + "%";
      write(p.cases, String(row.cases));
      write(p.late, row.late ? row.late + " late" : "");
      box.setAttribute("aria-label", [row.name, row.words, row.cases + " in hand", row.late ? row.late + " late" : ""].filter(Boolean).join(", "));
    });
    return true;
  };
})();
