/* Saved views: the button in the scope bar, its menu, the entries of the sheet on a phone; and where the sign at the top left
   leads. WatchfloorViews.list() -> [{id, name, path, search, start}], .open(view), .save(), .menu(button). */
(function () {
  "use strict";
  const { make, icon, write } = window.WatchfloorDom;
  // Which view was opened last in this tab: it can be updated once its scope has changed.
  const OPENED = "watchfloor-view";
  let views = [], start = "/";
  const overlay = () => window.WatchfloorOverlay;

  // -- which one is on ---------------------------------------------------------------------------------------
  const here = () => location.pathname + location.search;
  const leads = (view) => view.path + view.search;
  const same = (view) => leads(view) === here();
  function opened() {
    const fits = views.find(same);
    return fits || views.find((view) => view.id === sessionStorage.getItem(OPENED)) || null;
  }
  function remember(view) {
    if (view) sessionStorage.setItem(OPENED, view.id); else sessionStorage.removeItem(OPENED);
  }
  function show() {
    const button = document.querySelector("#scope-bar .views"), view = opened();
    if (view && same(view)) remember(view);
    if (!button) return;
    const changed = view && !same(view);
    write(button.querySelector(".v"), view ? view.name + (changed ? ", changed" : "") : "");
    button.classList.toggle("none", !view);
    button.setAttribute("aria-label", "Saved views" + (view ? ": " + view.name + (changed ? ", changed" : "") : ""));
  }
  function take(said) {
    views = said.views;
    start = said.start;
    // dcc.Link goes where its property says.
    window.dash_clientside.set_props("logo", { href: start });
    show();
  }
  const load = () => window.WatchfloorAsks.read("views").then(take);

  // -- what is done with them --------------------------------------------------------------------------------
  function open(view) {
    remember(view);
    window.WatchfloorShell.go(view.path, view.search);
    show();
  }
  function act(name, given, undo) {
    return window.WatchfloorAsks.act(name, given).then(
      (said) => {
        overlay().toast(said.words, undo ? { undo: () => undo(said) } : undefined);
        if (said.view && name !== "view.delete") remember(said.view);
        return load().then(() => said);
      },
    );
  }
  const bad = (error) => overlay().toast(error.message, { bad: true });
  function ask(title, label, words, done) {
    overlay().dialog({
      title,
      build(body, dialog) {
        const form = make("form", "name-form", body), field = make("input", "field", make("label", "", form, "Name"));
        form.id = "view-form";
        field.value = words;
        field.maxLength = 80;
        field.required = true;
        field.autocomplete = "off";
        field.autofocus = true;
        const said = make("p", "date-fault", form);
        said.setAttribute("role", "alert");
        const later = make("button", "btn", dialog.foot, "Cancel"), now = make("button", "btn pri", dialog.foot, label);
        later.type = "button";
        later.addEventListener("click", dialog.close);
        now.setAttribute("form", form.id);
        form.addEventListener("submit", (event) => {
          event.preventDefault();
          done(field.value).then(dialog.close, (error) => { write(said, error.message); field.focus(); });
        });
        setTimeout(() => field.select(), 0);
      },
    });
  }
  function save() { ask("Save this view", "Save view", suggested(), (name) => act("view.save", { name })); }
  /* What is chosen, in the words of the scope bar. */
  function suggested() {
    const scope = window.WatchfloorScope.asked(), words = [];
    for (const button of document.querySelectorAll("#scope-bar .kinds.set .v")) words.push(button.textContent);
    if (scope.q) words.push("“" + scope.q + "”");
    const page = document.title.split(" · ")[0];
    if (page && page !== "Command") words.unshift(page);
    if (scope.window) words.push(window.WatchfloorDates && scope.window.includes("..") ? window.WatchfloorDates.words(scope.window) : scope.window);
    return words.join(", ").slice(0, 80);
  }
  function rename(view) { ask("Rename this view", "Rename", view.name, (name) => act("view.rename", { id: view.id, name })); }
  function forget(view) {
    const again = { name: view.name, path: view.path, search: view.search, start: view.start };
    act("view.delete", { id: view.id }, () => act("view.save", again).catch(bad)).catch(bad);
    remember(null);
  }
  function copy() {
    const link = location.href;
    const shown = () => overlay().dialog({
      title: "Link to this view",
      build(body) {
        const field = make("input", "field", body);
        field.readOnly = true;
        field.value = link;
        field.setAttribute("aria-label", "Link");
        setTimeout(() => field.select(), 0);
      },
    });
    // A page that came over plain http from another machine has no clipboard.
    if (!navigator.clipboard) { shown(); return; }
    navigator.clipboard.writeText(link).then(() => overlay().toast("Link copied."), shown);
  }

  // -- the menu ----------------------------------------------------------------------------------------------
  function items() {
    const on = opened(), found = views.map((view) => ({
      words: view.name, on: same(view), note: view.start ? "start" : "", act: () => open(view),
    }));
    if (found.length) found.push({ line: true });
    found.push({ words: "Save this view as…", act: save });
    if (on && !same(on)) found.push({ words: "Update “" + on.name + "”", act: () => act("view.update", { id: on.id }).catch(bad) });
    if (on) {
      found.push(on.start
        ? { words: "Begin at Command again", act: () => act("view.start", {}).catch(bad) }
        : { words: "Make it my start page", act: () => act("view.start", { id: on.id }).catch(bad) });
      found.push({ words: "Rename…", act: () => rename(on) });
      found.push({ words: "Delete “" + on.name + "”", act: () => forget(on) });
    }
    found.push({ line: true }, { words: "Copy link", act: copy });
    return found;
  }
  function menu(button) { overlay().menu(button, items()); }
  function entry(parent, words, act, on) {
    const button = make("button", "sheet-entry", parent);
    button.type = "button";
    icon(on ? "check" : "view", "s16", button);
    make("bdi", "", button, words);
    button.addEventListener("click", act);
  }
  window.addEventListener("watchfloor:sheet", (event) => {
    const { parts, close } = event.detail;
    make("h3", "", parts, "Saved views");
    for (const view of views) entry(parts, view.name, () => { close(); open(view); }, same(view));
    entry(parts, "Save this view as…", () => { close(); save(); });
    const on = opened();
    if (on) entry(parts, on.start ? "Begin at Command again" : "Make “" + on.name + "” my start page", () => { close(); act("view.start", on.start ? {} : { id: on.id }).catch(bad); });
    if (on) entry(parts, "Delete “" + on.name + "”", () => { close(); forget(on); });
    entry(parts, "Copy link", () => { close(); copy(); });
  });
  window.addEventListener("watchfloor:scope", show);
  window.addEventListener("watchfloor:page", show);
  // After the first picture: nobody opens a view before they see something.
  let asked = false;
  window.addEventListener("live:subscribed", () => { if (!asked) { asked = true; load().catch(() => { asked = false; }); } });
  window.WatchfloorViews = { list: () => views, open, save, menu, copy, startAddress: () => start };
})();
