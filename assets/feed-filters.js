/* The filters of the feed: chips that write the address, as every control does, and are drawn from it. */
(function () {
  "use strict";
  const F = (window.WatchfloorFeed = window.WatchfloorFeed || {});
  const { make, write, icon } = window.WatchfloorDom;
  const ORDERS = { age: ["Newest", "Newest first"], reach: ["Reach", "Highest reach first"] };
  const names = window.Intl && Intl.DisplayNames ? new Intl.DisplayNames(["en"], { type: "language" }) : null;
  const languages = new Set();

  const scope = () => window.WatchfloorScope;
  function called(code) {
    try { return (names && names.of(code)) || code; } catch (_error) { return code; }
  }
  function toggled(list, value) {
    return list.includes(value) ? list.filter((one) => one !== value) : [...list, value];
  }
  function show() {
    const asked = scope().asked();
    for (const chip of document.querySelectorAll(".feed-filters [data-feed]")) {
      const what = chip.dataset.feed;
      if (what === "lang") {
        const chosen = asked.lang.map(called);
        label(chip, chosen.length ? chosen.slice(0, 2).join(", ") + (chosen.length > 2 ? " +" + (chosen.length - 2) : "") : "Language");
        chip.classList.toggle("on", chosen.length > 0);
      } else if (what === "sort") label(chip, ...(ORDERS[asked.sort] || ORDERS.age));
      else {
        const on = asked.show.includes(what);
        chip.setAttribute("aria-pressed", String(on));
        chip.classList.toggle("on", on);
      }
    }
  }
  function label(chip, words, whole) {
    if (!chip.firstElementChild) {
      chip.textContent = "";
      make("span", "", chip);
      icon("chev", "s12", chip);
    }
    write(chip.firstElementChild, words);
    chip.setAttribute("aria-label", (chip.dataset.feed === "lang" ? "Language: " : "Order: ") + (whole || words));
  }
  function choose(chip) {
    const asked = scope().asked(), what = chip.dataset.feed;
    if (what === "sort") {
      window.WatchfloorOverlay.menu(chip, Object.entries(ORDERS).map(([key, [, words]]) => (
        { words, on: (asked.sort || "age") === key, act: () => scope().change({ sort: key === "age" ? "" : key }) })));
    } else if (what === "lang") {
      asked.lang.forEach((code) => languages.add(code));
      const entries = [...languages].sort((a, b) => called(a).localeCompare(called(b))).map((code) => (
        { words: called(code), on: asked.lang.includes(code), act: () => scope().change({ lang: toggled(asked.lang, code) }) }));
      window.WatchfloorOverlay.menu(chip, [{ words: "All languages", on: !asked.lang.length, act: () => scope().change({ lang: [] }) }, ...entries]);
    } else scope().change({ show: toggled(asked.show, what) });
  }
  /* What may be chosen is what the organisation speaks, and what was seen. */
  F.offer = (props) => {
    (props.languages || []).forEach((code) => languages.add(code));
    for (const row of props.rows) if (row.lang) languages.add(row.lang);
    show();
  };
  document.addEventListener("click", (event) => {
    const chip = event.target.closest && event.target.closest(".feed-filters [data-feed]");
    if (chip) choose(chip);
  });
  for (const name of ["watchfloor:scope", "live:subscribed"]) window.addEventListener(name, () => scope() && show());
})();
