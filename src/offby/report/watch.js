// The page of `offby watch`: what it knows, what it says, and what it hears; watch_plot.js draws.
const PALETTE = ["#2b83c6", "#dd6b20", "#17967a", "#c4679f", "#8a6fd1", "#b08a1e", "#4f9da6", "#a1543a"];
const byId = (id) => document.getElementById(id);
const runs = new Map();
const view = { logX: false, logY: false, seeds: false, filter: "", chosen: null, zoom: null };

const number = (v) => {
  if (v === null || v === undefined) return "";
  const size = Math.abs(v);
  if (size !== 0 && (size >= 1e9 || size < 1e-5)) return v.toExponential(3);
  return v.toLocaleString("en", { maximumSignificantDigits: 4 });
};
const ranked = () => [...runs.values()].sort((a, b) => {
  const sign = (r) => (r.metric.better === "higher" ? -1 : 1);
  const key = (r) => (r.best.value === null ? Infinity : sign(r) * r.best.value);
  return sign(b) - sign(a) || a.metric.name.localeCompare(b.metric.name) || key(a) - key(b);
});
// seeds: names that differ in one number after "seed", or in their last number alone
const groupOf = (name) => name.replace(/(seed[^0-9]*)\d+/i, "$1*").replace(/([\-_\/ ]s?)\d+$/i, "$1*");
const shown = () => ranked().filter((r) => r.name.toLowerCase().includes(view.filter));
const judged = (r) => r.curves[r.watched];

function colours() {
  const keys = [...new Set(ranked().map((r) => (view.seeds ? groupOf(r.name) : r.name)))].sort();
  const found = new Map(keys.map((key, i) => [key, PALETTE[i] || `hsl(${(i * 137.5) % 360} 55% 52%)`]));
  return (r) => found.get(view.seeds ? groupOf(r.name) : r.name);
}

// The one run that is drawn whole: the only one, or the one that was clicked
const lookedAt = (several) => (several.length === 1 ? several[0] : several.find((r) => r.name === view.chosen));

function grouped(several) {
  const found = new Map();
  for (const r of several) {
    const key = groupOf(r.name);
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(r);
  }
  return found;
}

// Words

function say() {
  const several = shown(), run = lookedAt(several) || several[0];
  byId("which").textContent = several.length < 2 ? "" : lookedAt(several) ? run.name
    : `best of ${number(several.length)} runs: ${run.name}`;
  if (!run) {
    byId("verdict").textContent = runs.size ? "No run has such a name" : "Waiting for the first run";
    byId("about").textContent = "";
    return;
  }
  const mark = document.createElement("b");
  mark.className = run.tone;
  mark.textContent = run.verdict;
  byId("verdict").replaceChildren(mark, `: ${run.advice}`);
  const { train, val, better } = run.metric;
  byId("about").textContent = [`${run.name} (${run.format})`,
    `train: ${train || "none"}, validation: ${val || "none"} (${better} is better)`, ...run.notes].join(" · ");
}

function entries() {
  const several = shown(), run = lookedAt(several);
  if (!run) {
    const long = several.length > MANY ? "; long curves are drawn by the middle of each stretch" : "";
    const click = several.length ? [[`click a run in the list for its training curve and its fit${long}`, MUTED]] : [];
    return view.seeds ? [["median of a group's seeds; the band spans all of them", MUTED], ...click] : click;
  }
  const fit = run.fitted ? ": as logged, and smoothed in bold" : "";
  const said = { train: ["training", PALETTE[0]], val: ["validation", PALETTE[1]] };
  const found = Object.keys(run.curves).map((k) => [said[k][0] + (k === run.watched ? fit : ""), said[k][1]]);
  return run.best.at === null ? found : [...found, [`best ${run.axis} and where it may lie (90 %)`, GREEN]];
}

function keys() {
  byId("keys").replaceChildren(...entries().map(([text, colour]) => {
    const item = document.createElement("li"), sign = document.createElement("i");
    sign.style.cssText = `width:1.4em;height:3px;background:${colour};display:inline-block`;
    item.append(sign, text);
    return item;
  }));
}

function row(r, colour, wanted) {
  const found = document.createElement("tr"), name = document.createElement("th"), sign = document.createElement("i");
  found.className = `${wanted ? "shown" : ""} ${r.name === view.chosen ? "chosen" : ""}`;
  name.scope = "row";
  sign.style.background = colour;
  name.append(sign, r.name);
  const cells = [number(r.best.value), number(r.best.at), number(r.last), number(r.evaluations), r.verdict]
    .map((text) => Object.assign(document.createElement("td"), { textContent: text }));
  cells[4].className = `verdict ${r.tone}`;
  found.append(name, ...cells);
  found.onclick = () => { view.chosen = view.chosen === r.name ? null : r.name; render(); };
  return found;
}

function list() {
  const colour = colours(), wanted = new Set(shown());
  byId("list").tBodies[0].replaceChildren(...ranked().map((r) => row(r, colour(r), wanted.has(r))));
  byId("list").hidden = byId("filter-label").hidden = runs.size < 2;
  byId("seeds-label").hidden = grouped([...runs.values()]).size === runs.size;
}

function render() { say(); keys(); list(); plot(); }

// News

let due = false; // much may come at once; a page is drawn once a frame

function take(told) {
  for (const run of told) runs.set(run.name, run);
  if (!due) requestAnimationFrame(() => { due = false; render(); });
  due = true;
}

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
