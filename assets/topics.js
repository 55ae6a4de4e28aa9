/* The table of topics: rising, then falling; a row searches for its term. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const { make, write, spark, keyed } = window.WatchfloorDom;

  function build(row) {
    const line = make("tr", "topic");
    const term = make("th", "", line);
    term.scope = "row";
    const button = make("button", "linked", term);
    button.type = "button";
    make("bdi", "", button, row.term);
    const brand = make("td", "t3", line), drawn = make("td", "", line), times = make("td", "num", line), net = make("td", "num", line);
    const mood = make("span", "sent", net);
    make("i", "", mood).setAttribute("aria-hidden", "true");
    make("span", "", mood);
    line.parts = { button, brand, spark: make("div", "spark", drawn), times, mood };
    return line;
  }
  function update(line, row) {
    const p = line.parts;
    line.dataset.q = row.q;
    if (row.lang) p.button.lang = row.lang;
    if (line.title !== row.said) line.title = row.said;
    p.button.setAttribute("aria-label", "Search for " + row.term + ": " + row.said);
    write(p.brand, row.brand);
    p.brand.title = row.brand;
    write(p.times, row.times);
    p.mood.className = "sent " + row.tone;
    write(p.mood.firstChild, row.glyph);
    write(p.mood.lastChild, row.net);
    spark(p.spark, row.spark, 72, 18);
  }
  function headings(row, words) {
    row.textContent = "";
    words.forEach((text) => { make("th", "", row, text).scope = "col"; });
  }
  function start(host) {
    const table = make("table", "", host);
    make("caption", "unseen", table);
    for (const part of ["rising", "falling"]) {
      const head = make(part === "rising" ? "thead" : "tbody", "heads", table);
      make("tr", "", head);
      make("tbody", part, table);
    }
    table.addEventListener("click", (event) => {
      const line = event.target.closest(".topic"), scope = window.WatchfloorScope;
      if (line && scope) scope.change({ q: line.dataset.q });
    });
    return table;
  }
  L.custom["topics-table"] = function (props) {
    const host = document.getElementById("topics-table");
    if (!host) return true;
    const table = host.firstChild || start(host);
    const [caption, up, rising, down, falling] = table.children;
    write(caption, "Topics, " + props.words);
    if (table.dataset.line !== props.line) {
      table.dataset.line = props.line;
      headings(up.firstChild, ["Rising", "Brand", props.line, "vs expected", "Net"]);
      headings(down.firstChild, ["Falling", "", "", "", ""]);
    }
    up.hidden = !props.rising.length && !props.falling.length;
    down.hidden = !props.falling.length;
    keyed(rising, props.rising, (row) => row.id, build, update);
    keyed(falling, props.falling, (row) => row.id, build, update);
    let none = rising.querySelector(".none");
    if (!props.rising.length && props.falling.length && !none) {
      none = make("tr", "none", rising);
      make("td", "t3", none, "Nothing rises").colSpan = 5;
    } else if (props.rising.length && none) none.remove();
    return true;
  };
})();
