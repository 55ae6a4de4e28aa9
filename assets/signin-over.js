/* A session that has ended is opened again over the page, so that nothing that was typed is lost.

   WatchfloorSignIn.again(): a promise of true when the same person is signed in again (the page goes on where it was), of false
       when they closed the dialog. Asked twice at once it asks the person once. Event watchfloor:signed-in on window.
   Local account: mail and password in a dialog. Company sign-on: a window of its own that closes itself; however it ends, the
   page sees by itself that somebody is signed in. Another person than before never sees what was typed: the page is loaded anew. */
(function () {
  "use strict";
  const CHANNEL = "watchfloor-signin", LOOK_MS = 1500;
  const told = document.getElementById("signed-in");
  if (told) {
    // This is that window: tell the page behind it, and close.
    if (window.BroadcastChannel) new BroadcastChannel(CHANNEL).postMessage({ email: told.dataset.email });
    setTimeout(() => window.close(), 300);
    return;
  }
  let asking = null;

  const elsewhere = () => { location.assign("/signin?next=" + encodeURIComponent(location.pathname + location.search)); return false; };
  const mine = () => { const scope = window.WatchfloorScope, person = scope && scope.offered().person; return person ? person.email : ""; };
  /* The ways in, the token of the form, and who is signed in now ("" for nobody). */
  async function ways() {
    return (await fetch("/signin/over", { cache: "no-store", headers: { Accept: "application/json" } })).json();
  }

  function again() { return (asking = asking || ask().finally(() => { asking = null; })); }
  async function ask() {
    const D = window.WatchfloorDom, O = window.WatchfloorOverlay, who = mine();
    let found;
    try { found = await ways(); } catch (_error) { return false; }
    if (!D || !O) return elsewhere();
    if (found.email) return is(found.email, who);
    // Signed out, or no more with us: then what stands here is nobody's to see.
    if (!found.lapsed) return elsewhere();
    return new Promise((resolve) => open(D, O, found, who, resolve));
  }
  function is(email, who) {
    // Somebody else: what stands on this page is not theirs to see.
    if (who && email !== who) { location.reload(); return new Promise(() => {}); }
    window.dispatchEvent(new CustomEvent("watchfloor:signed-in"));
    return true;
  }

  function open(D, O, found, who, resolve) {
    const channel = window.BroadcastChannel ? new BroadcastChannel(CHANNEL) : null;
    let done = false, timer = 0, dialog = null;
    function end() {
      done = true;
      clearInterval(timer);
      if (channel) channel.close();
    }
    function finish(email) {
      if (done) return;
      end();
      dialog.close();
      resolve(is(email, who));
    }
    dialog = O.dialog({
      title: "Sign in again",
      closed() {
        if (done) return;
        end();
        O.toast("You are signed out: nothing here is live, and nothing can be saved until you sign in.", { bad: true });
        resolve(false);
      },
      build(body, frame) {
        frame.host.classList.add("signin-over");
        D.make("p", "t2", body, "Your session has ended. What you typed stays as it is; sign in" + (who ? " as " + who : "") + " and go on.");
        if (found.company) {
          const company = D.make("button", "btn pri wide", body, "Continue with company sign-on");
          company.type = "button";
          company.addEventListener("click", () => {
            // A window that was not let open leaves the way through the page itself.
            if (!window.open("/signin/company?over=1", "watchfloor-signin", "popup,width=520,height=680")) elsewhere();
          });
          if (!found.only_company) D.make("p", "t3 signin-or", body, "or with a local account");
          setTimeout(() => company.focus());
        }
        if (!found.only_company) local(D, body, found, who, finish);
        D.make("p", "t3 signin-hint", body, "Or sign in in another tab, by a one-time link too: this page notices.");
      },
    });
    if (channel) channel.onmessage = (event) => finish(event.data.email);
    timer = setInterval(async () => {
      try { const { email } = await ways(); if (email) finish(email); } catch (_error) { /* the next look may get through */ }
    }, LOOK_MS);
  }

  function local(D, body, found, who, finish) {
    const form = D.make("form", "signin-over-form", body), fields = {};
    for (const [name, label, type, complete] of [["email", "Work email", "email", "username"], ["password", "Password", "password", "current-password"]]) {
      const box = D.make("div", "org-field", form);
      D.make("label", "", box, label).htmlFor = "over-" + name;
      fields[name] = Object.assign(D.make("input", "input", box), { id: "over-" + name, name, type, required: true, autocomplete: complete });
    }
    fields.email.value = who;
    const fault = D.make("p", "org-fault", form), go = D.make("button", "btn" + (found.company ? "" : " pri") + " wide", form, "Sign in");
    fault.setAttribute("role", "alert");
    go.type = "submit";
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      go.disabled = true;
      D.write(fault, "");
      try {
        const sent = new URLSearchParams({ email: fields.email.value, password: fields.password.value, csrf_token: found.token });
        const answer = await fetch("/signin/over", { method: "POST", body: sent, cache: "no-store", headers: { Accept: "application/json" } });
        const said = await answer.json();
        if (answer.ok) { fields.password.value = ""; finish(said.email); return; }
        D.write(fault, said.error || "That did not work.");
        fields.password.select();
      } catch (_error) { D.write(fault, "The server does not answer. Try again."); }
      go.disabled = false;
    });
    if (!found.company) setTimeout(() => (who ? fields.password : fields.email).focus());
  }

  window.WatchfloorSignIn = { again };
})();
