/* What of the queue is mine alone: what waits for my signature; what I hold beyond the part that everybody gets; closed cases when they are
   looked for. Asked for when the shared queue says that it may have changed. */
(function () {
  "use strict";
  const D = (window.WatchfloorDesk = window.WatchfloorDesk || {});
  const WAIT_MS = 300;
  D.own = { sign: [], mine: [], closed: [] };
  let signs = null, timer = 0, asking = false, again = false;

  /* The cases in which a reply waits, and for how many signatures: when that changes, so may what waits for mine. */
  const signature = () => D.queue.signs;
  function wanted() {
    const found = [];
    if (D.may("sign_off") && signs !== signature()) found.push("sign");
    if (D.queue.more) found.push("mine");
    if (D.tab === "team" && D.show === "closed") found.push("closed");
    return found;
  }
  async function ask() {
    timer = 0;
    if (!D.queue) return;
    if (asking) { again = true; return; }
    const tabs = wanted();
    if (!tabs.length) return;
    asking = true;
    const seen = signature();
    try {
      for (const tab of tabs) {
        const said = await window.WatchfloorAsks.read("queue", { tab });
        D.own[tab] = said.rows;
        if (tab === "sign") signs = seen;
      }
    } catch (_error) { /* the link says that it is down, and the next frame asks again */ }
    asking = false;
    D.drawQueue();
    if (again) { again = false; D.askOwn(); }
  }
  D.askOwn = function () { if (!timer) timer = setTimeout(ask, WAIT_MS); };
  D.forgetOwn = function () { signs = null; D.own = { sign: [], mine: [], closed: [] }; };
})();
