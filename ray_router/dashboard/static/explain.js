// "Why did it go there?": the form, and the way of a key from its text to its route.

import { NotLetIn, explanation } from "./api.js";
import { at, el, say } from "./dom.js";
import { count } from "./words.js";

const RUNGS = {
  exact: "the session’s own primary route",
  alternate: "its other routes",
  scope: "what wider scopes know",
  provided: "your fallbacks, in order",
  stale: "its own routes past their TTL",
  none: "nothing good enough",
};
const MOODS = { answered: "good", outranked: "", failed: "bad", deferred: "bad", failed_here: "bad" };
const FIELDS = ["key", "fallbacks"];

function complain(field, problem) {
  for (const each of FIELDS) {
    const wrong = each === field;
    at(each).setAttribute("aria-invalid", String(wrong));
    say(at(`${each}-problem`), wrong ? problem : "");
  }
  if (FIELDS.includes(field)) at(field).focus();
}

function step(kind, sign, title, aside, ...children) {
  const mark = el("span", "mark", sign);
  mark.setAttribute("aria-hidden", "true");
  const head = el("h3", "", title, aside ? el("span", "aside", aside) : "");
  return el("li", `step ${kind}`, mark, head, ...children);
}

function candidate(each) {
  const mood = each.verdict in MOODS ? MOODS[each.verdict] : "warn";
  const facts = [each.of === "the caller" ? "of the caller" : `of the ${each.of}`, each.seen, `would be ${each.confidence}`];
  return el(
    "li",
    `candidate ${each.verdict === "answered" ? "answered" : ""}`,
    el("span", "route", each.route),
    el("span", `badge ${mood}`, `${each.verdict === "answered" ? "✓ " : ""}${each.verdict.replace("_", " ")}`),
    el("p", "", each.why),
    el("p", "small", facts.filter(Boolean).join(" · ")),
  );
}

function rung(each) {
  const kind = each.answered ? "answered" : each.reached ? "passed" : "unreached";
  const [sign, words] = { answered: ["✓", "answers"], passed: ["↓", "passed over"], unreached: ["·", "not reached"] }[kind];
  const title = `${each.source}`;
  const below = each.candidates.length ? el("ul", "", ...each.candidates.map(candidate)) : el("p", "aside", each.note);
  return step(kind, sign, title, `${RUNGS[each.source]} · ${words}`, below);
}

function chips(parts) {
  const made = Object.entries(parts).filter(([, value]) => value !== null);
  return el("div", "chips", ...made.map(([name, value]) => el("span", "chip", el("span", "label", name), value)));
}

/** The whole way: the key, its slot, the ladder. */
function journey(told) {
  const mood = told.route === null ? "bad" : told.fallback ? "warn" : "good";
  const reason = told.reason === null ? "" : ` (${told.reason.replace("_", " ")})`;
  const facts = [
    `confidence ${told.confidence}`,
    told.age && `seen ${told.age} ago`,
    told.fresh_for && (told.fresh_for === "ever" ? "never expires" : `fresh for ${told.fresh_for}`),
    told.stale && "the session’s own route is past its TTL",
  ];
  const hashed = told.strategy === "room" ? "channel, instance and room" : told.strategy === "instance" ? "channel and instance" : told.strategy;
  return [
    el("p", "asked", `A reply to ${told.key} goes to`),
    el("div", "goes", el("span", "to", told.route ?? "no route"), el("span", `badge ${mood}`, `${told.source}${reason}`)),
    el("p", "how", facts.filter(Boolean).join(" · ")),
    el(
      "ol",
      "steps",
      step("passed", "1", "The key", `names a ${told.scope}`, chips(told.parts)),
      step("passed", "2", "Its slot", `hashed by ${hashed}`, el("p", "", `slot ${count(told.slot)} of ${count(told.slots)}, in epoch ${told.epoch}; ${told.answered_by}${told.served_by_standby ? "," : ""} answers`)),
      ...told.rungs.map(rung),
    ),
  ];
}

async function ask(form) {
  const read = (name) => form.elements[name];
  const fallbacks = read("fallbacks").value.split("\n").map((each) => each.trim()).filter(Boolean);
  const told = await explanation({
    key: read("key").value.trim(),
    fallbacks,
    allow_stale: read("allow_stale").checked,
    widest_scope: read("widest_scope").value,
    min_confidence: read("min_confidence").value,
  });
  complain(told.outcome === "refused" ? told.field : null, told.problem);
  if (told.outcome === "refused") {
    at("explained").replaceChildren();
    return;
  }
  const shown = told.outcome === "explained" ? journey(told) : [el("p", "banner bad", `Nobody answered: ${told.problem}`)];
  at("explained").replaceChildren(...shown);
  at("explained").focus({ preventScroll: true });
}

/** Have the form work; `letOut` is called when the token is no longer good. */
export function readyToExplain(letOut) {
  at("ask").addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.submitter ?? at("ask").querySelector("button");
    button.setAttribute("aria-busy", "true");
    try {
      await ask(event.target);
    } catch (error) {
      if (error instanceof NotLetIn) letOut();
      else at("explained").replaceChildren(el("p", "banner bad", `The page’s server does not answer: ${error.message}`));
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
}
