/* The key figures: a button a figure, with its number, change, sparkline and definition; it opens how the figure was made. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const { make, write, spark, keyed } = window.WatchfloorDom;

  function build(cell) {
    const box = make("button", "kpi");
    box.type = "button";
    box.dataset.kpi = cell.key;
    if (cell.href) { box.classList.add("goes"); delete box.dataset.kpi; } else { box.setAttribute("aria-haspopup", "dialog"); box.setAttribute("aria-keyshortcuts", "H"); }
    box.addEventListener("click", () => {
      if (cell.href) window.WatchfloorShell.go(cell.href, location.search);
      else if (window.WatchfloorMade) window.WatchfloorMade.open(cell.key);
    });
    const tip = make("span", "tip");
    tip.id = "tip-" + cell.key;
    tip.setAttribute("role", "tooltip");
    box.setAttribute("aria-describedby", tip.id);
    const label = make("span", "kl", box);
    const value = make("span", "kv", box);
    const change = make("span", "kd", box);
    box.parts = {
      label, number: make("b", "", value), unit: make("span", "", value), change: make("span", "", change),
      was: make("span", "t3", change), note: make("span", "kn t3", change), spark: make("span", "spark", box),
      exact: make("b", "", tip), definition: make("span", "", tip), how: make("span", "how t3", tip, cell.href ? "Click for the desk." : "Click or press H for how it was made."), age: make("span", "t3", change),
    };
    box.appendChild(tip);
    return box;
  }
  function update(box, cell) {
    const p = box.parts;
    write(p.label, cell.label);
    write(p.number, cell.value);
    write(p.unit, cell.unit);
    write(p.change, cell.change);
    p.change.className = cell.tone;
    write(p.was, cell.was);
    // The age of what waits longest is drawn from its instant, as every age.
    p.age.hidden = !cell.since;
    if (cell.since) {
      if (!p.age.firstChild) { p.age.append("oldest "); p.since = make("span", "", p.age); }
      p.since.dataset.since = cell.since;
    }
    box.classList.toggle("att", Boolean(cell.attention));
    write(p.note, cell.note);
    write(p.exact, cell.exact);
    p.exact.hidden = !cell.exact;
    write(p.definition, cell.tip);
    spark(p.spark, cell.spark, 100, 32);
    const said = [cell.label + ": " + cell.value + " " + cell.unit, cell.change, cell.was, cell.note];
    box.setAttribute("aria-label", said.filter(Boolean).join(", "));
  }
  function strip(id, name) {
    L.custom[id] = function (props) {
      const host = document.getElementById(id);
      if (!host) return true;
      host.setAttribute("aria-label", name + ", " + props.words);
      keyed(host, props.cells, (cell) => cell.key, build, update);
      if (window.WatchfloorMade) window.WatchfloorMade.mark();
      return true;
    };
  }
  strip("kpi-strip", "Key figures");
  strip("service-strip", "How we answer");
})();
