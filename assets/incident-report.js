/* The page of an after-action report: writing its words, signing, making it final, printing. Figures are filled in. */
(function () {
  "use strict";
  const { make } = window.WatchfloorDom;
  const OUR = "report";
  async function begin() {
    if (!document.body.classList.contains(OUR)) return;
    const id = Number(document.body.dataset.incident), host = document.getElementById("report-acts"), print = document.querySelector("[data-print]");
    const asks = window.WatchfloorAsks, over = window.WatchfloorOverlay;
    print.hidden = false;
    print.addEventListener("click", () => window.print());
    let now;
    try { now = await asks.read("incident.report", { id }); } catch (error) { over.toast(error.message, { bad: true }); return; }
    const again = () => location.reload();
    async function act(name, given) {
      try { over.toast((await asks.act("incident." + name, Object.assign({ id }, given))).words); setTimeout(again, 700); } catch (error) { over.toast(error.message, { bad: true }); }
    }
    function button(words, act, main) {
      const one = make("button", "btn" + (main ? " pri" : ""), host, words);
      one.type = "button";
      one.addEventListener("click", act);
    }
    if (now.write) button("Write", write, !now.happened);
    if (now.sign) button("Sign", () => act("report_sign", { hash: now.hash }), true);
    if (now.finish) button("Make it final", () => act("report_finish"), !now.sign);

    /* Lines of a text area are lines of the report; a change is "what | who | until (a day)". */
    function write() {
      const others = now.people.filter((one) => one.id !== now.lead).map((one) => [String(one.id), one.name]);
      window.WatchfloorIncidents.form("The report in words", [
        { name: "happened", words: "What happened", type: "area", rows: 5, max: 5000, value: now.happened },
        { name: "well", words: "Went well, a line each", type: "area", rows: 3, value: now.well.join("\n"), optional: true },
        { name: "badly", words: "Went badly, a line each", type: "area", rows: 3, value: now.badly.join("\n"), optional: true },
        { name: "changes", words: "What changes, a line each", type: "area", rows: 4, optional: true, help: "What | who | until when (2026-11-26, may be left out) | done, once it is",
          value: now.changes.map((one) => [one.text, one.owner, one.due, one.done ? "done" : ""].join(" | ").replace(/( \| )+$/, "")).join("\n") },
        { name: "signers", words: "Who signs beside the lead", type: "chips", all: "Nobody else", options: others, value: now.signers.map(String) },
      ], (values) => {
        const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);
        const changes = lines(values.changes).map((line) => {
          const parts = line.split("|").map((part) => part.trim());
          return { text: parts[0] || "", owner: parts[1] || "", due: parts[2] && parts[2] !== "done" ? parts[2] : "", done: parts.includes("done", 2) };
        });
        return asks.act("incident.report_write", { id, happened: values.happened, well: lines(values.well), badly: lines(values.badly), changes, signers: values.signers.map(Number) });
      }, { wide: true, go: "Keep", intro: "Figures are filled in by themselves. A changed word voids every signature.", done: () => setTimeout(again, 700) });
    }
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin); else begin();
})();
