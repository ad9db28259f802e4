// library.js - what is in, what is being done, what did not go in.
import { $, h, base, fill, folder, get, long, post, span } from "./dom.js";
import { forget, library } from "./films.js";
import { addressOf } from "./question.js";

const dialog = $("#library");
let source = null, generation = -1;

function facts(s) {
  const row = (name, words) => [h("dt", {}, name), h("dd", {}, words)];
  return h("dl", {}, ...row("Library", s.library), ...row("Films", `${s.videos.toLocaleString()} (${s.files.toLocaleString()} files)`),
    ...row("Clips", s.clips.toLocaleString()), ...row("Video", long(s.video_seconds)),
    ...row("Model", `${base(s.model)}, ${s.dim} numbers, ${s.frames} frames a clip, ${s.precision}`),
    ...row("Search", s.copy ? (s.recall === null ? s.copy : `${s.copy}, finds ${(100 * s.recall).toFixed(1)} % of the true ten nearest`) : "from the catalog alone"),
    ...(s.unfinished ? row("Begun", `${s.unfinished} films are not finished`) : []));
}

function work(s) {
  const i = s.ingest;
  if (!i) return h("p", {}, s.writer_pid ? "Somebody writes to the library now." : "No ingest is running.");
  const part = i.video_seconds_total ? Math.min(1, i.video_seconds / i.video_seconds_total) : null;
  return h("div", {}, h("p", {}, `Ingest: ${i.files.toLocaleString()} of ${i.files_total.toLocaleString()} files, ${i.clips.toLocaleString()} clips, ${long(i.video_seconds)} of film`,
    i.x_realtime ? `, ${i.x_realtime.toFixed(1)} × real time` : "", i.seconds_left === null ? "" : `, about ${long(i.seconds_left)} left`),
    h("progress", { max: 1, value: part ?? false, "aria-label": "Ingest" }), i.path ? h("p", { class: "quiet" }, i.path) : null);
}

// Those that failed twice are left alone, until somebody asks for them.
async function retry(said) {
  try {
    const { films } = await post("/api/v1/retry", {});
    said.textContent = films ? `${films === 1 ? "One film" : `${films} films`} will be tried again by the next kinoseek ingest.` : "Nothing failed.";
  } catch (error) {
    said.textContent = error.message;
  }
}

async function kept(to) {
  const seen = JSON.parse(localStorage.getItem("kinoseek-seen") || "{}"), list = await get("/api/v1/saved");
  const row = (v) => {
    const n = v.told + v.waiting, fresh = Math.max(0, n - (seen[v.name] || 0));
    seen[v.name] = n;
    const words = [v.words, ...v.options].join(" "), address = addressOf(v);
    return h("li", {}, h("div", { class: "row" }, h("span", { class: "grow" }, address ? h("a", { href: address }, v.name) : h("b", {}, v.name), h("span", { class: "quiet" }, ` ${words}`), ` · ${n === 1 ? "one hit" : `${n} hits`}${fresh ? `, ${fresh} new` : ""}`),
      h("button", { type: "button", "aria-label": `Keep ${v.name} no longer`, onclick: async () => { await post("/api/v1/saved/forget", { name: v.name }).catch((e) => (to.textContent = e.message)); kept(to); } }, "×")),
    v.hits.length ? h("ul", {}, ...v.hits.slice(0, 20).map((m, i) => h("li", {}, h("a", { href: `/?video=${m.video}&t=${m.start}` }, `${base(m.path)} ${span(m.start, m.end)}`), i < fresh ? " new" : ""))) : null);
  };
  to.replaceChildren(list.length ? h("ul", { class: "list" }, ...list.map(row)) : h("p", {}, "No query is kept: look for something, then Keep this query."));
  localStorage.setItem("kinoseek-seen", JSON.stringify(seen));
}

function bad(list) {
  if (!list.length) return h("p", {}, "Every file went in wholly.");
  const said = h("span", { role: "status" }), failed = list.some((f) => f.verdict === "failed");
  return h("div", {}, table(list), failed ? h("p", { class: "row" }, h("button", { type: "button", onclick: () => retry(said) }, "Try the failed ones again"), said) : null);
}

function table(list) {
  return h("table", {}, h("thead", {}, h("tr", {}, ...["File", "Verdict", "Why", "Missing"].map((t) => h("th", { scope: "col" }, t)))),
    h("tbody", {}, ...list.map((f) => h("tr", {}, h("td", { title: f.path }, base(f.path)), h("td", {}, f.verdict), h("td", {}, f.reason), h("td", {}, f.seconds_missing >= 0.5 ? long(f.seconds_missing) : "")))));
}

async function films(to, from = 0) {
  const page = await get(`/api/v1/videos?from=${from}&k=100`);
  to.append(...page.videos.filter((f) => f.seconds > 0).map((f) => h("li", {}, h("a", { href: `/?video=${f.video}&t=0` }, base(f.path)), h("span", { class: "quiet" }, ` ${long(f.seconds)} · ${folder(f.path)}`))));
  if (page.more) {
    const more = h("button", { type: "button", onclick: () => { more.remove(); films(to, from + 100); } }, "More films");
    to.after(more);
  }
}

function stop() {
  source?.close();
  source = null;
}

export async function show() {
  const kept_ = h("div"), facts_ = h("div"), work_ = h("div", { role: "status" }), bad_ = h("div"), list = h("ul", { class: "films" });
  fill(dialog, "Library", facts_, work_, h("h3", {}, "Kept queries"), kept_, h("h3", {}, "Not wholly in"), bad_, h("h3", {}, "Films"), list);
  films(list);
  kept(kept_).catch((error) => (kept_.textContent = error.message));
  let failed = -1;
  const tell = (s) => {
    facts_.replaceChildren(facts(s));
    work_.replaceChildren(work(s));
    if (s.bad !== failed) get("/api/v1/bad").then((b) => bad_.replaceChildren(bad(b)), () => {});
    failed = s.bad;
    notice(s);
  };
  tell(await get("/api/v1/status"));
  stop();
  source = new EventSource("/api/v1/status"); // while it is looked at alone: browsers have few connections for one address
  source.addEventListener("status", (e) => tell(JSON.parse(e.data)));
  source.addEventListener("error", () => (work_.textContent = "The server does not answer now."));
}

function notice(s) {
  if (generation !== s.generation) forget();
  generation = s.generation;
}

export async function start() {
  const s = await get("/api/v1/status");
  library.id = s.id;
  notice(s);
  return s;
}

dialog.addEventListener("close", stop);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) stop();
  else if (dialog.open) show();
});
