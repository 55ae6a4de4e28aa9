/* How to search: six examples below an empty search field while it has the focus; a click on one writes it there. */
(function () {
  "use strict";
  const { make } = window.WatchfloorDom;
  const FIELDS = "#search-text, .sheet .find input[type=search]";
  const EXAMPLES = [
    ["card declin*", "both words; * finds what begins so"],
    ['"customer service"', "these words side by side"],
    ["@halden OR #halden", "either: the handle, the tag"],
    ["card -credit", "without a word"],
    ["card NEAR/3 stolen", "at most three words between"],
    ["author:name network:x lang:en", "by whom, where, in which language"],
  ];
  let shown = null;

  function hide() {
    if (!shown) return;
    shown.field.removeAttribute("aria-describedby");
    shown.host.remove();
    shown = null;
  }
  function show(field) {
    hide();
    const host = make("div", "pop search-help", document.body);
    host.id = "search-help";
    host.setAttribute("role", "note");
    host.setAttribute("aria-label", "How to search");
    make("b", "", host, "How to search");
    const list = make("dl", "", host);
    for (const [typed, meaning] of EXAMPLES) {
      make("code", "", make("dt", "", list), typed).dataset.example = typed;
      make("dd", "", list, meaning);
    }
    field.setAttribute("aria-describedby", "search-help");
    const from = field.closest(".search, .find").getBoundingClientRect();
    host.style.left = Math.max(8, Math.min(from.left, innerWidth - host.offsetWidth - 8)) + "px";
    host.style.top = from.bottom + 4 + "px";
    // Before the field would lose the focus, and with it these examples.
    host.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const example = event.target.closest("[data-example]");
      if (!example) return;
      field.value = example.dataset.example;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    shown = { field, host };
  }
  function follow(event) {
    const field = event.target;
    if (!field.matches || !field.matches(FIELDS)) return;
    if (field.value || document.activeElement !== field) hide();
    else show(field);
  }
  document.addEventListener("focusin", follow);
  document.addEventListener("input", follow);
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === "Escape") hide(); });
  window.addEventListener("resize", hide);
})();
