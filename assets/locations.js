/* The map of places: the land as a mask under a button a place. Lengths come in per cent of the map's width, so that it fits
   every screen; names stand where they fit beside what is there already, the most mentioned place first. */
(function () {
  "use strict";
  const L = (window.LIVE = window.LIVE || {});
  L.custom = L.custom || {};
  const { make, write, keyed } = window.WatchfloorDom;
  const SPACE = 5, EDGE = 2, LETTERS = 13;
  let watching = null;

  function build(place) {
    const button = make("button", "place");
    button.type = "button";
    button.dataset.key = place.key;
    const bubble = make("span", "bubble", button), named = make("span", "name", button);
    button.parts = { bubble, letters: make("span", "letters", bubble), named, name: make("bdi", "", named), mood: make("span", "sent", named) };
    make("i", "", button.parts.mood).setAttribute("aria-hidden", "true");
    make("span", "", button.parts.mood);
    return button;
  }
  function update(button, place) {
    const style = button.style, p = button.parts;
    style.left = place.left + "%";
    style.top = place.top + "%";
    style.setProperty("--reach", place.reach);
    style.setProperty("--radius", place.radius);
    style.setProperty("--share", place.share + "%");
    p.bubble.className = "bubble " + place.sign + (place.mentions ? "" : " none");
    write(p.letters, place.mono);
    write(p.name, place.name);
    p.mood.className = "sent " + (place.tone || "t3");
    write(p.mood.firstChild, place.glyph);
    write(p.mood.lastChild, place.net);
    button.dataset.mentions = place.mentions;
    button.setAttribute("aria-label", place.name + ": " + place.said);
    const tip = place.name + "\n" + place.said;
    if (button.title !== tip) button.title = tip;
  }
  function marked(world) {
    const scope = window.WatchfloorScope;
    const chosen = new Set(scope ? scope.asked().location : []);
    for (const button of world.querySelectorAll(".place")) button.setAttribute("aria-pressed", String(chosen.has(button.dataset.key)));
  }

  // -- names -------------------------------------------------------------------------------------------------
  const meets = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  function sides(spot, width, height) {
    const { x, y, radius } = spot, out = radius + SPACE;
    const box = (left, top) => ({ left, top, right: left + width, bottom: top + height });
    return [
      box(x + out, y - height / 2), box(x - out - width, y - height / 2), box(x - width / 2, y - out - height), box(x - width / 2, y + out),
      box(x + out * 0.75, y - out * 0.5 - height), box(x + out * 0.75, y + out * 0.5),
      box(x - out * 0.75 - width, y - out * 0.5 - height), box(x - out * 0.75 - width, y + out * 0.5),
    ];
  }
  function names(world) {
    const map = world.querySelector(".land");
    if (!map || !map.clientWidth) return;
    const width = map.clientWidth, height = map.clientHeight;
    const spots = [...map.querySelectorAll(".place")].map((button) => ({
      button, x: (parseFloat(button.style.left) / 100) * width, y: (parseFloat(button.style.top) / 100) * height,
      radius: (parseFloat(button.style.getPropertyValue("--radius")) / 100) * width,
      wide: button.parts.named.offsetWidth, high: button.parts.named.offsetHeight,
    }));
    const taken = spots.map((spot) => ({ spot, left: spot.x - spot.radius, right: spot.x + spot.radius, top: spot.y - spot.radius, bottom: spot.y + spot.radius }));
    for (const spot of spots) {
      spot.button.parts.letters.hidden = spot.radius < LETTERS;
      const room = Number(spot.button.dataset.mentions) > 0 && sides(spot, spot.wide, spot.high).find((box) =>
        box.left >= EDGE && box.top >= EDGE && box.right <= width - EDGE && box.bottom <= height - EDGE &&
        !taken.some((other) => other.spot !== spot && meets(box, other)));
      spot.button.classList.toggle("named", Boolean(room));
      if (!room) continue;
      taken.push(Object.assign({ spot: null }, room));
      spot.button.parts.named.style.transform = "translate(" + Math.round(room.left - spot.x) + "px," + Math.round(room.top - spot.y) + "px)";
    }
  }
  L.custom["locations-map"] = function (props) {
    const world = document.getElementById("locations-map");
    if (!world) return true;
    if (!world.firstChild) {
      const map = make("div", "land", world);
      make("div", "ground", map).setAttribute("aria-hidden", "true");
      make("div", "places", map);
      make("div", "unplaced t3", world);
      map.addEventListener("click", choose);
    }
    const map = world.firstChild, ground = map.firstChild.style;
    ground.setProperty("--size", props.view.size + "%");
    ground.setProperty("--x", props.view.x + "%");
    ground.setProperty("--y", props.view.y + "%");
    keyed(map.lastChild, props.places, (place) => place.key, build, update);
    write(world.lastChild, props.foot);
    marked(world);
    names(world);
    if (watching !== world) {
      watching = world;
      new ResizeObserver(() => names(world)).observe(map);
    }
    return true;
  };
  /* A place is the scope; the one that is the scope already is left again. */
  function choose(event) {
    const button = event.target.closest(".place"), scope = window.WatchfloorScope;
    if (!button || !scope) return;
    const chosen = scope.asked().location, key = button.dataset.key;
    scope.change({ location: chosen.length === 1 && chosen[0] === key ? [] : [key] });
  }
  window.addEventListener("live:subscribed", () => {
    const world = document.getElementById("locations-map");
    if (world) marked(world);
  });
})();
