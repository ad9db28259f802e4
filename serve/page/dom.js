// dom.js - elements, times, and asking the server. Text only ever becomes text: nothing here is read as HTML.
export const $ = (selector) => document.querySelector(selector);

// h("button", {class: "main", onclick}, "Search"): an element with its attributes, listeners and children.
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((c) => c !== null && c !== undefined));
  return element;
}

export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// 252.04 -> "4:12", with parts: "4:12.040"
export function clock(seconds, parts = false) {
  const ms = Math.round(Math.max(0, seconds) * 1000), s = Math.floor(ms / 1000), pad = (n) => String(n).padStart(2, "0");
  const whole = s >= 3600 ? `${Math.floor(s / 3600)}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}` : `${Math.floor(s / 60)}:${pad(s % 60)}`;
  return parts ? `${whole}.${String(ms % 1000).padStart(3, "0")}` : whole;
}

// From, to: as exact as tells them apart.
export function span(from, to) {
  const ways = [clock, (t) => clock(t, true).slice(0, -2), (t) => clock(t, true)];
  const say = ways.find((way) => way(from) !== way(to)) || clock;
  return `${say(from)} – ${say(to)}`;
}

// "4:12.5", "252.5" -> seconds; NaN: no time
export function seconds(text) {
  if (!/^\s*(\d+:){0,2}\d+(\.\d*)?\s*$/.test(text)) return NaN;
  return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

export function long(seconds_) {
  const m = Math.round(seconds_ / 60);
  return seconds_ < 60 ? `${Math.round(seconds_)} s` : m < 60 ? `${m} min` : `${Math.floor(m / 60)} h ${m % 60} min`;
}

export const day = (date) => new Date(date * 1000).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
export const base = (path) => path.slice(path.lastIndexOf("/") + 1);
export const folder = (path) => path.slice(0, path.lastIndexOf("/"));

export class Trouble extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

// What the server says, or Trouble with its sentence.
export async function ask(path, options = {}) {
  let reply;
  try {
    reply = await fetch(path, { ...options, headers: { "X-Kinoseek": "1", ...options.headers } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble(0, "The server does not answer. Is kinoseek serve still running?");
  }
  if (reply.ok) return reply;
  if (reply.status === 401) throw new Trouble(401, "The server was started anew: open the address that kinoseek serve printed.");
  const problem = await reply.json().catch(() => ({}));
  throw new Trouble(reply.status, problem.detail || `${reply.status} ${reply.statusText}`);
}

export const get = async (path, signal) => (await ask(path, { signal })).json();

export const post = async (path, body) => (await ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) })).json();

export async function copy(text, button) {
  const was = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    prompt("Copy this:", text);
  }
  setTimeout(() => (button.textContent = was), 1500);
}

export function shellWord(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

// A dialog with a heading and a button that closes it; `body` is put in.
export function fill(dialog, title, ...body) {
  dialog.replaceChildren(
    h("div", { class: "row head" }, h("h2", { id: `${dialog.id}-title` }, title),
      h("button", { type: "button", class: "close", onclick: () => dialog.close(), "aria-label": "Close" }, "×")),
    ...body);
  if (!dialog.open) dialog.showModal();
}
