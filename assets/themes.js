/* Colours of figures. The server names tokens ("$pos" = the custom property --pos of tokens.css); here they become colours of
   the theme that is on, so that one figure serves every viewer. Only values under a key that speaks of colour are touched:
   text that people wrote may look like a token. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  const TOKEN = /^(?:\$([\w-]+)|var\(--([\w-]+)\))$/;
  let scheme = null, colours = new Map(), template = null;

  function colour(name) {
    if (!colours.has(name)) {
      colours.set(name, getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim());
    }
    return colours.get(name);
  }
  function one(value) {
    const found = TOKEN.exec(value);
    return (found && colour(found[1] || found[2])) || value;
  }
  function inColour(value) {
    if (typeof value === "string") return one(value);
    if (Array.isArray(value)) return typeof value[0] === "number" && typeof value[1] !== "string" ? value : value.map(inColour);
    return walked(value);
  }
  function walked(value) {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return typeof value[0] === "object" ? value.map(walked) : value;
    const out = {};
    for (const key in value) out[key] = /color/i.test(key) ? inColour(value[key]) : walked(value[key]);
    return out;
  }
  function base() {
    const axis = {
      gridcolor: colour("line"), linecolor: colour("line-strong"), zerolinecolor: colour("line-strong"), tickcolor: colour("line-strong"),
      tickfont: { size: 11, color: colour("text-3") }, automargin: false,
    };
    return {
      layout: {
        paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
        font: { family: colour("font"), size: 11, color: colour("text-2") },
        colorway: [colour("chart-ink"), colour("text-3"), colour("accent")],
        xaxis: Object.assign({ showgrid: false, zeroline: false }, axis), yaxis: Object.assign({ showgrid: true, zeroline: false }, axis),
        hoverlabel: { bgcolor: colour("bg-raised"), bordercolor: colour("line-strong"), font: { color: colour("text-1"), size: 12 } },
      },
    };
  }
  L.themed = function (figure) {
    const root = document.documentElement, now = (root.dataset.theme || "") + "|" + (root.dataset.mantineColorScheme || "");
    if (now !== scheme) { scheme = now; colours = new Map(); template = base(); }
    const layout = walked(figure.layout || {});
    layout.template = template;
    return { data: walked(figure.data || []), layout: layout, config: figure.config };
  };
})();
