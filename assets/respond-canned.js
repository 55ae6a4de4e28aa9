/* Canned replies: three of them at hand, all of them behind "/", found by typing, with the fields of this case filled in. */
(function () {
  "use strict";
  const D = (window.WatchfloorDesk = window.WatchfloorDesk || {});
  const { make, icon } = window.WatchfloorDom;
  const AT_HAND = 3;
  let known = null, open = null;

  D.drawCanned = async function (view) {
    if (!view.may.draft) return;
    try { known = Object.assign(await D.asks().read("reply.canned", { case: view.id }), { id: view.id }); } catch (_error) { return; }
    const c = D.composer();
    if (!c || c.id !== known.id) return;
    c.chips.textContent = "";
    for (const one of known.canned.slice(0, AT_HAND)) {
      const chip = make("button", "chip line", c.chips, one.name);
      chip.type = "button";
      chip.title = one.text;
      chip.addEventListener("click", () => put(one));
    }
    c.cannedWords.hidden = !known.canned.length;
  };
  function put(one) {
    const c = D.composer();
    if (!c || c.texts.reply.disabled) { D.toast("Claim the case first."); return; }
    D.insert(one.text);
    if (one.missing.length) D.toast("Fill in: " + one.missing.join(", "));
  }
  D.closeCanned = function () {
    if (!open) return false;
    open.remove();
    open = null;
    const c = D.composer();
    if (c) c.texts.reply.focus();
    return true;
  };
  D.canned = async function () {
    const c = D.composer();
    if (!c || c.mode !== "reply" || open) return;
    if (c.texts.reply.disabled && !(await D.claim())) return;
    const rows = known && known.id === c.id ? known.canned : [];
    const host = (open = make("div", "c-canned"));
    c.texts.reply.before(host);
    const find = make("label", "find", host);
    icon("search", "s14", find);
    const field = make("input", "", find);
    field.placeholder = rows.length ? "Find a canned reply" : "There is no canned reply for this brand yet";
    field.setAttribute("aria-label", "Find a canned reply");
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-expanded", "true");
    field.setAttribute("aria-controls", "canned-list");
    const list = make("ul", "list", host);
    list.id = "canned-list";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Canned replies");
    let at = 0, found = [];
    const draw = () => {
      const wanted = field.value.trim().toLowerCase();
      found = rows.filter((one) => (one.name + " " + one.text).toLowerCase().includes(wanted));
      at = Math.min(at, Math.max(found.length - 1, 0));
      list.textContent = "";
      found.forEach((one, place) => {
        const row = make("li", place === at ? "at" : "", list);
        row.id = "canned-" + place;
        row.setAttribute("role", "option");
        row.setAttribute("aria-selected", String(place === at));
        make("b", "", row, one.name);
        make("bdi", "t3", row, one.text);
        row.addEventListener("mousedown", (event) => { event.preventDefault(); choose(one); });
      });
      field.setAttribute("aria-activedescendant", found.length ? "canned-" + at : "");
    };
    const choose = (one) => { D.closeCanned(); put(one); };
    field.addEventListener("input", () => { at = 0; draw(); });
    field.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") at = Math.min(at + 1, found.length - 1);
      else if (event.key === "ArrowUp") at = Math.max(at - 1, 0);
      else if (event.key === "Enter") { event.preventDefault(); event.stopPropagation(); if (found[at]) choose(found[at]); return; }
      else if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); D.closeCanned(); return; }
      else return;
      event.preventDefault();
      draw();
    });
    field.addEventListener("blur", () => setTimeout(() => { if (open === host && !host.contains(document.activeElement)) { host.remove(); open = null; } }, 0));
    draw();
    field.focus();
  };
})();
