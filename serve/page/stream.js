// stream.js - a film that the browser cannot play, as encoded parts laid one behind the other by Media Source Extensions:
// played through without gaps, fetched a few seconds ahead, and no further.
import { ask } from "./dom.js";

const Source = window.ManagedMediaSource || window.MediaSource;
export const canStream = Source !== undefined;
const ahead = 6, behind = 60, lengths = [2, 4, 8]; // seconds; of the first parts: the first picture soon

// "avc1.42c01f, mp4a.40.2" of the head of an MP4.
function codecs(bytes) {
  const place = (name) => {
    for (let i = 0; i + 8 < Math.min(bytes.length, 8192); i++) if ([0, 1, 2, 3].every((k) => bytes[i + k] === name.charCodeAt(k))) return i;
    return -1;
  };
  const avc = place("avcC"), hex = (n) => n.toString(16).padStart(2, "0");
  return [avc < 0 ? null : `avc1.${hex(bytes[avc + 5])}${hex(bytes[avc + 6])}${hex(bytes[avc + 7])}`, place("mp4a") < 0 ? null : "mp4a.40.2"].filter(Boolean).join(", ");
}

const updated = (buffer) => new Promise((done, fails) => {
  buffer.addEventListener("updateend", done, { once: true });
  buffer.addEventListener("error", () => fails(new Error("the part does not fit")), { once: true });
});

// Parts of the film `id` of so many seconds into `video`, from t on. fails(error): it cannot be; began(): the first picture is there.
export function stream(video, { id, seconds, t, side, fails, began }) {
  const source = new Source(), url = URL.createObjectURL(source);
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
      buffer = source.addSourceBuffer(`video/mp4; codecs="${codecs(bytes)}"`);
      source.duration = seconds;
    }
    buffer.timestampOffset = from;
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
      const reply = await ask(`/media/${id}/part?from=${from.toFixed(3)}&to=${to.toFixed(3)}&side=${side}&fragments=1`, { signal: mine.signal });
      const first = !buffer;
      await append(reply, from, to);
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
