/* Replies under way, as they stand in the conversation: waiting for sign-off, sent back, about to go, sent, doubtful, failed. Each says what
   can be done with it; a doubtful one is decided by a person.

   WatchfloorDesk.drawReply(element, reply); .undoSend(): takes the newest one back while it can be. */
(function () {
  "use strict";
  const D = (window.WatchfloorDesk = window.WatchfloorDesk || {});
  const { make, write } = window.WatchfloorDom;
  const WORDS = {
    drafted: "Draft", awaiting_sign_off: "Waits for sign-off", returned: "Sent back", approved: "Goes out", sending: "Sending…", sent: "Sent",
    unknown: "Not known whether it arrived", failed: "Not sent", withdrawn: "Withdrawn",
  };

  D.drawReply = function (line, it) {
    line.className = "msg out reply-" + it.state + (["unknown", "failed", "returned"].includes(it.state) ? " attend" : "");
    const top = make("div", "mm", line);
    make("bdi", "m-who", top, it.who);
    D.time(top, it.at);
    make("span", "t3", top, it.about);
    make("span", "grow", top);
    const state = make("span", "r-state chip" + (["unknown", "failed"].includes(it.state) ? " late" : it.state === "returned" ? " warn" : ""), top);
    if (it.send_at) { state.dataset.sends = it.send_at; counting(state); } else write(state, WORDS[it.state]);
    make("p", "", line, it.text).dir = "auto";
    for (const words of it.says) make("p", "t3 r-says", line, words).dir = "auto";
    if (!it.can.length) return;
    const ways = make("div", "r-ways", line);
    for (const [what, words] of it.can) {
      const button = make("button", "btn sm", ways, words);
      button.type = "button";
      button.addEventListener("click", () => does[what](it));
    }
  };
  function counting(state) {
    const left = Math.ceil((Date.parse(state.dataset.sends) - D.now()) / 1000);
    write(state, left > 0 ? "Goes out in " + left + " s" : "Sending…");
    // The way back is closed with the last second.
    if (left <= 0) for (const button of state.closest("li").querySelectorAll(".r-ways button")) button.disabled = true;
  }
  setInterval(() => { for (const state of document.querySelectorAll("[data-sends]")) counting(state); }, 500);

  async function act(name, it, given, then) {
    try {
      const said = await D.asks().act(name, Object.assign({ case: D.selected, reply: it.id }, given));
      D.toast(said.words);
      if (then) then(said);
      await D.changed();
      return true;
    } catch (error) {
      D.fail(error);
      D.reload();
      return false;
    }
  }
  /* Asks for a reason in words; the primary button says what will happen. */
  D.reason = function (title, about, button, act, given) {
    window.WatchfloorOverlay.dialog({
      title,
      build(body, dialog) {
        if (about) make("p", "t2", body, about);
        const label = make("label", "desk-field", body, "Reason");
        const field = make("textarea", "input", label);
        field.rows = 3;
        field.maxLength = 500;
        // The dialog gives it the focus as it opens: whoever types on loses no letter.
        field.autofocus = true;
        if (given) field.value = given;
        const cancel = make("button", "btn", dialog.foot, "Cancel"), go = make("button", "btn pri", dialog.foot, button);
        cancel.type = go.type = "button";
        make("kbd", "", go, "Ctrl ↵");
        cancel.addEventListener("click", dialog.close);
        const run = async () => {
          if (!field.value.trim()) { field.focus(); return; }
          go.disabled = true;
          if (await act(field.value.trim())) dialog.close(); else go.disabled = false;
        };
        go.addEventListener("click", run);
        field.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); event.stopPropagation(); run(); } });
      },
    });
  };
  const does = {
    edit: (it) => act("reply.edit", it, {}, (said) => D.fillComposer(said.text)),
    withdraw: (it) => (it.mine ? act("reply.withdraw", it, { reason: "" }) : D.reason("Withdraw this reply?", "It was written by " + it.who + ".", "Withdraw it", (reason) => act("reply.withdraw", it, { reason }))),
    confirm: (it) => D.confirmReply(it),
    native: (it) => act("reply.native", it, { token: D.view.token, event: D.seen }),
    arrived: (it) => D.reason("It arrived on the network?", "Look there first: the case then counts as answered.", "It arrived", (reason) => act("reply.arrived", it, { reason })),
    lost: (it) => D.reason("It did not arrive?", "Look there first: sent again it would stand there twice.", "It did not arrive", (reason) => act("reply.lost", it, { reason })),
    again: (it) => D.fillComposer(it.text),
  };
  D.replyDoes = does;
  D.undoSend = function () {
    const going = D.view && D.view.thread.filter((it) => it.kind === "reply" && it.can.some(([what]) => what === "edit") && it.state === "approved");
    if (!going || !going.length) return false;
    does.edit(going[going.length - 1]);
    return true;
  };
})();
