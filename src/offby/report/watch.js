// The page of `offby watch`. uPlot has the axes, the zoom and the cursor; the lines are drawn here,
// since runs do not share their steps.
"use strict";
const PALETTE = ["#2b83c6", "#dd6b20", "#17967a", "#c4679f", "#8a6fd1", "#b08a1e", "#4f9da6", "#a1543a"];
const byId = (id) => document.getElementById(id);
const runs = new Map();
const view = { logX: false, logY: false, seeds: false, filter: "", chosen: null };
let chart = null;

const number = (v) => {
  if (v === null || v === undefined) return "";
  const size = Math.abs(v);
  if (size !== 0 && (size >= 1e9 || size < 1e-5)) return v.toExponential(3);
  return v.toLocaleString("en", { maximumSignificantDigits: 4 });
};
const ranked = () => [...runs.values()].sort((a, b) => {
  const sign = (r) => (r.metric.better === "higher" ? -1 : 1);
  const key = (r) => (r.best.value === null ? Infinity : sign(r) * r.best.value);
  return sign(b) - sign(a) || key(a) - key(b);
});
// seeds: names that differ in one number after "seed", or in their last number alone
const groupOf = (name) => name.replace(/(seed[^0-9]*)\d+/i, "$1*").replace(/([\-_\/ ]s?)\d+$/i, "$1*");
const shown = () => ranked().filter((r) => r.name.toLowerCase().includes(view.filter));
const judged = (r) => r.curves[r.watched];

function colours() {
  const keys = [...new Set(ranked().map((r) => (view.seeds ? groupOf(r.name) : r.name)))].sort();
  const found = new Map(keys.map((key, i) => [key, PALETTE[i % PALETTE.length]]));
  return (r) => found.get(view.seeds ? groupOf(r.name) : r.name);
}

// Drawing

function trace(u, xs, ys) {
  const path = new Path2D();
  let down = false;
  for (let i = 0; i < xs.length; i++) {
    const y = ys[i], x = xs[i];
    if (y === null || (view.logY && y <= 0) || (view.logX && x <= 0)) { down = false; continue; }
    const px = u.valToPos(x, "x", true), py = u.valToPos(y, "y", true);
    if (down) path.lineTo(px, py); else path.moveTo(px, py);
    down = true;
  }
  return path;
}

function stroke(u, xs, ys, colour, width, alpha, dash) {
  const c = u.ctx;
  c.globalAlpha = alpha;
  c.strokeStyle = colour;
  c.lineWidth = width * devicePixelRatio;
  c.setLineDash((dash || []).map((d) => d * devicePixelRatio));
  c.stroke(trace(u, xs, ys));
}

function dots(u, xs, ys, colour, alpha) {
  const c = u.ctx, size = 1.8 * devicePixelRatio;
  c.globalAlpha = alpha;
  c.fillStyle = colour;
  for (let i = 0; i < xs.length; i++) {
    if (ys[i] === null || (view.logY && ys[i] <= 0) || (view.logX && xs[i] <= 0)) continue;
    c.beginPath();
    c.arc(u.valToPos(xs[i], "x", true), u.valToPos(ys[i], "y", true), size, 0, 7);
    c.fill();
  }
}

function band(u, low, high, colour, alpha) {
  const c = u.ctx, a = u.valToPos(low, "x", true), b = u.valToPos(high, "x", true);
  c.globalAlpha = alpha;
  c.fillStyle = colour;
  c.fillRect(a - 1, u.bbox.top, Math.max(b - a, 2) + 2, u.bbox.height);
}

function drawOne(u, run) {
  const best = run.best;
  if (best.at !== null && best.within) band(u, best.within[0], best.within[1], "#17967a", 0.12);
  if (best.at !== null) band(u, best.at, best.at, "#17967a", 0.5);
  if (run.curves.train) stroke(u, ...run.curves.train, PALETTE[0], 1.6, 0.9);
  if (run.curves.val) {
    dots(u, ...run.curves.val, PALETTE[1], 0.55);
    stroke(u, ...run.curves.val, PALETTE[1], 1, run.fitted ? 0.35 : 0.9);
  }
  if (run.fitted) stroke(u, ...run.fitted, run.watched === "val" ? PALETTE[1] : PALETTE[0], 3, 1);
}

function drawAll(u, several) {
  const colour = colours();
  if (view.seeds) {
    for (const [, members] of grouped(several)) drawBand(u, members, colour(members[0]));
    return;
  }
  for (const r of several) {
    const on = r.name === view.chosen;
    stroke(u, ...judged(r), colour(r), on ? 3 : 1.4, on || view.chosen === null ? 0.85 : 0.3);
  }
}

function grouped(several) {
  const found = new Map();
  for (const r of several) {
    const key = groupOf(r.name);
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(r);
  }
  return found;
}

const valueAt = (xs, ys, x) => {
  if (x < xs[0] || x > xs[xs.length - 1]) return null;
  let low = 0, high = xs.length - 1;
  while (high - low > 1) { const mid = (low + high) >> 1; if (xs[mid] <= x) low = mid; else high = mid; }
  const a = ys[low], b = ys[high];
  if (a === null || b === null) return a === null ? b : a;
  return xs[high] === xs[low] ? a : a + ((b - a) * (x - xs[low])) / (xs[high] - xs[low]);
};

function drawBand(u, members, colour) {
  const every = [...new Set(members.flatMap((r) => judged(r)[0]))].sort((a, b) => a - b);
  const step = Math.max(1, Math.floor(every.length / 400)), xs = every.filter((_, i) => i % step === 0);
  const rows = xs.map((x) => members.map((r) => valueAt(...judged(r), x)).filter((v) => v !== null)
    .sort((a, b) => a - b));
  const middle = rows.map((r) => (r.length ? (r[(r.length - 1) >> 1] + r[r.length >> 1]) / 2 : null));
  const kept = xs.map((_, i) => i).filter((i) => rows[i].length && (!view.logY || rows[i][0] > 0)
    && (!view.logX || xs[i] > 0));
  const outline = new Path2D();
  const to = (i, v, first) => outline[first ? "moveTo" : "lineTo"](
    u.valToPos(xs[i], "x", true), u.valToPos(v, "y", true));
  kept.forEach((i, k) => to(i, rows[i][0], k === 0));
  [...kept].reverse().forEach((i) => to(i, rows[i][rows[i].length - 1], false));
  u.ctx.globalAlpha = 0.18;
  u.ctx.fillStyle = colour;
  u.ctx.fill(outline);
  stroke(u, xs, middle, colour, 2.4, 1);
}

function draw(u) {
  const c = u.ctx, several = shown();
  c.save();
  c.beginPath();
  c.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  c.clip();
  const only = several.length === 1 ? several[0] : several.find((r) => r.name === view.chosen);
  if (only && !view.seeds) {
    for (const r of several) if (r !== only) stroke(u, ...judged(r), "#80889088", 1, 0.35);
    drawOne(u, only);
  } else drawAll(u, several);
  c.restore();
}

// The chart

function limits(pick, positive) {
  let low = Infinity, high = -Infinity;
  for (const r of shown()) {
    for (const curve of Object.values(r.curves)) {
      for (const v of curve[pick]) {
        if (v === null || (positive && v <= 0)) continue;
        if (v < low) low = v;
        if (v > high) high = v;
      }
    }
  }
  if (low > high) return positive ? [1, 10] : [0, 1];
  if (low === high) return positive ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
  return pick === 0 ? [low, high] : uPlot.rangeNum(low, high, 0.05, !positive).map((v, i) =>
    positive ? (i ? high * 1.1 : low / 1.1) : v);
}

function build() {
  if (chart) chart.destroy();
  const muted = "#80889a", grid = { stroke: "#80889033", width: 1 };
  const some = shown()[0];
  chart = new uPlot({
    width: byId("plot").clientWidth, height: 420,
    cursor: { y: false, drag: { x: true, y: false } }, legend: { show: false },
    scales: {
      x: { time: false, distr: view.logX ? 3 : 1, range: (u, a, b) => (zoomed ? [a, b] : limits(0, view.logX)) },
      y: { distr: view.logY ? 3 : 1, range: () => limits(1, view.logY) },
    },
    axes: [
      { stroke: muted, grid, ticks: grid, label: some ? some.axis : "step", labelSize: 22 },
      { stroke: muted, grid, ticks: grid, size: 70, label: label(), labelSize: 22,
        values: (u, ticks) => ticks.map((v) => (v === null ? "" : number(v))) },
    ],
    series: [{}, { show: true, paths: () => null, points: { show: false } }],
    hooks: {
      draw: [draw],
      setCursor: [hint],
      setSelect: [(u) => { zoomed = u.select.width > 0; }],
    },
  }, [limits(0, view.logX), [null, null]], byId("plot"));
  chart.root.addEventListener("dblclick", () => { zoomed = false; build(); });
}
let zoomed = false;

const label = () => {
  const names = new Set(shown().map((r) => r.metric.val || r.metric.train));
  return names.size === 1 ? [...names][0] : "loss";
};

function hint(u) {
  const box = byId("hint"), { left, top } = u.cursor;
  if (left === null || left < 0) { box.style.display = "none"; return; }
  const x = u.posToVal(left, "x");
  let best = null, near = 40;
  for (const r of shown()) {
    for (const [name, curve] of Object.entries(r.curves)) {
      if (shown().length > 1 && name !== r.watched && r.name !== view.chosen) continue;
      const v = valueAt(...curve, x);
      if (v === null) continue;
      const away = Math.abs(u.valToPos(v, "y") - top);
      if (away < near) { near = away; best = { r, name, v }; }
    }
  }
  box.style.display = best ? "block" : "none";
  if (!best) return;
  box.textContent = `${best.r.name} · ${best.r.metric[best.name]} ${number(best.v)} at ${number(x)}`;
  box.style.left = `${Math.min(left + 90, u.width - box.clientWidth - 8)}px`;
  box.style.top = `${top - 8}px`;
}

// Words

function say() {
  const list = shown(), run = list.find((r) => r.name === view.chosen) || list[0];
  if (!run) {
    byId("verdict").textContent = runs.size ? "No run has such a name" : "Waiting for the first run";
    byId("about").textContent = "";
    return;
  }
  const mark = document.createElement("b");
  mark.className = run.bad ? "bad" : "good";
  mark.textContent = run.verdict;
  byId("verdict").replaceChildren(mark, `: ${run.advice}`);
  const { train, val, better } = run.metric;
  byId("about").textContent = [`${run.name} (${run.format})`,
    `train: ${train || "none"}, validation: ${val || "none"} (${better} is better)`, ...run.notes].join(" · ");
}

function keys() {
  const one = shown().length === 1 || (view.chosen && !view.seeds);
  const entries = one
    ? [["training", PALETTE[0]], ["validation: points, and fitted in bold", PALETTE[1]], ["best epoch and its 90 % band", "#17967a"]]
    : view.seeds ? [["median of a group's seeds; the band spans all of them", "#80889a"]] : [];
  byId("keys").replaceChildren(...entries.map(([text, colour]) => {
    const item = document.createElement("li"), sign = document.createElement("i");
    sign.style.cssText = `width:1.4em;height:3px;background:${colour};display:inline-block`;
    item.append(sign, text);
    return item;
  }));
}

function list() {
  const colour = colours(), wanted = new Set(shown().map((r) => r.name));
  byId("list").tBodies[0].replaceChildren(...ranked().map((r) => {
    const row = document.createElement("tr");
    row.className = `${wanted.has(r.name) ? "shown" : ""} ${r.name === view.chosen ? "chosen" : ""}`;
    const name = document.createElement("th"), sign = document.createElement("i");
    name.scope = "row";
    sign.style.background = colour(r);
    name.append(sign, r.name);
    const cells = [number(r.best.value), number(r.best.at), number(r.last), number(r.evaluations), r.verdict]
      .map((text) => Object.assign(document.createElement("td"), { textContent: text }));
    cells[4].className = r.bad ? "verdict bad" : "verdict";
    row.append(name, ...cells);
    row.onclick = () => { view.chosen = view.chosen === r.name ? null : r.name; render(); };
    return row;
  }));
  byId("list").hidden = byId("filter-label").hidden = runs.size < 2;
  byId("seeds-label").hidden = grouped([...runs.values()]).size === runs.size;
}

function render() { say(); keys(); list(); build(); }

function take(told) { for (const run of told) runs.set(run.name, run); render(); }

for (const [id, key] of [["log-y", "logY"], ["log-x", "logX"], ["seeds", "seeds"]]) {
  byId(id).onchange = (event) => { view[key] = event.target.checked; render(); };
}
byId("filter").oninput = (event) => { view.filter = event.target.value.toLowerCase(); render(); };
addEventListener("resize", () => chart && chart.setSize({ width: byId("plot").clientWidth, height: 420 }));

take(JSON.parse(byId("data").textContent));
if (LIVE) {
  // EventSource comes back by itself and names the last event it saw
  const news = new EventSource("events");
  news.onopen = () => { byId("state").textContent = "live"; };
  news.onerror = () => { byId("state").textContent = "not connected; trying again"; };
  news.onmessage = (event) => take(JSON.parse(event.data));
}
