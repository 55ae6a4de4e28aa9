/* Beside the open case: who writes, answers that were given to the like, notes, how the promise of time is counted, what happened. */
(function () {
  "use strict";
  const D = (window.WatchfloorDesk = window.WatchfloorDesk || {});
  const { make, icon } = window.WatchfloorDom;
  const SVG = "http://www.w3.org/2000/svg";
  const part = (id) => document.getElementById(id);

  D.drawSide = function (view) {
    const host = part("desk-side");
    if (!host) return;
    const drawn = view ? JSON.stringify([view.id, view.customer, view.similar, view.notes, view.trail, view.service]) : "";
    if (host.drawn === drawn) return;
    host.drawn = drawn;
    host.textContent = "";
    if (!view) return;
    const shut = make("button", "desk-shut", host);
    shut.type = "button";
    shut.setAttribute("aria-label", "Close what is known about this case");
    icon("x", "s16", shut);
    shut.addEventListener("click", () => D.side(false));
    customer(section(host, "Customer", ""), view.customer);
    if (view.service) service(section(host, "Promise of time", view.service.name), view.service);
    const alike = section(host, "Similar answers", view.similar.length ? String(view.similar.length) : "");
    for (const one of view.similar) similar(alike, one);
    if (!view.similar.length) make("p", "t3", alike, "None was sent to a post like this yet.");
    const notes = section(host, "Notes", "Team only");
    for (const one of view.notes) note(notes, one);
    if (!view.notes.length) make("p", "t3", notes, "None yet. N writes one.");
    trail(section(host, "Audit trail", "Append-only"), view.trail);
  };
  function section(host, title, side) {
    const box = make("section", "", host), head = make("div", "rt", box);
    make("h3", "", head, title);
    make("span", "grow", head);
    make("span", "t3", head, side);
    return box;
  }
  function customer(box, found) {
    const list = make("dl", "dl", box);
    for (const [name, value] of found.facts) {
      make("dt", "", list, name);
      make("dd", "", list, value).dir = "auto";
    }
    if (!found.moods.length) return;
    make("p", "t3", box, found.moods.length === 1 ? "Sentiment of the last post to us" : "Sentiment of the last " + found.moods.length + " posts to us");
    const svg = document.createElementNS(SVG, "svg"), wide = 300, step = wide / 12;
    svg.setAttribute("viewBox", "0 0 " + wide + " 40");
    svg.setAttribute("class", "moods");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", found.moods.map((mood) => (mood > 0 ? "positive" : mood < 0 ? "negative" : mood === 0 ? "neutral" : "not scored")).join(", "));
    const add = (tag, className, values) => { const one = document.createElementNS(SVG, tag); one.setAttribute("class", className); for (const name in values) one.setAttribute(name, values[name]); svg.appendChild(one); };
    found.moods.forEach((mood, place) => {
      const at = { x: place * step, width: step - 5 };
      if (mood > 0) add("rect", "pf", Object.assign({ y: 6, height: 14 }, at));
      else if (mood < 0) add("rect", "nf", Object.assign({ y: 20, height: 14 }, at));
      else if (mood === 0) add("rect", "zf", Object.assign({ y: 18, height: 4 }, at));
    });
    add("line", "axis", { x1: 0, x2: wide, y1: 20, y2: 20 });
    box.appendChild(svg);
  }
  /* A strip from the first counted minute to the promise: counted minutes filled, paused ones hatched, the instant of now a line. */
  function service(box, found) {
    make("p", "", box, found.words);
    if (found.spans.length) {
      const start = Date.parse(found.start), whole = Math.max(1, Date.parse(found.end) - start), strip = make("div", "strip-time", box);
      strip.setAttribute("role", "img");
      strip.setAttribute("aria-label", found.label);
      for (const [from, to, counted] of found.spans) {
        const part = make("i", counted ? "counted" : "paused", strip);
        part.style.left = (100 * (Date.parse(from) - start)) / whole + "%";
        part.style.width = (100 * (Date.parse(to) - Date.parse(from))) / whole + "%";
        part.title = (counted ? "Counted " : "Paused ") + D.clock(from) + " to " + D.clock(to);
      }
      if (found.due) make("b", "due", strip).style.left = (100 * (Date.parse(found.due) - start)) / whole + "%";
      const line = make("div", "t3 strip-ends", box);
      make("span", "", line, D.clock(found.start));
      make("span", "grow", line);
      make("span", "", line, found.due ? "due " + D.clock(found.due) : D.clock(found.end));
    }
    for (const words of found.says) make("p", "t3", box, words);
  }
  function similar(box, one) {
    const button = make("button", "sa", box);
    button.type = "button";
    button.title = "Put it into the composer";
    make("p", "", button, "“" + one.text + "”").dir = "auto";
    make("span", "t3", button, one.note);
    button.addEventListener("click", () => {
      const c = D.composer();
      if (!c || c.texts.reply.disabled) { D.toast("Claim the case first."); return; }
      D.compose("reply", true);
      D.insert(one.text);
    });
  }
  function note(box, one) {
    const host = make("p", "note", box);
    host.dir = "auto";
    make("bdi", "", host, one.text + " ");
    make("span", "t3", host, one.who + ", " + D.clock(one.at));
  }
  function trail(box, rows) {
    const list = make("ol", "tl", box);
    for (const row of rows) {
      const line = make("li", row.late ? "w" : "", list);
      D.time(line, row.at);
      make("i", "", line);
      make("bdi", "", line, row.words);
    }
  }
  /* Where there is no room for it beside the case, it lies over it. */
  D.side = function (on) {
    const host = part("respond");
    if (!host || (host.dataset.side === "on") === on) return false;
    host.dataset.side = on ? "on" : "";
    if (on) part("desk-side").focus({ preventScroll: true });
    return true;
  };
})();
