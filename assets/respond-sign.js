/* Signing: what somebody else wrote, why it must be signed, what changed since it was sent back; signed or returned with a reason, by keyboard. */
(function () {
  "use strict";
  const D = (window.WatchfloorDesk = window.WatchfloorDesk || {});
  const { make, icon } = window.WatchfloorDom;
  const MOST_WORDS = 600;
  let shown = null;

  /* Words that stayed, came and went: [[-1 | 0 | 1, text], ...]. */
  D.difference = function (before, after) {
    const a = before.split(/(\s+)/).filter(Boolean), b = after.split(/(\s+)/).filter(Boolean);
    if (a.length > MOST_WORDS || b.length > MOST_WORDS) return [[-1, before], [1, after]];
    const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
    for (let i = a.length - 1; i >= 0; i -= 1) for (let j = b.length - 1; j >= 0; j -= 1) table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
    const parts = [];
    const add = (kind, word) => { const last = parts[parts.length - 1]; if (last && last[0] === kind) last[1] += word; else parts.push([kind, word]); };
    let i = 0, j = 0;
    while (i < a.length || j < b.length) {
      if (i < a.length && j < b.length && a[i] === b[j]) { add(0, a[i]); i += 1; j += 1; }
      else if (i < a.length && (j >= b.length || table[i + 1][j] >= table[i][j + 1])) { add(-1, a[i]); i += 1; }
      else { add(1, b[j]); j += 1; }
    }
    return parts;
  };
  /* Above the composer: a reply that waits for this person's signature, or for somebody's. Answers whether there is one. */
  D.drawPanel = function (host, view) {
    const panel = view.panel, drawn = panel ? JSON.stringify(panel) : "";
    if (host.drawn === drawn) return Boolean(panel);
    host.drawn = drawn;
    host.textContent = "";
    shown = panel;
    if (!panel) return false;
    const box = make("section", "sign-box", host), head = make("div", "sign-head", box);
    box.setAttribute("aria-label", panel.may ? "To be signed by you" : "Waits for sign-off");
    icon(panel.may ? "edit" : "clock", "s16", head);
    make("b", "", head, panel.may ? "Your signature is asked for" : panel.mine ? "Your reply waits for sign-off" : "A reply of " + panel.who + " waits for sign-off");
    const since = make("time", "t3", head);
    since.dataset.since = since.dateTime = panel.asked;
    make("span", "grow", head);
    make("bdi", "t3", head, "by " + panel.who);
    if (panel.before) {
      const diff = make("p", "sign-text diff", box);
      diff.dir = "auto";
      for (const [kind, words] of D.difference(panel.before, panel.text)) {
        if (kind < 0) { make("del", "", diff, words); } else if (kind > 0) make("ins", "", diff, words); else diff.append(words);
      }
      make("p", "t3", box, "Struck: what was sent back. Underlined: what is new.");
    } else make("p", "sign-text", box, panel.text).dir = "auto";
    for (const words of panel.why) make("p", "t2 sign-why", box, words);
    for (const words of panel.says) make("p", "t3 sign-why", box, words);
    const ways = make("div", "sign-ways", box);
    if (panel.may) {
      const back = make("button", "btn", ways, "Send back"), sign = make("button", "btn pri", ways, "Sign");
      make("kbd", "", back, "B");
      make("kbd", "", sign, "Ctrl ↵");
      back.type = sign.type = "button";
      back.addEventListener("click", D.sendBack);
      sign.addEventListener("click", D.sign);
    } else if (panel.mine) {
      const edit = make("button", "btn", ways, "Take it back and edit");
      edit.type = "button";
      edit.addEventListener("click", () => D.replyDoes.edit(panel));
    }
    return true;
  };
  D.maySign = () => Boolean(shown && shown.may && D.view && D.view.panel);
  async function done(name, given) {
    try {
      const said = await D.asks().act(name, Object.assign({ case: D.selected, reply: shown.id, hash: shown.hash }, given));
      D.toast(said.words);
    } catch (error) { D.fail(error); await D.changed(); return false; }
    await D.changed();
    D.askOwn();
    return true;
  }
  D.sign = () => (D.maySign() ? done("reply.sign", {}) : Promise.resolve(false));
  D.sendBack = () => { if (D.maySign()) D.reason("Send it back to " + shown.who + "?", "", "Send it back", (reason) => done("reply.return", { reason })); };
})();
