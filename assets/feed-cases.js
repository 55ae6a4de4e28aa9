/* What the feed says of the case that a mention belongs to: its urgency, how late it is, who is at it; and claiming it from here. */
(function () {
  "use strict";
  const F = (window.WatchfloorFeed = window.WatchfloorFeed || {});
  F.menu = F.menu || [];
  const { make } = window.WatchfloorDom;
  const desk = () => window.WatchfloorDesk;
  const open = (id) => window.dash_clientside.set_props("url", { pathname: "/respond", search: location.search, hash: "#case-" + id });

  F.desk = function (foot, row) {
    const D = desk(), it = row.case, by = D.claimed(it);
    if (it.p === 1) make("span", "chip p1 fixed", foot, "P1");
    if (it.needs) D.pill(make("span", "deskpill fixed", foot), it.due, { waiting: true });
    if (by || (it.here || []).length) D.owner(make("span", "", foot), it);
    if (!it.needs || by || !D.may("draft")) return;
    const claim = make("button", "chip line f-claim", foot, "Claim");
    claim.type = "button";
    claim.dataset.part = "claim";
    make("kbd", "", claim, "C");
  };
  F.claim = async function (card) {
    const it = card.row.case;
    if (!it) { window.WatchfloorOverlay.toast("This mention belongs to no case."); return; }
    if (!desk().may("draft")) { open(it.id); return; }
    try {
      const said = await window.WatchfloorAsks.act("case.claim", { case: it.id });
      window.WatchfloorOverlay.toast(said.words);
      open(it.id);
    } catch (error) {
      window.WatchfloorOverlay.toast(error.message, { bad: true });
      if (error.status === 409) open(it.id);
    }
  };
  F.menu.push((row) => (row.case ? { words: "Open the case", act: () => open(row.case.id) } : null));
})();
