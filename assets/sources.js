/* The source strip: a cell a source, with its age, what is left of its limit, and its last error. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const { make, write, keyed } = window.WatchfloorDom;

  function build(cell) {
    const box = make("div", "src");
    box.setAttribute("role", "listitem");
    const first = make("div", "s1", box), second = make("div", "s2", box);
    const net = make("span", "net", first), name = make("b", "", first);
    make("span", "grow", first);
    const age = make("span", "num age", first);
    box.parts = {
      net, name, ageWords: make("span", "", age), ageSince: make("span", "", age), age,
      bar: make("i", "", make("span", "bar", second)), left: make("span", "t3 num", second), words: make("div", "s3", box),
    };
    return box;
  }
  function update(box, cell) {
    const p = box.parts;
    box.className = "src" + (["slow", "stale", "disconnected", "gone"].includes(cell.badge) ? " st" : "");
    box.dataset.badge = cell.badge;
    write(p.net, cell.net);
    p.net.title = cell.network;
    write(p.name, cell.name);
    p.name.title = cell.name;
    write(p.ageWords, cell.age + (cell.since ? " " : ""));
    p.age.className = "num age " + (cell.tone === "wn" ? "wn" : "t2");
    if (cell.since) {
      if (p.ageSince.dataset.since !== cell.since) p.ageSince.dataset.since = cell.since;
    } else {
      delete p.ageSince.dataset.since;
      write(p.ageSince, "");
    }
    p.bar.style.width = 100 * cell.share + "%";
    write(p.left, cell.left);
    write(p.words, cell.words);
    p.words.title = cell.words;
    p.words.className = "s3 " + cell.tone;
  }
  L.custom["sources-strip"] = function (props) {
    const host = document.getElementById("sources-strip");
    if (!host) return true;
    keyed(host, props.cells, (cell) => cell.id, build, update);
    return true;
  };
})();
