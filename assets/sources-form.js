/* The forms that add and change a source. What is secret goes out once: it is never filled in, and emptied after sending. */
(function () {
  "use strict";
  const S = (window.WatchfloorSources = window.WatchfloorSources || {});
  const { make, icon, write } = window.WatchfloorDom;
  const PATIENCE = 15000;
  let dialog = null, row = null, form = null, fields = new Map(), check = "", number = 0, patience = 0, button = null, status = null;

  S.formOpen = () => Boolean(dialog);
  S.form = function (which) {
    if (!S.data) return;
    S.closeForm();
    row = which; form = null; check = "";
    dialog = make("dialog", "dialog sform", document.body);
    dialog.setAttribute("aria-label", row ? "Edit " + row.name : "Add a source");
    dialog.addEventListener("cancel", (event) => { event.preventDefault(); S.closeForm(); });
    dialog.addEventListener("click", (event) => { if (event.target === dialog) S.closeForm(); });
    const known = S.data.forms;
    if (row) show(known.find((one) => one.kind === row.kind));
    else if (known.length === 1) show(known[0]);
    else choose(known);
    dialog.showModal();
    const first = dialog.querySelector("input,select,textarea,.kcard");
    if (first) first.focus();
  };
  S.closeForm = function () {
    if (!dialog) return false;
    clearTimeout(patience);
    for (const field of fields.values()) if (field.input.type === "password") field.input.value = "";
    dialog.remove();
    dialog = null; fields = new Map(); check = "";
    return true;
  };
  function top(title) {
    dialog.textContent = "";
    const head = make("header", "", dialog);
    make("h2", "", head, title);
    const shut = make("button", "close", head);
    shut.setAttribute("aria-label", "Close"); icon("x", "s16", shut);
    shut.addEventListener("click", S.closeForm);
  }
  function choose(known) {
    top("Add a source");
    for (const one of known) {
      const card = make("button", "kcard", dialog);
      make("b", "", card, one.title); make("span", "t2", card, one.words);
      card.addEventListener("click", () => { show(one); const first = dialog.querySelector("input,select,textarea"); if (first) first.focus(); });
    }
  }
  function field(host, spec, value) {
    const box = make("div", "fi" + (["secret", "number"].includes(spec.type) ? " half" : ""), host), id = "source-field-" + spec.name, label = make("label", "", box, spec.label);
    label.htmlFor = id;
    if (spec.required) make("span", "t3", label, " needed");
    const tag = spec.type === "choice" ? "select" : spec.type === "long" ? "textarea" : "input";
    const input = make(tag, "fld", box);
    input.id = id; input.name = spec.name; input.autocomplete = "off"; input.spellcheck = false;
    if (tag === "input") input.type = spec.type === "secret" ? "password" : "text";
    if (spec.type === "secret") { input.autocomplete = "new-password"; if (row) input.placeholder = "Stored values stay where this is empty"; }
    if (spec.type === "number") input.inputMode = "decimal";
    if (tag === "textarea") input.rows = 4;
    for (const [key, words] of spec.choices || []) { const option = make("option", "", input, words); option.value = key; }
    if (spec.type !== "secret") input.value = value === undefined || value === null ? spec.default || "" : value;
    if (tag === "select" && !input.value && input.options.length) input.selectedIndex = 0;
    const help = make("span", "t3 fh", box, spec.help || ""), fault = make("span", "wn ff", box);
    fault.id = id + "-fault";
    input.setAttribute("aria-describedby", fault.id);
    input.addEventListener("input", () => { write(fault, ""); input.removeAttribute("aria-invalid"); depend(); });
    fields.set(spec.name, { box, input, fault, help, spec });
  }
  function depend() {
    for (const { box, spec } of fields.values()) {
      const on = spec.only && fields.get(spec.only[0]);
      box.hidden = Boolean(on) && (on.box.hidden || !spec.only[1].includes(on.input.value));
    }
  }
  function show(chosen) {
    form = chosen; fields = new Map();
    top(row ? "Edit " + row.name : "Add: " + form.title);
    const body = make("form", "fbody", dialog), values = row ? row.form : {};
    body.noValidate = true;
    make("p", "t2", body, form.words);
    field(body, { name: "name", label: "Name", type: "text", help: "As screens call it", required: true }, values.name);
    for (const spec of form.fields) field(body, spec, row ? values[spec.name] || "" : undefined);
    field(body, { name: "every_seconds", label: "Seconds between two fetches", type: "number", help: "1 to 86,400" }, row ? values.every_seconds : form.every);
    if (form.paid) {
      field(body, { name: "budget", label: "Budget, dollars a month", type: "number", help: "Empty = no limit. When it is spent the source stops by itself, and says so." }, values.budget);
      field(body, { name: "remeasure", label: "Measure engagement again", type: "choice", choices: S.data.remeasure, help: "Each new measurement is paid for" }, values.remeasure);
    }
    depend();
    status = make("p", "fstat", body);
    status.setAttribute("role", "status");
    const foot = make("div", "ffoot", body);
    if (!row && S.data.forms.length > 1) { const back = make("button", "btn", foot, "Back"); back.type = "button"; back.addEventListener("click", () => choose(S.data.forms)); }
    make("span", "grow", foot);
    const no = make("button", "btn", foot, "Cancel");
    no.type = "button"; no.addEventListener("click", S.closeForm);
    button = make("button", "btn pri", foot, row ? "Check and save" : "Check and add");
    button.type = "submit";
    body.addEventListener("submit", (event) => { event.preventDefault(); send(); });
  }
  function say(words, tone) { write(status, words); status.className = "fstat " + (tone || ""); }
  function busy(is) {
    button.disabled = is;
    write(button, is ? "Checking…" : row ? "Check and save" : "Check and add");
  }
  function send() {
    if (button.disabled) return;
    const values = {};
    for (const [name, { box, input, fault }] of fields) { write(fault, ""); input.removeAttribute("aria-invalid"); if (!box.hidden) values[name] = input.value; }
    number += 1; check = "";
    busy(true); say("Checking…");
    window.dash_clientside.set_props("source-form-asked", { data: { n: number, kind: form.kind, source: row ? row.id : null, values: values } });
    clearTimeout(patience);
    patience = setTimeout(() => { if (dialog && button.disabled) say("The server did not answer. Nothing was saved; try again.", "wn"); busy(false); }, PATIENCE);
  }
  S.formDone = function (done) {
    if (!done || !dialog || done.n !== number) return "";
    // What was sent may hold secrets: nothing of it stays in the page.
    window.dash_clientside.set_props("source-form-asked", { data: null });
    clearTimeout(patience);
    if (!done.ok) {
      busy(false); say(done.words, "wn");
      let first = null;
      for (const name in done.faults) {
        const field = fields.get(name) || fields.get("name");
        write(field.fault, done.faults[name][0].toUpperCase() + done.faults[name].slice(1));
        field.input.setAttribute("aria-invalid", "true");
        first = first || field.input;
      }
      if (first) first.focus();
      return "";
    }
    check = done.check;
    say("Checking… an ingest worker tries it now; nothing is saved until it works.");
    patience = setTimeout(() => {
      if (dialog && check) say("No ingest worker has answered within 15 s. Is “watchfloor ingest” running? The check waits a quarter of an hour for one.", "wn");
    }, PATIENCE);
    S.checks(S.data ? S.data.checks : []);
    return "";
  };
  /* The live page brings what came of it. */
  S.checks = function (checks) {
    const mine = check && dialog ? checks.find((one) => one.id === check) : null;
    if (!mine) return;
    if (mine.state === "trying") { clearTimeout(patience); say("Checking… a worker is asking the network."); }
    if (mine.state === "refused") { clearTimeout(patience); check = ""; busy(false); say("✕ " + mine.answer, "wn"); }
    if (mine.state !== "works") return;
    check = "";
    const saved = S.data.rows.find((one) => one.name === mine.name);
    S.closeForm();
    S.toast(mine.name + ": " + mine.answer, true);
    if (saved) S.open(saved.id);
  };
})();
