// The catalogue as a picture to zoom into: colours from afar, small pictures nearer, photos close by.
(() => {
  "use strict";
  const place = document.querySelector("[data-imgrec-map]");
  if (!place) return;
  const canvas = place.querySelector("canvas");
  const pen = canvas.getContext("2d");
  const title = place.querySelector(".imgrec-map-title");
  const side = Number(place.dataset.imgrecSide); // cells a side of a tile
  const pixels = Number(place.dataset.imgrecPixels); // of a small picture
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const [SMALL, PHOTO, CLOSEST] = [9, 72, 220]; // pixels a cell: small pictures from, photos from, at most
  const [AT_ONCE, KEPT] = [4, 400]; // requests, photos in memory

  let map = null; // columns, rows, x, y, kind, at (cell -> point)
  let far = null; // one pixel a cell
  let view = { scale: 1, x: 0, y: 0 }; // pixels a cell; the cell at the middle
  let drawn = false;
  const tiles = new Map();
  const photos = new Map();
  const waiting = new Map(); // what is in sight and not asked for yet
  const asked = new Set();
  let asking = 0;

  // --- colours

  function colour(kind) {
    return kind === 255 ? "#8a8f98" : `hsl(${(kind * 137.5) % 360} 58% ${kind % 2 ? 42 : 55}%)`;
  }

  function showColours() {
    const list = place.querySelector(".imgrec-legend");
    map.categories.forEach((name, kind) => {
      const item = document.createElement("li");
      const dot = document.createElement("span");
      dot.style.background = colour(kind);
      dot.setAttribute("aria-hidden", "true");
      item.append(dot, name);
      list.append(item);
    });
  }

  // --- what is asked for: once, few at a time, and only while it is in sight

  function later(key, job) {
    if (!asked.has(key)) waiting.set(key, job);
  }

  function next() {
    for (const [key, job] of waiting) {
      if (asking >= AT_ONCE) return;
      waiting.delete(key);
      asked.add(key);
      asking += 1;
      job().catch(() => {}).finally(() => { asking -= 1; draw(); next(); });
    }
  }

  function picture(url) {
    return new Promise((resolve, reject) => {
      const image = new Image();
      image.onload = () => resolve(image);
      image.onerror = reject;
      image.src = url;
    });
  }

  function tileAt(column, row) {
    const key = `${column},${row}`;
    let tile = tiles.get(key);
    if (!tile) tiles.set(key, tile = { sheet: null, items: null, query: `&column=${column}&row=${row}` });
    return tile;
  }

  function askSheet(tile) {
    const url = place.dataset.imgrecSheet + tile.query;
    if (!tile.sheet) later(url, async () => { tile.sheet = await picture(url); });
  }

  function askItems(tile) {
    const url = place.dataset.imgrecTile + tile.query;
    if (!tile.items) later(url, async () => { tile.items = await itemsOf(url); });
  }

  async function itemsOf(url) {
    const answer = await fetch(url, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
    return new Map((await answer.json()).items.map(([at, ...rest]) => [at, rest]));
  }

  function photoOf(url) {
    const known = photos.get(url);
    if (known) return known;
    later(url, async () => {
      photos.set(url, await picture(url));
      const oldest = photos.keys().next().value;
      if (photos.size > KEPT) { photos.delete(oldest); asked.delete(oldest); }
    });
    return null;
  }

  // --- the product in a cell

  function item(x, y) {
    if (!map || x < 0 || y < 0 || x >= map.columns || y >= map.rows) return null;
    if (map.at[y * map.columns + x] < 0) return null;
    const tile = tileAt(Math.floor(x / side), Math.floor(y / side));
    askItems(tile);
    const found = tile.items && tile.items.get((y % side) * side + (x % side));
    return tile.items ? found || null : undefined; // undefined: not known yet
  }

  function nearest(x, y) {
    const [cx, cy] = [Math.floor(x), Math.floor(y)];
    let best = null;
    for (let dy = -3; dy <= 3; dy += 1) for (let dx = -3; dx <= 3; dx += 1) {
      const [px, py] = [cx + dx, cy + dy];
      if (px < 0 || py < 0 || px >= map.columns || py >= map.rows) continue;
      if (map.at[py * map.columns + px] < 0) continue;
      const away = Math.hypot(px + 0.5 - x, py + 0.5 - y);
      if (!best || away < best.away) best = { x: px, y: py, away };
    }
    return best;
  }

  // --- drawing

  function size() {
    return { width: canvas.clientWidth, height: canvas.clientHeight };
  }

  function draw() {
    if (drawn) return;
    drawn = true;
    requestAnimationFrame(() => { drawn = false; if (map) paint(); });
  }

  function paint() {
    const { width, height } = size();
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    waiting.clear();
    const left = width / 2 - view.x * view.scale;
    const top = height / 2 - view.y * view.scale;
    if (view.scale < SMALL) paintColours(left, top, width, height);
    else paintPictures(left, top, width, height);
    mark(left, top);
    next();
  }

  function paintColours(left, top, width, height) {
    if (view.scale < 4) {
      pen.imageSmoothingEnabled = view.scale < 1;
      pen.drawImage(far, left, top, map.columns * view.scale, map.rows * view.scale);
      return;
    }
    const gap = view.scale > 5 ? 1 : 0.5;
    const inset = view.scale - gap;
    each(left, top, width, height, (x, y, point) => {
      pen.fillStyle = colour(map.kind[point]);
      pen.fillRect(left + x * view.scale, top + y * view.scale, inset, inset);
    });
  }

  function paintPictures(left, top, width, height) {
    const own = view.scale >= PHOTO;
    pen.imageSmoothingEnabled = true;
    each(left, top, width, height, (x, y, point) => {
      const tile = tileAt(Math.floor(x / side), Math.floor(y / side));
      const at = (y % side) * side + (x % side);
      askSheet(tile);
      if (view.scale > 24) askItems(tile);
      if (tile.items && !tile.items.has(at)) return; // gone since the map was made
      const edge = Math.min(6, view.scale * 0.06);
      const box = [left + x * view.scale + edge, top + y * view.scale + edge, view.scale - 2 * edge, view.scale - 2 * edge];
      const known = tile.items && tile.items.get(at);
      const photo = own && known && known[2] ? photoOf(known[2]) : null;
      if (photo) {
        const part = Math.min(photo.naturalWidth, photo.naturalHeight);
        pen.drawImage(photo, (photo.naturalWidth - part) / 2, (photo.naturalHeight - part) / 2, part, part, ...box);
      } else if (tile.sheet) {
        pen.drawImage(tile.sheet, (x % side) * pixels, (y % side) * pixels, pixels, pixels, ...box);
      } else {
        pen.fillStyle = colour(map.kind[point]);
        pen.fillRect(...box);
      }
      if (map.categories.length && view.scale > 14) {
        pen.fillStyle = colour(map.kind[point]);
        pen.fillRect(box[0], box[1] + box[3], box[2], Math.max(2, edge * 0.7));
      }
    });
  }

  function each(left, top, width, height, act) {
    const from = [Math.max(0, Math.floor(-left / view.scale)), Math.max(0, Math.floor(-top / view.scale))];
    const to = [Math.min(map.columns, Math.ceil((width - left) / view.scale)), Math.min(map.rows, Math.ceil((height - top) / view.scale))];
    for (let y = from[1]; y < to[1]; y += 1) for (let x = from[0]; x < to[0]; x += 1) {
      const point = map.at[y * map.columns + x];
      if (point >= 0) act(x, y, point);
    }
  }

  let marked = null; // the cell under the pointer, or the one in the middle while keys move the map

  function mark(left, top) {
    if (!marked || view.scale < 4) return;
    pen.strokeStyle = getComputedStyle(canvas).color;
    pen.lineWidth = 2;
    pen.strokeRect(left + marked.x * view.scale, top + marked.y * view.scale, view.scale, view.scale);
    const found = item(marked.x, marked.y);
    if (found && title.textContent !== found[0]) title.textContent = found[0];
  }

  function choose(x, y) {
    const found = view.scale >= 4 ? nearest(x, y) : null;
    const new_ = found && found.away < 1.2 ? found : null;
    if (marked && new_ && marked.x === new_.x && marked.y === new_.y) return;
    marked = new_;
    title.textContent = "";
    draw();
  }

  async function open(cell) {
    if (!cell) return;
    const tile = tileAt(Math.floor(cell.x / side), Math.floor(cell.y / side));
    const items = tile.items || await itemsOf(place.dataset.imgrecTile + tile.query).catch(() => null);
    const found = items && items.get((cell.y % side) * side + (cell.x % side));
    if (found && found[1]) location.assign(found[1]);
  }

  // --- moving

  function whole() {
    const { width, height } = size();
    const scale = 0.96 * Math.min(width / map.columns, height / map.rows);
    view = { scale: Math.min(scale, CLOSEST), x: map.columns / 2, y: map.rows / 2 };
    marked = null;
    draw();
  }

  function least() {
    const { width, height } = size();
    return Math.min(CLOSEST, 0.5 * Math.min(width / map.columns, height / map.rows));
  }

  function zoom(factor, x = size().width / 2, y = size().height / 2) {
    const { width, height } = size();
    const scale = Math.min(CLOSEST, Math.max(least(), view.scale * factor));
    const cell = [view.x + (x - width / 2) / view.scale, view.y + (y - height / 2) / view.scale];
    view = { scale, x: cell[0] - (x - width / 2) / scale, y: cell[1] - (y - height / 2) / scale };
    inside();
  }

  function move(dx, dy) {
    view = { ...view, x: view.x + dx / view.scale, y: view.y + dy / view.scale };
    inside();
  }

  function inside() {
    view.x = Math.min(map.columns, Math.max(0, view.x));
    view.y = Math.min(map.rows, Math.max(0, view.y));
    place.dataset.imgrecScale = view.scale.toFixed(1);
    draw();
  }

  function goTo(x, y) {
    const { width, height } = size();
    view = { scale: Math.max(view.scale, Math.min(40, width / 14, height / 8)), x: x + 0.5, y: y + 0.5 };
    inside();
    canvas.focus({ preventScroll: true });
    place.scrollIntoView({ behavior: still ? "auto" : "smooth", block: "nearest" });
  }

  function followAddress() {
    const found = /^#cell=(\d+),(\d+)$/.exec(location.hash);
    if (found) goTo(Number(found[1]), Number(found[2]));
  }

  const KEYS = {
    ArrowLeft: () => move(-80, 0),
    ArrowRight: () => move(80, 0),
    ArrowUp: () => move(0, -80),
    ArrowDown: () => move(0, 80),
    "+": () => zoom(1.5),
    "=": () => zoom(1.5),
    "-": () => zoom(1 / 1.5),
    0: whole,
    Enter: () => open(nearest(view.x, view.y)),
  };

  canvas.addEventListener("keydown", (event) => {
    const act = KEYS[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
    if (event.key !== "0") choose(view.x, view.y);
  });

  function cellAt(event) {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    return { px: x, py: y, x: view.x + (x - box.width / 2) / view.scale, y: view.y + (y - box.height / 2) / view.scale };
  }

  const fingers = new Map();
  let moved = 0;

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, cellAt(event));
    if (fingers.size === 1) moved = 0;
    else moved = Infinity; // a pinch opens nothing
  });

  canvas.addEventListener("pointermove", (event) => {
    if (!map) return;
    const now = cellAt(event);
    const before = fingers.get(event.pointerId);
    if (!before) { choose(now.x, now.y); return; }
    if (fingers.size === 1) {
      moved += Math.hypot(before.px - now.px, before.py - now.py);
      move(before.px - now.px, before.py - now.py);
    } else {
      const other = [...fingers].find(([id]) => id !== event.pointerId)[1];
      const apart = (a) => Math.max(1, Math.hypot(a.px - other.px, a.py - other.py));
      move((before.px - now.px) / 2, (before.py - now.py) / 2);
      zoom(apart(now) / apart(before), (now.px + other.px) / 2, (now.py + other.py) / 2);
    }
    fingers.set(event.pointerId, now);
  });

  for (const kind of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(kind, (event) => {
      const known = fingers.delete(event.pointerId);
      if (!map || kind !== "pointerup" || !known || fingers.size || moved > 4) return;
      const cell = cellAt(event);
      if (view.scale < 4) zoom(4, cell.px, cell.py);
      else { const found = nearest(cell.x, cell.y); if (found && found.away < 1) open(found); }
    });
  }

  canvas.addEventListener("pointerleave", () => { if (marked) { marked = null; title.textContent = ""; draw(); } });

  canvas.addEventListener("wheel", (event) => {
    if (!map) return;
    event.preventDefault();
    const cell = cellAt(event);
    zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), cell.px, cell.py);
  }, { passive: false });

  place.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!map || !button) return;
    if (button.dataset.imgrecZoom) zoom(Number(button.dataset.imgrecZoom));
    else whole();
  });

  // --- beginning

  function unpack({ columns, rows, categories, points }) {
    const bytes = Uint8Array.from(atob(points), (each) => each.charCodeAt(0));
    const count = bytes.length / 5;
    const x = new Uint16Array(bytes.buffer, 0, count);
    const y = new Uint16Array(bytes.buffer, 2 * count, count);
    const kind = bytes.subarray(4 * count);
    const at = new Int32Array(columns * rows).fill(-1);
    for (let i = 0; i < count; i += 1) at[y[i] * columns + x[i]] = i;
    return { columns, rows, categories, kind, at };
  }

  function fromAfar() {
    const found = document.createElement("canvas");
    [found.width, found.height] = [map.columns, map.rows];
    const small = found.getContext("2d");
    map.at.forEach((point, cell) => {
      if (point < 0) return;
      small.fillStyle = colour(map.kind[point]);
      small.fillRect(cell % map.columns, Math.floor(cell / map.columns), 1, 1);
    });
    return found;
  }

  async function begin() {
    const answer = await fetch(place.dataset.imgrecMap, { credentials: "same-origin" });
    if (!answer.ok) return;
    map = unpack(await answer.json());
    far = fromAfar();
    showColours();
    whole();
    followAddress();
    place.dataset.imgrecReady = "1";
  }

  addEventListener("hashchange", followAddress);
  new ResizeObserver(draw).observe(canvas);
  begin();
})();
