/* The menu in the head of a panel: read as a table, copy as text or picture, take away as CSV, how it was made.

   WatchfloorPanelMenu.place(key): puts the button into the panel's head, once, where the panel has something to give.
   WatchfloorPanelMenu.copy(words, done), .save({name, text, words}): also used by what else can be taken away. */
(function () {
  "use strict";
  const { make } = window.WatchfloorDom;
  const toast = (words, how) => window.WatchfloorOverlay.toast(words, how);
  const asks = () => window.WatchfloorAsks;
  const LINE = 18, MARGIN = 16, FOOT = 30;

  // -- which panel gives what --------------------------------------------------------------------------------
  let known = "", offers = null;
  /* The panels of a page are the same whatever its scope: one question a page. */
  function offered() {
    if (known !== location.pathname || !offers) {
      known = location.pathname;
      offers = asks().read("panels", { search: "" }).then((said) => said.panels, () => { offers = null; return {}; });
    }
    return offers;
  }
  const graph = (key) => document.querySelector("#" + CSS.escape(key + "-graph") + " .js-plotly-plot");
  const canDraw = (key) => Boolean(graph(key) && window.Plotly && window.Plotly.toImage);

  async function place(key) {
    const panel = document.getElementById("panel-" + key);
    if (!panel || panel.querySelector(".panel-menu")) return;
    const what = (await offered())[key] || {};
    if (!(what.table || what.metric) || !panel.isConnected || panel.querySelector(".panel-menu")) return;
    const head = document.getElementById(key + "-head");
    const button = make("button", "panel-menu" + (head ? "" : " floats"), head || panel, "⋯");
    button.type = "button";
    button.setAttribute("aria-haspopup", "menu");
    button.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-label", (panel.getAttribute("aria-label") || key) + ": more");
    button.addEventListener("click", () => window.WatchfloorOverlay.menu(button, entries(key, what)));
  }
  function entries(key, what) {
    const found = [];
    if (what.metric) found.push({ words: "How this was made", act: () => window.WatchfloorMade.open(what.metric) });
    if (what.table) {
      found.push({ words: "View as table", act: () => table(key) });
      found.push({ words: "Copy as text", act: () => text(key) });
    }
    if (canDraw(key)) found.push({ words: "Copy as picture", act: () => picture(key, what) });
    if (what.table) found.push({ words: "Download CSV", act: () => download(key) });
    // A panel's own file adds what only that panel can give: WatchfloorPanelMore[key] = () => entries.
    const more = (window.WatchfloorPanelMore || {})[key];
    return more ? [...found, ...more()] : found;
  }
  const bad = (error) => toast(error.message, { bad: true });

  // -- table and text ----------------------------------------------------------------------------------------
  const shown = (cell) => (cell === null ? "–" : typeof cell === "number" ? cell.toLocaleString("en").replace("-", "−") : cell);
  async function table(key) {
    let found;
    try { found = await asks().read("table", { panel: key }); } catch (error) { bad(error); return; }
    window.WatchfloorOverlay.dialog({
      title: found.title, wide: true,
      build(body) {
        body.classList.add("panel-table");
        body.tabIndex = 0;
        make("p", "t2", body, found.about);
        const host = make("table", "", body);
        make("caption", "unseen", host, found.title + ", " + found.about);
        const head = make("tr", "", make("thead", "", host)), rows = make("tbody", "", host);
        const numeric = found.columns.map((_name, i) => found.rows.some((row) => typeof row[i] === "number"));
        found.columns.forEach((name, i) => { make("th", numeric[i] ? "num" : "", head, name).scope = "col"; });
        for (const row of found.rows) {
          const line = make("tr", "", rows);
          row.forEach((cell, i) => make("td", numeric[i] ? "num" : "", line, shown(cell)));
        }
        if (!found.rows.length) make("p", "t3", body, "No rows.");
      },
    });
  }
  /* Asked for while the click still counts as one: browsers let nothing be copied later. */
  async function text(key) {
    const words = asks().read("table", { panel: key }).then((found) => {
      const plain = (cell) => (cell === null ? "" : String(cell).replace(/[\t\n\r]+/g, " "));
      return [found.title, found.about, "", found.columns.join("\t"), ...found.rows.map((row) => row.map(plain).join("\t"))].join("\n");
    });
    try { await put(words, "text/plain"); toast("Copied as text."); } catch (error) {
      try { await copy(await words, "Copied as text."); } catch (fault) { bad(fault); }
    }
  }
  function put(promise, type) {
    if (!navigator.clipboard || !window.ClipboardItem) return Promise.reject(new Error("This browser lets nothing be copied here."));
    return navigator.clipboard.write([new ClipboardItem({ [type]: promise.then((value) => (value instanceof Blob ? value : new Blob([value], { type }))) })]);
  }
  async function copy(words, done) {
    try { await navigator.clipboard.writeText(words); toast(done); return; } catch (_error) { /* an address without TLS, or no leave: the old way */ }
    const area = make("textarea", "unseen", document.querySelector("dialog[open]") || document.body);
    area.value = words;
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (copied) toast(done); else toast("This browser lets nothing be copied here.", { bad: true });
  }

  // -- picture -----------------------------------------------------------------------------------------------
  async function picture(key, what) {
    const blob = drawn(key, what);
    try { await put(blob, "image/png"); toast("Copied as a picture."); } catch (_error) {
      try { save({ name: key + ".png", text: await blob, words: "Saved as a picture: this browser copies none." }); } catch (fault) { bad(fault instanceof Error ? fault : new Error("The picture could not be drawn.")); }
    }
  }
  function about(key) {
    const head = document.getElementById(key + "-head"), parts = head && head.parts;
    return { title: parts ? parts.title.textContent : key, about: parts ? parts.sub.textContent : "" };
  }
  async function drawn(key, what) {
    const plot = graph(key), size = plot.getBoundingClientRect(), scale = 2;
    const [said, address] = await Promise.all([
      what.table ? asks().read("table", { panel: key }) : about(key),
      window.Plotly.toImage(plot, { format: "png", width: Math.round(size.width), height: Math.round(size.height), scale }),
    ]);
    const image = new Image();
    await new Promise((done, failed) => { image.onload = done; image.onerror = () => failed(new Error("The picture could not be drawn.")); image.src = address; });
    const style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(name).trim();
    const font = style.getPropertyValue("--font").trim() || "sans-serif";
    const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
    const width = Math.round(size.width), most = width - 2 * MARGIN;
    pen.font = "12px " + font;
    const lines = wrapped(pen, said.about, most);
    canvas.width = scale * width;
    canvas.height = scale * (MARGIN + LINE + Math.round(size.height) + FOOT / 2 + lines.length * LINE + MARGIN / 2);
    pen.scale(scale, scale);
    pen.fillStyle = colour("--bg-panel");
    pen.fillRect(0, 0, width, canvas.height);
    pen.textBaseline = "top";
    pen.fillStyle = colour("--text-1");
    pen.font = "600 13px " + font;
    pen.fillText(said.title, MARGIN, MARGIN / 2, most);
    pen.drawImage(image, 0, MARGIN + LINE, width, Math.round(size.height));
    pen.fillStyle = colour("--text-2");
    pen.font = "12px " + font;
    lines.forEach((line, i) => pen.fillText(line, MARGIN, MARGIN + LINE + Math.round(size.height) + FOOT / 2 + i * LINE, most));
    return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("The picture could not be drawn."))), "image/png"));
  }
  function wrapped(pen, words, most) {
    const lines = [];
    for (const word of words.split(" ")) {
      const longer = lines.length ? lines[lines.length - 1] + " " + word : word;
      if (!lines.length || pen.measureText(longer).width > most) lines.push(word); else lines[lines.length - 1] = longer;
    }
    return lines;
  }

  // -- files -------------------------------------------------------------------------------------------------
  async function download(key) {
    try { save(await asks().act("export.csv", { panel: key })); } catch (error) { bad(error); }
  }
  function save(file) {
    const link = make("a", "", document.body);
    // Spreadsheets take a file without the mark for another alphabet.
    const data = file.text instanceof Blob ? file.text : new Blob(["\ufeff", file.text], { type: "text/csv;charset=utf-8" });
    link.href = URL.createObjectURL(data);
    link.download = file.name;
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    toast(file.words);
  }
  window.WatchfloorPanelMenu = { place, copy, save };
})();
