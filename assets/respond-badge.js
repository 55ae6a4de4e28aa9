/* The number at the desk's name, on every page: answers that are late or due within a quarter of an hour, by the clock of the server. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const { write } = window.WatchfloorDom;
  const SOON_MS = 15 * 60000;
  let dues = [], most = 0;

  function draw() {
    const edge = L.now() + SOON_MS, near = dues.filter((due) => due <= edge).length, words = near >= most && near ? near + "+" : String(near);
    for (const badge of document.querySelectorAll('[href="/respond"] .rb')) {
      badge.hidden = !near;
      write(badge, words);
      badge.title = near === 1 ? "1 answer is late or due within 15 minutes" : words + " answers are late or due within 15 minutes";
    }
  }
  L.custom["due-count"] = function (props) {
    dues = props.dues.map((due) => Date.parse(due));
    most = props.most;
    draw();
    return true;
  };
  setInterval(() => { if (!document.hidden) draw(); }, 1000);
})();
