// The page of `offby watch`: what it knows, what it says, and what it hears; watch_plot.js draws.
const MOST_UNREAD = 8;
const PALETTE = ["#2b83c6", "#dd6b20", "#17967a", "#c4679f", "#8a6fd1", "#b08a1e", "#4f9da6", "#a1543a"];
const byId = (id) => document.getElementById(id);
const runs = new Map();
let unread = {};
const view = { logX: false, logY: false, wantsLogY: null, seeds: false, metric: null, filter: "", chosen: null, zoom: null };

const number = (v) => {
  if (v === null || v === undefined) return "";
  const size = Math.abs(v);
  if (Number.isInteger(v) && size < 1e12) return v.toLocaleString("en"); // a step is never rounded
  if (size !== 0 && (size >= 1e9 || size < 1e-5)) return v.toExponential(3);
  return v.toLocaleString("en", { maximumSignificantDigits: 4 });
};
// The best values first, metric by metric: that of most runs before the others
function ranked() {
  const sign = (r) => (r.metric.better === "higher" ? -1 : 1);
  const key = (r) => (r.best.value === null ? Infinity : sign(r) * r.best.value);
  const alike = metrics(), many = (r) => alike.get(r.metric.name);
  return [...runs.values()].sort((a, b) => many(b) - many(a) || sign(b) - sign(a)
    || a.metric.name.localeCompare(b.metric.name) || key(a) - key(b));
}
// seeds: names that differ in one number after "seed", or in their last number alone
const groupOf = (name) => name.replace(/(seed[^0-9]*)\d+/i, "$1*").replace(/([\-_\/ ]s?)\d+$/i, "$1*");
const judged = (r) => r.curves[r.watched];
const grown = (tag, text, kind = "") => Object.assign(document.createElement(tag), { textContent: text, className: kind });

// Values of one metric alone share an axis: the one that was asked for, or that of most runs
function metrics() {
  const found = new Map();
  for (const r of runs.values()) found.set(r.metric.name, (found.get(r.metric.name) || 0) + 1);
  return found;
}
function metric() {
  const first = ranked()[0];
  return metrics().has(view.metric) ? view.metric : first && first.metric.name;
}
function shown() {
  const wanted = metric();
  return ranked().filter((r) => r.metric.name === wanted && r.name.toLowerCase().includes(view.filter));
}

function colours() {
  const key = (r) => (view.seeds ? groupOf(r.name) : r.name), wanted = metric(), all = [...runs.values()];
  const drawn = all.filter((r) => r.metric.name === wanted).map(key).sort();
  const found = new Map([...new Set([...drawn, ...all.map(key).sort()])]
    .map((name, i) => [name, PALETTE[i] || `hsl(${(i * 137.5) % 360} 55% 52%)`]));
  return (r) => found.get(key(r));
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
    byId("verdict").textContent = runs.size ? "No run has such a name"
      : LIVE ? "Waiting for the first run" : "There is no run";
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
    const most = Math.max(MOST_DRAWN / several.length, 100);
    const long = several.length > MANY && several.some((r) => judged(r)[0].length > most) ? "; long curves are drawn by the middle of each stretch" : "";
    const click = several.length ? [[`click a run in the list for its training curve and its fit${long}`, null]] : [];
    return view.seeds ? [["median of a group's seeds; the band spans all of them", MUTED], ...click] : click;
  }
  const fit = run.fitted ? ": as logged, and smoothed in bold" : "";
  const said = { train: ["training", PALETTE[0]], val: ["validation", PALETTE[1]] };
  const found = Object.keys(run.curves).map((k) => [said[k][0] + (k === run.watched ? fit : ""), said[k][1]]);
  return run.best.at === null ? found : [...found, [`best ${run.axis} and where it may lie (90 %)`, GREEN]];
}

function keys() {
  byId("keys").replaceChildren(...entries().map(([text, colour]) => {
    const item = grown("li", text), sign = document.createElement("i");
    sign.style.cssText = `width:1.4em;height:3px;background:${colour};display:inline-block`;
    if (colour) item.prepend(sign);
    return item;
  }));
}

function facts() {
  const run = lookedAt(shown());
  byId("facts").replaceChildren(...(run ? run.facts : []).map(([label, value, note]) => {
    const found = document.createElement("div"), said = grown("dd", value);
    said.append(grown("small", note));
    found.append(grown("dt", label), said);
    return found;
  }));
}

function unreadable() {
  const all = Object.entries(unread), some = all.slice(0, MOST_UNREAD);
  const rest = all.length > some.length ? [`and ${number(all.length - some.length)} more that cannot be read`] : [];
  byId("unread").replaceChildren(...[...some.map(([name, why]) => `${name}: ${why}`), ...rest]
    .map((text) => grown("p", text, "quiet")));
}

// A line above the runs of each metric, where there are several
function part(r) {
  const found = grown("tr", "", "part shown"), name = grown("th", `${r.metric.name} · ${r.metric.better} is better`);
  name.colSpan = 6;
  found.append(name);
  return found;
}

function choose(r) {
  view.chosen = view.chosen === r.name ? null : r.name;
  view.metric = r.metric.name;
  view.zoom = null;
  render();
}

function row(r, colour, wanted) {
  const found = document.createElement("tr"), name = document.createElement("th"), sign = document.createElement("i");
  found.className = `${wanted ? "shown" : ""} ${r.name === view.chosen ? "chosen" : ""}`;
  found.tabIndex = 0;
  name.scope = "row";
  sign.style.background = colour;
  name.append(sign, r.name);
  const cells = [number(r.best.value), number(r.best.at), number(r.last), number(r.evaluations)].map((text) => grown("td", text));
  found.append(name, ...cells, grown("td", r.verdict, `verdict ${r.tone}`));
  found.onclick = () => choose(r);
  found.onkeydown = (event) => { if (event.key === "Enter") choose(r); };
  return found;
}

function list() {
  const colour = colours(), wanted = new Set(shown());
  const several = metrics().size > 1, all = ranked(), rows = [];
  for (const [i, r] of all.entries()) {
    if (several && (i === 0 || all[i - 1].metric.name !== r.metric.name)) rows.push(part(r));
    rows.push(row(r, colour(r), wanted.has(r)));
  }
  byId("list").tBodies[0].replaceChildren(...rows);
  byId("list").hidden = byId("filter-label").hidden = runs.size < 2;
  byId("seeds-label").hidden = grouped([...runs.values()]).size === runs.size;
}

function options() {
  const names = [...metrics().keys()];
  byId("metric-label").hidden = names.length < 2;
  byId("metric").replaceChildren(...names.map((name) => grown("option", name)));
  byId("metric").value = metric();
}

function render() {
  view.logY = byId("log-y").checked = view.wantsLogY === null ? wide() : view.wantsLogY;
  say(); keys(); options(); facts(); list(); unreadable(); plot();
}

// News

let due = false; // much may come at once; a page is drawn once a frame

function take(told) {
  for (const run of told.runs) runs.set(run.name, run);
  for (const name of [...runs.keys()]) if (!told.names.includes(name)) runs.delete(name);
  unread = told.unread;
  if (!due) requestAnimationFrame(() => { due = false; render(); });
  due = true;
}

for (const [id, key] of [["log-y", "wantsLogY"], ["log-x", "logX"], ["seeds", "seeds"]]) {
  byId(id).onchange = (event) => { view[key] = event.target.checked; render(); };
}
byId("metric").onchange = (event) => { Object.assign(view, { metric: event.target.value, chosen: null, zoom: null }); render(); };
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
