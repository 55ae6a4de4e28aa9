/* Brands, locations and teams: the table, the form of one in the drawer, a file looked at and loaded, one retired. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const { make, write, keyed } = window.WatchfloorDom;
  const asks = () => window.WatchfloorAsks, over = () => window.WatchfloorOverlay;
  const bad = (error) => over().toast(error.message, { bad: true });
  const slug = (name) => name.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 63);

  function button(words, className, parent, act) {
    const element = make("button", className, parent, words);
    element.type = "button";
    element.addEventListener("click", act);
    return element;
  }
  function draw(props) {
    const host = document.getElementById(props.page + "-rows");
    if (!host) return true;
    if (!host.parts) {
      const bar = make("div", "org-bar", host);
      host.parts = { count: make("span", "t3 grow", bar) };
      button("Load a file", "btn", bar, load);
      button("Add a " + props.kind, "btn pri", bar, () => form(props, null));
      const scroll = make("div", "org-scroll", host);
      scroll.tabIndex = 0;
      scroll.setAttribute("role", "region");
      scroll.setAttribute("aria-label", "Table");
      const table = make("table", "org-table", scroll), line = make("tr", "", make("thead", "", table));
      for (const name of props.columns) make("th", "", line, name).scope = "col";
      host.parts.body = make("tbody", "", table);
    }
    write(host.parts.count, props.rows.length + " " + props.kind + (props.rows.length === 1 ? "" : "s"));
    keyed(host.parts.body, props.rows, (row) => row.key, (row) => {
      const line = make("tr");
      line.cells_ = row.cells.map((_, i) => {
        const cell = make("td", "", line);
        if (i === 0) return button("", "org-open", cell, () => form(props, line.row));
        if (row.link && i === row.cells.length - 1) { const link = make("a", "", cell); link.href = row.link; return link; }
        return cell;
      });
      return line;
    }, (line, row) => {
      line.row = row;
      row.cells.forEach((text, i) => write(line.cells_[i], text));
      line.cells_[0].style.paddingInlineStart = 12 + 20 * row.depth + "px";
    });
    return true;
  }
  for (const page of ["admin-brands", "admin-locations", "admin-teams"]) L.custom[page + "-rows"] = draw;

  // -- the form of one ---------------------------------------------------------------------------------------
  function form(props, row) {
    const title = row ? row.values.name : "Add a " + props.kind;
    const opened = over().drawer({ key: "organisation", title, label: title, build(body) {
      const host = make("form", "org-form", body), fields = {};
      for (const field of props.fields) {
        if (row && field.new_only) continue;
        const id = "org-" + field.name, box = make("div", "org-field", host);
        make("label", "", box, field.label).htmlFor = id;
        const entry = make(field.type === "lines" ? "textarea" : field.type === "choice" ? "select" : "input", "input", box);
        entry.id = id;
        for (const choice of field.choices) make("option", "", entry, choice).value = choice;
        if (row) entry.value = row.values[field.name] || "";
        if (field.help) make("p", "t3", box, field.help).id = id + "-help";
        const fault = make("p", "org-fault", box);
        fault.id = id + "-fault";
        entry.setAttribute("aria-describedby", (field.help ? id + "-help " : "") + fault.id);
        fields[field.name] = { entry, fault };
      }
      if (!row) {
        let own = false;
        fields.key.entry.addEventListener("input", () => { own = true; });
        fields.name.entry.addEventListener("input", () => { if (!own) fields.key.entry.value = slug(fields.name.entry.value); });
      }
      const foot = make("div", "org-foot", host), go = make("button", "btn pri", foot, row ? "Save" : "Add");
      go.type = "submit";
      if (row) button("Retire", "btn", foot, () => retire(props.kind, row));
      host.noValidate = true;
      host.addEventListener("submit", async (event) => {
        event.preventDefault();
        const values = row ? { key: row.key } : {};
        for (const name of Object.keys(fields)) values[name] = fields[name].entry.value;
        go.disabled = true;
        try {
          const said = await asks().act("organisation.save", { kind: props.kind, new: !row, values });
          let first = null;
          for (const name of Object.keys(fields)) {
            const words = said.faults[name] || "";
            write(fields[name].fault, words);
            fields[name].entry.setAttribute("aria-invalid", String(Boolean(words)));
            if (words && !first) first = fields[name].entry;
          }
          const wrong = Object.values(said.faults);
          over().toast(wrong.length && !first ? wrong[0] : said.words, { bad: wrong.length > 0 });
          if (first) first.focus(); else if (!wrong.length) opened.close();
        } catch (error) { bad(error); }
        go.disabled = false;
      });
      setTimeout(() => fields.name.entry.focus());
    } });
  }
  async function retire(kind, row) {
    let said;
    try { said = await asks().read("organisation.retiring", { kind }); } catch (error) { bad(error); return; }
    over().dialog({ title: "Retire " + row.values.name + "?", build(body, dialog) {
      make("p", "", body, said.words);
      make("p", "t2", body, "Adding the key “" + row.key + "” again brings it back.");
      button("Keep it", "btn", dialog.foot, dialog.close).focus();
      const go = button("Retire", "btn pri", dialog.foot, async () => {
        go.disabled = true;
        try {
          const done = await asks().act("organisation.retire", { kind, key: row.key });
          dialog.close();
          over().escape();
          over().toast(done.words);
        } catch (error) { bad(error); go.disabled = false; }
      });
    } });
  }

  // -- a file ------------------------------------------------------------------------------------------------
  function load() {
    over().dialog({ title: "Load a file", wide: true, build(body, dialog) {
      make("p", "t2", body, "A CSV or TOML file of brands, locations and teams. What it does not name stays as it is; nothing is written before you have seen the difference.");
      const label = make("label", "org-file", body, "File "), file = make("input", "", label);
      file.type = "file";
      file.accept = ".csv,.toml";
      const out = make("div", "org-difference", body);
      out.setAttribute("role", "status");
      let given = null;
      const go = button("Load", "btn pri", dialog.foot, async () => {
        go.disabled = true;
        try {
          const said = await asks().act("organisation.load", given);
          over().toast(said.words, { bad: !said.done });
          if (said.done) dialog.close(); else shown(said);
        } catch (error) { bad(error); }
      });
      go.disabled = true;
      function shown(said) {
        given.seen = said.seen;
        out.textContent = "";
        go.disabled = !said.number;
        write(go, "Load " + said.number + (said.number === 1 ? " change" : " changes"));
        if (!said.number) make("p", "", out, "The file says what is there already.");
        const list = make("ul", "", out);
        for (const [action, thing, key, what] of said.rows) make("li", "", list, (action === "add" ? "+ " : "~ ") + thing + " " + key + (what ? ": " + what : ""));
        if (said.number > said.rows.length) make("p", "t3", out, "and " + (said.number - said.rows.length) + " more");
      }
      file.addEventListener("change", async () => {
        if (!file.files.length) return;
        go.disabled = true;
        out.textContent = "";
        try {
          given = { name: file.files[0].name, content: await file.files[0].text() };
          shown(await asks().act("organisation.look", given));
        } catch (error) { for (const words of error.message.split("\n")) make("p", "org-fault", out, words); }
      });
    } });
  }
})();
