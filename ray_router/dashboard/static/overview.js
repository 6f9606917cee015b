// The headline, the tiles, the log and the findings.

import { at, dress, el, say } from "./dom.js";
import { bytes, clock, compact, count, duration, percent, rate } from "./words.js";

const LEVELS = { normal: ["good", "●"], warn: ["warn", "▲"], degraded: ["bad", "▲"], shed: ["bad", "✕"] };
let heard = null;

/** A pressure level as a badge: mood and words. */
export const level = (name, value) => [LEVELS[name][0], `${LEVELS[name][1]} ${name}${value === null ? "" : ` ${value.toFixed(2)}`}`];

/** How it is altogether, in the corner of the page. */
export function showHeadline(state) {
  const { router, partitions, problem } = state;
  const down = partitions.filter((each) => each.standing === "down" || each.standing === "out of service").length;
  const recovering = partitions.filter((each) => each.standing === "recovering").length;
  const all = partitions.length;
  const [mood, words] = problem
    ? ["bad", "✕ does not answer"]
    : down
      ? ["bad", `✕ ${down} of ${all} partitions down`]
      : recovering
        ? ["warn", `▲ ${recovering} of ${all} partitions recovering`]
        : ["good", `● ${all === 1 ? "its partition is" : `all ${all} partitions are`} up`];
  dress(at("pill"), `pill ${mood}`);
  say(at("pill"), words);
  say(at("name"), router ? router.name : "A router");
  document.title = `${problem ? "✕" : down ? `✕${down}` : "●"} ${router ? router.name : "router"} · ray_router`;
}

const TILES = ["hit", "fallback", "resolves", "writes", "sessions", "pressure"];

function tile(name) {
  const found = at(`tile-${name}`);
  if (found) return found;
  const made = el("div", "tile", el("p", "label"), el("p", "value"), el("p", "note"));
  made.id = `tile-${name}`;
  at("tiles").append(made);
  return made;
}

/** Six figures. */
export function showTiles({ router, partitions, level: highest }) {
  const sum = (field) => {
    const known = partitions.map((each) => each[field]).filter((each) => each !== null);
    return known.length ? known.reduce((total, each) => total + each, 0) : null;
  };
  const fullest = router.capacity ? router.entries / router.capacity : 0;
  const even = router.imbalance < 1.25 ? "evenly spread" : "unevenly spread";
  const shown = {
    hit: ["Own route found", percent(router.hit_ratio), "of the last minute’s resolves"],
    fallback: ["Fallback answered", percent(router.fallback_ratio), "of the last minute’s resolves"],
    resolves: ["Resolves a second", rate(sum("resolves_per_s")), `${compact(router.resolves)} in all`],
    writes: ["Writes a second", rate(sum("writes_per_s")), `${compact(router.writes)} in all`],
    sessions: ["Live sessions", compact(router.live), `${percent(fullest)} filled · ${bytes(router.table_bytes)}`],
    pressure: ["Highest pressure", level(highest, null)[1], `imbalance ${router.imbalance.toFixed(2)}, ${even}`],
  };
  for (const name of TILES) {
    const [label, value, note] = tile(name).children;
    [label, value, note].forEach((node, index) => say(node, shown[name][index]));
  }
}

/** What the router is set to, and how its slots lie. */
export function showTopology({ router, partitions, slots }) {
  const parts = [
    `epoch ${router.epoch}`,
    `${count(slots)} slots on ${partitions.length}`,
    router.ttl_s === null ? "routes stay fresh for ever" : `routes stay fresh for ${duration(router.ttl_s)}`,
    router.replicas ? "each session kept twice" : "no standbys",
  ];
  say(at("topology"), parts.join(" · "));
}

/** The log, the newest first; what is new is announced to those who listen. */
export function showNews({ news, at: now }) {
  const keys = news.map((each) => `${each.at} ${each.what}`).join("\n");
  if (keys === heard) return;
  const before = heard;
  heard = keys;
  const lines = [...news].reverse().map((each) => {
    const time = el("time", "", clock(each.at));
    time.dateTime = new Date(each.at * 1000).toISOString();
    return el("li", "", time, el("span", "", each.what));
  });
  at("news").replaceChildren(...(lines.length ? lines : [el("li", "empty", "Nothing yet: a partition that goes down or comes back is told here.")]));
  if (before === null) return;
  const fresh = news.filter((each) => each.at >= now - 0.001).map((each) => each.what);
  if (fresh.length) say(at("said"), fresh.join("; "));
}

/** What there is to say of how the load lies. */
export function showFindings({ findings }) {
  const wanted = findings.length ? findings : ["Nothing stands out: no room has a tenth of it, no partition a quarter more than its part."];
  const shown = [...at("findings").children].map((each) => each.textContent);
  if (wanted.join("\n") !== shown.join("\n")) at("findings").replaceChildren(...wanted.map((each) => el("li", "", each)));
}
