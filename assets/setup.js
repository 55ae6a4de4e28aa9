/* The set-up: its steps, and the demo data hidden, shown again or removed; also behind the notice of every page. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const { make, icon, write, keyed } = window.WatchfloorDom;
  const asks = () => window.WatchfloorAsks, over = () => window.WatchfloorOverlay;

  async function act(name, given) {
    try {
      const said = await asks().act(name, given || {});
      over().toast(said.words);
      return true;
    } catch (error) { over().toast(error.message, { bad: true }); return false; }
  }
  async function remove() {
    let said;
    try { said = await asks().read("demo", {}); } catch (error) { over().toast(error.message, { bad: true }); return; }
    over().dialog({
      title: "Remove the demo data for good?",
      build(body, dialog) {
        make("p", "", body, said.words);
        make("p", "t2", body, "Your own posts, brands and sources stay. What is removed does not come back, and no demo is created again.");
        const keep = make("button", "btn", dialog.foot, "Keep it"), go = make("button", "btn pri", dialog.foot, "Remove for good");
        keep.type = go.type = "button";
        keep.addEventListener("click", dialog.close);
        go.addEventListener("click", async () => { go.disabled = true; if (await act("demo.remove", { sure: true })) dialog.close(); else go.disabled = false; });
        keep.focus();
      },
    });
  }
  const DEMO = {
    shown: [["Hide demo data", () => act("demo.hide")], ["Remove for good", remove]],
    hidden: [["Show again", () => act("demo.show")], ["Remove for good", remove]],
  };
  L.custom["admin-setup-steps"] = function (props) {
    const host = document.getElementById("admin-setup-steps");
    if (!host) return true;
    if (!host.parts) {
      make("h1", "", host, "Set up your watch floor");
      make("p", "t2 lead", host, "You can leave and come back; each step is saved.");
      host.parts = { list: make("ol", "setup-steps", host), demo: make("section", "setup-demo", host) };
      make("h2", "", host.parts.demo, "Demo data");
      host.parts.words = make("p", "t2", host.parts.demo);
      host.parts.words.setAttribute("role", "status");
      host.parts.acts = make("div", "setup-acts", host.parts.demo);
    }
    keyed(host.parts.list, props.steps, (step) => step.title, (step) => {
      const row = make("li", "setup-step");
      row.mark = make("span", "setup-mark", row);
      const said = make("div", "grow", row);
      make("h2", "", said, step.title);
      row.words = make("p", "t2", said);
      row.state = make("span", "t3", row);
      if (step.path) {
        row.way = make("a", "btn", row, step.way);
        row.way.href = step.path;
      }
      return row;
    }, (row, step) => {
      write(row.words, step.words);
      write(row.state, step.done ? "done" : step.next ? "next" : "");
      row.classList.toggle("done", step.done);
      if (row.way) row.way.classList.toggle("pri", step.next);
      const mark = step.done ? "done" : String(props.steps.indexOf(step) + 1);
      if (row.mark.dataset.mark !== mark) {
        row.mark.dataset.mark = mark;
        row.mark.textContent = "";
        if (step.done) icon("check", "s16", row.mark); else row.mark.textContent = mark;
      }
    });
    const { demo, words, acts } = host.parts;
    demo.hidden = props.demo.state === "none";
    write(words, props.demo.words);
    if (acts.dataset.state !== props.demo.state) {
      acts.dataset.state = props.demo.state;
      acts.textContent = "";
      for (const [name, go] of DEMO[props.demo.state] || []) {
        const button = make("button", "btn", acts, name);
        button.type = "button";
        button.addEventListener("click", go);
      }
    }
    return true;
  };
  document.addEventListener("click", async (event) => {
    const what = event.target.closest && event.target.closest("[data-do=hide-demo]");
    // Every other page shows what is left only when it is routed anew.
    if (what && (await act("demo.hide"))) location.assign("/admin/setup");
  });
})();
