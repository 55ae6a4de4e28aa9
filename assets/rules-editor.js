/* The editor of a rule: a textarea whose text is clear, over a drawing of it that has colours, line numbers and errors.

   new WatchfloorRuleEditor(host, {changed(text), repaired(), save(), publish()}) with .text, .set(text), .errors(list), .insert(words),
   .apply(repair), .next() and .field. Places are those of the text as a browser counts them. A callout takes room under its line, so below
   it the drawing stands lower than the textarea's own lines: the textarea moves down by as much while the caret or the pointer is there. */
(function () {
  "use strict";
  const { make } = window.WatchfloorDom;
  const TOKEN = /(\s+)|("[^"]*"?)|([()])|(-(?=[^\s)]))|([^\s()"]+)/g;
  const OPERATOR = /^(AND|OR|NOT|NEAR(\/\d*)?)$/, FIELD = /^[A-Za-z]+:/;

  /* The pieces of a rule as [from, to, kind]: o operator, s looked for, f a field's name, v its values, n left out. */
  function pieces(text) {
    const found = [], open = [];
    let at, no = false, out = 0;
    TOKEN.lastIndex = 0;
    while ((at = TOKEN.exec(text))) {
      const [whole, space, quoted, paren, minus, word] = at, from = at.index, to = from + whole.length;
      if (space) continue;
      if (minus || word === "NOT") { no = true; found.push([from, to, "o"]); continue; }
      if (paren === "(") { open.push(no); if (no) out += 1; no = false; continue; }
      if (paren) { if (open.pop()) out -= 1; continue; }
      if (!quoted && OPERATOR.test(word)) { found.push([from, to, "o"]); continue; }
      const left = no || out > 0, field = quoted ? null : FIELD.exec(word);
      no = false;
      if (field) {
        found.push([from, from + field[0].length, "f"]);
        found.push([from + field[0].length, to, left ? "n" : "v"]);
      } else found.push([from, to, left ? "n" : "s"]);
    }
    return found;
  }

  window.WatchfloorRuleEditor = function (host, does) {
    const box = make("div", "ebox", host), drawing = make("div", "elines", box), field = make("textarea", "efield", box);
    let faults = [], current = 0, before = "", gap = null;
    field.spellcheck = false;
    field.autocapitalize = "off";
    field.setAttribute("autocomplete", "off");
    field.setAttribute("aria-label", "The rule");
    field.setAttribute("aria-multiline", "true");

    function draw() {
      const text = field.value, marks = pieces(text);
      drawing.textContent = "";
      let from = 0, callout = null;
      text.split("\n").forEach((line, number) => {
        const to = from + line.length, wrong = faults.filter((fault) => fault.start <= to && Math.max(fault.end, fault.start + 1) > from && fault.line === number + 1);
        const row = make("div", "eline" + (wrong.length ? " wrong" : ""), drawing);
        row.setAttribute("aria-hidden", "true");
        make("i", "eno", row, String(number + 1));
        paint(make("span", "etext", row), text, from, to, marks, wrong);
        const shown = wrong.find((fault) => fault === faults[current]);
        if (shown) callout = said(shown, row, from, text);
        from = to + 1;
      });
      gap = callout;
      field.setAttribute("aria-invalid", String(faults.length > 0));
      place();
    }
    function paint(row, text, from, to, marks, wrong) {
      const edges = new Set([from, to]);
      for (const [a, b] of marks) { if (a > from && a < to) edges.add(a); if (b > from && b < to) edges.add(b); }
      for (const fault of wrong) { edges.add(Math.max(from, fault.start)); edges.add(Math.min(to, fault.end)); }
      const cuts = [...edges].sort((a, b) => a - b);
      for (let i = 0; i + 1 < cuts.length; i += 1) {
        const a = cuts[i], b = cuts[i + 1], mark = marks.find(([x, y]) => x <= a && y >= b);
        const bad = wrong.some((fault) => fault.start <= a && fault.end >= b);
        const kind = (mark ? "k-" + mark[2] : "") + (bad ? " bad" : "");
        if (kind) make("span", kind, row, text.slice(a, b)); else row.append(text.slice(a, b));
      }
      // An empty line keeps its height.
      if (from === to) row.append("\u200b");
    }
    function said(fault, row, from, text) {
      const callout = make("div", "ecall", drawing), words = make("span", "", callout);
      callout.setAttribute("role", "status");
      make("b", "", words, "Line " + fault.line + ", column " + fault.column + ": ");
      words.append(fault.words);
      if (fault.repair) {
        const button = make("button", "btn sm", callout, fault.repair.words);
        button.type = "button";
        button.addEventListener("click", () => { api.apply(fault.repair); does.repaired(); });
      }
      const bad = row.querySelector(".bad");
      const left = bad ? bad.getBoundingClientRect().left - callout.getBoundingClientRect().left + Math.min(8, bad.offsetWidth / 2) : 16;
      callout.style.setProperty("--at", Math.max(10, Math.min(left, callout.offsetWidth - 16)) + "px");
      return callout;
    }

    // -- where the textarea stands -----------------------------------------------------------------------------
    function place(pointer) {
      const height = gap ? gap.offsetHeight + parseFloat(getComputedStyle(gap).marginTop) + parseFloat(getComputedStyle(gap).marginBottom) : 0;
      field.style.height = drawing.offsetHeight - height + "px";
      let isBelow = false;
      if (gap) {
        if (pointer !== undefined) isBelow = pointer > gap.getBoundingClientRect().bottom;
        else isBelow = field.value.slice(0, field.selectionDirection === "backward" ? field.selectionStart : field.selectionEnd).split("\n").length > faults[current].line;
      }
      field.style.transform = isBelow ? "translateY(" + height + "px)" : "";
    }
    box.addEventListener("pointermove", (event) => { if (gap && !event.buttons) place(event.clientY); });
    box.addEventListener("pointerleave", () => place());
    document.addEventListener("selectionchange", () => { if (document.activeElement === field) place(); });
    box.addEventListener("click", (event) => { if (event.target === box || event.target === drawing) field.focus(); });

    // -- what changes ------------------------------------------------------------------------------------------
    /* Faults stay where nobody wrote; what was written at is tried again in a moment. */
    function moved() {
      const now = field.value;
      let head = 0, tail = 0;
      while (head < before.length && head < now.length && before[head] === now[head]) head += 1;
      while (tail < before.length - head && tail < now.length - head && before[before.length - 1 - tail] === now[now.length - 1 - tail]) tail += 1;
      const end = before.length - tail, grown = now.length - before.length, shown = faults[current];
      const lines = now.slice(head, now.length - tail).split("\n").length - before.slice(head, end).split("\n").length;
      const kept = [];
      for (const fault of faults) {
        if (fault.end < head) kept.push(fault);
        else if (fault.start > end) {
          const repair = fault.repair && Object.assign({}, fault.repair, { start: fault.repair.start + grown, end: fault.repair.end + grown });
          kept.push(Object.assign({}, fault, { start: fault.start + grown, end: fault.end + grown, line: fault.line + lines, repair }));
        }
      }
      current = Math.max(0, kept.indexOf(shown));
      faults = kept;
      before = now;
      draw();
      does.changed(now);
    }
    field.addEventListener("input", moved);
    field.addEventListener("keydown", (event) => {
      const way = event.ctrlKey || event.metaKey;
      if (way && event.key.toLowerCase() === "s") does.save();
      else if (way && event.key === "Enter") does.publish();
      else if (event.key === "F8") api.next();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    window.addEventListener("resize", () => { if (box.isConnected) draw(); });

    const api = {
      field,
      get text() { return field.value; },
      set(text) { faults = []; current = 0; before = text; field.value = text; draw(); },
      errors(list) { faults = list; current = Math.min(current, Math.max(0, list.length - 1)); draw(); },
      count: () => faults.length,
      /* Typed for the person, so that it can be taken back as what they typed themselves. */
      replace(start, end, text) {
        field.focus();
        field.setSelectionRange(start, end);
        const done = text ? document.execCommand("insertText", false, text) : document.execCommand("delete");
        if (!done) { field.setRangeText(text, start, end, "end"); moved(); }
      },
      apply(repair) { if (repair.start === repair.end && !repair.text) return; api.replace(repair.start, repair.end, repair.text); },
      insert(words, back) {
        const start = field.selectionStart, end = field.selectionEnd, chosen = field.value.slice(start, end), left = field.value.slice(0, start);
        const space = left && !/[\s(]$/.test(left) ? " " : "";
        // What was chosen goes where the sign ··· stands.
        const text = words.includes("···") ? words.replace("···", chosen) : words + (chosen ? " " + chosen : "");
        api.replace(start, end, space + text);
        const caret = start + space.length + text.length - (chosen ? 0 : back || 0);
        field.setSelectionRange(caret, caret);
      },
      next() {
        if (!faults.length) return false;
        const here = document.activeElement === field && faults[current] && field.selectionStart === faults[current].start;
        if (here) current = (current + 1) % faults.length;
        const fault = faults[current];
        field.focus();
        field.setSelectionRange(fault.start, fault.end);
        draw();
        return true;
      },
    };
    return api;
  };
})();
