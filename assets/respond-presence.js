/* Who is at a case: said while it is open and the page is looked at, and the claim is renewed so long. Nothing here draws: the queue shows it. */
(function () {
  "use strict";
  const D = (window.WatchfloorDesk = window.WatchfloorDesk || {});
  const BEAT_MS = 8000, RENEW_MS = 60000, TYPING_MS = 8000;
  let id = "", typedAt = -1e9, beaten = 0, said = "", renewedAt = 0;

  const isHere = () => id !== "" && !document.hidden && D.isOn();
  const doing = () => (performance.now() - typedAt < TYPING_MS ? "typing" : "looking");
  function beat() {
    if (!isHere() || !D.may("draft")) return;
    said = doing();
    beaten = performance.now();
    // A beat that is lost is followed by another.
    D.asks().ask("case.presence", { case: id, doing: said }).catch(() => {});
  }
  D.lookPresence = function (view) {
    if (id === view.id) return;
    id = view.id;
    typedAt = -1e9;
    renewedAt = performance.now();
    beat();
  };
  D.typingPresence = function () {
    typedAt = performance.now();
    if (said !== "typing" && id) beat();
  };
  D.doneTyping = function () { typedAt = -1e9; if (said === "typing") beat(); };
  D.leavePresence = function () {
    if (id && D.may("draft")) D.asks().ask("case.presence", { case: id, doing: "" }).catch(() => {});
    id = "";
    said = "";
  };
  async function renew() {
    const view = D.view;
    if (!view || !view.mine || view.id !== id) return;
    renewedAt = performance.now();
    try { await D.asks().act("case.renew", { case: view.id, token: view.token }); } catch (error) {
      // Ended meanwhile, or taken over: the case says by whom.
      if (error.status >= 400 && error.status < 500 && error.status !== 401) D.reload();
      else renewedAt = performance.now() - RENEW_MS + 5000;
    }
  }
  setInterval(() => {
    if (!isHere()) return;
    if (performance.now() - beaten >= BEAT_MS) beat();
    if (performance.now() - renewedAt >= RENEW_MS) renew();
  }, 1000);
  document.addEventListener("visibilitychange", () => { if (isHere()) { beat(); if (performance.now() - renewedAt >= RENEW_MS) renew(); } });
  window.addEventListener("pagehide", () => D.leavePresence());
})();
