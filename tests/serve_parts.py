"""serve_parts PROGRAM FOLDER: encoded parts of films, by way of ffmpeg, TAP on standard output (tests/cli/serve_parts.sh has the library)."""
import array
import json
import math
import subprocess

from serve_rows import FOLDER, Server, ok


def run(*words):
    return subprocess.run(words, capture_output=True).stdout


def streams(path):
    return json.loads(run("ffprobe", "-v", "error", "-count_packets", "-show_streams", "-of", "json", path))["streams"]


def part(s, film, a, b, more):
    status, headers, body = s.get("/media/%d/part?from=%s&to=%s&side=144%s" % (film, a, b, more))
    path = "%s/part-%s-%s.mp4" % (FOLDER, a, b)
    with open(path, "wb") as f:
        f.write(body)
    return status, path


def samples(adts):
    """Its sound, mono, as numbers."""
    wave = array.array("h")
    with open(FOLDER + "/all.aac", "wb") as f:
        f.write(adts)
    wave.frombytes(run("ffmpeg", "-v", "error", "-i", FOLDER + "/all.aac", "-ac", "1", "-f", "s16le", "-"))
    return wave


def goes_on(s, film, name, rate):
    """Three parts, one behind the other, with breaks that are no multiple of a packet: the sine of the film goes on in them."""
    cuts = ("1", "2.503", "3.217", "5")
    made = [part(s, film, a, b, "&fragments=1") for a, b in zip(cuts, cuts[1:])]
    ok([m[0] for m in made] == [200] * 3, "%s: three parts" % name, made)
    seen = [{t["codec_type"]: t for t in streams(m[1])} for m in made]
    ok(all(t["video"]["codec_name"] == "h264" and t["audio"]["codec_name"] == "aac" for t in seen), "%s: H.264 and AAC" % name, seen)
    packets = [int(t["audio"]["nb_read_packets"]) for t in seen]
    grid = [math.ceil(float(c) * rate / 1024 - 1e-9) for c in cuts]
    ok(packets == [b - a for a, b in zip(grid, grid[1:])], "%s: each packet of sound once" % name, (packets, grid))
    frames = [int(t["video"]["nb_read_packets"]) for t in seen]
    whole = {t["codec_type"]: t for t in streams(part(s, film, "1", "5", "")[1])}
    ok(sum(frames) == int(whole["video"]["nb_read_packets"]), "%s: each picture once" % name, (frames, whole["video"]["nb_read_packets"]))
    wave = samples(b"".join(run("ffmpeg", "-v", "error", "-i", m[1], "-vn", "-c", "copy", "-f", "adts", "-") for m in made))
    wave = wave[4096:-4096]
    turn = 2 * math.cos(2 * math.pi * 440 / rate)
    loud = max(abs(v) for v in wave)
    # A sine obeys x[n] = turn x[n-1] - x[n-2]; a jump at a break would be as loud as itself.
    off = max(abs(wave[i] - turn * wave[i - 1] + wave[i - 2]) for i in range(2, len(wave)))
    ok(loud > 1000 and off < 0.1 * loud, "%s: the sound goes on over the breaks" % name, (loud, off))


def hdr(s, film):
    """As bright as its thumbnails, which ordinary screens show right."""
    status, path = part(s, film, "1", "2", "")
    video = streams(path)[0]
    ok(status == 200 and video["pix_fmt"] == "yuv420p" and video.get("color_transfer") == "bt709", "HDR becomes 8 bits of BT.709", (status, video))
    clip = s.json("/api/v1/videos/%d" % film)["clips"][0]["id"]
    with open(FOLDER + "/thumb.jpg", "wb") as f:
        f.write(s.get("/thumb/%d.jpg" % clip)[2])
    means = []
    for name in (path, FOLDER + "/thumb.jpg"):
        rgb = run("ffmpeg", "-v", "error", "-i", name, "-frames:v", "1", "-vf", "scale=64:36:flags=area", "-pix_fmt", "rgb24", "-f", "rawvideo", "-")
        means.append([sum(rgb[c::3]) / max(1, len(rgb[c::3])) for c in range(3)])
    ok(all(abs(a - b) < 10 for a, b in zip(*means)), "and looks as its thumbnails do", means)


def pictures(path):
    """(when it is shown, its 32 x 18 grey points) of each picture."""
    times = sorted(float(t.rstrip(",")) for t in run("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time", "-of", "csv=p=0", path).decode().split())
    grey = run("ffmpeg", "-v", "error", "-i", path, "-vf", "scale=32:18:flags=area,format=gray", "-fps_mode", "passthrough", "-f", "rawvideo", "-")
    return list(zip(times, (grey[i : i + 576] for i in range(0, len(grey), 576))))


def copied(s, film):
    """Copies for Media Source Extensions: laid where X-Kinoseek-Seconds says, each picture of a part is the film's of that time."""
    film_begins = float(json.loads(run("ffprobe", "-v", "error", "-show_entries", "format=start_time", "-of", "json", FOLDER + "/films/bframes.ts"))["format"]["start_time"])
    whole = {t - film_begins: p for t, p in pictures(FOLDER + "/films/bframes.ts")}
    for a, b in (("0", "2"), ("2.5", "4.7"), ("4.7", "9")):
        status, headers, body = s.get("/media/%d/part?from=%s&to=%s&fragments=1" % (film, a, b))
        path = FOLDER + "/copied.mp4"
        with open(path, "wb") as f:
            f.write(body)
        at = float(headers.get("x-kinoseek-seconds", "99-99").split("-")[0])
        seen = [(min(whole, key=lambda t: abs(t - at - u)), p) for u, p in pictures(path)]
        off = max((max(abs(x - y) for x, y in zip(whole[t], p)) for t, p in seen[:-3]), default=255)
        ok(status == 200 and at <= float(a) and len(seen) > 20 and off < 3, "copied from %s on: the film's pictures at their times" % a, (status, at, len(seen), off))
        kinds = [t["codec_name"] for t in streams(path)]
        ok(kinds == ["h264", "aac"], "and its sound", kinds)


def turned(s, film):
    for more in ("", "&fragments=1"):
        for side in ("", "&side=144"):
            with open(FOLDER + "/turned.mp4", "wb") as f:
                f.write(s.get("/media/%d/part?from=1&to=2%s%s" % (film, side, more))[2])
            turn = [d.get("rotation") for t in streams(FOLDER + "/turned.mp4") for d in t.get("side_data_list", [])]
            want = [d.get("rotation") for t in streams(FOLDER + "/films/turned.mp4") for d in t.get("side_data_list", [])]
            ok(turn == want and want, "a film that is turned is turned in its parts%s%s" % (side, more), (turn, want))


def main():
    s = Server("--listen", "127.0.0.1:0")
    films = {v["path"].split("/")[-1]: v["video"] for v in s.json("/api/v1/videos")["videos"]}
    goes_on(s, films["ac3.avi"], "AC-3", 48000)
    goes_on(s, films["mp3.mkv"], "MP3", 44100)
    hdr(s, films["hdr.mp4"])
    copied(s, films["bframes.ts"])
    turned(s, films["turned.mp4"])
    kept = {t["codec_type"]: t for t in streams(part(s, films["mp3.mkv"], "4", "5", "")[1])}
    ok(float(kept["video"]["start_time"]) < 0.1 and float(kept["audio"]["start_time"]) < 0.1, "a part alone begins at once, in both", kept)
    ok(s.get("/media/%d/part?from=1&to=2&side=144&fragments=2" % films["ac3.avi"])[0] == 400, "fragments are asked for or not")
    code, _ = s.stop()
    ok(code == 0, "and the server ends", code)


main()
