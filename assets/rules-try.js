/* What came of trying a rule: the posts it finds and nearly finds, its examples, mentions a day before and after. */
(function () {
  "use strict";
  const { make, icon, write } = window.WatchfloorDom;
  const R = (window.WatchfloorRules = window.WatchfloorRules || {});
  const SVG = "http://www.w3.org/2000/svg", WIDTH = 560, HEIGHT = 150, LEFT = 34, RIGHT = 116, TOP = 8, BOTTOM = 18;
  const asks = () => window.WatchfloorAsks, over = () => window.WatchfloorOverlay;
  let parts = {}, number = 0, show = "";

  R.buildTried = function (middle, right) {
    const examples = make("section", "panel rexamples", middle);
    examples.setAttribute("aria-label", "Examples");
    let head = make("div", "ph", examples);
    make("h2", "", head, "Examples");
    make("span", "sub", head, "all must pass before it can be published");
    make("span", "grow", head);
    parts.fails = make("span", "chip warn", head);
    parts.fails.hidden = true;
    const add = make("button", "btn sm", head);
    add.type = "button";
    icon("plus", "s14", add);
    add.append("Add an example");
    add.addEventListener("click", typed);
    parts.examples = make("div", "scrolls", examples);
    const volume = make("section", "panel rvolume", middle);
    volume.setAttribute("aria-label", "Volume before and after");
    head = make("div", "ph", volume);
    make("h2", "", head, "Volume before and after");
    parts.volumeAbout = make("span", "sub", head);
    parts.change = make("span", "side", head);
    parts.plot = make("div", "vplot", volume);
    right.textContent = "";
    parts.preview = make("section", "panel rprev", right);
    parts.preview.setAttribute("aria-label", "Preview");
    head = make("div", "ph", parts.preview);
    make("h2", "", head, "Preview");
    parts.sum = make("span", "sub", head);
    parts.sum.setAttribute("role", "status");
    parts.rows = make("div", "scrolls", parts.preview);
    const foot = make("div", "rfoot", parts.preview);
    parts.readAs = make("span", "t2 grow", foot);
    parts.all = link(foot, () => { show = show === "all" ? "" : "all"; R.try(); });
    parts.fresh = link(foot, () => { show = show === "new" ? "" : "new"; R.try(); });
    show = "";
  };
  function link(host, act) {
    const button = make("button", "linkish", host);
    button.type = "button";
    button.hidden = true;
    button.addEventListener("click", act);
    return button;
  }
  R.stale = function () { if (parts.preview) parts.preview.classList.add("trying"); };

  /* Try what stands in the editor; an answer to an older text is dropped. */
  R.try = async function () {
    if (!R.open) return;
    const mine = (number += 1), at = R.open, query = R.text();
    R.stale();
    try {
      const said = await asks().ask("rules.preview", { brand: at.brand, query: query, show: show });
      if (mine !== number || R.open !== at || R.text() !== query) return;
      R.said = said;
      draw(said);
      R.errors(said.errors);
    } catch (error) {
      if (mine !== number || R.open !== at) return;
      write(parts.sum, error.message);
    } finally {
      if (mine === number && parts.preview) parts.preview.classList.remove("trying");
    }
  };

  const count = (n) => n.toLocaleString("en");
  function draw(said) {
    parts.sum.textContent = "";
    if (said.matched === null) parts.sum.append("of the newest " + count(said.of) + " posts, today’s version finds " + count(said.published));
    else {
      parts.sum.append("would have matched ");
      make("b", "", parts.sum, count(said.matched) + " of the last " + count(said.of));
      parts.sum.append(said.version ? "; today’s version " + count(said.published) : "");
    }
    parts.sum.title = parts.sum.textContent;
    write(parts.readAs, said.read_as);
    parts.readAs.title = said.read_as;
    const some = Boolean(said.matched);
    parts.all.hidden = !some || said.matched <= 8;
    write(parts.all, show === "all" ? "Show the newest 8" : "Show " + (said.matched > 200 ? "the newest 200" : "all " + count(said.matched)));
    parts.fresh.hidden = !some || !said.fresh;
    write(parts.fresh, show === "new" ? "Show old ones too" : "Only the " + count(said.fresh) + " new");
    posts(said);
    examples(said.examples);
    volume(said.volume);
  }

  // -- posts -------------------------------------------------------------------------------------------------
  function posts(said) {
    const host = parts.rows;
    host.textContent = "";
    if (said.matched === null) make("p", "rnone", host, "Mend the error to see what the rule finds.");
    else if (!said.rows.length) make("p", "rnone", host, show === "new" ? "Nothing new: the published version finds all of them." : "None of the newest " + count(said.of) + " posts would have matched.");
    for (const row of said.rows) {
      const meta = post(host, row);
      const age = make("time", "", meta);
      age.dataset.since = age.dateTime = row.at;
      age.textContent = new Date(row.at).toLocaleDateString();
      if (row.fresh) { meta.append(" · "); make("span", "fresh", meta, "new, not matched today"); }
    }
    if (!said.near) return;
    const head = make("div", "rsec", host);
    make("b", "", head, "Near misses");
    make("span", "", head, said.near.words);
    for (const row of said.near.rows) {
      const meta = post(host, row, true);
      for (const [words, strong] of row.why) { if (strong) make("b", "", meta, words); else meta.append(words); }
      if (row.repair) { meta.append(" "); adds(meta, row.repair); }
    }
  }
  function post(host, row, isBare) {
    const box = make("article", "prow", host), net = make("span", "net", box, row.net), text = make("p", "", box), meta = make("div", "meta", box);
    net.title = row.network;
    text.dir = "auto";
    text.title = row.whole;
    if (row.lang) text.lang = row.lang;
    for (const [piece, kind] of row.text) {
      if (kind) make(kind === 1 ? "mark" : "s", "", text, piece); else text.append(piece);
    }
    if (!isBare && row.who) { make("bdi", "", meta, row.who); meta.append(" · "); }
    return meta;
  }
  function adds(host, repair, words) {
    const button = make("button", "linkish", host, words || repair.words);
    button.type = "button";
    button.addEventListener("click", () => R.apply(repair));
  }

  // -- examples ----------------------------------------------------------------------------------------------
  function examples(list) {
    const host = parts.examples, failing = list.filter((item) => item.passes === false).length;
    parts.fails.hidden = !list.length;
    parts.fails.className = "chip" + (failing ? " warn" : "");
    write(parts.fails, failing ? failing + (failing === 1 ? " fails" : " fail") : "all pass");
    host.textContent = "";
    if (!list.length) make("p", "rnone", host, "Pin a post from the feed (its menu: “Pin as example of a rule”), or add a text that must match or must not.");
    for (const item of list) {
      const row = make("div", "exrow" + (item.passes === false ? " fails" : ""), host);
      const sign = make("span", "ok", row, item.passes === null ? "–" : item.passes ? "✓" : "✗");
      sign.setAttribute("role", "img");
      sign.setAttribute("aria-label", item.passes === null ? "not tried" : item.passes ? "passes" : "fails");
      make("span", "must", row, item.must ? "must match" : "must not");
      const text = make("bdi", "", row, item.text);
      text.title = item.text + "\n" + (item.pinned ? "Pinned" : "Added") + " by " + item.by + (item.network ? ", " + item.network : "");
      const why = make("span", "whyx", row, item.why);
      why.title = item.why;
      if (item.repair) { why.append(" "); adds(why, item.repair, "Add it"); }
      const close = make("button", "close", row);
      close.type = "button";
      close.setAttribute("aria-label", "Remove the example: " + item.text.slice(0, 60));
      icon("x", "s14", close);
      close.addEventListener("click", () => act("rules.unpin", { example: item.id }));
    }
  }
  async function act(name, given) {
    try {
      const done = await asks().act(name, Object.assign({ brand: R.open.brand }, given));
      over().toast(done.words);
      R.try();
      return true;
    } catch (error) { over().toast(error.message, { bad: true }); return false; }
  }
  /* Two buttons of which one is on; answers a function that says which. */
  R.mustMatch = function (host, isOn) {
    let must = isOn;
    const seg = make("span", "seg", host);
    seg.setAttribute("role", "radiogroup");
    seg.setAttribute("aria-label", "What the rule must do");
    const buttons = [["Must match", true], ["Must not match", false]].map(([words, value]) => {
      const button = make("button", "", seg, words);
      button.type = "button";
      button.setAttribute("role", "radio");
      button.addEventListener("click", () => { must = value; mark(); });
      return [button, value];
    });
    function mark() { for (const [button, value] of buttons) button.setAttribute("aria-checked", String(value === must)); }
    mark();
    return () => must;
  };
  function typed() {
    over().dialog({
      title: "Add an example",
      build(body, dialog) {
        const form = make("div", "rform", body), must = R.mustMatch(form, true);
        const field = (words, tag) => { const label = make("label", "", form, words); return make(tag, "", label); };
        const text = field("Text", "textarea"), author = field("Author (where the rule asks for one)", "input"), language = field("Language, as en or pt-br (where the rule asks for one)", "input");
        const add = make("button", "btn pri", dialog.foot, "Add it");
        add.addEventListener("click", async () => {
          const given = { text: text.value, author: author.value, language: language.value, must_match: must() };
          if (await act("rules.example", given)) dialog.close();
        });
        setTimeout(() => text.focus(), 0);
      },
    });
  }

  // -- volume ------------------------------------------------------------------------------------------------
  function draws(tag, host, attributes) {
    const element = document.createElementNS(SVG, tag);
    for (const name of Object.keys(attributes)) element.setAttribute(name, attributes[name]);
    host.appendChild(element);
    return element;
  }
  const short = (n) => (n >= 10000 ? (n / 1000).toFixed(0) + "k" : n >= 1000 ? (n / 1000).toFixed(1) + "k" : String(Math.round(n)));
  function nice(top) {
    const size = Math.pow(10, Math.floor(Math.log10(Math.max(top, 1))));
    return [1, 2, 4, 5, 10].map((step) => step * size).find((value) => value >= top) || top;
  }
  function volume(data) {
    const host = parts.plot;
    host.textContent = "";
    write(parts.change, data ? [data.change, data.cost].filter(Boolean).join(", ") : "");
    write(parts.volumeAbout, data ? "a day, " + data.about : "a day");
    parts.volumeAbout.title = data ? data.about + ", of what the sources brought in" : "";
    if (!data) { make("p", "rnone", host, "Mend the error to see what it would change."); return; }
    if (!data.change) make("span", "unseen", host, data.about);
    const width = Math.max(280, host.clientWidth || WIDTH), height = Math.max(80, host.clientHeight || HEIGHT);
    // Today is not over: its count would look like a fall.
    const now = data.now.slice(0, -1), after = data.after && data.after.slice(0, -1), days = data.days.slice(0, -1);
    const top = nice(Math.max(1, ...now, ...(after || [])));
    const x = (i) => LEFT + (i * (width - LEFT - RIGHT)) / Math.max(1, now.length - 1), y = (n) => TOP + (1 - n / top) * (height - TOP - BOTTOM);
    const svg = draws("svg", host, { viewBox: "0 0 " + width + " " + height, role: "img" });
    svg.setAttribute("aria-label", "Mentions a day: " + [data.now_words, data.after_words, data.change].filter(Boolean).join(", "));
    for (const value of [0, top / 2, top]) {
      draws("line", svg, { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) });
      draws("text", svg, { class: "tick", x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }).textContent = short(value);
    }
    const line = (values) => values.map((value, i) => x(i).toFixed(1) + "," + y(value).toFixed(1)).join(" ");
    if (after) {
      const back = now.map((value, i) => x(i).toFixed(1) + "," + y(value).toFixed(1)).reverse().join(" ");
      draws("polygon", svg, { class: "fill", points: line(after) + " " + back });
    }
    draws("polyline", svg, { class: "now", points: line(now) });
    let low = y(now[now.length - 1]);
    if (after) {
      draws("polyline", svg, { class: "after", points: line(after) });
      let high = y(after[after.length - 1]);
      // The two labels keep a line between them.
      if (Math.abs(high - low) < 16) { const middle = (high + low) / 2, up = high <= low ? 1 : -1; high = middle - 8 * up; low = middle + 8 * up; }
      draws("text", svg, { class: "laba", x: width - RIGHT + 8, y: Math.max(10, high + 4) }).textContent = data.after_words;
    }
    draws("text", svg, { class: "lab", x: width - RIGHT + 8, y: Math.min(height - 4, low + 4) }).textContent = data.now_words;
    draws("text", svg, { class: "tick", x: LEFT, y: height - 4 }).textContent = days[0] || "";
    draws("text", svg, { class: "tick", x: width - RIGHT, y: height - 4, "text-anchor": "end" }).textContent = days[days.length - 1] || "";
  }
  window.addEventListener("resize", () => { if (R.said && parts.plot && parts.plot.isConnected) volume(R.said.volume); });
})();
