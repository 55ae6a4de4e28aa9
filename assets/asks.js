/* Asking the server beside the live link, from the page one is on.

   WatchfloorAsks.read("table", {panel: "volume"}) and WatchfloorAsks.act("log.add", {text: "..."}) give a promise of the answer;
   it is rejected with an Error whose message is a sentence for people, `status` that of the answer (0 = there was none) and `told`
   what it held. Path and search of the page go along by themselves. */
(function () {
  "use strict";
  function token() {
    const found = document.cookie.split("; ").find((part) => part.startsWith("_csrf_token="));
    return found ? decodeURIComponent(found.slice("_csrf_token=".length)) : "";
  }
  async function answer(asked) {
    let response, said = {};
    try {
      response = await fetch(asked.url, asked.options);
    } catch (_error) {
      throw Object.assign(new Error("The server does not answer. Nothing was changed; try again when the connection is back."), { status: 0, told: {} });
    }
    if (response.status === 401 || response.type === "opaqueredirect") {
      // Nothing was done: the gate refused it. So it may be asked once more when the same person is back.
      if (!asked.again && window.WatchfloorSignIn && (await window.WatchfloorSignIn.again())) {
        const headers = Object.assign({}, asked.options.headers);
        if (headers["X-CSRFToken"]) headers["X-CSRFToken"] = token();
        return answer({ url: asked.url, again: true, options: Object.assign({}, asked.options, { headers }) });
      }
      throw Object.assign(new Error("Your session has ended. Sign in again; nothing was changed."), { status: 401, told: {} });
    }
    try { said = await response.json(); } catch (_error) { /* a proxy's own page */ }
    if (!response.ok) throw Object.assign(new Error(said.error || said.reason || "The server could not do this (" + response.status + ")."), { status: response.status, told: said });
    return said;
  }
  const page = () => ({ path: location.pathname, search: location.search });

  window.WatchfloorAsks = {
    read(name, given) {
      const query = new URLSearchParams(Object.assign(page(), given));
      return answer({ url: "/read/" + name + "?" + query, options: { cache: "no-store", redirect: "manual", headers: { Accept: "application/json" } } });
    },
    /* The same for what is too long for an address. */
    ask(name, given) { return sent("/read/" + name, given); },
    act(name, given) { return sent("/act/" + name, given); },
  };
  function sent(url, given) {
    return answer({
      url: url,
      options: {
        method: "POST", cache: "no-store", redirect: "manual",
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token() },
        body: JSON.stringify(Object.assign(page(), given)),
      },
    });
  }
})();
