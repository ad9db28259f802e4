// strip.js - the line under a film: the question's score along it, its cut-off, shots, labels, the part that is chosen, where we are.
// In and out are dragged along it; everywhere else it seeks.
import { h, svg, clock, get } from "./dom.js";
import * as question from "./question.js";

function curvePath(points, total, height) {
  const x = (t) => (1000 * t) / total, y = (s) => height * (1 - Math.min(1, Math.max(0, s)));
  return points.length ? `M${x(points[0].t)},${height}` + points.map((p) => `L${x(p.t).toFixed(2)},${y(p.score).toFixed(2)}`).join("") + `L${x(points.at(-1).t)},${height}Z` : "";
}

// player: {at, seekTo, setPart} of the film that is shown.
export function strip(state, player) {
  const total = state.film.seconds || 1, x = (t) => (1000 * t) / total;
  const shots = state.film.clips.filter((c) => c.reason === "shot" || c.reason === "tail").map((c) => svg("line", { x1: x(c.end), x2: x(c.end), y1: 52, y2: 60, class: "shot" }));
  state.curve = svg("path", { class: "curve" });
  state.cut = svg("line", { x1: 0, x2: 1000, y1: 30, y2: 30, class: "cut", visibility: "hidden" });
  state.part = svg("rect", { y: 0, height: 60, class: "part" });
  state.edges = [svg("line", { y1: 0, y2: 60, class: "handle" }), svg("line", { y1: 0, y2: 60, class: "handle" })];
  state.here = svg("line", { y1: 0, y2: 60, class: "here" });
  state.lanes = svg("g");
  const drawing = svg("svg", { viewBox: "0 0 1000 60", preserveAspectRatio: "none", "aria-hidden": "true" }, state.part, state.curve, state.cut, ...shots, state.lanes, ...state.edges, state.here);
  state.slider = h("div", { class: "strip", role: "slider", tabindex: 0, "aria-label": "Where in the film", "aria-valuemin": 0, "aria-valuemax": Math.round(total),
    onpointerdown: (e) => { state.slider.setPointerCapture(e.pointerId); state.drag = edgeAt(state, e.offsetX, e.pointerType === "touch" ? 20 : 8); dragTo(state, e, total, player); },
    onpointermove: (e) => {
      if (e.buttons) dragTo(state, e, total, player);
      else state.slider.classList.toggle("edge", edgeAt(state, e.offsetX, 8) !== null);
    },
    onpointerup: () => (state.drag = null),
    onkeydown: (e) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -5, ArrowUp: 5, PageDown: -30, PageUp: 30 }[e.key];
      if (step) player.seekTo(player.at() + step);
      else if (e.key === "Home") player.seekTo(0);
      else if (e.key === "End") player.seekTo(total);
      else return;
      e.preventDefault();
      e.stopPropagation();
    } }, drawing);
  return state.slider;
}

// In and out are taken hold of near their lines; everywhere else a drag seeks. (They are typed, or set by [ and ], too.)
function edgeAt(state, x, reach) {
  const px = (t) => (t / (state.film.seconds || 1)) * state.slider.clientWidth, from = Math.abs(x - px(state.from)), to = Math.abs(x - px(state.to));
  return Math.min(from, to) > reach ? null : from < to ? "from" : "to";
}

function dragTo(state, e, total, player) {
  const t = (Math.min(state.slider.clientWidth, Math.max(0, e.offsetX)) / state.slider.clientWidth) * total;
  if (state.drag) player.setPart(state.drag, t);
  else player.seekTo(t);
}

export async function drawCurve(state) {
  const q = question.read(), to = question.terms({ ...q, terms: q.terms.filter((t) => ["plus", "minus", "like"].includes(t.op)) });
  if (history.state?.picture || (!q.q.trim() && !q.terms.some((t) => ["like", "plus"].includes(t.op)))) return;
  to.append("video", state.film.video);
  try {
    const curve = await get(`/api/v1/curve?${to}`);
    state.curve.setAttribute("d", curvePath(curve.points, state.film.seconds || 1, 60));
    if (q.q.trim()) state.cut.removeAttribute("visibility");
    state.slider.title = "How well the question fits, along the film; the line is the cut-off";
  } catch { /* without a curve the strip still seeks */ }
}

export function markStrip(state, t) {
  const total = state.film.seconds || 1, x = (s) => (1000 * s) / total;
  for (const end of ["x1", "x2"]) state.here.setAttribute(end, x(t));
  state.part.setAttribute("x", x(state.from));
  state.part.setAttribute("width", Math.max(2, x(state.to - state.from)));
  for (const [i, edge] of [state.from, state.to].entries()) for (const end of ["x1", "x2"]) state.edges[i].setAttribute(end, x(edge));
  state.slider.setAttribute("aria-valuenow", Math.round(t));
  state.slider.setAttribute("aria-valuetext", `${clock(t)} of ${clock(total)}`);
}
