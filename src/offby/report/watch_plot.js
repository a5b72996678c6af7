// The curves. uPlot has the axes, the zoom and the cursor; the lines are drawn here, since runs do
// not share their steps.
const MOST_DRAWN = 60000; // points of all runs together: what a browser draws without a pause
const MANY = 12; // lines; of more, all are hairlines, which are several times as fast
const GREEN = "#17967a", MUTED = "#80889a";
let chart = null, chartOf = "";

const positive = (v, log) => v !== null && (!log || v > 0);

function before(xs, x) {
  let low = 0, high = xs.length;
  while (low < high) { const mid = (low + high) >> 1; if (xs[mid] < x) low = mid + 1; else high = mid; }
  return low;
}

// The part in sight; of more points than so many, the lowest and the highest of each stretch, or
// the middle between them
function inSight([xs, ys], most, middle = false) {
  const from = view.zoom ? Math.max(before(xs, view.zoom[0]) - 1, 0) : 0;
  const to = view.zoom ? Math.min(before(xs, view.zoom[1]) + 1, xs.length) : xs.length;
  const size = Math.ceil((2 * (to - from)) / most), kept = [];
  if (size < 3) return [xs.slice(from, to), ys.slice(from, to)];
  for (let start = from; start < to; start += size) {
    let low = start, high = start;
    for (let i = start; i < Math.min(start + size, to); i++) {
      if (ys[i] === null) continue;
      if (ys[low] === null || ys[i] < ys[low]) low = i;
      if (ys[high] === null || ys[i] > ys[high]) high = i;
    }
    kept.push(Math.min(low, high), Math.max(low, high));
  }
  if (middle) return middles(xs, ys, kept);
  return [kept.map((i) => xs[i]), kept.map((i) => ys[i])];
}

function middles(xs, ys, kept) {
  const pairs = kept.filter((_, k) => k % 2 === 0).map((i, k) => [i, kept[2 * k + 1]]);
  const half = (vs) => pairs.map(([i, j]) => (vs[i] === null || vs[j] === null ? null : (vs[i] + vs[j]) / 2));
  return [half(xs), half(ys)];
}

function trace(u, xs, ys) {
  const path = new Path2D();
  let down = false;
  for (let i = 0; i < xs.length; i++) {
    if (!positive(ys[i], view.logY) || !positive(xs[i], view.logX)) { down = false; continue; }
    const px = u.valToPos(xs[i], "x", true), py = u.valToPos(ys[i], "y", true);
    if (down) path.lineTo(px, py); else path.moveTo(px, py);
    down = true;
  }
  return path;
}

// No width is a hairline: one dot of the screen
function stroke(u, curve, colour, width, alpha, most = MOST_DRAWN, middle = false) {
  const c = u.ctx;
  c.globalAlpha = alpha;
  c.strokeStyle = colour;
  c.lineWidth = width ? width * devicePixelRatio : 1;
  c.lineJoin = "bevel";
  c.stroke(trace(u, ...inSight(curve, most, middle)));
}

function dots(u, curve, colour, alpha) {
  const [xs, ys] = inSight(curve, 600), c = u.ctx, size = 3.2 * devicePixelRatio;
  c.globalAlpha = alpha;
  c.fillStyle = colour;
  for (let i = 0; i < xs.length; i++) {
    if (!positive(ys[i], view.logY) || !positive(xs[i], view.logX)) continue;
    c.fillRect(u.valToPos(xs[i], "x", true) - size / 2, u.valToPos(ys[i], "y", true) - size / 2, size, size);
  }
}

function band(u, low, high, colour, alpha) {
  const c = u.ctx, a = u.valToPos(low, "x", true), b = u.valToPos(high, "x", true);
  c.globalAlpha = alpha;
  c.fillStyle = colour;
  c.fillRect(a - 1, u.bbox.top, Math.max(b - a, 2) + 2, u.bbox.height);
}

const WRITING = "12px system-ui, sans-serif";

function write(u, text, x, y, colour, align) {
  const c = u.ctx;
  c.globalAlpha = 1;
  c.font = WRITING.replace("12", 12 * devicePixelRatio);
  c.fillStyle = colour;
  c.textAlign = align;
  c.textBaseline = "middle";
  c.fillText(text, x, y);
}

// What each curve ends with, beside its end; two that are near make room for one another
function lastValues(u, run) {
  const line = 14 * devicePixelRatio, found = [];
  for (const [name, [, ys]] of Object.entries(run.curves)) {
    const v = ys[ys.length - 1]; // where it is no number the verdict says so
    if (positive(v, view.logY)) found.push({ v, y: u.valToPos(v, "y", true), colour: PALETTE[name === "val" ? 1 : 0] });
  }
  const [above, below] = found.sort((a, b) => a.y - b.y);
  if (below && below.y - above.y < line) {
    above.y = (above.y + below.y - line) / 2;
    below.y = above.y + line;
  }
  for (const { v, y, colour } of found) write(u, number(v), u.bbox.left + u.bbox.width + 7 * devicePixelRatio, y, colour, "left");
}

function bestEpoch(u, { best, axis }) {
  const x = u.valToPos(best.at, "x", true), away = 7 * devicePixelRatio, c = u.ctx;
  const left = x > u.bbox.left + u.bbox.width / 2;
  write(u, `best ${axis} ${number(best.at)}`, x + (left ? -away : away), u.bbox.top + 12 * devicePixelRatio, GREEN, left ? "right" : "left");
  if (!positive(best.value, view.logY)) return;
  c.beginPath();
  c.arc(x, u.valToPos(best.value, "y", true), 5 * devicePixelRatio, 0, 7);
  c.lineWidth = 2 * devicePixelRatio;
  c.strokeStyle = GREEN;
  c.stroke();
}

function drawOne(u, run) {
  const { best, curves, fitted, watched } = run, validated = watched === "val";
  if (best.at !== null && best.within) band(u, ...best.within, GREEN, 0.12);
  if (best.at !== null) band(u, best.at, best.at, GREEN, 0.5);
  if (curves.train && curves.train[0].length < 3) dots(u, curves.train, PALETTE[0], 0.9);
  if (curves.train) stroke(u, curves.train, PALETTE[0], 1.6, fitted && !validated ? 0.4 : 0.9, 4000);
  if (curves.val) {
    dots(u, curves.val, PALETTE[1], 0.55);
    stroke(u, curves.val, PALETTE[1], 1, fitted ? 0.35 : 0.9, 4000);
  }
  if (fitted) stroke(u, fitted, validated ? PALETTE[1] : PALETTE[0], 3, 1);
  if (best.at !== null) bestEpoch(u, run);
}

function drawAll(u, several) {
  const colour = colours(), most = Math.max(MOST_DRAWN / several.length, 100);
  const many = several.length > MANY;
  for (const r of several) stroke(u, judged(r), colour(r), many ? 0 : 1.4, 0.85, most, many);
}

function drawGroups(u, groups) {
  const colour = colours(), columns = Math.min(Math.max(12000 / groups.size, 80), 400);
  for (const members of groups.values()) drawGroup(u, members, colour(members[0]), columns, groups.size > MANY);
}

const valueAt = ([xs, ys], x) => {
  if (x < xs[0] || x > xs[xs.length - 1]) return null;
  const high = Math.max(before(xs, x), 1), low = high - 1;
  if (xs.length === 1) return ys[0];
  if (ys[low] === null || ys[high] === null) return ys[low] === null ? ys[high] : ys[low];
  return ys[low] + ((ys[high] - ys[low]) * (x - xs[low])) / (xs[high] - xs[low]);
};

// Median and range of a group, at steps of its members
function spread(members, columns) {
  const every = [...new Set(members.flatMap((r) => inSight(judged(r), columns)[0]))].sort((a, b) => a - b);
  const step = Math.ceil(every.length / columns);
  return every.filter((x, i) => (i % step === 0 || i === every.length - 1) && positive(x, view.logX))
    .map((x) => [x, members.map((r) => valueAt(judged(r), x)).filter((v) => positive(v, view.logY))
      .sort((a, b) => a - b)])
    .filter(([, values]) => values.length);
}

function drawGroup(u, members, colour, columns, hair) {
  const rows = spread(members, columns), outline = new Path2D();
  const to = (x, v) => outline.lineTo(u.valToPos(x, "x", true), u.valToPos(v, "y", true));
  for (const [x, values] of rows) to(x, values[0]);
  for (const [x, values] of [...rows].reverse()) to(x, values[values.length - 1]);
  u.ctx.globalAlpha = 0.18;
  u.ctx.fillStyle = colour;
  u.ctx.fill(outline);
  const middle = rows.map(([, v]) => (v[(v.length - 1) >> 1] + v[v.length >> 1]) / 2);
  stroke(u, [rows.map(([x]) => x), middle], colour, hair ? 0 : 2.4, 1);
}

function draw(u) {
  const c = u.ctx, several = shown(), only = lookedAt(several);
  c.save();
  c.beginPath();
  c.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  c.clip();
  if (only) {
    const most = Math.max(MOST_DRAWN / several.length, 100), many = several.length > MANY;
    for (const r of several) if (r !== only) stroke(u, judged(r), MUTED, 0, many ? 0.15 : 0.35, most, many);
    drawOne(u, only);
  } else if (view.seeds) drawGroups(u, grouped(several));
  else drawAll(u, several);
  c.restore();
  if (only && !view.zoom) lastValues(u, only);
}

// The chart

const known = new WeakMap(); // the ends of curves, which do not change

function ends(curve, axis, log) {
  const zoomed = axis === 1 && view.zoom, key = axis * 2 + log;
  if (!known.has(curve)) known.set(curve, []);
  if (!zoomed && known.get(curve)[key]) return known.get(curve)[key];
  let low = Infinity, high = -Infinity;
  for (const v of (zoomed ? inSight(curve, 1e9) : curve)[axis]) {
    if (!positive(v, log)) continue;
    if (v < low) low = v;
    if (v > high) high = v;
  }
  if (!zoomed) known.get(curve)[key] = [low, high];
  return [low, high];
}

// From the lowest to the highest of what is drawn
function span(axis, log) {
  const several = shown(), only = lookedAt(several);
  let low = Infinity, high = -Infinity;
  for (const r of several) {
    const fit = r.fitted ? [r.fitted] : [];
    for (const curve of r === only ? [...Object.values(r.curves), ...fit] : [judged(r)]) {
      const [a, b] = ends(curve, axis, log);
      low = Math.min(low, a);
      high = Math.max(high, b);
    }
  }
  return [low, high];
}

// Whether the values span so much that most of them would lie on the floor
function wide() {
  const [low, high] = span(1, false);
  return low > 0 && high > 20 * low;
}

function limits(axis, log) {
  const [low, high] = span(axis, log);
  if (low > high) return log ? [1, 10] : [0, 1];
  if (low === high) return log ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
  if (axis === 0) return [low, high];
  if (log) return [low / 1.1, high * 1.1];
  const [floor, top] = uPlot.rangeNum(low, high, 0.05, false);
  return [low < 0 ? floor : Math.max(floor, 0), top];
}

// On a log axis 1, 2, 5, 10 …; over many decades 1, 10 …; within a part of one, even steps
function ticks(u, axis, low, high) {
  const far = high / low > 3e3, found = [];
  for (let k = Math.floor(Math.log10(low)); k <= Math.log10(high); k++) {
    found.push(...[1, 2, 5].filter((m) => m === 1 || !far).map((m) => Number(`${m}e${k}`)));
  }
  const inside = found.filter((v) => v >= low && v <= high);
  return inside.length > 1 ? inside : [0, 1, 2, 3, 4].map((i) => Number((low + ((high - low) * i) / 4).toPrecision(3)));
}

const label = () => {
  const names = new Set(shown().map((r) => r.metric.val || r.metric.train));
  return names.size === 1 ? [...names][0] : metric() || "loss";
};

function plot() {
  const some = shown()[0], axis = some ? some.axis : "step";
  const only = lookedAt(shown()), said = only ? Object.values(only.curves).map(([, ys]) => number(ys[ys.length - 1])) : [];
  const room = 16 + 7.5 * Math.max(2, ...said.map((text) => text.length)); // for what is written beside the ends
  const wanted = [axis, label(), room, view.logX, view.logY].join("\n");
  if (chart && wanted === chartOf) { chart.setData([limits(0, view.logX), [null, null]]); return; }
  if (chart) chart.destroy();
  chartOf = wanted;
  build(axis, room);
}

const broad = (u, values) => 24 + 7 * Math.max(...(values || []).map((text) => text.length), 3);

function build(axis, room) {
  const grid = { stroke: "#80889033", width: 1 }, written = (u, found) => found.map(number);
  const look = { stroke: MUTED, grid, ticks: grid, labelSize: 22, values: written };
  const log = { splits: ticks, filter: (u, found) => found };
  chart = new uPlot({
    width: byId("plot").clientWidth, height: 420, padding: [14, room, 0, 0],
    cursor: { y: false, drag: { x: true, y: false } }, legend: { show: false },
    scales: {
      x: { time: false, distr: view.logX ? 3 : 1, range: () => view.zoom || limits(0, view.logX) },
      y: { distr: view.logY ? 3 : 1, range: () => limits(1, view.logY) },
    },
    axes: [
      { ...look, size: 40, label: axis, ...(view.logX ? log : {}) },
      { ...look, size: broad, label: label(), ...(view.logY ? log : {}) },
    ],
    series: [{}, { show: true, paths: () => null, points: { show: false } }],
    hooks: { draw: [draw], setCursor: [hint], setSelect: [zoom] },
  }, [limits(0, view.logX), [null, null]], byId("plot"));
  chart.over.addEventListener("dblclick", () => { view.zoom = null; plot(); });
}

function zoom(u) {
  const { left, width } = u.select;
  if (width > 0) view.zoom = [u.posToVal(left, "x"), u.posToVal(left + width, "x")];
}

function hint(u) {
  const box = byId("hint"), { left, top } = u.cursor, several = shown(), only = lookedAt(several);
  const x = left >= 0 ? u.posToVal(left, "x") : null;
  let best = null, near = 40;
  for (const r of x === null ? [] : several) {
    for (const name of r === only ? Object.keys(r.curves) : [r.watched]) {
      const v = valueAt(r.curves[name], x);
      const away = v === null ? near : Math.abs(u.valToPos(v, "y") - top);
      if (away < near) { near = away; best = { r, name, v }; }
    }
  }
  box.style.display = best ? "block" : "none";
  if (!best) return;
  box.textContent = `${best.r.name} · ${best.r.metric[best.name]} ${number(best.v)} at ${number(x)}`;
  box.style.left = `${Math.min(left + 90, u.width - box.clientWidth - 8)}px`;
  box.style.top = `${top - 8}px`;
}
