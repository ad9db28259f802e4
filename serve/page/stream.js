// stream.js - a film that the browser cannot play, as parts laid one behind the other by Media Source Extensions: copied into
// another container, or encoded; played through without gaps, fetched a few seconds ahead, and no further.
import { ask } from "./dom.js";

const Source = window.ManagedMediaSource || window.MediaSource;
export const canStream = Source !== undefined;
const ahead = 6, lengths = [2, 4, 8]; // seconds; of the first parts: the first picture soon

// The pictures of this film: no part of any kind but an encoded one is played here.
export class NoPictures extends Error {}

// --- "avc1.42c01f" and the like, of the boxes in the head of an MP4 (RFC 6381)
const hex = (n) => n.toString(16).padStart(2, "0"), two = (n) => String(n).padStart(2, "0");

// The bytes behind the name of the first box that is called so; null: none.
function box(bytes, name) {
  for (let i = 4; i + 32 < Math.min(bytes.length, 16384); i++)
    if ([0, 1, 2, 3].every((k) => bytes[i + k] === name.charCodeAt(k))) return bytes.subarray(i + 4, i + 260);
  return null;
}

function hevc(b) {
  let flags = 0, rest = [...b.subarray(6, 12)];
  for (let i = 0; i < 32; i++) flags += ((b[2 + (i >> 3)] >> (7 - (i & 7))) & 1) * 2 ** i;
  while (rest.length && rest.at(-1) === 0) rest.pop();
  return ["hvc1", ["", "A", "B", "C"][b[1] >> 6] + (b[1] & 31), flags.toString(16), (b[1] & 32 ? "H" : "L") + b[12], ...rest.map((n) => n.toString(16))].join(".");
}

const pictures = {
  avcC: (b) => `avc1.${hex(b[1])}${hex(b[2])}${hex(b[3])}`,
  hvcC: hevc,
  vpcC: (b) => `vp09.${two(b[4])}.${two(b[5])}.${two(b[6] >> 4)}`,
  av1C: (b) => `av01.${b[1] >> 5}.${two(b[1] & 31)}${b[2] & 128 ? "H" : "M"}.${b[2] & 64 ? (b[2] & 32 ? "12" : "10") : "08"}`,
};
const sounds = { esds: (b) => { const at = b.indexOf(4, 4); return [0x69, 0x6b].includes(b[at + (b[at + 1] & 128 ? 5 : 2)]) ? "mp4a.6b" : "mp4a.40.2"; }, dOps: () => "opus", dfLa: () => "flac" };

function codecs(bytes) {
  const first = (kinds) => Object.entries(kinds).map(([name, say]) => [box(bytes, name), say]).filter(([b]) => b).map(([b, say]) => say(b))[0];
  return [first(pictures), first(sounds)];
}

// MIME type of a part; NoPictures, or an error: not to be laid.
function typeOf(bytes) {
  const [seen, heard] = codecs(bytes), type = (...names) => `video/mp4; codecs="${names.filter(Boolean).join(", ")}"`;
  if (!seen || !Source.isTypeSupported(type(seen))) throw new NoPictures("these pictures are not played here");
  if (!Source.isTypeSupported(type(seen, heard))) throw new Error("this sound is not played so");
  return type(seen, heard);
}

const updated = (buffer) => new Promise((done, fails) => {
  buffer.addEventListener("updateend", done, { once: true });
  buffer.addEventListener("error", () => fails(new Error("the part does not fit")), { once: true });
});

// Parts of the film `id` of so many seconds into `video`, from t on; side: points of what is encoded, 0: copied, each part from
// the key frame before it. fails(error): it cannot be; began(): the first picture is there.
export function stream(video, { id, seconds, t, side, fails, began }) {
  const source = new Source(), url = URL.createObjectURL(source);
  const behind = side ? 60 : 10; // seconds that are kept
  let buffer = null, going = null, last = null, n = 0, ended = false;

  // Where what is there from t on ends; t: nothing is.
  const endOf = (at) => {
    for (let i = 0; buffer && i < buffer.buffered.length; i++)
      if (at >= buffer.buffered.start(i) - 0.15 && at < buffer.buffered.end(i) - 0.001) return buffer.buffered.end(i);
    return at;
  };

  async function append(reply, from, to) {
    const bytes = new Uint8Array(await reply.arrayBuffer());
    if (ended) return;
    if (!buffer) {
      buffer = source.addSourceBuffer(typeOf(bytes));
      source.duration = seconds;
    }
    buffer.timestampOffset = Number(reply.headers.get("X-Kinoseek-Seconds").split("-")[0]);
    const done = updated(buffer);
    buffer.appendBuffer(bytes);
    await done;
    last = to;
    if (video.currentTime > behind && !buffer.updating && buffer.buffered.length && buffer.buffered.start(0) < video.currentTime - behind) {
      const gone = updated(buffer);
      buffer.remove(0, video.currentTime - behind);
      await gone;
    }
  }

  async function more() {
    if (ended || going || source.readyState === "closed") return;
    const at = buffer ? video.currentTime : t, end = endOf(at), next = last !== null && Math.abs(end - last) < 0.2 ? last : end;
    if (next >= seconds - 0.05) {
      if (source.readyState === "open" && buffer && !buffer.updating) source.endOfStream();
      return;
    }
    if (end - at > ahead) return;
    const from = Math.max(0, Math.floor(next * 1000) / 1000), to = Math.min(seconds + 0.5, from + lengths[Math.min(n, lengths.length - 1)]);
    going = new AbortController();
    const mine = going;
    try {
      const reply = await ask(`/media/${id}/part?from=${from.toFixed(3)}&to=${to.toFixed(3)}${side ? `&side=${side}` : ""}&fragments=1`, { signal: mine.signal });
      const first = !buffer;
      await append(reply, from, to);
      if (!ended && endOf(first ? t : from) <= from) throw new Error("the parts do not follow each other");
      n++;
      if (first && !ended) {
        video.currentTime = t;
        began();
      }
    } catch (error) {
      if (error.name === "AbortError" || ended) return;
      if (buffer && from > seconds - 3) return void (source.readyState === "open" && source.endOfStream()); // the header said more than there is
      return fails(error);
    } finally {
      if (going === mine) going = null;
    }
    more();
  }

  // Somebody went where nothing is: what is on its way for elsewhere is let go.
  const seeking = () => {
    if (endOf(video.currentTime) === video.currentTime) {
      going?.abort();
      going = null;
      n = 0;
    }
    more();
  };
  video.disableRemotePlayback = true;
  video.src = url;
  source.addEventListener("sourceopen", more, { once: true });
  video.addEventListener("seeking", seeking);
  video.addEventListener("timeupdate", more);
  return () => {
    ended = true;
    going?.abort();
    video.removeEventListener("seeking", seeking);
    URL.revokeObjectURL(url);
  };
}
