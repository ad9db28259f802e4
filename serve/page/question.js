// question.js - the question in the address: parameters have the names of the command line's options, in their order.
export const operators = [
  ["and", "and"], ["or", "or"], ["not", "but not"], ["plus", "more of"], ["minus", "less of"],
  ["then", "then"], ["unless", "with no … after"],
];
const isTerm = new Set([...operators.map((o) => o[0]), "like"]);
export const filters = [
  ["path", "Files", "holidays/*"], ["after", "From", "2019-07"], ["before", "Before", "2020"], ["longer", "Longer than", "2"],
  ["shorter", "Shorter than", "0:30"], ["per-video", "Of one film", "3"], ["in", "In the film", "name or number"], ["label", "Labelled", "name"],
];
// A sentence about options of the command line, by the names that they have here.
const labels = new Map([...filters.map(([name, label]) => [name, label]), ...operators, ["fps", "Frames a second"]]);
export const inOurWords = (sentence) => sentence.replace(/--([a-z][a-z-]*)/g, (option, name) => (labels.has(name) ? `“${labels.get(name)}”` : option));

const isFilter = new Set([...filters.map((f) => f[0]), "all", "fold", "merge"]);
export const usual = 60;

// terms: [{op, value, within}]
export function read(search = location.search) {
  const question = { q: "", terms: [], filters: {}, sort: "score", k: usual, video: 0, t: 0, picture: 0 };
  for (const [name, value] of new URLSearchParams(search)) {
    if (name === "q") question.q = value;
    else if (isTerm.has(name)) question.terms.push({ op: name, value, within: "" });
    else if (name === "within" && question.terms.length) question.terms.at(-1).within = value;
    else if (isFilter.has(name)) question.filters[name] = value;
    else if (name === "sort") question.sort = value;
    else if (name === "k") question.k = Math.max(1, Number(value) || usual);
    else if (name === "video") question.video = Number(value) || 0;
    else if (name === "t") question.t = Number(value) || 0;
  }
  return question;
}

// The address of a kept query, {words, options: ["--and", "a cat", …]}; "": it has options that this page has not.
export function addressOf({ words, options }) {
  const to = new URLSearchParams({ q: words });
  for (let i = 0; i < options.length; i += 2) {
    const name = options[i].replace(/^--/, "");
    if (!(isTerm.has(name) || isFilter.has(name) || name === "within") || i + 1 === options.length) return "";
    to.append(name, options[i + 1]);
  }
  return `/?${to}`;
}

export const isEmpty = (question) => !question.picture && !question.q.trim() && !question.terms.some((t) => ["like", "plus"].includes(t.op));

// What is asked, as the server takes it.
export function terms(question) {
  const to = new URLSearchParams();
  if (question.q.trim()) to.append("q", question.q);
  for (const term of question.terms) {
    if (!term.value.trim()) continue;
    to.append(term.op, term.value);
    if (term.within && ["then", "unless"].includes(term.op)) to.append("within", term.within);
  }
  return to;
}

export function toServer(question) {
  const to = terms(question);
  for (const [name, value] of Object.entries(question.filters)) if (value) to.append(name, value);
  to.append("k", question.k);
  return to;
}

// The same for people's eyes: what is usual is left out; with the film that is open.
export function toAddress(question) {
  const to = toServer(question);
  if (question.k === usual) to.delete("k");
  if (question.sort !== "score") to.append("sort", question.sort);
  if (question.video) {
    to.append("video", question.video);
    to.append("t", Number(question.t).toFixed(3).replace(/\.?0+$/, ""));
  }
  return `/${to.size ? "?" : ""}${to}`;
}

// In words, as one would type it.
export function inWords(question) {
  const words = [question.picture ? "a picture" : question.q];
  for (const t of question.terms) words.push(t.op === "like" ? `clip ${t.value.replace("#", "")}` : `${(operators.find((o) => o[0] === t.op) || ["", t.op])[1]} ${t.value}`);
  return words.filter(Boolean).join(" ");
}

// What the parts of a moment are parts of: part n is of the n-th name.
export function names(question) {
  const clip = (value) => value.replace(/^#(\d+)$/, "clip $1");
  return [question.picture ? "picture" : question.q.trim(), ...question.terms.map((t) => clip(t.value))].filter(Boolean);
}
