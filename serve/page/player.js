// player.js - one film at a second: loop, in and out, frames, the score along it; pictures where a browser cannot play it.
import { $, h, ask, base, clock, copy, day, fill, folder, seconds, shellWord, Trouble } from "./dom.js";
import { clipAt, film, picture } from "./films.js";
import * as basket from "./basket.js";
import * as labels from "./labels.js";
import { canStream, NoPictures, stream } from "./stream.js";
import { drawCurve, markStrip, strip } from "./strip.js";

const dialog = $("#player");
let now = null; // the film that is shown: {moment, film, video, loop, from, to, slider, ...}

export const isOpen = () => dialog.open && now !== null;

// Seconds of the film: a part (see playParts) begins at its own; where nothing is there yet, those that are wanted.
const at = () => (now.video?.readyState ? now.video.currentTime + (now.piece ? now.piece.from : 0) : now.video ? now.wanted ?? now.t : now.t);

function mark() {
  if (!now) return;
  markStrip(now, at());
  now.time.textContent = `${clock(at(), true)} / ${clock(now.film.seconds || 1)}`;
}

function seekTo(t) {
  const to = Math.min(now.film.seconds, Math.max(0, t));
  if (now.loop.checked && (to < now.from || to > now.to)) now.loop.checked = false; // somebody went elsewhere
  if (now.rung && !now.unstream) showPart(now, to);
  else if (now.video) now.video.currentTime = to;
  else showPicture(to);
  mark();
}

// --- what plays: the film itself; else parts of it, as they are in another container; else encoded; else its pictures
const motion = () => !matchMedia("(prefers-reduced-motion: reduce)").matches;

const source = (id, t) => h("video", { playsinline: true, preload: "auto", src: `/media/${id}#t=${t}` });

function drop(video) {
  video.pause();
  video.removeAttribute("src");
  video.load();
}

// The place that it will take, before its size is known.
const sized = (state, video) => Object.assign(video, { width: state.film.width, height: state.film.height });

// `video`: its first bytes may be here already.
function playFilm(state, video) {
  const ours = () => now === state && state.video === video;
  const fails = () => ours() && playParts(state, /NO_SUPPORTED_STREAMS/.test(video.error?.message) || (!video.error && video.readyState) ? encoded : 0);
  const known = () => {
    if (video.videoWidth === 0) fails(); // sound alone: another container is no help
    else if (Math.abs(video.currentTime - state.t) > 0.1) video.currentTime = state.t; // twice would be decoded twice
  };
  video.addEventListener("timeupdate", () => {
    if (!ours()) return;
    if (state.loop.checked && (video.currentTime >= state.to || video.currentTime < state.from - 0.5)) video.currentTime = state.from;
    mark();
  });
  video.addEventListener("error", fails);
  const first = () => {
    if (!ours()) return;
    state.seen();
    if (motion()) video.play().catch(() => {});
  };
  state.video = sized(state, video);
  state.screen.replaceChildren(video);
  if (video.error) return fails();
  if (video.readyState) known();
  else video.addEventListener("loadedmetadata", known, { once: true });
  if (video.readyState >= 2) first();
  else video.addEventListener("loadeddata", first, { once: true }); // sooner, play() would put it off
}

// Points on the short side of what is encoded.
const side = () => (localStorage.getItem("kinoseek-side") === "720" ? 720 : 480);
const rungs = ["copied", "encoded"].flatMap((how) => [...(canStream ? [{ how, streams: true }] : []), { how }]);
const encoded = rungs.findIndex((r) => r.how === "encoded");
const step_ = 8, longest = 20; // seconds of a part

// A part of the film that holds `t`, fetched once: {url, from, to}.
function fetchPart(state, t) {
  const inside = t >= state.from - 0.001 && t < state.to, from = inside ? state.from : t;
  const to = Math.min(state.film.seconds + 0.5, inside && state.to - from <= longest ? Math.max(state.to, from + 0.2) : from + step_);
  const name = `${from.toFixed(3)}-${to.toFixed(3)}`;
  if (!state.pieces.has(name)) {
    const going = ask(`/media/${state.film.video}/part?from=${from.toFixed(3)}&to=${to.toFixed(3)}${rungs[state.rung - 1].how === "encoded" ? `&side=${side()}` : ""}`, { signal: state.gone.signal })
      .then(async (reply) => {
        const [a, b] = (reply.headers.get("X-Kinoseek-Seconds") || `${from}-${to}`).split("-").map(Number);
        const url = URL.createObjectURL(await reply.blob());
        state.urls.push(url);
        return { url, from: a, to: b, end: to };
      });
    going.catch(() => state.pieces.delete(name));
    state.pieces.set(name, going);
  }
  return state.pieces.get(name);
}

// How large, where it is encoded: it begins anew from here.
function quality(state, tried) {
  const box = h("select", { onchange: () => { localStorage.setItem("kinoseek-side", box.value); playParts(state, tried, at()); } },
    h("option", { value: "480" }, "480p"), h("option", { value: "720" }, "720p"));
  box.value = String(side());
  return h("label", {}, "Encoded as ", box);
}

// The film cannot be had; else it is the browser or the decoder that cannot play it, and the next rung may.
const isAway = (error) => error instanceof Trouble && ![422, 500].includes(error.status);

function playStream(state, tried, t) {
  const video = h("video", { controls: true, playsinline: true }), anew = rungs[tried].how === "encoded";
  state.video = sized(state, video);
  state.piece = null;
  state.wanted = t;
  state.said = h("p", { role: "status" }, `This browser cannot play the file as it is; ${anew ? "it is being encoded" : "parts of it are being made"}…`);
  state.screen.replaceChildren(video, ...(anew ? [h("p", {}, quality(state, tried))] : []), state.said);
  const fails = (why) => now === state && state.video === video && (isAway(why) ? playPictures(state, why.message) : playParts(state, why instanceof NoPictures && !anew ? encoded : tried + 1, state.wanted));
  video.addEventListener("timeupdate", () => {
    if (now !== state || state.video !== video) return;
    if (state.loop.checked && video.currentTime >= state.to) video.currentTime = state.from;
    state.wanted = video.currentTime;
    mark();
  });
  video.addEventListener("error", fails);
  state.unstream = stream(video, { id: state.film.video, seconds: state.film.seconds, t, side: anew ? side() : 0, fails, began: () => {
    video.dataset.how = rungs[tried].how;
    state.said.textContent = "";
    state.seen();
    if (motion()) video.play().catch(() => {});
  } });
}

function playParts(state, tried, t = state.rung ? at() : state.t) {
  t = Math.min(t, Math.max(0, state.film.seconds - 0.5)); // nothing begins at the end
  state.unstream?.();
  state.unstream = null;
  state.rung = tried + 1;
  if (tried >= rungs.length) {
    return playPictures(state, "This browser cannot play this film.", "; the line below plays it in mpv");
  }
  if (rungs[tried].streams) return playStream(state, tried, t);
  const video = h("video", { controls: true, playsinline: true, preload: "auto" });
  const fails = () => now === state && state.video === video && video.src && playParts(state, tried + 1, state.wanted ?? t);
  video.addEventListener("timeupdate", () => now === state && state.video === video && mark());
  video.addEventListener("error", fails);
  video.addEventListener("loadeddata", () => (video.videoWidth === 0 ? fails() : (video.dataset.how = rungs[tried].how, state.said.textContent = "", state.seen())));
  video.addEventListener("ended", () => {
    if (now !== state || !state.piece) return;
    const end = state.piece.end;
    showPart(state, state.loop.checked && end >= state.to - 0.05 ? state.from : end < state.film.seconds - 0.05 ? end : state.from);
  });
  state.video = sized(state, video);
  state.pieces.clear();
  state.said = h("p", { role: "status" }, "This browser cannot play the file as it is; a part of it is being made…");
  state.screen.replaceChildren(video, ...(rungs[tried].how === "encoded" ? [h("p", {}, quality(state, tried))] : []), state.said);
  state.piece = null;
  showPart(state, t);
}

async function showPart(state, t) {
  const { video } = state, tried = state.rung - 1;
  state.wanted = t;
  if (state.piece && t >= state.piece.from && t < state.piece.to) {
    video.currentTime = t - state.piece.from;
    if (motion()) video.play().catch(() => {});
    return;
  }
  let piece;
  try {
    piece = await fetchPart(state, t);
  } catch (error) {
    if (error.name === "AbortError" || now !== state || state.video !== video) return;
    if (isAway(error)) playPictures(state, error.message);
    else playParts(state, tried + 1, t);
    return;
  }
  if (now !== state || state.video !== video || state.wanted !== t) return;
  state.piece = piece;
  video.src = piece.url;
  video.currentTime = Math.max(0, t - piece.from);
  if (motion()) video.play().catch(() => {});
  if (!state.loop.checked && piece.end < state.film.seconds - 0.05) fetchPart(state, piece.end).catch(() => {}); // the next one, meanwhile
}

function playPictures(state, why, more = "") {
  const t = state.wanted ?? state.t;
  state.unstream?.();
  state.unstream = null;
  state.rung = 0;
  state.video = null;
  state.piece = null;
  state.image = h("img", { alt: "", class: "still" });
  state.screen.replaceChildren(state.image, h("p", { role: "status" }, `${why.replace(/\.?$/, ".")} These are its pictures${more}.`));
  state.t = t;
  showPicture(t);
  state.seen();
}

function showPicture(t) {
  const clip = clipAt(now.film.clips, t);
  now.t = t;
  if (clip) now.image.src = picture(clip.id);
}

// --- the parts of the dialog
function timeField(state, name, label) {
  const field = h("input", { value: clock(state[name], true), size: 11, inputmode: "decimal", "aria-label": `${label}, as h:mm:ss.mmm`,
    onchange: () => setPart(name, seconds(field.value)) });
  state[`${name}Field`] = field;
  return h("label", {}, `${label} `, field, h("button", { type: "button", title: name === "from" ? "[" : "]", onclick: () => setPart(name, at()) }, "here"));
}

function setPart(name, t) {
  const from = name === "from" ? t : now.from, to = name === "to" ? t : now.to;
  const good = t >= 0 && t <= now.film.seconds + 0.001 && from < to;
  now[`${name}Field`].setAttribute("aria-invalid", String(!good));
  if (!good) return;
  now[name] = t;
  now[`${name}Field`].value = clock(t, true);
  mark();
}

function chosen() {
  const m = now.moment, same = m && Math.abs(m.start - now.from) < 0.0005 && Math.abs(m.end - now.to) < 0.0005;
  const clip = clipAt(now.film.clips, (now.from + now.to) / 2);
  return same ? m : { video: now.film.video, path: now.film.path, start: now.from, end: now.to, best: now.from, clips: clip ? [clip.id] : [], score: m?.score || 0, cosine: m?.cosine || 0, query: m?.query || "" };
}

// The label that is chosen, yes or no of [in, out).
async function mean(yes) {
  const state = now;
  if (await labels.say({ video: state.film.video, start: state.from, end: state.to }, yes)) drawLabels(state);
}

async function drawLabels(state) {
  try {
    const all = await labels.lanes(state.film.video);
    state.lanes.replaceChildren(...labels.drawLanes(all, state.film.seconds || 1, 0, 24));
    const was = state.list.querySelector("details")?.open;
    state.list.replaceChildren(labels.laneList(all, (from, to) => { setPart("from", from); setPart("to", to); seekTo(from); }, () => drawLabels(state)));
    if (was) state.list.querySelector("details").open = true;
  } catch { /* the film plays without its labels */ }
}

function plus() {
  const clip = clipAt(now.film.clips, at());
  if (clip) now.also({ clips: [clip.id] });
}

function step(frames) {
  if (!now.video) return seekTo(at() + frames);
  now.video.pause();
  seekTo(at() + frames / (now.film.fps || 25));
}

function line() {
  return `mpv --start=${now.from.toFixed(3)} --ab-loop-a=${now.from.toFixed(3)} --ab-loop-b=${now.to.toFixed(3)} -- ${shellWord(now.film.path)}`;
}

function controls(state, { go, can, like }) {
  const button = (words, title, onclick, disabled = false) => h("button", { type: "button", title, onclick, disabled }, words);
  state.loop = h("input", { type: "checkbox" });
  state.loop.checked = true;
  state.word = h("span", { role: "status", class: "quiet" });
  labels.tellIn((words) => (state.word.textContent = words));
  state.list = h("div");
  state.time = h("output", { class: "time", "aria-live": "off" });
  return h("div", { class: "controls" },
    h("div", { class: "row" }, state.time, button("‹ frame", ",", () => step(-1)), button("frame ›", ".", () => step(1)),
      h("label", {}, state.loop, " loop"), timeField(state, "from", "In"), timeField(state, "to", "Out")),
    h("div", { class: "row" },
      button("Add to basket", "s", () => basket.set(chosen(), true)),
      button("More like this", "m", () => { const clip = clipAt(state.film.clips, at()); if (clip) like({ clips: [clip.id] }); }),
      button("Add to the question", "+: this frame", () => plus()),
      button("Copy path", "the file's own", (e) => copy(state.film.path, e.target)),
      button("Copy mpv line", "plays this part in mpv", (e) => copy(line(), e.target)),
      button("‹ Previous", "p", () => go(-1), !can(-1)), button("Next ›", "n", () => go(1), !can(1))),
    h("div", { class: "row" }, ...labels.fields(), button("Yes", "y: the part shows the label", () => mean(true)), button("No", "x: the part does not show it", () => mean(false)), state.word));
}

function once(what) {
  let done = false;
  return () => done || ((done = true), what());
}

function furnish(state) {
  if (now !== state) return;
  if (state.video) state.video.controls = true;
  drawCurve(state);
  drawLabels(state);
}

let openings = 0; // who asked last is shown

// Opens a film at a second: of a moment of the grid, or alone (null). The page's: go(±1): to the neighbour in the grid, where
// can(±1); like(moment), also(moment): a question; closed(); told(words).
export async function open(id, t, moment, page) {
  const mine = ++openings, video = source(id, t); // its bytes come while its row is asked for
  let of;
  try {
    of = await film(id);
  } finally {
    if (!of || of.missing || mine !== openings) drop(video);
  }
  if (mine !== openings) return;
  const state = { ...page, film: of, moment, t, video: null, rung: 0, piece: null, pieces: new Map(), urls: [], gone: new AbortController(), from: moment ? moment.start : t, to: moment ? moment.end : Math.min(of.seconds, t + 4) };
  if (!(state.to > state.from)) state.to = state.from + 0.04;
  if (now) leave(now);
  now = state;
  state.screen = h("div", { class: "screen" });
  const held = dialog.contains(document.activeElement) ? document.activeElement.title : "";
  fill(dialog, base(of.path), h("p", { class: "quiet where" }, `${folder(of.path)} · ${day(of.date)} · ${of.width} × ${of.height}`),
    state.screen, strip(state, { at, seekTo, setPart }), controls(state, page), state.list);
  const same = held && dialog.querySelector(`button[title="${CSS.escape(held)}"]:not([disabled])`);
  (same || state.slider).focus(); // not what closes: space plays
  state.seen = once(() => furnish(state)); // what is drawn before the first picture puts it off
  setTimeout(state.seen, 1000);
  if (of.missing) playPictures(state, "The file of this film is not where it was.");
  else playFilm(state, video);
  mark();
}

// What is being made for it is not waited for; connections are let go.
function leave(state) {
  const { video } = state;
  state.gone.abort();
  state.unstream?.();
  state.video = null;
  if (video) drop(video);
  state.urls.forEach((url) => URL.revokeObjectURL(url));
}

dialog.addEventListener("close", () => {
  const state = now;
  if (!state) return;
  now = null;
  leave(state);
  dialog.replaceChildren();
  labels.tellIn(state.told);
  state.closed();
});

export function close() {
  openings++;
  if (dialog.open) dialog.close();
}

export function key(e) {
  const ours = {
    " ": () => now.video && (now.video.paused ? now.video.play() : now.video.pause()), ",": () => step(-1), ".": () => step(1),
    "[": () => setPart("from", at()), "]": () => setPart("to", at()), l: () => (now.loop.checked = !now.loop.checked),
    y: () => mean(true), x: () => mean(false),
    s: () => basket.set(chosen(), true), n: () => now.go(1), p: () => now.go(-1),
    m: () => { const clip = clipAt(now.film.clips, at()); if (clip) now.like({ clips: [clip.id] }); },
    "+": () => plus(), ArrowLeft: () => seekTo(at() - 1), ArrowRight: () => seekTo(at() + 1), Home: () => seekTo(now.from),
  }[e.key];
  if (!ours || (e.key === " " && ["BUTTON", "VIDEO"].includes(document.activeElement.tagName))) return false;
  ours();
  return true;
}
