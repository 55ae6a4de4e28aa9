/* Building blocks for what is drawn in the browser. Text goes in by textContent alone, so text from networks stays text. */
(function () {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";

  function make(tag, className, parent, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    if (parent) parent.appendChild(element);
    return element;
  }
  function icon(name, size, parent) {
    const element = make("i", "ic " + (size || "") + " ic-" + name, parent);
    element.setAttribute("aria-hidden", "true");
    return element;
  }
  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }
  /* Unbroken runs of an inline SVG line ("x,y x,y ..."), and a dot at the last point. */
  function spark(host, runs, width, height) {
    const key = runs.join(";");
    if (host.dataset.drawn === key) return;
    host.dataset.drawn = key;
    host.textContent = "";
    if (!runs.length) return;
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 " + width + " " + height);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    for (const points of runs) {
      const line = document.createElementNS(SVG, "polyline");
      line.setAttribute("points", points);
      line.setAttribute("class", "sl");
      line.setAttribute("vector-effect", "non-scaling-stroke");
      svg.appendChild(line);
    }
    host.appendChild(svg);
    const last = runs[runs.length - 1].split(" ").pop().split(",");
    const dot = make("i", "dot", host);
    dot.style.left = (100 * last[0]) / width + "%";
    dot.style.top = (100 * last[1]) / height + "%";
  }
  /* Keeps a list of elements in step with rows: one element a key, moved and reused, never rebuilt. */
  function keyed(host, rows, keyOf, build, update) {
    const known = host.watchfloorRows || (host.watchfloorRows = new Map());
    const kept = new Set();
    let before = null;
    for (const row of rows) {
      const key = keyOf(row);
      kept.add(key);
      let element = known.get(key);
      if (!element) known.set(key, (element = build(row)));
      if (update) update(element, row);
      const place = before ? before.nextSibling : host.firstChild;
      if (place !== element) host.insertBefore(element, place);
      before = element;
    }
    for (const [key, element] of known) {
      if (kept.has(key)) continue;
      element.remove();
      known.delete(key);
    }
  }
  /* Said by a screen reader, at most one sentence every ten seconds; the newest wins. */
  let saidAt = -1e9, waiting = "", timer = 0;
  function say(text) {
    const host = document.getElementById("say");
    if (!host) return;
    waiting = text;
    const rest = saidAt + 10000 - performance.now();
    if (rest > 0) {
      if (!timer) timer = setTimeout(() => { timer = 0; say(waiting); }, rest);
      return;
    }
    saidAt = performance.now();
    host.textContent = text;
  }
  window.WatchfloorDom = { make, icon, write, spark, keyed, say };
})();
