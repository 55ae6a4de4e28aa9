/* Several cases at once: ticked, then claimed, given to somebody, tagged or dismissed, and each of these undone. Never one text to many. */
(function () {
  "use strict";
  const D = (window.WatchfloorDesk = window.WatchfloorDesk || {});
  const { make, icon, write } = window.WatchfloorDom;
  let last = null;
  const host = () => document.getElementById("queue-bulk");

  D.drawBulk = function () {
    const bar = host();
    if (!bar) return;
    const n = D.ticked.size;
    bar.hidden = !n;
    if (!n) return;
    if (!bar.firstChild) build(bar);
    write(bar.firstChild, n === 1 ? "1 case" : n + " cases");
  };
  function build(bar) {
    make("b", "", bar);
    make("span", "grow", bar);
    const button = (words, act) => { const one = make("button", "btn sm", bar, words); one.type = "button"; one.addEventListener("click", act); };
    button("Claim", () => D.bulk("claimed", {}));
    button("Assign", () => { if (!D.selected) D.select([...D.ticked][0], { stay: true }); D.assign([...D.ticked]); });
    button("Tag", () => D.tags([...D.ticked]));
    button("Dismiss", () => D.reason("Dismiss " + D.ticked.size + " cases?", "Nobody answers them. A new post of a person opens theirs again.", "Dismiss " + D.ticked.size + " cases", (reason) => D.bulk("dismissed", { reason })));
    const none = make("button", "btn sm ghost", bar);
    none.type = "button";
    none.setAttribute("aria-label", "Untick all");
    icon("x", "s14", none);
    none.addEventListener("click", () => { D.ticked.clear(); D.drawQueue(); });
  }
  D.bulk = async function (step, details) {
    const ids = [...D.ticked];
    try {
      const said = await D.asks().act("case.bulk", { cases: ids, step, details });
      last = said.undo;
      D.ticked.clear();
      D.drawQueue();
      D.toast(said.words, said.undo && said.undo.length ? { undo: () => undo(said.undo), ms: 10000 } : {});
      if (D.view) D.reload();
      return true;
    } catch (error) { D.fail(error); return false; }
  };
  function undo(done) { last = null; D.undoBulk(done); }
  /* U: the reply that is about to go, else the last thing that was done to many. */
  D.undo = function () {
    if (D.undoSend()) return;
    if (last && last.length) undo(last); else D.toast("There is nothing to undo.");
  };
})();
