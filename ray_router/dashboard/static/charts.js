// Two pictures of the last minutes: what became of resolves, and how many calls came a second.

import { at, el, mark, svg } from "./dom.js";
import { percent, rate } from "./words.js";

const SPAN_S = 300;
const OVER_S = 10; // what is drawn at a moment is of the seconds before it: single seconds only flicker
const GAP_S = 8; // without a look for so long, nothing is known
const LEFT = 40;
const RIGHT = 6;
const TOP = 6;
const BOTTOM = 20;

/** Points as sums over the seconds before each, in runs without a gap: `[at, seconds, resolves, ...]` each. */
function runs(points, now) {
  const found = [];
  let [run, first] = [[], 0];
  points.forEach((point, index) => {
    if (point[1] > GAP_S) {
      [run, first] = [[], index + 1];
      return;
    }
    while (points[first][0] <= point[0] - OVER_S) first += 1;
    const sum = [point[0], 0, 0, 0, 0, 0];
    for (const each of points.slice(first, index + 1)) for (let n = 1; n < 6; n += 1) sum[n] += each[n];
    if (point[0] < now - SPAN_S) return;
    if (!run.length) found.push(run);
    run.push(sum);
  });
  return found;
}

function frame(host, now) {
  const [width, height] = [host.clientWidth, host.clientHeight];
  const x = (time) => LEFT + ((time - now + SPAN_S) / SPAN_S) * (width - LEFT - RIGHT);
  const y = (share) => TOP + (1 - share) * (height - TOP - BOTTOM);
  const drawn = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  return { drawn, x, y, width, height };
}

function axes({ drawn, x, y, width, height }, now, labels) {
  for (const share of [0, 0.5, 1]) {
    drawn.append(svg("line", { class: "rule", x1: LEFT, x2: width - RIGHT, y1: y(share), y2: y(share) }));
    const text = svg("text", { class: "axis", x: LEFT - 6, y: y(share) + 4, "text-anchor": "end" });
    text.textContent = labels(share);
    drawn.append(text);
  }
  for (const [minutes, words, anchor] of [[5, "5 min ago", "start"], [2.5, "2½ min", "middle"], [0, "now", "end"]]) {
    const text = svg("text", { class: "axis", x: x(now - minutes * 60), y: height - 4, "text-anchor": anchor });
    text.textContent = words;
    drawn.append(text);
  }
}

function nothing({ drawn, width, height }, words) {
  const text = svg("text", { class: "nothing", x: (LEFT + width) / 2, y: height * 0.32 });
  text.textContent = words;
  drawn.append(text);
}

const line = (points) => points.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
const area = (upper, lower) => `${line(upper)}${line([...lower].reverse()).replace("M", "L")}Z`;

function hatch() {
  return svg(
    "defs",
    {},
    svg(
      "pattern",
      { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      svg("rect", { class: "hatch-back", width: 6, height: 6 }),
      svg("line", { class: "hatch-line", x1: 0, y1: 0, x2: 0, y2: 6 }),
    ),
  );
}

function legend(id, entries) {
  at(id).replaceChildren(
    ...entries.map(([name, words, value]) => el("li", "", el("span", `swatch ${name}`), `${words} `, el("b", "", value))),
  );
}

/** Shares of the primary route, another rung and no route, as areas one upon the other. */
export function drawAnswers(points, now) {
  const host = at("answers");
  const made = frame(host, now);
  const answered = runs(points, now).map((run) => run.filter((each) => each[2] > 0)).filter((run) => run.length > 1);
  made.drawn.append(hatch());
  for (const run of answered) {
    const edge = (share) => run.map((each) => [made.x(each[0]), made.y(share(each))]);
    const [floor, hit] = [edge(() => 0), edge((each) => each[3] / each[2])];
    const both = edge((each) => (each[3] + each[4]) / each[2]);
    made.drawn.append(
      svg("path", { class: "miss", d: area(edge(() => 1), both) }),
      svg("path", { class: "fallback", d: area(both, hit) }),
      svg("path", { class: "hit", d: area(hit, floor) }),
    );
  }
  axes(made, now, (share) => `${share * 100} %`);
  const last = answered.at(-1)?.at(-1);
  const live = last && last[0] > now - OVER_S;
  const [hit, fallback] = live ? [last[3] / last[2], last[4] / last[2]] : [null, null];
  if (!answered.length) nothing(made, "nobody has asked yet");
  host.replaceChildren(made.drawn);
  const miss = live ? 1 - hit - fallback : null;
  legend("answers-legend", [
    ["hit", "own route", percent(hit)],
    ["fallback", "fallback", percent(fallback)],
    ["miss", "no route", percent(miss)],
  ]);
  mark(host, "aria-label", live ? `Just now: own route ${percent(hit)}, fallback ${percent(fallback)}, no route ${percent(miss)}` : "Nobody asks just now");
}

/** Resolves and writes a second, as lines. */
export function drawCalls(points, now) {
  const host = at("calls");
  const made = frame(host, now);
  const measured = runs(points, now).filter((run) => run.length > 1);
  const per = (each, field) => each[field] / each[1];
  const most = Math.max(1, ...measured.flat().map((each) => Math.max(per(each, 2), per(each, 5))));
  const step = 10 ** Math.floor(Math.log10(most));
  const top = [1, 2, 4, 5, 8, 10].map((each) => each * step).find((each) => each >= most);
  axes(made, now, (share) => (top * share >= 10_000 ? `${(top * share) / 1000}k` : `${top * share}`));
  for (const run of measured) {
    for (const [name, field] of [["writes", 5], ["resolves", 2]]) {
      const points = run.map((each) => [made.x(each[0]), made.y(per(each, field) / top)]);
      made.drawn.append(svg("path", { class: name, d: line(points) }));
    }
  }
  if (!measured.length) nothing(made, "measuring");
  host.replaceChildren(made.drawn);
  const last = measured.at(-1)?.at(-1);
  const [resolves, writes] = last ? [rate(per(last, 2)), rate(per(last, 5))] : ["–", "–"];
  legend("calls-legend", [["resolves", "resolves", resolves], ["writes", "writes", writes]]);
  mark(host, "aria-label", `Just now: ${resolves} resolves and ${writes} writes a second`);
}
