/* The audience page: strip, where, how, languages, places and the declared core, drawn from one piece of state. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const { make, icon, write, keyed } = window.WatchfloorDom;
  const part = (id) => document.getElementById(id);
  const RAMP = 7;

  function section(host, area, title, sub) {
    const box = make("section", "panel a-" + area, host);
    box.setAttribute("aria-label", title);
    const head = make("div", "ph", box);
    make("h2", "", head, title);
    const under = make("span", "sub", head, sub);
    make("span", "grow", head);
    const body = make("div", "pb", box);
    return { box, head, under, body };
  }
  function build(host) {
    if (host.parts) return host.parts;
    const strip = make("div", "panel a-strip", host);
    const p = (host.parts = {
      strip: make("div", "a-cells", strip),
      where: section(host, "where", "Where", "network × brand, % of a brand's people; frame = declared core"),
      how: section(host, "how", "How it writes", "% of people by the form of their newest post"),
      language: section(host, "language", "Languages", "% of people; bold = declared"),
      core: section(host, "core", "Core audience", ""),
      place: section(host, "place", "Places", "% of people whose place is known; bold = declared"),
    });
    const legend = make("div", "a-legend", p.how.body);
    for (const name of ["text", "picture", "video", "audio"]) { const item = make("span", "", legend); make("i", "f-" + name, item); make("span", "", item, name); }
    p.howRows = make("div", "a-how-rows", p.how.body);
    p.table = make("div", "a-grid", p.where.body);
    p.languageRows = make("div", "a-bars", p.language.body);
    p.languageFoot = make("div", "a-foot t3", p.language.body);
    p.placeRows = make("div", "a-bars", p.place.body);
    p.placeFoot = make("div", "a-foot t3", p.place.body);
    p.coreRows = make("div", "a-core-rows", p.core.body);
    const declare = make("button", "btn sm needs needs-admin", p.core.head, "Declare core audience");
    declare.addEventListener("click", declareForm);
    return p;
  }

  // -- the parts -------------------------------------------------------------------------------------------
  function strip(host, cells) {
    keyed(host, cells, (cell) => cell.name, () => {
      const box = make("div", "a-cell");
      box.parts = { name: make("div", "kl", box), value: make("div", "kv", box), under: make("div", "kd t3", box) };
      box.parts.number = make("b", "num", box.parts.value);
      box.parts.unit = make("span", "", box.parts.value);
      return box;
    }, (box, cell) => {
      write(box.parts.name, cell.name); write(box.parts.number, cell.number); write(box.parts.unit, cell.unit); write(box.parts.under, cell.under);
      box.parts.under.title = cell.under;
    });
  }
  function where(host, data) {
    const drawn = JSON.stringify(data);
    if (host.dataset.drawn === drawn) return;
    host.dataset.drawn = drawn;
    host.textContent = "";
    host.setAttribute("role", "table");
    host.style.gridTemplateColumns = "minmax(88px,1.4fr) repeat(" + data.columns.length + ",minmax(40px,1fr)) minmax(56px,auto)";
    const row = () => { const line = make("div", "a-row", host); line.setAttribute("role", "row"); return line; };
    const head = row();
    for (const name of ["", ...data.columns.map((column) => column.name), "people"]) make("span", "a-th t2", head, name).setAttribute("role", "columnheader");
    for (const item of data.rows) {
      const line = row();
      make("span", "a-name" + (item.is_total ? " total" : ""), line, item.name).setAttribute("role", "rowheader");
      item.cells.forEach((cell, i) => {
        const place = make("span", "a-at", line);
        place.setAttribute("role", "cell");
        const box = make("button", "a-cellbox num" + (cell.core ? " core" : ""), place, cell.share === null ? "–" : String(cell.share));
        box.addEventListener("click", () => window.WatchfloorScope.change(Object.assign({ network: [data.columns[i].key] }, item.brand ? { brand: [item.brand] } : {})));
        const step = cell.share === null ? 0 : Math.min(RAMP, Math.ceil((RAMP * cell.share) / 60));
        box.dataset.step = String(step);
        box.title = item.name + ", " + data.columns[i].name + ": " + (cell.share === null ? "nobody" : cell.share + " % of " + item.people + " people") + (cell.core ? "; declared core" : "");
      });
      make("span", "num t2 a-people", line, item.people.toLocaleString("en")).setAttribute("role", "cell");
    }
  }
  function how(host, rows) {
    keyed(host, rows, (row) => row.name, () => {
      const line = make("div", "a-how");
      line.parts = { name: make("span", "a-name", line), bar: make("span", "a-stack", line) };
      return line;
    }, (line, row) => {
      write(line.parts.name, row.name);
      const drawn = JSON.stringify(row.parts);
      if (line.dataset.drawn === drawn) return;
      line.dataset.drawn = drawn;
      line.parts.bar.textContent = "";
      for (const piece of row.parts) {
        const box = make("i", "f-" + piece.form + " num", line.parts.bar, piece.share >= 8 ? String(Math.round(piece.share)) : "");
        box.style.width = piece.share + "%";
        box.title = piece.form + ": " + piece.share.toFixed(1) + " % of " + row.people + " people";
      }
      if (!row.parts.length) make("span", "t3", line.parts.bar, "nobody wrote");
    });
  }
  function bars(host, rows, kind) {
    const most = Math.max(1, ...rows.map((row) => row.share));
    keyed(host, rows, (row) => row.key || "other", () => {
      const line = make("div", "a-bar");
      line.parts = { name: make("span", "a-name", line), bar: make("i", "", make("span", "bar", line)), share: make("b", "num", line), n: make("span", "num t3", line) };
      return line;
    }, (line, row) => {
      line.classList.toggle("core", row.core);
      write(line.parts.name, row.name);
      line.parts.bar.style.width = (100 * row.share) / most + "%";
      write(line.parts.share, row.share.toFixed(row.share < 10 ? 1 : 0) + "%");
      write(line.parts.n, row.n.toLocaleString("en"));
      line.title = row.name + ": " + row.n + " people" + (row.core ? "; declared core" : "");
    });
  }
  function core(p, data) {
    write(p.core.under, data.said);
    p.core.under.title = data.said;
    const drawn = JSON.stringify(data.blocks);
    if (p.coreRows.dataset.drawn === drawn) return;
    p.coreRows.dataset.drawn = drawn;
    p.coreRows.textContent = "";
    if (!data.blocks.length) {
      make("p", "t2 a-none", p.coreRows, "No core audience is declared for these brands yet. Once it is, this shows who is there beside whom you want to reach.");
      return;
    }
    for (const block of data.blocks) {
      const box = make("div", "a-block", p.coreRows);
      make("b", "a-dim", box, block.name);
      const words = make("div", "a-words", box);
      const wanted = make("div", "", words);
      make("span", "t3", wanted, "declared "); make("span", "", wanted, block.declared);
      const there = make("div", "", words);
      make("span", "t3", there, "actual ");
      block.actual.forEach((value, i) => make(value.is_new ? "b" : "span", "", there, (i ? ", " : "") + value.name));
      const bar = make("span", "bar", words);
      make("i", "", bar).style.width = (block.share || 0) + "%";
      if (block.meant !== null) { const tick = make("u", "tick", bar); tick.style.left = block.meant + "%"; tick.title = "meant: " + block.meant + " %"; }
      make("div", "t3", words, (block.is_as_declared ? "✓ " : "≠ ") + block.sentence);
      const share = make("div", "a-share", box);
      make("b", "num", share, block.share === null ? "n/a" : block.share + "%");
      make("span", "t3", share, "inside, n " + block.n.toLocaleString("en"));
    }
  }

  L.custom["audience-board"] = function (props) {
    const host = part("audience-board");
    if (!host) return true;
    const p = build(host);
    host.hidden = props.is_empty;
    if (props.is_empty) return true;
    host.title = "";
    strip(p.strip, props.strip);
    where(p.table, props.where);
    how(p.howRows, props.how);
    bars(p.languageRows, props.language);
    write(p.languageFoot, props.unknown_language ? props.unknown_language + " % of people: language unknown" : "language known of everybody");
    bars(p.placeRows, props.place);
    write(p.placeFoot, props.unknown_place ? props.unknown_place + " % of people: place unknown, in none of these" : "place known of everybody");
    core(p, props.core);
    return true;
  };

  // -- best hours --------------------------------------------------------------------------------------------
  L.custom["best-hours-rows"] = function (props) {
    const host = part("best-hours-rows");
    if (!host) return true;
    if (!host.rows) {
      const head = make("div", "bh-row bh-head t3", host);
      for (const name of ["Network", "Best windows", "Engaged", "× usual", "Posts", "We post"]) make("span", "", head, name);
      host.rows = make("div", "", host);
    }
    keyed(host.rows, props.rows, (row) => String(row.id), () => {
      const line = make("div", "bh-row");
      const name = make("span", "bh-name", line);
      line.parts = { mark: make("span", "net", name), name: make("span", "", name), windows: make("b", "", line), engaged: make("span", "num", line), factor: make("span", "num", line), posts: make("span", "num", line), mostly: make("span", "t2", line) };
      return line;
    }, (line, row) => {
      const q = line.parts;
      write(q.mark, row.monogram); write(q.name, row.name); write(q.windows, row.windows); write(q.engaged, row.engaged);
      write(q.factor, row.factor); write(q.posts, row.posts); write(q.mostly, row.mostly);
      q.windows.className = row.is_measured ? "" : "t3 plain";
      q.windows.title = row.windows;
    });
    return true;
  };

  // -- declaring -----------------------------------------------------------------------------------------------
  const TITLES = { network: "Networks", place: "Countries", language: "Languages", format: "Forms" };
  async function declareForm() {
    const { dialog, toast } = window.WatchfloorOverlay, asks = window.WatchfloorAsks;
    let given;
    try { given = await asks.read("audience.form"); } catch (error) { toast(error.message, { bad: true }); return; }
    const chosen = { network: new Set(), place: new Set(), language: new Set(), format: new Set() }, shares = {};
    dialog({
      title: "Declare core audience", wide: true,
      build(body, open) {
        make("p", "t2", body, "Whom a brand wants to reach. The declaration before this one is kept, with the time it held.");
        const label = make("label", "a-field", body);
        make("span", "", label, "Brand");
        const brand = make("select", "input", label);
        for (const item of given.brands) { const option = make("option", "", brand, item.name); option.value = item.key; }
        const groups = make("div", "a-groups", body);
        const fill = () => {
          groups.textContent = "";
          const now = given.brands.find((item) => item.key === brand.value);
          for (const name of Object.keys(TITLES)) {
            const before = (now && now.declared[name]) || { values: [], share: null };
            chosen[name] = new Set(before.values);
            group(groups, name, given.options[name], chosen[name], shares, before.share);
          }
        };
        brand.addEventListener("change", fill);
        if (given.brands.length) fill();
        const cancel = make("button", "btn", open.foot, "Cancel");
        cancel.addEventListener("click", open.close);
        const save = make("button", "btn pri", open.foot, "Declare");
        save.addEventListener("click", async () => {
          const declared = {};
          for (const name of Object.keys(TITLES)) {
            const share = shares[name] && shares[name].value ? Number(shares[name].value) / 100 : null;
            if (chosen[name].size) declared[name] = { values: [...chosen[name]], share };
          }
          save.disabled = true;
          try {
            const said = await asks.act("audience.declare", { brand: brand.value, declared });
            open.close();
            toast(said.words);
          } catch (error) { save.disabled = false; toast(error.message, { bad: true }); }
        });
      },
    });
  }
  function group(host, name, options, chosen, shares, share) {
    const box = make("fieldset", "a-group", host);
    make("legend", "", box, TITLES[name]);
    const list = make("div", "a-chips", box);
    const names = new Map(options.map((item) => [item.key, item.name]));
    const many = options.length > 40;
    const draw = () => {
      list.textContent = "";
      for (const key of many ? chosen : names.keys()) {
        const chip = make("button", "chip", list, names.get(key) || key);
        chip.type = "button";
        chip.setAttribute("aria-pressed", String(chosen.has(key)));
        if (many) icon("x", "s12", chip);
        chip.addEventListener("click", () => { if (chosen.has(key)) chosen.delete(key); else chosen.add(key); if (many) draw(); else chip.setAttribute("aria-pressed", String(chosen.has(key))); });
      }
    };
    draw();
    if (many) {
      const field = make("select", "input", box);
      field.setAttribute("aria-label", "Add one of " + TITLES[name]);
      make("option", "", field, "Add…").value = "";
      for (const item of options) make("option", "", field, item.name).value = item.key;
      field.addEventListener("change", () => { if (field.value) { chosen.add(field.value); field.value = ""; draw(); } });
    }
    const meant = make("label", "a-meant t2", box);
    make("span", "", meant, "Share meant, %");
    const number = make("input", "input num", meant);
    number.type = "number"; number.min = "1"; number.max = "100";
    if (share) number.value = String(Math.round(100 * share));
    shares[name] = number;
  }
})();
