// basket.js - what was chosen, in an order, and out of here in every format.
import { $, h, ask, base, clock, fill, get } from "./dom.js";
import { picture } from "./films.js";
import { inOurWords } from "./question.js";

const place = "kinoseek-basket";
let items = [], changed = () => {};
const id = (m) => `${m.video} ${m.start} ${m.end}`;

export function start(library, onchange) {
  changed = onchange;
  try {
    const was = JSON.parse(sessionStorage.getItem(place) || "{}");
    if (was.library === library) items = was.items;
  } catch { /* nothing was kept */ }
  start.library = library;
  count();
}

function count() {
  $("#basket-count").textContent = items.length;
  sessionStorage.setItem(place, JSON.stringify({ library: start.library, items }));
}

export const moments = () => items;
export const has = (moment) => items.some((m) => id(m) === id(moment));

export function set(moment, on) {
  if (on === has(moment)) return;
  const { video, start: from, end, clips, query, score, cosine, best, path } = moment;
  if (on) items.push({ video, start: from, end, clips, query, score, cosine, best, path });
  else items = items.filter((m) => id(m) !== id(moment));
  count();
  changed();
}

// An archive is made while it comes: its length is not known, its pieces are.
async function download(format, fps, said) {
  said.textContent = format === "zip" ? "Cutting…" : "";
  try {
    const reply = await ask("/api/v1/export", { method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ format, fps, items: items.map(({ path, ...m }) => m) }) });
    const name = /filename="(.*?)"/.exec(reply.headers.get("Content-Disposition"))?.[1] || "kinoseek.txt";
    const link = h("a", { href: URL.createObjectURL(await reply.blob()), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    said.textContent = `${items.length === 1 ? "One moment" : `${items.length} moments`} as ${name}`;
  } catch (error) {
    said.textContent = inOurWords(error.message);
  }
}

function move(i, by) {
  const [m] = items.splice(i, 1);
  items.splice(i + by, 0, m);
  count();
  show(i + by);
}

function row(m, i) {
  return h("li", { class: "row" }, h("img", { src: picture(m.clips?.[0]), alt: "", width: 96, height: 54 }),
    h("span", { class: "grow" }, h("span", { class: "name" }, base(m.path)), h("br"), `${clock(m.start, true)} – ${clock(m.end, true)}`),
    h("button", { type: "button", "aria-label": `${base(m.path)} earlier`, disabled: i === 0, onclick: () => move(i, -1) }, "↑"),
    h("button", { type: "button", "aria-label": `${base(m.path)} later`, disabled: i === items.length - 1, onclick: () => move(i, 1) }, "↓"),
    h("button", { type: "button", "aria-label": `Take ${base(m.path)} out`, onclick: () => { set(m, false); show(Math.min(i, items.length - 1)); } }, "×"));
}

export async function show(focus = -1) {
  const dialog = $("#basket"), formats = show.formats ||= await get("/api/v1/formats");
  const said = h("p", { role: "status" }), fps = h("input", { size: 8, placeholder: "the film's" });
  const about = h("p", { class: "quiet" });
  const choice = h("select", { onchange: () => describe() }, ...formats.map((f) => h("option", { value: f.name }, f.name)));
  choice.value = localStorage.getItem("kinoseek-format") || "mpv-edl";
  const describe = () => {
    const f = formats.find((x) => x.name === choice.value);
    about.textContent = f ? `${f.brief}${f.holds ? `: ${f.holds}` : ""}` : "";
    localStorage.setItem("kinoseek-format", choice.value);
  };
  describe();
  fill(dialog, "Basket",
    items.length ? h("ol", { class: "list" }, ...items.map(row)) : h("p", {}, "Nothing is in it. Tick moments, or press s on one; shift takes all between."),
    h("div", { class: "row" }, h("label", {}, "Format ", choice), h("label", {}, "Frames a second ", fps),
      h("button", { type: "button", class: "main", disabled: !items.length, onclick: () => download(choice.value, fps.value, said) }, "Download"),
      h("button", { type: "button", disabled: !items.length, onclick: () => { items = []; count(); changed(); show(); } }, "Empty it")),
    about, said);
  if (focus >= 0) dialog.querySelectorAll("li")[focus]?.querySelector("button:not([disabled])")?.focus();
}
