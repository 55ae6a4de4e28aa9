/* The live link: one socket a tab, state in, props out. This header is the contract with everything drawn in the browser.

   SUBSCRIBE   LIVE.sub(path, search) or LIVE.sub({path, search}): the URL is the whole subscription; always answered with full state.
               LIVE.leave(): the URL changed; whatever still arrives of the old view is dropped.
               LIVE.retry("volume"): have one panel computed again (the Try again button).
   DRAW        LIVE.custom["feed"] = function (props) {...; return true}: draws a component's props itself (DOM, textContent only).
               LIVE.family(id) -> such a function for ids that follow a pattern (panels.js: heads and states), or nothing.
               Everything else goes through dash_clientside.set_props, a `figure` with template and colours filled in (themes.js).
               Files load alphabetically, so a plug-in starts with: const L = (window.LIVE = window.LIVE || {}); L.custom = L.custom || {};
               LIVE.arrived["alerts-bar"] = function (props): told at once what came, also in a paused or hidden tab, where nothing is drawn.
               LIVE.counts["feed"] = function (newest, shown) -> number: how many new ones wait while paused.
               A prop that is an Input of any callback must never be pushed: Dash keeps each value for ever.
   PANELS      element `panel-<key>` gets data-state = "loading" (300 ms after a subscription that was not answered) | "live" | "error".
               Event `live:panel` detail {panel, state, error: null | {reason, reference, at}} on each change of it.
   STATUS      Event `live:status` (also LIVE.status()) on every change and each beat, detail {
                 state: "live" | "slow" | "stale" | "paused" | "waiting" | "reconnecting" | "disconnected" | "gone" | "done",
                 words: what the badge says, e.g. "Live", "Reconnecting, try 3", "Paused 14:31", detail: "1.2 s behind" | "12 new" | "",
                 link: "open" | "connecting" | "polling" | "closed", tries, badge, age_seconds, at (server ms), paused, paused_at (ms), waiting }.
               The element `live-badge`, where it exists, gets data-state; its child `live-badge-words` / `live-badge-detail` get the texts.
   EVENTS      on window: live:status, live:panel, live:subscribed {path, search}, live:refused {reason, kind} (the URL cannot be shown),
               live:frame {panels: [keys], full}, live:version {version} (the server runs another release than this page).
   PAUSE       LIVE.pause(), LIVE.resume(), LIVE.isPaused(). Ages and clocks go on.
   THEME       LIVE.reapply() after data-theme changed: the last figures again in the new colours.
   AGES        an element with data-since="<ISO instant>" shows its age: "12 s", "3 min", "2 h", "4 d"; LIVE.now() = the server's clock in ms.
   A hidden tab keeps only the newest state and draws it on return. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  L.counts = L.counts || {};
  L.arrived = L.arrived || {};
  L.stats = { frames: 0, applied: 0, skipped: 0, dropped: 0, connects: 0, polls: 0, errors: 0 };

  const SILENT_MS = 12000, STALE_MS = 15000, BACKOFF_MS = 500, LONGEST_MS = 5000, POLL_MS = 2000, SKELETON_MS = 300;
  const SESSION_ENDED = 4401;
  const STATE_WORDS = { live: "Live", slow: "Slow", stale: "Stale", waiting: "Waiting", disconnected: "Disconnected", gone: "Gone", done: "Done" };

  // What is wanted, what came, what of it is not drawn yet.
  let wanted = null, number = 0, channel = null, epoch = null, seq = 0;
  let newest = new Map(), drawn = new Map(), dirty = new Set(), panels = new Map();
  let socket = null, link = "connecting", tries = 0, heard = 0, retryTimer = 0, pollTimer = 0, etag = null;
  let paused = false, pausedAt = 0, beat = null, skew = 0, version = null, drawing = 0, inflating = Promise.resolve();

  const tell = (name, detail) => window.dispatchEvent(new CustomEvent("live:" + name, { detail: detail }));
  const part = (id) => document.getElementById(id);
  const propId = (id) => (id[0] === "{" ? JSON.parse(id) : id);

  // Asking for the layout of what is not on the page throws, or answers with another component.
  L.mounted = function (id) {
    try {
      const layout = window.dash_component_api.getLayout(id);
      return Boolean(layout && layout.props && typeof layout.props.id === typeof id);
    } catch (_error) { return false; }
  };
  L.now = () => Date.now() - skew;

  // -- subscribing ---------------------------------------------------------------------------------------
  L.sub = function (path, search) {
    wanted = typeof path === "object" && path !== null ? path : { path: path, search: search };
    wanted = { path: wanted.path || "/", search: wanted.search || "" };
    forget();
    // Another page or scope cannot stay frozen: there is nothing on it yet.
    paused = false;
    number += 1;
    ask();
    if (link === "polling") poll();
    tell("subscribed", wanted);
    const mine = number;
    setTimeout(() => { if (mine === number && channel === null) skeletons(); }, SKELETON_MS);
    return wanted.path + wanted.search;
  };
  L.leave = function () { wanted = null; number += 1; forget(); send({ n: number, leave: true }); };
  L.retry = function (panel) { send({ retry: panel }); if (link === "polling") poll(panel); };

  function forget() {
    channel = null; seq = 0; etag = null;
    newest = new Map(); drawn = new Map(); dirty = new Set(); panels = new Map();
  }
  function send(message) { if (socket && socket.readyState === 1) socket.send(JSON.stringify(message)); }
  function ask() { if (wanted) send({ n: number, path: wanted.path, search: wanted.search }); }
  function skeletons() {
    for (const element of document.querySelectorAll('[id^="panel-"]')) {
      if (!panels.has(element.id.slice(6))) element.dataset.state = "loading";
    }
  }

  // -- the link ------------------------------------------------------------------------------------------
  function connect() {
    clearTimeout(retryTimer);
    let opened = false;
    const mine = new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/live");
    mine.binaryType = "arraybuffer";
    socket = mine;
    heard = Date.now();
    mine.onopen = function () {
      opened = true; heard = Date.now(); link = "open"; L.stats.connects += 1;
      clearTimeout(pollTimer); pollTimer = 0;
      number += 1; channel = null;
      ask(); status();
    };
    mine.onmessage = function (event) {
      if (socket !== mine) return;
      heard = Date.now(); tries = 0;
      if (typeof event.data === "string") said(JSON.parse(event.data)); else take(event.data);
    };
    mine.onclose = function (event) {
      if (socket !== mine) return;
      socket = null;
      if (event.code === SESSION_ENDED) { signIn(); return; }
      tries += 1;
      if (link !== "polling") link = "connecting";
      // A refused handshake looks like a lost network; one ordinary request tells them apart.
      if (!opened && !pollTimer) poll();
      retryTimer = setTimeout(connect, Math.min(LONGEST_MS, BACKOFF_MS * 2 ** Math.min(tries - 1, 5)) * (0.5 + Math.random() / 2));
      status();
    };
  }
  function signIn() {
    link = "closed"; clearTimeout(retryTimer); clearTimeout(pollTimer); pollTimer = 0;
    // Over the page: what somebody is typing is not lost.
    window.WatchfloorSignIn.again();
  }
  window.addEventListener("watchfloor:signed-in", () => { if (link === "closed") { tries = 0; link = "connecting"; connect(); } });

  async function poll(retry) {
    clearTimeout(pollTimer);
    pollTimer = setTimeout(poll, POLL_MS);
    const mine = number, asked = wanted || { path: "", search: "" };
    const query = new URLSearchParams({ path: asked.path, search: asked.search });
    if (retry) query.set("retry", retry);
    let answer;
    try {
      answer = await fetch("/live/state?" + query, { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store", redirect: "manual" });
    } catch (_error) { if (link === "polling") { link = "connecting"; status(); } return; }
    if (answer.status === 401 || answer.type === "opaqueredirect") { signIn(); return; }
    if (link === "open" || mine !== number) return;
    if (![200, 204, 304, 400, 404].includes(answer.status)) return;
    L.stats.polls += 1; heard = Date.now(); tries = 0; link = "polling";
    const newBeat = answer.headers.get("X-Live-Beat");
    if (newBeat) said(JSON.parse(newBeat));
    if (answer.status === 200) {
      const bytes = await answer.arrayBuffer();
      if (mine !== number) return;
      etag = answer.headers.get("ETag"); channel = answer.headers.get("X-Live-Channel");
      take(bytes);
    } else if (answer.status >= 400) said({ n: number, error: (await answer.json()).error });
    status();
  }

  setInterval(function () {
    // A half-open link never says that it is closed.
    if (socket && link === "open" && Date.now() - heard > SILENT_MS) { const old = socket; socket = null; old.close(); tries += 1; link = "connecting"; connect(); }
    status();
  }, 1000);

  // -- what came -----------------------------------------------------------------------------------------
  function said(message) {
    if (message.beat) {
      beat = message.beat; beat.heard = Date.now();
      const offset = Date.now() - beat.at;
      skew = Math.abs(offset) > 2000 ? offset : 0;
      if (version === null) version = beat.version;
      else if (version !== beat.version) { version = beat.version; tell("version", { version: version }); if (document.hidden) location.reload(); }
      status();
    }
    if (message.n !== number) return;
    if (message.channel) channel = message.channel;
    if (message.error) { forget(); tell("refused", message.error); }
  }

  function take(bytes) {
    L.stats.frames += 1;
    const mine = channel;
    inflating = inflating.then(async function () {
      if (mine === null || mine !== channel) { L.stats.dropped += 1; return; }
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
      merge(await new Response(stream).json());
    }).catch(function (error) { L.stats.errors += 1; L.lastError = String(error); });
  }

  function merge(frame) {
    if (frame.k !== channel) { L.stats.dropped += 1; return; }
    // A part without what came before it is no state: ask for the whole.
    if (!frame.full && (frame.e !== epoch || frame.n !== seq + 1)) { ask(); return; }
    epoch = frame.e; seq = frame.n;
    for (const id in frame.p) { newest.set(id, frame.p[id]); dirty.add(id); }
    for (const id in frame.p) if (L.arrived[id]) arrive(id, frame.p[id]);
    for (const key in frame.states) panelState(key, frame.states[key]);
    L.frame = { at: frame.t, full: frame.full, panels: Object.keys(frame.states) };
    if (paused) status();
    schedule(0);
  }

  function arrive(id, props) {
    try { L.arrived[id](props); } catch (error) { L.stats.errors += 1; L.lastError = id + ": " + error; }
  }

  function panelState(key, now) {
    const before = panels.get(key);
    panels.set(key, now);
    const element = part("panel-" + key);
    if (element) element.dataset.state = now.state;
    if (before && before.state === now.state && before.reference === now.reference) return;
    tell("panel", { panel: key, state: now.state, error: now.state === "error" ? { reason: now.reason, reference: now.reference, at: now.at } : null });
  }

  // -- drawing -------------------------------------------------------------------------------------------
  function schedule(wait) { if (!drawing) drawing = setTimeout(draw, wait); }

  function draw() {
    drawing = 0;
    if (paused || document.hidden || !dirty.size) return;
    for (const id of dirty) if (apply(id)) dirty.delete(id);
    for (const [key, now] of panels) { const element = part("panel-" + key); if (element && element.dataset.state !== now.state) element.dataset.state = now.state; }
    L.stats.applied += 1;
    tell("frame", L.frame || {});
    ages();
    // A page that is still being mounted gets the rest as soon as it stands.
    if (dirty.size) { L.stats.skipped += dirty.size; schedule(100); }
  }

  function apply(id) {
    const props = newest.get(id);
    try {
      const draw = L.custom[id] || (L.family && L.family(id));
      if (draw) {
        if (!part(id)) return false;
        if (draw(props)) { drawn.set(id, props); return true; }
      }
      const key = propId(id);
      if (!L.mounted(key)) return false;
      window.dash_clientside.set_props(key, props.figure ? Object.assign({}, props, { figure: L.themed ? L.themed(props.figure) : props.figure }) : props);
      drawn.set(id, props);
    } catch (error) { L.stats.errors += 1; L.lastError = id + ": " + error; }
    return true;
  }

  L.reapply = function () {
    for (const [id, props] of drawn) if (props.figure) { if (!dirty.has(id)) newest.set(id, props); dirty.add(id); }
    schedule(0);
  };
  L.pause = function () { if (!paused) { paused = true; pausedAt = L.now(); status(); } };
  L.resume = function () { if (paused) { paused = false; status(); schedule(0); } };
  L.isPaused = () => paused;
  document.addEventListener("visibilitychange", function () { if (!document.hidden) { schedule(0); status(); } });

  // -- saying how it stands ------------------------------------------------------------------------------
  function waiting() {
    let count = 0;
    for (const id of dirty) if (L.counts[id]) count += L.counts[id](newest.get(id), drawn.get(id));
    return count;
  }
  function clock(ms) {
    const at = new Date(ms);
    return String(at.getHours()).padStart(2, "0") + ":" + String(at.getMinutes()).padStart(2, "0");
  }
  function behind(seconds) { return (seconds < 10 ? seconds.toFixed(1) + " s" : age(seconds)) + " behind"; }

  function current() {
    const silent = Date.now() - (beat ? Math.max(beat.heard, link === "open" ? 0 : heard) : 0);
    const now = { link: link, tries: tries, badge: beat && beat.badge, age_seconds: beat && beat.age_seconds, at: L.now(), paused: paused, paused_at: pausedAt, waiting: paused ? waiting() : 0, state: "waiting", words: "Connecting", detail: "" };
    if (paused) {
      now.state = "paused"; now.words = "Paused " + clock(pausedAt); now.detail = now.waiting ? now.waiting + " new" : "";
    } else if (link === "connecting" && (tries > 0 || beat)) {
      now.state = beat && silent > STALE_MS ? "stale" : "reconnecting";
      now.words = "Reconnecting, try " + Math.max(tries, 1);
    } else if (beat && silent > STALE_MS) {
      now.state = "stale"; now.words = "Stale"; now.detail = "nothing heard for " + age(silent / 1000);
    } else if (beat) {
      now.state = beat.badge; now.words = STATE_WORDS[beat.badge] || beat.badge;
      if (beat.age_seconds !== null && beat.age_seconds !== undefined) now.detail = behind(beat.age_seconds);
    }
    return now;
  }
  L.status = current;
  L.link = () => socket;

  let lastSaid = "";
  function status() {
    const now = current(), key = [now.state, now.words, now.detail, now.link, beat && beat.at].join("|");
    if (key === lastSaid) return;
    lastSaid = key;
    const badge = part("live-badge");
    if (badge) badge.dataset.state = now.state;
    write(part("live-badge-words"), now.words);
    write(part("live-badge-detail"), now.detail);
    tell("status", now);
  }
  function write(element, words) { if (element && element.textContent !== words) element.textContent = words; }

  function age(seconds) {
    if (seconds < 60) return Math.max(0, Math.floor(seconds)) + " s";
    if (seconds < 3600) return Math.floor(seconds / 60) + " min";
    if (seconds < 86400) return Math.floor(seconds / 3600) + " h";
    if (seconds < 604800) return Math.floor(seconds / 86400) + " d";
    // Beyond a week a date says more than a number of days.
    return new Date(L.now() - 1000 * seconds).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
  }
  L.age = age;
  function ages() {
    const now = L.now();
    for (const element of document.querySelectorAll("[data-since]")) {
      const since = Date.parse(element.dataset.since);
      if (!Number.isNaN(since)) write(element, age((now - since) / 1000));
    }
  }
  setInterval(ages, 1000);

  connect();
})();
