// labels.js - labels that stay: a person's yes and no for the label that is chosen, lanes along a film, teaching, storing.
import { $, h, svg, ask, clock, fill, get, post, span } from "./dom.js";
import * as basket from "./basket.js";

const dialog = $("#labels"), place = "kinoseek-label";
export const label = { set: "mine", name: "", ...JSON.parse(localStorage.getItem(place) || "{}") };
let names = new Set(), telling = () => {};

// Where a sentence about what was said is told (the player has its own place).
export const tellIn = (f) => (telling = f);

function keep() {
  localStorage.setItem(place, JSON.stringify(label));
}

function field(what, value, onchange) {
  return h("label", {}, `${what} `, h("input", { value, size: 14, maxlength: 100, list: what === "Label" ? "label-names" : null, onchange: (e) => { onchange(e.target.value.trim()); keep(); } }));
}

export const fields = () => [field("Label", label.name, (v) => (label.name = v)), field("in set", label.set, (v) => (label.set = v || "mine"))];

function know(sets, learnt) {
  for (const s of sets) for (const m of s.marks || []) names.add(m.label);
  for (const l of learnt) names.add(l.name);
  $("#label-names").replaceChildren(...[...names].map((n) => h("option", { value: n })));
}

// yes or no for [start, end) of a film; true: it was taken. Without a label the dialog asks for one.
export async function say(moment, yes) {
  if (!label.name) {
    await show("Choose a label first; then y says yes and x says no of a moment.");
    return false;
  }
  try {
    await post("/api/v1/labels/say", { set: label.set, label: label.name, video: moment.video, start: moment.start, end: moment.end, yes });
    names.add(label.name);
    telling(`${label.name}: ${yes ? "yes" : "no"}, ${clock(moment.start, true)} – ${clock(moment.end, true)}`);
    return true;
  } catch (error) {
    telling(error.message);
    return false;
  }
}

// --- along a film
const tints = ["#2f7d4f", "#8a4fb0", "#b0642a", "#2a7f9e", "#a83a62", "#6b6f1c"];

// One lane a label, [{label, set, marks}].
export async function lanes(video) {
  const { sets, learnt } = await get(`/api/v1/labels?video=${video}`), found = new Map();
  know(sets, learnt);
  for (const s of sets) {
    for (const m of s.marks) {
      const name = `${s.set}\n${m.label}`;
      if (!found.has(name)) found.set(name, { set: s.set, label: m.label, marks: [] });
      found.get(name).marks.push(m);
    }
  }
  return [...found.values()];
}

export function drawLanes(all, total, from, height) {
  const each = Math.min(8, height / Math.max(1, all.length));
  return all.flatMap((lane, i) => lane.marks.map((m) => {
    const bar = svg("rect", { x: (1000 * m.start) / total, width: Math.max(1.5, (1000 * (m.end - m.start)) / total), y: from + i * each, height: each - 1, fill: tints[i % tints.length] });
    return bar;
  }));
}

// The same as a list, for keys and readers: each span can be gone to, and said yes or no of.
export function laneList(all, goto, said) {
  if (!all.length) return h("p", { class: "quiet" }, "No label is kept of this film.");
  const n = all.reduce((sum, lane) => sum + lane.marks.length, 0);
  return h("details", { class: "lanes" }, h("summary", {}, n === 1 ? "One label span" : `${n} label spans`),
    h("ul", {}, ...all.flatMap((lane, i) => lane.marks.slice(0, 200).map((m) => {
      const mark = h("span", { class: "tint" });
      mark.style.setProperty("--tint", tints[i % tints.length]);
      const answer = (yes) => async () => {
        const was = { ...label };
        Object.assign(label, { set: lane.set, name: lane.label });
        const done = await say(m, yes);
        Object.assign(label, was);
        if (done) said();
      };
      return h("li", { class: "row" }, mark, h("button", { type: "button", onclick: () => goto(m.start, m.end) }, `${lane.label} ${span(m.start, m.end)}`),
        h("span", { class: "quiet" }, m.said ? "said" : m.score.toFixed(2)),
        h("button", { type: "button", "aria-label": `${lane.label} at ${clock(m.start)}: yes`, onclick: answer(true) }, "yes"),
        h("button", { type: "button", "aria-label": `${lane.label} at ${clock(m.start)}: no`, onclick: answer(false) }, "no"));
    }))));
}

// --- the library's
const count = (n, what) => `${n.toLocaleString()} ${what}${n === 1 ? "" : "s"}`;

function worth(l) {
  const taught = `taught on ${l.yes} yes and ${l.no} no in ${l.films === 1 ? "one film" : `${l.films} films`}`;
  const good = l.average_precision === null ? "too few to say how good it is" : `average precision ${l.average_precision.toFixed(2)} (${l.low.toFixed(2)} to ${l.high.toFixed(2)})`;
  return `${taught}; ${good}${l.current ? "" : "; of another model: teach it again"}`;
}

async function working(said, words, work) {
  said.textContent = words;
  try {
    said.textContent = await work();
  } catch (error) {
    said.textContent = error.message;
  }
}

async function teach(said) {
  const items = basket.moments().map(({ video, start, end }) => ({ video, start, end, yes: true }));
  await working(said, "Learning…", async () => {
    const a = await post("/api/v1/labels/teach", { label: label.name, items });
    await list(said);
    return `${label.name}: ${worth(a.learnt[0])}.${a.stood_in ? " Nobody said what it is not: clips of the library stood in." : ""}`;
  });
}

const store = (said, name) => working(said, `Looking through the library for ${name}…`, async () => {
  const a = await post("/api/v1/labels/store", { label: name });
  await list(said);
  return `${name}: ${count(a.spans, "span")} in ${count(a.films, "film")} are stored in the set ${a.set}.`;
});

let listed = null;

async function list(said) {
  const { sets, learnt } = await get("/api/v1/labels");
  know(sets, learnt);
  listed.replaceChildren(
    h("h3", {}, "Sets"), sets.length ? h("ul", { class: "list" }, ...sets.map((s) => h("li", {}, h("b", {}, s.set), ` ${count(s.labels, "label")}, ${count(s.spans, "span")}, ${s.said} said by people`)))
      : h("p", {}, "No label is kept yet."),
    h("h3", {}, "Taught"), learnt.length ? h("ul", { class: "list" }, ...learnt.map((l) => h("li", { class: "row" },
      h("span", { class: "grow" }, h("b", {}, l.name), ` ${worth(l)}`), h("a", { href: `/?q=${encodeURIComponent(l.name)}&label=${encodeURIComponent(l.name)}&all=1` }, "show"),
      h("button", { type: "button", "aria-label": `Store ${l.name} over the library`, onclick: () => store(said, l.name) }, "Store"))))
      : h("p", {}, "Nothing was taught yet."));
}

export async function show(words = "") {
  const said = h("p", { role: "status" }, words), n = basket.moments().length;
  listed = h("div");
  fill(dialog, "Labels", h("div", { class: "row" }, ...fields(),
    h("button", { type: "button", class: "main", onclick: () => (label.name ? teach(said) : (said.textContent = "Name the label first.")) },
      n ? `Teach: ${n === 1 ? "the moment in the basket shows" : `the ${n} moments in the basket show`} it` : "Teach from what was said")),
    h("p", { class: "quiet" }, "y and x say yes and no of a moment, in the pictures and in the player. What was said teaches, too. Store looks for a taught label in every film."),
    said, listed);
  try {
    await list(said);
  } catch (error) {
    said.textContent = error.message;
  }
}
