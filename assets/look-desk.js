/* Look here, for the desk: a most urgent answer that has become late, a reply whose turn to be signed is mine, an incident that was
   declared. Each calls once in a browser, the way that a person has set; what is older than a quarter of an hour is history. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.arrived = L.arrived || {};
  const FRESH_MS = 15 * 60000;
  const may = (right) => document.documentElement.classList.contains("may-" + right) || document.documentElement.classList.contains("may-admin");
  const look = (items) => { if (items.length) window.WatchfloorLook.look(items); };
  const since = (iso) => L.now() - Date.parse(iso);
  const isNow = (iso) => since(iso) >= 0 && since(iso) < FRESH_MS;
  const clock = (iso) => new Date(iso).toLocaleTimeString("en-GB", { timeZone: window.WatchfloorScope.offered().zone || undefined, hour: "2-digit", minute: "2-digit" });
  let urgent = [], replies = null;

  /* Its instant is part of the name: the next round of a case may be late again. */
  function late() {
    look(urgent.filter((one) => isNow(one.at)).map((one) => ({
      id: "desk-late-" + one.id + "-" + one.at, title: "P1 late", text: one.brand + ", answer was due at " + clock(one.at),
    })));
  }
  async function signatures(count) {
    if (count === replies || !may("sign_off")) return;
    const before = replies;
    replies = count;
    try {
      const { asked } = await window.WatchfloorAsks.read("replies.asked");
      look(asked.map((one) => ({ id: "desk-sign-" + one.id + "-" + one.at, title: "Sign-off", text: one.author + " asks for " + one.brand })));
    } catch (_error) { replies = before; }
  }
  function after(name, act) {
    const before = L.arrived[name];
    L.arrived[name] = (props) => { if (before) before(props); act(props); };
  }
  after("due-count", (props) => { urgent = props.urgent; late(); signatures(props.replies); });
  after("banner-list", (props) => look(props.items.filter((item) => isNow(item.since)).map((item) => ({
    id: "desk-incident-" + item.id, title: "Incident " + item.label, text: item.name,
  }))));
  setInterval(late, 5000);
})();
