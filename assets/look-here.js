/* Look here: what wants somebody to look. The bar shows what nobody has acknowledged; a sound, the tab's title and a notification
   of the browser call for it, as each person has set them. They come once for an alert in a browser, also in a hidden tab.

   WatchfloorLook.open(): the drawer with the alerts of the last days and the settings.
   WatchfloorLook.look(items): call for {id, title, text} that no tab of this browser has called for; ids that begin with desk-
       are none of the alerts of the bar. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  L.arrived = L.arrived || {};
  const { make, write, keyed, say } = window.WatchfloorDom;
  const KEY = "alerts", SEEN = "watchfloor-alerts-seen", MOST_SEEN = 300, MOST_CHIPS = 2, FRESH_MS = 15 * 60000, ELSEWHERE = "desk-";
  const DEFAULTS = { sound: "bell", title: true, notify: false, quiet: null };
  const SOUNDS = [["bell", "Bell"], ["chime", "Chime"], ["knock", "Knock"], ["none", "No sound"]];
  /* Each note: when it begins and how long it rings (seconds), its pitch (Hz), how loud (0..1), its shape. */
  const NOTES = {
    bell: [[0, 1.4, 880, 0.5, "sine"], [0, 0.9, 1760, 0.18, "sine"], [0, 0.5, 2637, 0.1, "sine"]],
    chime: [[0, 0.5, 587, 0.4, "triangle"], [0.16, 0.5, 740, 0.4, "triangle"], [0.32, 0.9, 880, 0.4, "triangle"]],
    knock: [[0, 0.12, 196, 0.8, "triangle"], [0.18, 0.12, 196, 0.8, "triangle"]],
  };
  let settings = null, items = [], changes = null, drawer = null, calling = new Set(), base = "", audio = null;

  // -- what a person has set ---------------------------------------------------------------------------------
  async function set() {
    if (!settings) {
      try { settings = Object.assign({}, DEFAULTS, (await window.WatchfloorAsks.read("preferences")).preferences.look_here); }
      catch (_error) { return DEFAULTS; }
    }
    return settings;
  }
  function minutes(clock) { const [hour, minute] = clock.split(":").map(Number); return 60 * hour + minute; }
  /* Quiet hours go by the clock of this browser, and may cross midnight; from equal to to is the whole day. */
  function isQuiet(quiet, at) {
    if (!quiet) return false;
    const now = 60 * at.getHours() + at.getMinutes(), from = minutes(quiet.from), to = minutes(quiet.to);
    return from < to ? now >= from && now < to : now >= from || now < to;
  }

  // -- calling -----------------------------------------------------------------------------------------------
  function sound(name) {
    // Until somebody has clicked on the page, a browser keeps it silent.
    if (!NOTES[name] || !window.AudioContext || (navigator.userActivation && !navigator.userActivation.hasBeenActive)) return;
    audio = audio || new AudioContext();
    audio.resume();
    const start = audio.currentTime + 0.02;
    for (const [at, length, pitch, loud, shape] of NOTES[name]) {
      const tone = audio.createOscillator(), level = audio.createGain();
      tone.type = shape;
      tone.frequency.value = pitch;
      level.gain.setValueAtTime(0, start + at);
      level.gain.linearRampToValueAtTime(0.5 * loud, start + at + 0.01);
      level.gain.exponentialRampToValueAtTime(0.0001, start + at + length);
      tone.connect(level).connect(audio.destination);
      tone.start(start + at);
      tone.stop(start + at + length);
    }
  }
  function headline(item) { return item.title + ": " + item.text; }
  function notify(item) {
    if (!("Notification" in window) || Notification.permission !== "granted") return;
    const shown = new Notification(item.title, { body: item.text, tag: item.id });
    shown.onclick = () => { window.focus(); shown.close(); };
  }
  const isLooking = () => !document.hidden && document.hasFocus();
  function title() {
    const prefix = calling.size ? "◆ " + calling.size + " · " : "";
    const now = document.title.replace(/^◆ \d+ · /, "");
    base = now || base;
    if (document.title !== prefix + base) document.title = prefix + base;
  }
  function call(how, fresh, always) {
    const quiet = isQuiet(how.quiet, new Date());
    if (!quiet || always) {
      sound(how.sound);
      if (how.notify && (always || !isLooking())) fresh.forEach(notify);
    }
    if (how.title && (always || !isLooking())) { fresh.forEach((item) => calling.add(item.id)); title(); }
    say(fresh.length === 1 ? headline(fresh[0]) : fresh.length + " alerts: " + fresh.map(headline).join("; "));
  }
  function stop() { if (calling.size) { calling.clear(); title(); } }
  window.addEventListener("focus", stop);
  document.addEventListener("visibilitychange", () => { if (isLooking()) stop(); });
  window.addEventListener("watchfloor:page", title);

  /* What has not called in this browser yet and still wants somebody: one tab of it takes it, the others find it taken. */
  function unseen(all) {
    let seen = [];
    try { seen = JSON.parse(localStorage.getItem(SEEN) || "[]"); } catch (_error) { /* begins anew */ }
    const known = new Set(seen), fresh = all.filter((item) => !known.has(item.id));
    if (fresh.length) localStorage.setItem(SEEN, JSON.stringify([...seen, ...fresh.map((item) => item.id)].slice(-MOST_SEEN)));
    // What was over before it was flagged is history: it is shown, and calls nobody.
    return fresh.filter((item) => !item.by && (!item.ended || L.now() - Date.parse(item.ended) < FRESH_MS));
  }
  async function look(all) {
    const take = () => unseen(all);
    const fresh = navigator.locks ? await navigator.locks.request(SEEN, take) : take();
    if (fresh.length) call(await set(), fresh, false);
  }

  // -- what comes by the live link ---------------------------------------------------------------------------
  async function told(props) {
    let all = props.items;
    // On the page of a place the live link leaves spikes out; who may see them asks.
    if (props.changes !== null && props.changes !== changes) {
      changes = props.changes;
      try { all = (await window.WatchfloorAsks.read("alerts")).alerts.filter((item) => !item.ended || (!item.by && L.now() - Date.parse(item.started) < 86400000)); }
      catch (_error) { changes = null; }
      items = all.concat(props.items.filter((item) => !all.some((other) => other.id === item.id)));
    } else if (props.changes === null) { changes = null; items = all; }
    const waiting = new Set(items.filter((item) => !item.by).map((item) => item.id));
    for (const id of calling) if (!waiting.has(id) && !id.startsWith(ELSEWHERE)) calling.delete(id);
    title();
    draw();
    look(items);
  }
  L.arrived["alerts-bar"] = told;
  L.custom["alerts-bar"] = () => { draw(); return true; };

  // -- the bar -----------------------------------------------------------------------------------------------
  async function acknowledge(item, button) {
    button.disabled = true;
    try {
      const said = await window.WatchfloorAsks.act("alerts.acknowledge", { id: item.id });
      Object.assign(item, said.alert);
      window.WatchfloorOverlay.toast(said.words);
      draw();
      if (drawer) fill(drawer.body);
    } catch (error) {
      button.disabled = false;
      window.WatchfloorOverlay.toast(error.message, { bad: true });
    }
  }
  const canAcknowledge = (item) => !item.id.startsWith("nobody-");
  /* A spike may be an incident; a source that is silent is none. */
  const mayRaise = (item) => item.kind !== "blind" && !item.ended && window.WatchfloorIncidents.may("declare_incident");
  function chip(item) {
    const host = make("div", "alert");
    host.setAttribute("role", "listitem");
    const mark = make("span", "mark", host, "◆"), title = make("b", "", host), text = make("span", "text t2", host);
    mark.setAttribute("aria-hidden", "true");
    const age = make("span", "num t3 since", host), by = make("span", "by t2", host);
    const button = make("button", "btn sm", host, "Acknowledge"), raise = make("button", "btn sm raise", host, "Declare incident");
    button.addEventListener("click", () => acknowledge(host.item, button));
    raise.addEventListener("click", () => window.WatchfloorIncidents.ofAlert(host.item));
    host.parts = { mark, title, text, age, by, button, raise };
    return host;
  }
  function update(host, item) {
    const p = host.parts;
    host.item = item;
    host.dataset.kind = item.kind;
    write(p.mark, item.by ? "◇" : "◆");
    write(p.title, item.title);
    write(p.text, item.text);
    p.text.title = item.words;
    if (p.age.dataset.since !== item.started) { p.age.dataset.since = item.started; write(p.age, L.age((L.now() - Date.parse(item.started)) / 1000)); }
    write(p.by, item.by ? (item.ended ? "acknowledged by " + item.by : item.by + " is on it") : "");
    p.button.hidden = Boolean(item.by) || !canAcknowledge(item);
    p.button.disabled = false;
    p.button.setAttribute("aria-label", "Acknowledge " + headline(item));
    p.raise.hidden = !mayRaise(item);
    p.raise.setAttribute("aria-label", "Declare an incident from " + headline(item));
  }
  function draw() {
    const host = document.getElementById("alerts-bar");
    if (!host) return;
    // What nobody has taken stands first.
    const sorted = [...items].sort((a, b) => Boolean(a.by) - Boolean(b.by) || b.started.localeCompare(a.started));
    const panel = document.getElementById("panel-alerts");
    panel.dataset.count = String(items.length);
    panel.dataset.waiting = String(items.filter((item) => !item.by).length);
    if (!host.list) {
      host.list = make("div", "alert-list", host);
      host.list.setAttribute("role", "list");
      host.more = make("button", "btn sm ghost more", host);
      host.more.addEventListener("click", open);
    }
    keyed(host.list, sorted.slice(0, MOST_CHIPS), (item) => item.id, chip, update);
    write(host.more, items.length > MOST_CHIPS ? items.length - MOST_CHIPS + " more" : "All alerts");
  }

  // -- the drawer --------------------------------------------------------------------------------------------
  function when(iso) {
    return new Date(iso).toLocaleString("en-GB", { timeZone: window.WatchfloorScope.offered().zone || undefined, weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  }
  function entry(item) {
    const host = make("li", "alert-entry");
    host.dataset.open = String(!item.ended);
    const first = make("div", "first", host);
    make("span", "mark", first, item.by ? "◇" : "◆").setAttribute("aria-hidden", "true");
    make("b", "", first, item.title);
    make("span", "grow", first);
    make("span", "num t3", first, when(item.started) + (item.ended ? " – " + when(item.ended).slice(-5) : ", goes on"));
    make("p", "t2", host, item.words);
    const last = make("div", "last", host);
    if (item.by) make("span", "t3", last, item.by + ", " + when(item.at));
    else if (canAcknowledge(item)) {
      const button = make("button", "btn sm", last, "Acknowledge");
      button.setAttribute("aria-label", "Acknowledge " + headline(item));
      button.addEventListener("click", () => acknowledge(item, button));
    }
    if (mayRaise(item)) {
      make("span", "grow", last);
      const raise = make("button", "btn sm", last, "Declare incident");
      raise.addEventListener("click", () => window.WatchfloorIncidents.ofAlert(item));
    }
    return host;
  }
  async function fill(body) {
    const list = body.querySelector(".alert-entries"), said = body.querySelector(".alert-none");
    try {
      const found = (await window.WatchfloorAsks.read("alerts")).alerts;
      list.textContent = "";
      found.forEach((item) => list.appendChild(entry(item)));
      write(said, found.length ? "" : "No spike and no blind source in the last 7 days.");
    } catch (error) { write(said, error.message); }
  }
  function open() {
    window.WatchfloorOverlay.drawer({
      key: KEY, title: "Alerts", label: "Alerts and what calls for them", width: 456,
      build(body, mine) {
        drawer = mine;
        make("p", "t3 intro", body, "The last 7 days of the brands in scope, and sources that went blind.");
        make("p", "alert-none t2", body);
        make("ul", "alert-entries", body);
        form(make("form", "look-form", body));
        fill(body);
      },
      closed() { drawer = null; },
    });
  }
  function check(parent, words, on) {
    const row = make("label", "row", parent), box = make("input", "", row);
    box.type = "checkbox";
    box.checked = on;
    make("span", "", row, words);
    return box;
  }
  async function form(host) {
    const now = await set();
    make("h3", "", host, "Look here");
    make("p", "t3", host, "Spikes, blind sources, most urgent answers that are late, your turn to sign, incidents: what calls you, on any page or while its tab is hidden. For you alone.");
    const sounds = make("fieldset", "sounds", host);
    make("legend", "t2", sounds, "Sound");
    for (const [name, words] of SOUNDS) {
      const row = make("label", "row", sounds), radio = make("input", "", row);
      radio.type = "radio";
      radio.name = "look-sound";
      radio.value = name;
      radio.checked = now.sound === name;
      radio.addEventListener("change", () => sound(name));
      make("span", "", row, words);
    }
    const tab = check(host, "Mark the tab’s title while I look elsewhere", now.title);
    const browser = check(host, "Notify me through the browser while I look elsewhere", now.notify && "Notification" in window && Notification.permission === "granted");
    const refused = make("p", "t3 refused", host);
    // Browsers ask only in answer to a click, and remember a no.
    browser.addEventListener("change", async () => {
      if (!browser.checked) return;
      const answer = "Notification" in window ? await Notification.requestPermission() : "denied";
      browser.checked = answer === "granted";
      write(refused, browser.checked ? "" : "This browser does not allow notifications here; its own settings for this site change that.");
    });
    const quiet = check(host, "Quiet hours: no sound and no notification", Boolean(now.quiet));
    const span = make("div", "quiet", host), clock = {};
    for (const [name, words, initial] of [["from", "from", "22:00"], ["to", "to", "06:00"]]) {
      const row = make("label", "row", span);
      make("span", "t2", row, words);
      clock[name] = make("input", "field", row);
      clock[name].type = "time";
      clock[name].required = true;
      clock[name].value = (now.quiet || {})[name] || initial;
    }
    make("span", "t3", span, Intl.DateTimeFormat().resolvedOptions().timeZone.replace(/_/g, " "));
    const shown = () => { span.hidden = !quiet.checked; };
    quiet.addEventListener("change", shown);
    shown();
    const given = () => ({
      sound: (sounds.querySelector("input:checked") || { value: "none" }).value, title: tab.checked, notify: browser.checked,
      quiet: quiet.checked ? { from: clock.from.value || "22:00", to: clock.to.value || "06:00" } : null,
    });
    const ways = make("div", "ways", host);
    const test = make("button", "btn", ways, "Test"), save = make("button", "btn pri", ways, "Save");
    test.type = "button";
    save.type = "submit";
    test.addEventListener("click", () => call(given(), [{ id: "test", title: "Test", text: "This is how an alert calls you." }], true));
    host.addEventListener("submit", async (event) => {
      event.preventDefault();
      const wanted = given();
      save.disabled = true;
      try {
        const said = await window.WatchfloorAsks.act("preference.put", { key: "look_here", value: wanted });
        settings = wanted;
        window.WatchfloorOverlay.toast(said.words);
      } catch (error) { window.WatchfloorOverlay.toast(error.message, { bad: true }); }
      save.disabled = false;
    });
  }

  window.addEventListener("watchfloor:person", (event) => {
    const ways = make("div", "menu-ways", event.detail.host), button = make("button", "btn", ways, "Alerts and sounds");
    button.addEventListener("click", () => { event.detail.close(); open(); });
  });
  // A click on the page lets it make sounds later, in a tab that is then hidden.
  document.addEventListener("pointerdown", () => { if (!audio && "AudioContext" in window) { audio = new AudioContext(); audio.resume(); } }, { once: true });
  window.WatchfloorLook = { open, isQuiet, sound, look };
})();
