/* Heads and states of panels. Whatever the state, a panel keeps its size: a state covers the body, it does not replace it. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const { make, icon, write } = window.WatchfloorDom;
  const failures = new Map(), states = new Map();

  function head(key, props) {
    const host = document.getElementById(key + "-head");
    if (!host) return;
    if (!host.parts) {
      const title = make("h2", "", host), sub = make("span", "sub", host);
      make("span", "grow", host);
      host.parts = { title, sub, side: make("span", "side t3", host) };
      if (key === "feed") {
        const above = make("button", "chip acc above", host);
        above.hidden = true;
      }
      menu(key);
    }
    write(host.parts.title, props.title);
    write(host.parts.sub, props.sub);
    host.parts.sub.title = props.sub;
    write(host.parts.side, props.side);
    const graph = document.querySelector('[data-graph="' + key + '"]');
    if (graph && props.label) graph.setAttribute("aria-label", props.label);
  }
  /* What a panel can give stands behind one button: at the end of its head, or over its corner where it has none. */
  function menu(key) {
    if (window.WatchfloorPanelMenu) window.WatchfloorPanelMenu.place(key);
  }
  function button(parent, words, act) {
    const element = make("button", "btn sm", parent, words);
    element.addEventListener("click", act);
  }
  function cover(key) {
    const host = document.getElementById(key + "-state");
    if (!host) return;
    const failure = failures.get(key), state = states.get(key);
    const wanted = failure ? JSON.stringify(failure) : state && state.kind ? JSON.stringify(state) : "";
    if (host.dataset.drawn === wanted) return;
    host.dataset.drawn = wanted;
    host.textContent = "";
    host.className = "pstate" + (failure ? " error" : wanted ? " empty" : "");
    if (failure) broken(host, key, failure);
    else if (wanted) nothing(host, state);
  }
  function broken(host, key, failure) {
    icon("info", "s24", host);
    make("b", "", host, key === "volume" || key === "sentiment" ? "This chart could not load" : "This part could not load");
    make("span", "t2", host, failure.reason);
    const at = failure.at ? new Date(failure.at) : new Date();
    make("span", "t3", host, "Ref " + failure.reference + " · " + at.toLocaleTimeString([], { hour12: false }));
    button(make("span", "ways", host), "Try again", () => L.retry && L.retry(key));
  }
  function nothing(host, state) {
    if (!state.plain) icon("search", "s24", host);
    if (state.title) make("b", "", host, state.title);
    const text = make("span", "t2", host, state.text);
    text.dir = "auto";
    const ways = make("span", "ways", host);
    const scope = window.WatchfloorScope;
    if (state.widen) button(ways, state.widen_words, () => scope.change({ window: state.widen }));
    if (scope && scope.isFiltered(host.dataset.stateOf === "feed")) button(ways, "Clear filters", () => scope.clear());
  }
  const keysHere = () => [...document.querySelectorAll("[data-panel]")].map((panel) => panel.dataset.panel);
  /* Every panel has a head and a state. */
  L.family = function (id) {
    if (id.endsWith("-head")) return (props) => { head(id.slice(0, -5), props); return true; };
    if (id.endsWith("-state")) return (props) => { state(id.slice(0, -6), props); return true; };
    return null;
  };
  function state(key, props) {
    const panel = document.getElementById("panel-" + key);
    // Until then a skeleton stands in for it; afterwards old data stays while new data comes.
    if (panel && !panel.dataset.drawn) { panel.dataset.drawn = "1"; if (!document.getElementById(key + "-head")) menu(key); }
    states.set(key, props);
    cover(key);
  }
  L.custom.history = function (props) {
    const host = document.getElementById("history");
    if (!host) return true;
    if (props.share === null) { host.textContent = ""; return true; }
    if (!host.firstChild) {
      make("span", "", host);
      make("i", "", make("span", "bar", host));
    }
    write(host.firstChild, props.text);
    host.lastChild.firstChild.style.width = 100 * props.share + "%";
    return true;
  };
  window.addEventListener("live:panel", (event) => {
    const { panel, error } = event.detail;
    if (error) failures.set(panel, error); else failures.delete(panel);
    cover(panel);
  });
  // Another page has other elements: what was drawn before must not be taken for drawn.
  window.addEventListener("live:subscribed", () => {
    failures.clear();
    keysHere().forEach(cover);
    // Where the data takes its time, the panel already says what it will be.
    setTimeout(() => {
      for (const key of keysHere()) {
        const host = document.getElementById(key + "-head");
        if (host && !host.parts) head(key, { title: host.parentElement.getAttribute("aria-label"), sub: "", side: "" });
      }
    }, 250);
  });
})();
