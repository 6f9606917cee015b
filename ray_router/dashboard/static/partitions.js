// The bar of slots, and a row for each partition.

import { at, dress, el, mark, say } from "./dom.js";
import { level } from "./overview.js";
import { compact, count, duration, percent, rate } from "./words.js";

const BACK_FOR_S = 60; // a restart is news for so long
const STANDINGS = {
  up: ["good", "● up"],
  recovering: ["warn", "▲ recovering"],
  down: ["bad", "✕ down"],
  "out of service": ["bad", "✕ out of service"],
};
const COLUMNS = [
  ["partition", "Partition"],
  ["standing", "Standing"],
  ["slots", "Slots"],
  ["filled", "Entries / capacity"],
  ["pressure", "Pressure"],
  ["queue", "Callers wait", true],
  ["resolves", "Resolves/s", true],
  ["writes", "Writes/s", true],
  ["hit", "Own route", true],
  ["fallback", "Fallback", true],
  ["life", "Life"],
];
const silent = (each) => each.standing === "down" || each.standing === "out of service";
const rows = new Map();

function titles() {
  if (at("titles").children.length) return;
  for (const [, words, number] of COLUMNS) {
    const made = el("th", number ? "number" : "", words);
    made.scope = "col";
    made.setAttribute("role", "columnheader");
    at("titles").append(made);
  }
}

function bar(label) {
  const made = el("span", "bar", el("i"));
  made.setAttribute("role", "meter");
  made.setAttribute("aria-label", label);
  made.setAttribute("aria-valuemin", "0");
  made.setAttribute("aria-valuemax", "100");
  return made;
}

function fill(node, share, high = 2) {
  const full = Math.min(100, Math.max(0, 100 * share));
  node.firstChild.style.width = `${full.toFixed(1)}%`;
  mark(node, "aria-valuenow", full.toFixed(0));
  dress(node, share >= high ? "bar high" : "bar");
}

function newRow(index) {
  const cells = {};
  const made = el("tr");
  made.setAttribute("role", "row");
  for (const [name, words, number] of COLUMNS) {
    const heads = name === "partition";
    const cell = el(heads ? "th" : "td", number ? "number" : "");
    if (heads) cell.scope = "row";
    cell.setAttribute("role", heads ? "rowheader" : "cell");
    cell.dataset.title = words;
    const [main, small] = [el("span", name === "standing" || name === "pressure" ? "badge" : ""), el("span", "small")];
    cells[name] = { cell, number, main, small, bar: null };
    cell.append(main, small);
    if (name === "slots" || name === "filled" || name === "pressure") {
      cells[name].bar = bar(`${words} of partition ${index}`);
      main.after(cells[name].bar);
    }
    made.append(cell);
  }
  at("rows").append(made);
  return { made, cells };
}

/** What a row says, cell by cell: text, and what stands small below it. */
function told(each, slots) {
  const life = each.restarts ? `${each.restarts} ${each.restarts === 1 ? "restart" : "restarts"}` : "no restart";
  const copies = each.copies === null ? "" : `, keeps ${compact(each.copies)} copies${each.owed ? `, owes ${compact(each.owed)}` : ""}`;
  const [, standing] = STANDINGS[each.standing];
  const since = each.standing === "up" ? (each.restarts && each.uptime_s < BACK_FOR_S ? `back for ${duration(each.uptime_s)}` : "") : `for ${duration(each.for_s)}`;
  const node = [each.node, each.pid === null ? "" : `pid ${each.pid}`].filter(Boolean).join(" · ");
  const words = {
    partition: [`${each.partition}`, node],
    standing: [standing, since],
    slots: [each.slots === null ? "unknown" : count(each.slots), each.slots === null ? "" : percent(each.slots / slots)],
  };
  if (silent(each)) return { ...words, life: each.said_at === null ? ["never seen", ""] : [life, "so far"] };
  const filled = each.capacity ? each.entries / each.capacity : 0;
  return {
    ...words,
    filled: [`${compact(each.entries)} / ${compact(each.capacity)}`, `${percent(filled)}${copies}`],
    pressure: [level(each.level, each.pressure)[1], ""],
    queue: [`${(1000 * each.waiting_s).toFixed(1)} ms`, ""],
    resolves: [rate(each.resolves_per_s), ""],
    writes: [rate(each.writes_per_s), ""],
    hit: [percent(each.hit_ratio), ""],
    fallback: [percent(each.fallback_ratio), ""],
    life: [`${duration(each.uptime_s)}`, life],
  };
}

/** All rows; one that is there stays, and only what changed in it is changed. */
export function showPartitions({ partitions, slots }) {
  titles();
  const there = new Set(partitions.map((each) => each.partition));
  for (const [index, { made }] of rows) {
    if (there.has(index)) continue;
    made.remove();
    rows.delete(index);
  }
  for (const each of partitions) {
    if (!rows.has(each.partition)) rows.set(each.partition, newRow(each.partition));
    const { made, cells } = rows.get(each.partition);
    const words = told(each, slots);
    const back = each.standing !== "up" ? "" : each.restarts && each.uptime_s < 10 ? "fresh" : "";
    dress(made, silent(each) ? "down" : back);
    for (const [name] of COLUMNS) {
      const [main, small] = words[name] ?? ["–", ""];
      say(cells[name].main, main);
      say(cells[name].small, small);
      if (cells[name].bar) cells[name].bar.hidden = !words[name];
      dress(cells[name].cell, [cells[name].number ? "number" : "", words[name] ? "" : "none"].join(" ").trim());
    }
    dress(cells.standing.main, `badge ${STANDINGS[each.standing][0]}`);
    dress(cells.pressure.main, words.pressure ? `badge ${level(each.level, each.pressure)[0]}` : "");
    fill(cells.slots.bar, (each.slots ?? 0) / slots);
    fill(cells.filled.bar, each.capacity ? each.entries / each.capacity : 0, 0.95);
    fill(cells.pressure.bar, each.pressure, 0.7);
  }
}

/** Each partition's part of the slots, as wide as it is large. */
export function showSlots({ partitions, slots }) {
  const host = at("slots");
  while (host.children.length > partitions.length) host.lastChild.remove();
  while (host.children.length < partitions.length) host.append(el("span", "slot"));
  partitions.forEach((each, index) => {
    const node = host.children[index];
    node.style.flexGrow = each.slots ?? slots / partitions.length;
    dress(node, `slot ${silent(each) ? "down" : each.standing}`);
    say(node, partitions.length > 40 ? "" : `${silent(each) ? "✕ " : each.standing === "recovering" ? "▲ " : ""}${each.partition}`);
  });
  const parts = partitions.map((each) => `partition ${each.partition} ${each.slots === null ? "an unknown part" : percent(each.slots / slots)}${each.standing === "up" ? "" : `, ${each.standing}`}`);
  mark(host, "aria-label", `Shares of the slots: ${parts.join("; ")}`);
}
