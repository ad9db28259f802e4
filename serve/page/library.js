// library.js - what is in, what is being done, what did not go in.
import { $, h, base, clock, fill, folder, get, long } from "./dom.js";
import { forget, library } from "./films.js";

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

function bad(list) {
  if (!list.length) return h("p", {}, "Every file went in wholly.");
  return h("table", {}, h("thead", {}, h("tr", {}, ...["File", "", "Why", "Missing"].map((t) => h("th", { scope: "col" }, t)))),
    h("tbody", {}, ...list.map((f) => h("tr", {}, h("td", { title: f.path }, base(f.path)), h("td", {}, f.verdict), h("td", {}, f.reason), h("td", {}, f.seconds_missing >= 0.5 ? clock(f.seconds_missing) : "")))));
}

async function films(to, from = 0) {
  const page = await get(`/api/v1/videos?from=${from}&k=100`);
  to.append(...page.videos.filter((f) => f.seconds > 0).map((f) => h("li", {}, h("a", { href: `/?video=${f.video}&t=0` }, base(f.path)), h("span", { class: "quiet" }, ` ${clock(f.seconds)} · ${folder(f.path)}`))));
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
  const facts_ = h("div"), work_ = h("div", { role: "status" }), bad_ = h("div"), list = h("ul", { class: "films" });
  fill(dialog, "Library", facts_, work_, h("h3", {}, "Not wholly in"), bad_, h("h3", {}, "Films"), list);
  films(list);
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
