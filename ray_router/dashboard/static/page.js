// The page: asks once a second, shows what it is told, and says so when nobody tells it anything.

import { NotLetIn, keep, state, token } from "./api.js";
import { drawAnswers, drawCalls } from "./charts.js";
import { at, dress, say } from "./dom.js";
import { readyToExplain } from "./explain.js";
import { showFindings, showHeadline, showNews, showTiles, showTopology } from "./overview.js";
import { showPartitions, showSlots } from "./partitions.js";
import { clock } from "./words.js";

const EVERY_MS = 1000;
const MOST_POINTS = 600;
let points = [];
let last = null;
let next = null;
let looking = false;

function warn(words) {
  at("banner").hidden = !words;
  say(at("banner"), words);
}

function draw() {
  if (last === null || at("inside").hidden) return;
  drawAnswers(points, last.at);
  drawCalls(points, last.at);
}

function show(told) {
  last = told;
  points = [...points, ...told.points].slice(-MOST_POINTS);
  const seen = told.answered_at === null ? "it never did" : `what is shown is of ${clock(told.answered_at)}`;
  warn(told.problem ? `The router does not answer: ${told.problem}; ${seen}.` : "");
  showHeadline(told);
  say(at("when"), `looked at ${clock(told.at)}`);
  at("inside").hidden = told.router === null;
  showNews(told);
  if (told.router === null) return;
  showTiles(told);
  showTopology(told);
  showFindings(told);
  showSlots(told);
  showPartitions(told);
  draw();
}

function shut() {
  at("door").hidden = false;
  at("inside").hidden = true;
  warn("");
  say(at("when"), "");
  dress(at("pill"), "pill quiet");
  say(at("pill"), "locked");
}

function letOut() {
  const tried = token() !== null;
  keep(null);
  shut();
  say(at("token-problem"), tried ? "nobody is let in with this token" : "");
  at("token").focus();
}

async function look() {
  if (looking) return;
  looking = true;
  clearTimeout(next);
  try {
    show(await state(points.at(-1)?.[0] ?? 0));
  } catch (error) {
    if (error instanceof NotLetIn) {
      letOut();
      return;
    }
    const seen = last === null ? "" : ` What is shown is of ${clock(last.at)}.`;
    warn(`The page’s server does not answer (${error.message}).${seen} It is asked again every second.`);
    dress(at("pill"), "pill bad");
    say(at("pill"), "✕ out of touch");
  } finally {
    looking = false;
  }
  next = setTimeout(look, EVERY_MS);
}

at("door").addEventListener("submit", (event) => {
  event.preventDefault();
  keep(at("token").value.trim());
  at("token").value = "";
  at("door").hidden = true;
  look();
});
new ResizeObserver(draw).observe(at("answers"));
// A tab in the background is slowed down by its browser; it catches up when it is looked at again.
document.addEventListener("visibilitychange", () => document.hidden || at("door").hidden === false || look());
readyToExplain(letOut);
look();
