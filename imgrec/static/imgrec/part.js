// A box over a photo, for "more like this part": dragged, or moved by the arrow keys. It only fills
// in the four numbers of the form round it, which do without it.
//
//   <form data-imgrec-part data-imgrec-label="what the box is, for those who hear the page">
//     <div class="imgrec-part-photo"><img …></div>
//     <input name="x"> <input name="y"> <input name="w"> <input name="h">   percent of the photo
//   </form>
(() => {
  "use strict";
  const NAMES = ["x", "y", "w", "h"];
  const LEAST = 2; // percent
  const STEP = 2;
  const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const clamp = (value, least, most) => Math.min(Math.max(value, least), most);
  const round = (value) => Math.round(value * 10) / 10;

  function begin(form) {
    const place = form.querySelector(".imgrec-part-photo");
    const photo = place?.querySelector("img");
    const inputs = NAMES.map((name) => form.elements.namedItem(name));
    if (!photo || inputs.some((input) => !input)) return;
    const box = document.createElement("div");
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", form.dataset.imgrecLabel ?? "");
    Object.assign(box.style, {
      position: "absolute", boxSizing: "border-box", cursor: "move",
      border: "2px solid #fff", outline: "2px solid #2166ac", boxShadow: "0 0 0 4px #fff8",
    });
    Object.assign(place.style, { position: "relative", touchAction: "none", cursor: "crosshair" });
    place.append(box);
    let start = null;

    // Where the photo's own pixels are: it may be cut off or surrounded inside its element.
    function pixels() {
      const { offsetLeft: left, offsetTop: top, offsetWidth: width, offsetHeight: height } = photo;
      const fit = getComputedStyle(photo).objectFit;
      const across = width / (photo.naturalWidth || width);
      const down = height / (photo.naturalHeight || height);
      if (fit !== "contain" && fit !== "cover") return { left, top, width, height };
      const scale = fit === "contain" ? Math.min(across, down) : Math.max(across, down);
      const [w, h] = [photo.naturalWidth * scale, photo.naturalHeight * scale];
      return { left: left + (width - w) / 2, top: top + (height - h) / 2, width: w, height: h };
    }

    function draw() {
      const [x, y, w, h] = inputs.map((input) => Number(input.value) / 100);
      const at = pixels();
      Object.assign(box.style, {
        left: `${at.left + x * at.width}px`, top: `${at.top + y * at.height}px`,
        width: `${w * at.width}px`, height: `${h * at.height}px`,
      });
    }

    function set(x, y, w, h) {
      const [width, height] = [clamp(w, LEAST, 100), clamp(h, LEAST, 100)];
      const values = [clamp(x, 0, 100 - width), clamp(y, 0, 100 - height), width, height];
      values.forEach((value, number) => { inputs[number].value = round(value); });
      draw();
    }

    function percent(event) {
      const around = place.getBoundingClientRect();
      const at = pixels();
      const x = (event.clientX - around.left - place.clientLeft - at.left) / at.width;
      const y = (event.clientY - around.top - place.clientTop - at.top) / at.height;
      return [clamp(100 * x, 0, 100), clamp(100 * y, 0, 100)];
    }

    place.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      const moved = event.target === box ? inputs.map((input) => Number(input.value)) : null;
      start = { at: percent(event), moved };
      place.setPointerCapture(event.pointerId);
      event.preventDefault();
      box.focus({ preventScroll: true });
    });
    place.addEventListener("pointermove", (event) => {
      if (!start) return;
      const [x, y] = percent(event);
      const [x0, y0] = start.at;
      if (start.moved) {
        const [left, top, w, h] = start.moved;
        set(left + x - x0, top + y - y0, w, h);
      } else {
        set(Math.min(x, x0), Math.min(y, y0), Math.abs(x - x0), Math.abs(y - y0));
      }
    });
    for (const end of ["pointerup", "pointercancel"]) {
      place.addEventListener(end, () => { start = null; });
    }
    box.addEventListener("keydown", (event) => {
      const way = KEYS[event.key];
      if (!way) return;
      event.preventDefault();
      const [x, y, w, h] = inputs.map((input) => Number(input.value));
      const [dx, dy] = way.map((each) => each * STEP);
      if (event.shiftKey) set(x, y, w + dx, h + dy);
      else set(x + dx, y + dy, w, h);
    });
    for (const input of inputs) input.addEventListener("input", draw);
    addEventListener("resize", draw);
    if (photo.complete) draw();
    photo.addEventListener("load", draw);
  }

  for (const form of document.querySelectorAll("form[data-imgrec-part]")) begin(form);
})();
