// grid.js - moments as pictures: what each is, its film under the pointer, selection by click, key and shift.
import { $, h, base, clock, day, folder, span } from "./dom.js";
import { clipAt, film, picture } from "./films.js";
import * as basket from "./basket.js";
import * as labels from "./labels.js";

let shown = [], anchor = -1;
export const moments = () => shown;

// Moves the picture through the film: part 0 to 1 of it, or back to the moment.
function scrub(tile, moment, part) {
  const image = tile.querySelector("img"), at = tile.querySelector(".at");
  if (part === null) {
    image.src = picture(moment.clips[0]);
    at.hidden = true;
    tile.scrubbing = false;
    return;
  }
  tile.scrubbing = true;
  film(moment.video).then((f) => {
    if (!tile.scrubbing || !f.clips.length) return;
    const clip = clipAt(f.clips, part * f.seconds);
    if (!clip) return;
    image.src = picture(clip.id);
    at.hidden = false;
    at.textContent = clock((clip.start + clip.end) / 2);
    at.style.setProperty("--part", Math.min(1, Math.max(0, part)));
  }, () => {});
}

function scrubByKey(tile, moment, step) {
  film(moment.video).then((f) => {
    tile.part = Math.min(1, Math.max(0, (tile.part ?? moment.best / f.seconds) + step / Math.max(1, f.clips.length)));
    scrub(tile, moment, tile.part);
  }, () => {});
}

function select(i, on, range) {
  const from = range && anchor >= 0 ? Math.min(anchor, i) : i, to = range && anchor >= 0 ? Math.max(anchor, i) : i;
  for (let n = from; n <= to; n++) basket.set(shown[n], on);
  anchor = i;
}

function copies(moment) {
  const paths = moment.copies || [];
  if (!paths.length && !moment.more_copies) return null;
  const n = paths.length + (moment.more_copies || 0);
  return h("details", { class: "copies" }, h("summary", {}, n === 1 ? "one copy" : `${n} copies`),
    h("ul", {}, ...paths.map((p) => h("li", {}, p)), moment.more_copies ? h("li", {}, `and ${moment.more_copies} more`) : null));
}

function tile(moment, i, open, like, names) {
  const name = base(moment.path), from = clock(moment.start), when = span(moment.start, moment.end), date = day(moment.date);
  const image = h("img", { src: picture(moment.clips[0]), alt: "", loading: i < 24 ? "eager" : "lazy", decoding: "async", draggable: "false" });
  const button = h("button", { type: "button", class: "picture", "aria-label": `Play ${name}, ${when.replace("–", "to")}, ${date}, score ${moment.score.toFixed(2)}${moment.missing ? ", the file is missing" : ""}` },
    image, h("span", { class: "at", hidden: true }), moment.missing ? h("span", { class: "missing" }, "file is missing") : null);
  const box = h("input", { type: "checkbox", "aria-label": `Select ${name} ${from}` });
  box.checked = basket.has(moment);
  const item = h("li", { class: "tile", "data-i": i }, button,
    h("div", { class: "row about" }, box, h("span", { class: "name", title: moment.path }, name),
      h("button", { type: "button", class: "like", title: "More like this (m)", "aria-label": `More like ${name} ${from}`, onclick: () => like(moment) }, "≈")),
    h("div", { class: "row facts" }, h("span", {}, when), h("span", { class: "date" }, date),
      h("span", { class: "score", title: `score ${moment.score.toFixed(3)}, cosine ${moment.cosine.toFixed(3)}` },
        h("span", { class: "bar", style: null }), moment.score.toFixed(2))),
    parts(moment, names), copies(moment));
  item.querySelector(".bar").style.setProperty("--score", moment.score);
  button.addEventListener("click", () => open(i));
  button.addEventListener("pointermove", (e) => e.pointerType !== "touch" && scrub(item, moment, e.offsetX / button.clientWidth));
  button.addEventListener("pointerleave", () => scrub(item, moment, null));
  button.addEventListener("blur", () => scrub(item, moment, null));
  image.addEventListener("error", () => image.classList.add("none"));
  box.addEventListener("click", (e) => select(i, box.checked, e.shiftKey));
  return item;
}

// Each term's own part: when, where it is not the whole moment.
function parts(moment, names) {
  if (!moment.parts) return null;
  const when = (p) => (p.start === moment.start && p.end === moment.end ? "" : ` ${span(p.start, p.end)}`);
  return h("ul", { class: "parts" }, ...moment.parts.map((p) => h("li", {}, `${names[p.term - 1] || p.term}${when(p)} · ${p.score.toFixed(2)}`)));
}

const orders = {
  score: (a, b) => a.rank - b.rank,
  date: (a, b) => b.date - a.date || a.rank - b.rank,
  film: (a, b) => (folder(a.path) + "/" + base(a.path)).localeCompare(b.path) || a.start - b.start,
};

let was = {}; // what is shown: opening a film draws nothing anew

export function show(list, sort, open, like, names) {
  if (list === was.list && sort === was.sort && $("#moments").children.length) return;
  was = { list, sort };
  shown = [...list].sort(orders[sort] || orders.score);
  anchor = -1;
  $("#moments").replaceChildren(...shown.map((m, i) => tile(m, i, open, like, names)));
}

export function clear() {
  shown = [];
  was = {};
  $("#moments").replaceChildren();
}

export function mark() {
  for (const item of $("#moments").children) item.querySelector("input").checked = basket.has(shown[item.dataset.i]);
}

const focused = () => document.activeElement?.closest?.(".tile");

export function first() {
  const picture_ = $(".tile .picture");
  picture_?.focus();
  return Boolean(picture_);
}

// Keys of the grid: arrows go from picture to picture. true: it was ours.
export function key(e, like, also) {
  const tile_ = focused(), all = [...document.querySelectorAll(".tile")];
  if (!all.length || !["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "s", "S", "m", "+", "y", "x", ",", "."].includes(e.key)) return false;
  if (!tile_) {
    if (!e.key.startsWith("Arrow")) return false;
    return first();
  }
  const i = all.indexOf(tile_), wide = all.filter((t) => t.offsetTop === all[0].offsetTop).length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -wide, ArrowDown: wide, Home: -i, End: all.length - 1 - i }[e.key];
  if (step !== undefined) {
    if (document.activeElement.tagName === "INPUT") return false;
    all[Math.min(all.length - 1, Math.max(0, i + step))].querySelector(".picture").focus();
  } else if (!shown[i]) return false; // a film of the first page
  else if (e.key === "m") like(shown[i]);
  else if (e.key === "+") also(shown[i]);
  else if (e.key === "y" || e.key === "x") labels.say(shown[i], e.key === "y");
  else if (e.key === "," || e.key === ".") scrubByKey(tile_, shown[i], e.key === "," ? -1 : 1);
  else {
    select(i, !basket.has(shown[i]), e.shiftKey);
    mark();
  }
  return true;
}
