/* One row of the audit log: what it changed and its place in the chain; and the export of what the filter shows. */
(function () {
  "use strict";
  const A = (window.WatchfloorAudit = window.WatchfloorAudit || {});
  const { make, icon, write } = window.WatchfloorDom;
  const part = (id) => document.getElementById(id);
  const MOST = 50000, FORMS = [["jsonl", "JSON lines"], ["csv", "CSV"]];
  const bad = (error) => window.WatchfloorOverlay.toast(error.message, { bad: true });
  let asked = 0, form = "jsonl", parts = {}, last = "";

  A.built = function () { nothing(); exportBuilt(); };

  // -- one row -------------------------------------------------------------------------------------------
  function nothing() {
    const host = part("audit-row");
    if (!host) return;
    host.textContent = "";
    host.classList.remove("open");
    const none = make("div", "aempty", host);
    make("b", "", none, "No row is open");
    make("span", "t3", none, "Choose one, or go through them with J and K.");
  }
  A.open = async function (id) {
    const mine = (asked += 1);
    A.selected = id;
    A.mark();
    try {
      const found = await window.WatchfloorAsks.read("audit.row", { id });
      if (mine === asked && A.selected === id) show(found);
    } catch (error) {
      if (mine !== asked) return;
      A.selected = "";
      A.mark();
      nothing();
      bad(error);
    }
  };
  A.close = function () {
    if (!A.selected) return false;
    asked += 1;
    A.selected = "";
    A.mark();
    nothing();
    return true;
  };
  function section(host, title, side) {
    const box = make("section", "sec", host), top = make("div", "st", box);
    make("h3", "", top, title);
    if (side) make("span", "t3 end", top, side);
    return box;
  }
  function facts(host, pairs) {
    const list = make("dl", "dl", host);
    for (const [label, text, className] of pairs) {
      if (!text) continue;
      make("dt", "", list, label);
      make("dd", className || "", list, text).dir = "auto";
    }
  }
  function show(row) {
    const host = part("audit-row");
    if (!host) return;
    host.textContent = "";
    host.classList.add("open");
    const head = make("div", "ahead", host);
    make("span", "chip", head, row.number ? "Row " + row.number : "Not linked yet");
    make("h2", "amono", head, row.action);
    make("span", "grow", head);
    const link = button(head, "link", "Copy a link to this row", async () => {
      try { await navigator.clipboard.writeText(location.href); window.WatchfloorOverlay.toast("The link is copied."); } catch (_error) { window.WatchfloorOverlay.toast("The browser does not let the link be copied.", { bad: true }); }
    });
    link.hidden = !navigator.clipboard;
    button(head, "x", "Close", () => A.close());
    const body = make("div", "abody", host);
    const top = make("section", "sec", body);
    const who = row.who === row.email ? row.who : row.who + ", " + row.email;
    facts(top, [["When", row.when], ["Who", who], ["From", row.address], ["On what", row.subject], ["Brand", row.brand], ["Case", row.case], ["Why", row.why]]);
    const only = make("button", "linkish", top, A.filter().who === row.who_key ? "Everybody again" : "Only " + row.who);
    only.type = "button";
    only.addEventListener("click", () => A.only(row));
    if (row.fields.length) {
      const box = section(body, "Before and after", row.fields.length === 1 ? "1 field" : row.fields.length + " fields");
      for (const field of row.fields) {
        const line = make("div", "adiff", box);
        make("span", "t2", line, field.name);
        const gone = make("span", "agone", line), come = make("span", "acome", line);
        if (field.before) { make("i", "", gone, "− "); make("s", "", gone, field.before).dir = "auto"; }
        if (field.after) { make("i", "", come, "+ "); make("span", "", come, field.after).dir = "auto"; } else come.classList.add("none");
        gone.title = field.before; come.title = field.after;
      }
    }
    if (row.rest.length) facts(section(body, "Said with it"), row.rest.map((one) => [one.name, one.value]));
    facts(section(body, "In the chain"), [["This row", hash(row.hash) || "not yet", "amono"], ["Row before", hash(row.previous) || (row.hash ? "the beginning" : ""), "amono"], ["Linked", row.linked], ["Day’s head", row.head]]);
    if (row.followed.length) {
      const box = section(body, "What followed", "the same, within 10 min");
      for (const one of row.followed) {
        const line = make("button", "afollow", box);
        line.type = "button";
        make("span", "t3", line, one.clock);
        make("span", "", line, one.action + (one.change ? ": " + one.change : "") + ", " + one.who).dir = "auto";
        line.addEventListener("click", () => A.open(one.id));
      }
    }
  }
  function button(host, symbol, words, act) {
    const one = make("button", "ib", host);
    one.type = "button";
    one.title = words;
    one.setAttribute("aria-label", words);
    icon(symbol, "s16", one);
    one.addEventListener("click", act);
    return one;
  }
  const hash = (text) => (text ? text.slice(0, 4) + " " + text.slice(4, 8) + " " + text.slice(8, 12) + " … " + text.slice(-4) : "");

  // -- how to check it without trusting this page -----------------------------------------------------------
  A.howTo = function () {
    const chain = A.chain || {};
    window.WatchfloorOverlay.dialog({
      title: "Check it yourself",
      build(body) {
        body.classList.add("ahow");
        make("p", "", body, "Each row is linked to the one before it by a hash over every word of both. Whoever changes, takes out or puts in a row breaks every link behind it.");
        make("p", "", body, "On the server this reads everything again and names the first row that is not as it was written:");
        make("pre", "rtext", body, "watchfloor audit verify");
        make("p", "", body, "The end of each day is signed with a key that is not in the database. Keep the public key and the signed heads where nobody of this installation can write, and compare with them:");
        make("pre", "rtext", body, "watchfloor audit head\nwatchfloor audit verify --heads FILE --key KEY");
        if (chain.key) { make("p", "t3", body, "The newest head is signed by the key"); make("pre", "rtext", body, chain.key); }
        make("p", "", body, "An export in JSON lines says in its first line how each row can be checked without Watchfloor.");
      },
    });
  };

  // -- export --------------------------------------------------------------------------------------------
  function exportBuilt() {
    const host = part("audit-export");
    if (!host || host.firstChild) return;
    const head = make("div", "ph", host);
    make("h2", "", head, "Export");
    const sub = make("span", "sub", head);
    const body = make("div", "aexbody", host), seg = make("span", "seg", body);
    seg.setAttribute("role", "radiogroup");
    seg.setAttribute("aria-label", "Format");
    const choices = FORMS.map(([key, words]) => {
      const one = make("button", "", seg, words);
      one.type = "button";
      one.setAttribute("role", "radio");
      one.addEventListener("click", () => { form = key; A.drawExport(); });
      return one;
    });
    const what = make("p", "aline", body), own = make("p", "aline", body);
    icon("check", "s14", what);
    const words = make("span", "", what);
    icon("lock", "s14", own);
    make("span", "", own, "The export itself becomes a row");
    const foot = make("div", "aline", body), go = make("button", "btn pri", foot);
    go.type = "button";
    icon("save", "s14", go);
    parts = { sub, choices, words, go, said: make("span", "", go), last: make("span", "t3", foot) };
    go.addEventListener("click", () => A.export());
    A.drawExport();
  }
  A.drawExport = function () {
    if (!parts.go || !parts.go.isConnected) return;
    const count = A.counted, rows = count ? count.rows : 0, cut = Boolean(count) && (count.is_part || rows > MOST);
    FORMS.forEach(([key], i) => {
      parts.choices[i].classList.toggle("on", key === form);
      parts.choices[i].setAttribute("aria-checked", String(key === form));
    });
    write(parts.sub, !count ? "what the filter shows" : cut ? "the newest " + MOST.toLocaleString("en") + " of what the filter shows" : "what the filter shows, " + rows.toLocaleString("en") + (rows === 1 ? " row" : " rows"));
    write(parts.words, form === "jsonl" ? "With hashes and signed heads, so others can verify it" : "With hashes; no cell is a formula");
    write(parts.said, count ? "Export " + Math.min(rows, MOST).toLocaleString("en") + (rows === 1 ? " row" : " rows") : "Export");
    parts.go.disabled = !count;
    write(parts.last, last);
  };
  let going = false;
  A.export = async function () {
    if (going) return;
    going = true;
    const token = (document.cookie.split("; ").find((one) => one.startsWith("_csrf_token=")) || "").slice("_csrf_token=".length);
    try {
      const response = await fetch("/export/audit", {
        method: "POST", cache: "no-store", redirect: "manual",
        headers: { "Content-Type": "application/json", "X-CSRFToken": decodeURIComponent(token) },
        body: JSON.stringify(Object.assign(A.filter(), { format: form })),
      });
      if (!response.ok) throw new Error((await response.json().catch(() => ({}))).error || "The export could not be made (" + response.status + ").");
      const rows = Number(response.headers.get("X-Rows")), cut = response.headers.get("X-Cut") === "yes";
      const name = (/filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") || "") || [])[1] || "audit." + form;
      const words = rows.toLocaleString("en") + (rows === 1 ? " row" : " rows") + " saved as " + name + (cut ? "; older ones were cut off" : "") + ".";
      window.WatchfloorPanelMenu.save({ text: await response.blob(), name, words });
      last = "last: " + new Date().toLocaleTimeString([], { hour12: false });
    } catch (error) { bad(error); } finally { going = false; A.drawExport(); }
  };
})();
