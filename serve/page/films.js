// films.js - what is known of a film, asked once; and pictures of its clips.
import { get } from "./dom.js";

export const library = { id: "" };
const kept = new Map();

export const picture = (clip) => `/thumb/${clip}.jpg?of=${library.id.slice(0, 8)}`;

export function film(id) {
  if (!kept.has(id)) {
    kept.set(id, get(`/api/v1/videos/${id}`).catch((error) => {
      kept.delete(id);
      throw error;
    }));
    if (kept.size > 200) kept.delete(kept.keys().next().value);
  }
  return kept.get(id);
}

export const forget = () => kept.clear();

// The clip of a film whose middle is nearest to a second.
export function clipAt(clips, t) {
  let best = null, least = Infinity;
  for (const clip of clips) {
    const off = Math.abs((clip.start + clip.end) / 2 - t);
    if (off < least) [best, least] = [clip, off];
  }
  return best;
}
