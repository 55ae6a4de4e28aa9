/* The pages of one brand, location or team: the head with five numbers, the audience in bars, what it is made of, our posts. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const { make, icon, write, keyed } = window.WatchfloorDom;
  const part = (id) => document.getElementById(id);
  const percent = (share) => (share < 10 && share > 0 ? share.toFixed(1) : Math.round(share)) + "%";

  // -- the head ------------------------------------------------------------------------------------------
  function cell(figure) {
    // A figure of the registry opens how it was made; the two that only this page has explain themselves in the tip.
    const opens = figure.key !== "lag" && figure.key !== "share";
    const box = make(opens ? "button" : "div", "kpi sjk");
    if (opens) {
      box.type = "button";
      box.dataset.kpi = figure.key;
      box.setAttribute("aria-haspopup", "dialog");
      box.addEventListener("click", () => window.WatchfloorMade && window.WatchfloorMade.open(figure.key));
    } else {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
    }
    const tip = make("span", "tip");
    tip.id = "tip-subject-" + figure.key;
    tip.setAttribute("role", "tooltip");
    box.setAttribute("aria-describedby", tip.id);
    const label = make("span", "kl", box), value = make("span", "kv", box), change = make("span", "kd", box);
    box.parts = {
      label, number: make("b", "", value), unit: make("span", "", value), change: make("span", "", change),
      was: make("span", "t3", change), exact: make("b", "", tip), definition: make("span", "", tip), note: make("span", "t3", tip),
    };
    box.appendChild(tip);
    return box;
  }
  function fill(box, figure) {
    const p = box.parts;
    write(p.label, figure.label);
    write(p.number, figure.value);
    write(p.unit, figure.unit);
    write(p.change, figure.change);
    p.change.className = figure.tone;
    write(p.was, figure.was);
    write(p.exact, figure.exact);
    p.exact.hidden = !figure.exact;
    write(p.definition, figure.tip);
    write(p.note, figure.note ? " " + figure.note + "." : "");
    const said = [figure.label + ": " + figure.value + " " + figure.unit, figure.change, figure.was, figure.note];
    box.setAttribute("aria-label", said.filter(Boolean).join(", "));
  }
  L.custom["subject-card"] = function (props) {
    const name = part("subject-name"), page = document.querySelector(".subject");
    if (!name || !page) return true;
    write(name, props.name);
    write(part("subject-mono"), props.monogram);
    part("subject-mono").dataset.long = props.monogram.length;
    const line = part("subject-line");
    if (!line.tag) { line.tag = make("span", "chip line", line, "not ours"); line.words = make("span", "", line); line.shifts = make("a", "link", line, "Shifts"); }
    line.tag.hidden = props.ours;
    line.shifts.hidden = props.kind !== "team";
    line.shifts.href = "/team/" + encodeURIComponent(props.key) + "/shifts";
    write(line.words, props.line);
    line.title = props.line;
    const ours = props.ours ? "yes" : "no";
    if (page.dataset.ours !== ours) {
      page.dataset.ours = ours;
      // The charts take another width where a competitor leaves them room.
      if (!props.ours) window.dispatchEvent(new Event("resize"));
    }
    keyed(part("subject-cells"), props.cells, (figure) => figure.key, cell, fill);
    return true;
  };

  // -- the audience --------------------------------------------------------------------------------------
  function networkRow(row) {
    const box = make("div", "mxr");
    box.parts = { net: make("span", "net", box), name: make("span", "nm", box), bar: make("i", "", make("span", "bar", box)), share: make("b", "", box), n: make("span", "t3", box) };
    return box;
  }
  function networkFill(box, row) {
    const p = box.parts;
    write(p.net, row.mono);
    write(p.name, row.name);
    p.bar.style.width = row.share + "%";
    write(p.share, percent(row.share));
    write(p.n, row.n);
    box.setAttribute("aria-label", row.name + ": " + percent(row.share) + ", " + row.n + " mentions");
    box.setAttribute("role", "img");
  }
  function barBox() {
    const box = make("div", "mxb");
    const head = make("div", "mxh", box);
    box.parts = { title: make("span", "", head), said: make("span", "t3", head), bar: make("div", "mxs", box) };
    return box;
  }
  function barFill(box, bar) {
    const p = box.parts;
    write(p.title, bar.title);
    write(p.said, bar.said);
    keyed(p.bar, bar.parts, (one) => one.key || "+", () => { const host = make("span", "seg-part"); make("span", "", host); return host; }, (host, one) => {
      host.style.flexGrow = one.share;
      // A name stands only where it fits; the whole list is behind the pointer and in the table.
      const fits = one.label.length * 7 + 46 < (one.share / 100) * (p.bar.clientWidth || 260);
      write(host.firstChild, fits ? one.label + " " + Math.round(one.share) : one.share > 8 ? one.label : "");
      host.title = one.name + ": " + percent(one.share) + ", " + one.n;
    });
    const words = bar.parts.map((one) => one.name + " " + percent(one.share)).join(", ");
    p.bar.setAttribute("role", "img");
    p.bar.setAttribute("aria-label", bar.title + ": " + (words || "nothing known") + "; " + bar.said);
  }
  L.custom["mix-bars"] = function (props) {
    const host = part("mix-bars");
    if (!host) return true;
    if (!host.rows) { host.rows = make("div", "mxn", host); host.bars = make("div", "mxbs", host); host.base = make("p", "t3", host); }
    keyed(host.rows, props.networks, (row) => row.key || "+", networkRow, networkFill);
    keyed(host.bars, props.bars, (bar) => bar.key, barBox, barFill);
    write(host.base, props.base);
    return true;
  };

  // -- what a location or team is made of ----------------------------------------------------------------
  function partRow() {
    const box = make("div", "ptr"), name = make("span", "nm", box), track = make("span", "bar", box);
    const bar = make("i", "", track), tick = make("em", "", track);
    box.parts = { name, bar, tick, share: make("b", "", box), n: make("span", "t3", box) };
    box.setAttribute("role", "img");
    return box;
  }
  function partFill(box, row) {
    const p = box.parts;
    write(p.name, row.name);
    p.name.title = row.name;
    p.bar.style.width = row.share + "%";
    p.tick.hidden = row.usual === null;
    if (row.usual !== null) p.tick.style.left = row.usual + "%";
    write(p.share, percent(row.share));
    write(p.n, row.n);
    const usual = row.usual === null ? "" : ", median location " + percent(row.usual);
    box.title = row.name + ": " + percent(row.share) + usual + ", " + row.n + " mentions";
    box.setAttribute("aria-label", box.title);
  }
  function sectionBox() {
    const box = make("section", "pts");
    const head = make("h3", "", box);
    box.parts = { title: make("span", "", head), said: make("span", "t3", head), rows: make("div", "", box), none: make("p", "t3", box, "Nothing known.") };
    return box;
  }
  function sectionFill(box, section) {
    const p = box.parts;
    write(p.title, section.title);
    write(p.said, section.said);
    keyed(p.rows, section.rows, (row) => row.name, partRow, partFill);
    p.none.hidden = section.rows.length > 0;
  }
  L.custom["parts-list"] = function (props) {
    const host = part("parts-list");
    if (!host) return true;
    if (!host.figures) { host.figures = make("dl", "ptf", host); host.sections = make("div", "", host); }
    keyed(host.figures, props.compared, (one) => one.name, () => {
      const box = make("div", "");
      box.parts = { name: make("dt", "t2", box), here: make("dd", "", box), usual: make("dd", "t3", box) };
      return box;
    }, (box, one) => { write(box.parts.name, one.name); write(box.parts.here, one.here); write(box.parts.usual, one.usual); });
    host.figures.hidden = !props.compared.length;
    keyed(host.sections, props.sections, (section) => section.title, sectionBox, sectionFill);
    return true;
  };

  // -- our posts -----------------------------------------------------------------------------------------
  function post(row) {
    const box = make("article", "op");
    box.setAttribute("role", "listitem");
    const top = make("div", "op1", box);
    make("span", "net", top, row.net).title = row.network;
    make("b", "", top, row.name).dir = "auto";
    make("span", "grow", top);
    make("span", "t3", top, row.at);
    if (row.url) {
      const out = make("a", "out", top);
      out.href = row.url;
      out.target = "_blank";
      out.rel = "noopener noreferrer";
      out.setAttribute("aria-label", "Open on " + row.network);
      icon("link", "s14", out);
    }
    make("p", "", box, row.text).dir = "auto";
    const foot = make("div", "op3 t2", box);
    box.parts = { engaged: make("b", "", foot), word: make("span", "", foot, "engaged"), rate: make("b", "", foot), of: make("span", "t3", foot) };
    return box;
  }
  L.custom["our-posts-list"] = function (props) {
    const host = part("our-posts-list");
    if (!host) return true;
    keyed(host, props.rows, (row) => row.id, post, (box, row) => {
      write(box.parts.engaged, row.engaged);
      write(box.parts.rate, row.rate);
      write(box.parts.of, row.of);
    });
    return true;
  };
})();
