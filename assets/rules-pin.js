/* "Pin as example of a rule" in the menu of a mention, for administrators. A mention is {brand, mention, ...} as the feed hands it over: ids as text. */
(function () {
  "use strict";
  const { make } = window.WatchfloorDom;
  const F = (window.WatchfloorFeed = window.WatchfloorFeed || {});
  F.menu = F.menu || [];
  F.menu.push((mention) => (document.documentElement.classList.contains("may-admin") ? { words: "Pin as example of a rule", act: () => pin(mention) } : null));

  async function pin(mention) {
    const over = window.WatchfloorOverlay, asks = window.WatchfloorAsks;
    let brands;
    try { brands = (await asks.read("rules.brands", {})).brands; } catch (error) { over.toast(error.message, { bad: true }); return; }
    over.dialog({
      title: "Pin as example of a rule",
      build(body, dialog) {
        const form = make("div", "rform", body), must = window.WatchfloorRules.mustMatch(form, true);
        const choose = make("select", "", make("label", "", form, "Rule of"));
        for (const brand of brands) {
          const option = make("option", "", choose, brand.name);
          option.value = brand.key;
          option.selected = brand.id === String(mention.brand);
        }
        make("p", "t3", body, "A rule is published only when all of its examples pass.");
        const go = make("button", "btn pri", dialog.foot, "Pin it");
        go.addEventListener("click", async () => {
          try {
            over.toast((await asks.act("rules.pin", { brand: choose.value, mention: String(mention.mention), must_match: must() })).words);
            dialog.close();
          } catch (error) { over.toast(error.message, { bad: true }); }
        });
      },
    });
  }
})();
