// page.js - the question in the address, and everything that follows from it.
import { $, h, ask, base, fill, get, long, post } from "./dom.js";
import { film, picture } from "./films.js";
import * as basket from "./basket.js";
import * as grid from "./grid.js";
import * as labels from "./labels.js";
import * as library from "./library.js";
import * as player from "./player.js";
import * as q from "./question.js";

// Pictures that were dropped here, by number: they stand in the history of this tab, and no address can hold them.
const pictures = new Map();
let dropped = Date.now();

function here() {
  const picture = history.state?.picture || 0;
  return { ...q.read(), picture: pictures.has(picture) ? picture : 0 };
}

let state = here(), asked = "", answer = null, going = null, status = null;

function trouble(words) {
  $("#trouble").textContent = q.inOurWords(words);
  $("#trouble").hidden = !words;
}

// --- address: a new entry for a new question, the same one for a second of a film
function go(next, { replace = false, film = false } = {}) {
  state = next;
  history[replace ? "replaceState" : "pushState"]({ picture: state.picture || 0 }, "", q.toAddress(state));
  render(film);
}

const questionOf = (s) => `${s.picture} ${q.toAddress({ ...s, video: 0, t: 0 })}`;

function like(moment) {
  player.close();
  go({ ...state, q: "", picture: 0, terms: [{ op: "like", value: `#${moment.clips[0]}`, within: "" }], video: 0, t: 0, k: q.usual });
  scrollTo(0, 0);
}

// This moment, too: one more chip of the question that is there.
function also(moment) {
  player.close();
  const term = { op: q.isEmpty(state) ? "like" : "plus", value: `#${moment.clips[0]}`, within: "" };
  go({ ...state, terms: [...state.terms, term], video: 0, t: 0, k: q.usual });
  scrollTo(0, 0);
}

// --- the form
function select(value, options, label, onchange) {
  const box = h("select", { "aria-label": label, onchange: () => onchange(box.value) }, ...options.map(([name, words]) => h("option", { value: name }, words)));
  box.value = value;
  return box;
}

function termRow(term, i) {
  const change = (more) => (state.terms[i] = { ...state.terms[i], ...more });
  const clip = /^#(\d+)$/.exec(term.value);
  const kind = term.op === "like" ? h("span", {}, "like") : select(term.op, q.operators, `Term ${i + 1}: how`, (op) => { change({ op }); drawTerms(); });
  const what = clip ? h("img", { src: picture(clip[1]), alt: `the moment of clip ${clip[1]}`, width: 64, height: 36 })
    : h("input", { value: term.value, "aria-label": `Term ${i + 1}: words`, oninput: (e) => change({ value: e.target.value }) });
  const within = ["then", "unless"].includes(term.op)
    ? h("label", { class: "quiet" }, "within ", h("input", { value: term.within, size: 4, placeholder: "0:30", oninput: (e) => change({ within: e.target.value }) })) : null;
  return h("li", { class: `term ${term.op}` }, kind, what, within,
    h("button", { type: "button", "aria-label": `Take term ${i + 1} away`, onclick: () => { state.terms.splice(i, 1); submit(); } }, "×"));
}

function pictureChip() {
  return h("li", { class: "term like" }, h("span", {}, "like"), h("img", { src: pictures.get(state.picture).url, alt: "the picture that was dropped", height: 36 }),
    h("button", { type: "button", "aria-label": "Take the picture away", onclick: () => { state.picture = 0; submit(); } }, "×"));
}

function drawTerms() {
  const add = h("li", {}, h("button", { type: "button", onclick: () => {
    state.terms.push({ op: "and", value: "", within: "" });
    drawTerms();
    [...document.querySelectorAll("#terms input[aria-label$=words]")].at(-1)?.focus();
  } }, "+ term"));
  $("#terms").replaceChildren(...(state.picture ? [pictureChip()] : []), ...state.terms.map(termRow), add);
}

function drawFilters() {
  const set = (name) => (e) => (state.filters[name] = e.target.value.trim());
  const field = ([name, label, hint]) => h("label", {}, `${label} `, h("input", { value: state.filters[name] || "", placeholder: hint, size: 10, oninput: set(name) }));
  const all = h("input", { type: "checkbox", title: "those under the cut-off", onchange: () => { state.filters.all = all.checked ? "1" : ""; submit(); } });
  all.checked = state.filters.all === "1";
  $("#filters").replaceChildren(...q.filters.map(field), h("label", {}, all, " weak ones too"), h("button", {}, "Apply"));
}

// What is in use stays in sight; all the rest on demand.
function unfold(all) {
  const filtered = q.filters.some(([name]) => state.filters[name]);
  $("#more-terms").setAttribute("aria-expanded", String(all));
  $("#terms").hidden = !(all || filtered || state.terms.length > 0 || state.picture > 0);
  $("#filters").hidden = !(all || filtered);
}

const isUnfolded = () => $("#more-terms").getAttribute("aria-expanded") === "true";

function drawForm() {
  $("#q").value = state.q;
  $("#sort").value = state.sort;
  unfold(isUnfolded());
  drawTerms();
  drawFilters();
}

function submit() {
  unfold(false);
  const words = $("#q").value;
  go({ ...state, q: words, picture: words.trim() ? 0 : state.picture, terms: state.terms.filter((t) => t.value.trim()), video: 0, t: 0, k: q.usual });
}

// --- the answer
const examples = ["a dog", "a car at night", "people dancing", "the sea", "a birthday cake"];

// Films of the library, as pictures to begin with.
function filmTile(f) {
  const name = base(f.path), open = () => go({ ...state, video: f.video, t: 0 }, { film: true });
  return h("li", { class: "tile" }, h("button", { type: "button", class: "picture", "aria-label": `Play ${name}, ${long(f.seconds)}`, onclick: open },
    h("img", { src: picture(f.clips[Math.floor(f.clips.length / 2)].id), alt: "", decoding: "async" })),
  h("div", { class: "row about" }, h("span", { class: "name", title: f.path }, name), h("span", { class: "facts" }, long(f.seconds))));
}

// Some more films onto the first page, from the from-th path on; those that are there already under another path are not.
async function moreFilms(from) {
  const page = await get(`/api/v1/videos?from=${from}&k=24`), there = new Set([...$("#films").children].map((tile) => tile.video));
  const fresh = page.videos.filter((f) => f.seconds > 0 && !there.has(f.video) && there.add(f.video));
  const known = await Promise.all(fresh.map((f) => film(f.video).catch(() => null)));
  if (!q.isEmpty(state)) return [];
  const shown = known.filter((f) => f?.clips.length);
  $("#films").append(...shown.map((f) => Object.assign(filmTile(f), { video: f.video })));
  $("#more-films").hidden = !page.more;
  $("#more-films").onclick = () => moreFilms(from + 24).catch((error) => trouble(error.message));
  return shown;
}

async function welcome() {
  grid.clear();
  $("#films").replaceChildren();
  $("#order").hidden = $("#more").hidden = $("#keep").hidden = true;
  document.title = "kinoseek";
  const link = (words) => h("a", { href: `/?q=${encodeURIComponent(words)}` }, words);
  const tryThem = (names) => $("#said").replaceChildren(`${status.clips.toLocaleString()} clips of ${status.videos.toLocaleString()} films. Try `,
    ...[...names, ...examples].slice(0, 5).flatMap((w, i) => [i ? ", " : "", link(w)]), ", or drop a picture on this page.");
  if (!status.clips) return void ($("#said").textContent = "Nothing is in this library yet: kinoseek ingest FOLDER.");
  const names = (await moreFilms(0)).map((f) => base(f.path).replace(/\.\w+$/, "").replace(/[_-]+/g, " ")).filter((n) => /^[a-z ]{3,30}$/i.test(n));
  if (q.isEmpty(state)) tryThem([...new Set(names)].slice(0, 3));
}

function tell(a) {
  const n = a.moments.length, words = [];
  if (n) words.push(n === 1 ? "One moment" : `${n} moments`, ` of ${a.searched.toLocaleString()} clips`);
  else words.push(a.below.length ? "Nothing here clearly looks like that. The nearest:" : "Nothing here to look through.");
  if (a.approximate) words.push(", approximate");
  if (a.notice) words.push(`. ${a.notice}`);
  if (a.damaged) words.push(`. The library is damaged in ${a.damaged} places: kinoseek repair`);
  $("#said").textContent = words.join("");
  document.title = `${q.inWords(state) || "picture"} – kinoseek`;
}

function present(a) {
  answer = a;
  tell(a);
  $("#order").hidden = a.moments.length < 2;
  $("#keep").hidden = !state.q.trim();
  $("#more").hidden = a.moments.length < state.k;
  grid.show(a.moments.length ? a.moments : a.below, state.sort, openAt, like, q.names(state));
}

const keyOf = (s) => `${s.picture} ${q.toServer(s)}`;

async function search() {
  const to = q.toServer(state).toString(), picture = pictures.get(state.picture), key = keyOf(state);
  going?.abort();
  going = new AbortController();
  if (key === asked && answer) return present(answer);
  $("#said").textContent = picture ? "Looking at the picture…" : "Looking…";
  $("#films").replaceChildren();
  $("#more-films").hidden = true;
  $("#results").setAttribute("aria-busy", "true");
  try {
    const { signal } = going, sent = picture && { method: "POST", body: picture.file, headers: { "Content-Type": picture.file.type || "image/jpeg" } };
    const a = await (await ask(`/api/v1/search?${to}`, { signal, ...sent })).json();
    asked = key;
    trouble("");
    present(a);
  } catch (error) {
    if (error.name === "AbortError") return;
    trouble(error.message);
    $("#said").textContent = "";
    grid.clear();
  } finally {
    $("#results").removeAttribute("aria-busy");
  }
}

function searchPicture(file) {
  if (!file) return;
  player.close();
  pictures.set(++dropped, { file, url: URL.createObjectURL(file) });
  if (pictures.size > 20) pictures.delete(pictures.keys().next().value);
  go({ ...state, q: "", terms: [], picture: dropped, video: 0, t: 0, k: q.usual });
  scrollTo(0, 0);
}

// --- what was said of a moment, and queries that are kept
const tellWord = (words) => ($("#said").textContent = q.inOurWords(words));

async function keepQuery() {
  const name = prompt("Keep this query under the name:", q.inWords(state).slice(0, 60));
  if (!name) return;
  const to = q.toServer(state);
  for (const off of ["k", "all"]) to.delete(off);
  try {
    await post(`/api/v1/saved?${to}`, { name });
    tellWord(`Kept as ${name}. What it finds in films that are ingested from now on stands in the library (i).`);
  } catch (error) {
    tellWord(error.message);
  }
}

// --- a film
function openAt(i) {
  const m = grid.moments()[i];
  if (!m) return;
  go({ ...state, video: m.video, t: m.start }, { film: true });
}

async function openFilm() {
  const all = grid.moments(), i = all.findIndex((m) => m.video === state.video && m.start <= state.t + 0.0005 && m.end > state.t);
  const list = i < 0 ? [] : all;
  const closed = () => state.video && go({ ...state, video: 0, t: 0 }, { film: true });
  const step = (by) => list[i + by] && go({ ...state, video: list[i + by].video, t: list[i + by].start }, { replace: true, film: true });
  try {
    await player.open(state.video, state.t, list[i] || null, { go: step, can: (by) => Boolean(list[i + by]), like, closed, told: tellWord, also });
  } catch (error) {
    trouble(error.message);
  }
}

async function renderQuestion() {
  drawForm();
  if (!q.isEmpty(state)) return search();
  await welcome();
  if (history.state?.picture) trouble("The picture that was dropped here is gone with the page that knew it: drop it again.");
}

// filmAlone: the question stands as it is drawn; what is drawn anew would put the film's first picture off.
async function render(filmAlone = false) {
  const drawn = filmAlone && (q.isEmpty(state) || (answer && asked === keyOf(state)));
  const question = drawn ? null : renderQuestion();
  if (!q.isEmpty(state)) await question; // in which the moment is looked up
  if (state.video) await Promise.all([openFilm(), question]);
  else {
    player.close();
    await question;
  }
}

// --- keys, help, settings
const keys = [
  ["/", "go to the search box"], ["f", "terms and filters"], ["arrows", "from picture to picture; down from the search box"], ["Enter", "play it"], [", .", "step the picture through its film; in the player, frame by frame"],
  ["s", "select; Shift+s all between"], ["m", "more like this"], ["+", "this moment into the question"], ["y x", "the label that is chosen: yes, no"], ["b", "basket"], ["i", "library"], ["t", "labels"], ["space", "play, pause"], ["[ ]", "in and out here"], ["l", "loop"], ["n p", "next and previous moment"], ["?", "this"],
];

function help() {
  const single = h("input", { type: "checkbox", onchange: () => localStorage.setItem("kinoseek-keys", single.checked ? "on" : "off") });
  single.checked = localStorage.getItem("kinoseek-keys") !== "off";
  const looks = select(localStorage.getItem("kinoseek-looks") || "auto", [["auto", "as the system"], ["light", "light"], ["dark", "dark"]], "Light or dark", (v) => { localStorage.setItem("kinoseek-looks", v); dress(); });
  fill($("#help"), "Keys and settings",
    h("dl", { class: "keys" }, ...keys.flatMap(([k, what]) => [h("dt", {}, ...k.split(" ").map((x) => h("kbd", {}, x))), h("dd", {}, what)])),
    h("p", {}, h("label", {}, single, " single letters are keys")), h("p", {}, h("label", {}, "Colours ", looks)));
}

function dress() {
  const looks = localStorage.getItem("kinoseek-looks");
  document.documentElement.dataset.looks = looks === "light" || looks === "dark" ? looks : "auto";
}

const typing = () => document.activeElement?.matches?.("input:not([type=checkbox]), select, textarea");

addEventListener("keydown", (e) => {
  if (e.key === "ArrowDown" && document.activeElement === $("#q") && grid.first()) return e.preventDefault();
  if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || typing()) return;
  if (e.key.length === 1 && localStorage.getItem("kinoseek-keys") === "off") return;
  const open = document.querySelector("dialog[open]");
  if (open && open.id !== "player") return;
  if (open ? player.key(e) : grid.key(e, like, also)) return e.preventDefault();
  const ours = { "/": () => { player.close(); $("#q").focus(); $("#q").select(); }, "?": help, b: () => basket.show(), i: () => library.show(), t: () => labels.show(), f: () => $("#more-terms").click() }[e.key];
  if (!ours || (open && e.key !== "/" && e.key !== "?")) return;
  e.preventDefault();
  ours();
});

$("#ask").addEventListener("submit", (e) => { e.preventDefault(); submit(); });
$("#home").addEventListener("click", (e) => { if (e.ctrlKey || e.metaKey || e.shiftKey) return; e.preventDefault(); answer = null; go(q.read("")); $("#q").focus(); });
$("#more-terms").addEventListener("click", () => unfold(!isUnfolded()));
$("#sort").addEventListener("change", () => go({ ...state, sort: $("#sort").value }, { replace: true }));
$("#more").addEventListener("click", () => go({ ...state, k: state.k * 2 }, { replace: true }));
$("#picture").addEventListener("click", () => $("#file").click());
$("#file").addEventListener("change", () => { searchPicture($("#file").files[0]); $("#file").value = ""; });
$("#show-basket").addEventListener("click", () => basket.show());
$("#show-labels").addEventListener("click", () => labels.show());
$("#keep").addEventListener("click", keepQuery);
$("#show-library").addEventListener("click", () => library.show());
$("#show-help").addEventListener("click", help);
addEventListener("dragover", (e) => e.preventDefault());
addEventListener("drop", (e) => { e.preventDefault(); searchPicture([...e.dataTransfer.files].find((f) => f.type.startsWith("image/"))); });
addEventListener("popstate", () => {
  const was = questionOf(state);
  state = here();
  render(was === questionOf(state));
});
document.addEventListener("click", (e) => { // links of our own stay on the page
  const link = e.target.closest?.("a[href^='/?']");
  if (!link || e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
  e.preventDefault();
  document.querySelectorAll("dialog[open]").forEach((d) => d.close());
  go(q.read(link.search));
});

dress();
labels.tellIn(tellWord);
try {
  status = await library.start();
  basket.start(status.id, grid.mark);
  await render();
} catch (error) {
  trouble(error.message);
}
