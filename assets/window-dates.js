/* A window from one instant to another: two fields on the organisation's clock, and the spans that people mean most. */
(function () {
  "use strict";
  const { make, icon, write } = window.WatchfloorDom;
  const LONGEST_DAYS = 731, DAY = 86400000;
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const NAMED = { "15m": 900000, "1h": 3600000, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY };
  const scope = () => window.WatchfloorScope;
  const zone = () => scope().offered().zone || "UTC";

  // -- the clock of a zone -----------------------------------------------------------------------------------
  /* An instant as the wall clock of the organisation shows it: 2026-11-19T14:32. */
  function local(instant) {
    return new Intl.DateTimeFormat("sv-SE", { timeZone: zone(), year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" })
      .format(instant).replace(" ", "T");
  }
  const now = () => (window.LIVE && window.LIVE.now ? window.LIVE.now() : Date.now());
  const day = (text, days) => new Date(Date.parse(text.slice(0, 10) + "T00:00Z") + days * DAY).toISOString().slice(0, 10);
  /* One end as the address writes it, on the wall clock. A day without a time ends when it is over. */
  function wall(text, ends) {
    if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return day(text, ends ? 1 : 0) + "T00:00";
    if (/(Z|[+-]\d{2}:?\d{2})$/.test(text)) return local(new Date(text));
    return text.replace(" ", "T").slice(0, 16);
  }
  function ends(chosen) {
    const parts = (chosen || "").split("..");
    return parts.length === 2 ? [wall(parts[0], false), wall(parts[1], true)] : null;
  }
  function written(from, to) {
    const midnight = (text) => text.endsWith("T00:00");
    return midnight(from) && midnight(to) ? from.slice(0, 10) + ".." + day(to, -1) : from + ".." + to;
  }
  function words(chosen) {
    const span = ends(chosen);
    if (!span || span.some((text) => !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(text))) return "dates";
    const whole = span.every((text) => text.endsWith("T00:00"));
    const from = span[0], to = whole ? day(span[1], -1) + "T00:00" : span[1];
    const date = (text) => Number(text.slice(8, 10)) + " " + MONTHS[Number(text.slice(5, 7)) - 1];
    const year = from.slice(0, 4) === local(now()).slice(0, 4) && to.slice(0, 4) === from.slice(0, 4) ? "" : " " + to.slice(0, 4);
    if (whole) return (from === to ? date(from) : date(from) + " – " + date(to)) + year;
    if (from.slice(0, 10) === to.slice(0, 10)) return date(from) + year + " " + from.slice(11) + " – " + to.slice(11);
    return date(from) + " " + from.slice(11) + " – " + date(to) + year + " " + to.slice(11);
  }

  // -- the popover -------------------------------------------------------------------------------------------
  function spans() {
    const today = local(now()).slice(0, 10), weekday = (new Date(today + "T00:00Z").getUTCDay() + 6) % 7;
    return [
      ["Today", today, today],
      ["Yesterday", day(today, -1), day(today, -1)],
      ["This week", day(today, -weekday), today],
      ["Last week", day(today, -weekday - 7), day(today, -weekday - 1)],
      ["This month", today.slice(0, 8) + "01", today],
    ];
  }
  function fault(from, to) {
    if (!from || !to) return "Give both: where it begins and where it ends.";
    if (from >= to) return "It ends before it begins.";
    if (from >= local(now())) return "It begins in the future; nothing was said yet.";
    return Date.parse(to + "Z") - Date.parse(from + "Z") > LONGEST_DAYS * DAY ? "At most two years fit on one screen." : "";
  }
  /* A window of dates has an end of its own, so the instant that another one ended at goes. */
  const choose = (chosen) => scope().change({ window: chosen, at: "" });
  function form(host, done) {
    const ways = make("div", "date-ways", host);
    for (const [name, from, to] of spans()) {
      const way = make("button", "btn sm", ways, name);
      way.type = "button";
      way.addEventListener("click", () => { choose(from + ".." + to); done(); });
    }
    const asked = scope().asked(), at = now();
    const span = ends(asked.window) || [local(at - (NAMED[asked.window] || DAY)), local(at)];
    const fields = make("form", "date-fields", host);
    const [from, to] = [["From", span[0]], ["To", span[1]]].map(([name, value]) => {
      const label = make("label", "", fields);
      make("span", "t3", label, name);
      const field = make("input", "", label);
      field.type = "datetime-local";
      field.value = value;
      field.min = "2000-01-01T00:00";
      return field;
    });
    const said = make("p", "date-fault", fields);
    said.setAttribute("role", "alert");
    const foot = make("div", "date-foot", fields);
    make("span", "t3 grow", foot, "Clock of " + zone().replace(/_/g, " "));
    const show = make("button", "btn pri", foot, "Use these dates");
    show.type = "submit";
    fields.addEventListener("submit", (event) => {
      event.preventDefault();
      const wrong = fault(from.value.slice(0, 16), to.value.slice(0, 16));
      write(said, wrong);
      if (wrong) { (from.value ? to : from).focus(); return; }
      choose(written(from.value.slice(0, 16), to.value.slice(0, 16)));
      done();
    });
    return from;
  }
  function open(button) {
    if (scope().openedBy() === button) { scope().close(); return; }
    const host = scope().popover(button, "dates-pop", "Window from and to");
    const first = form(host, () => scope().close());
    scope().place(host, button);
    first.focus();
  }
  window.addEventListener("watchfloor:scope", (event) => {
    const button = document.querySelector("#scope-bar .dates"), chosen = event.detail.window;
    if (!button) return;
    const on = chosen.includes("..");
    button.classList.toggle("set", on);
    write(button.querySelector(".v"), on ? words(chosen) : "");
    button.setAttribute("aria-label", on ? "Window: " + words(chosen) + ". Change the dates" : "Window from and to");
    const phone = document.querySelector("#scope-bar .phone.sel .w");
    if (phone && on) write(phone, words(chosen));
  });
  window.addEventListener("watchfloor:sheet", (event) => {
    const { parts, close } = event.detail;
    make("h3", "", parts, "From and to");
    form(parts, close);
  });
  window.WatchfloorDates = { open, words };
})();
