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


def main():
    s = Server("--listen", "127.0.0.1:0")
    films = {v["path"].split("/")[-1]: v["video"] for v in s.json("/api/v1/videos")["videos"]}
    goes_on(s, films["ac3.avi"], "AC-3", 48000)
    goes_on(s, films["mp3.mkv"], "MP3", 44100)
    hdr(s, films["hdr.mp4"])
    kept = {t["codec_type"]: t for t in streams(part(s, films["mp3.mkv"], "4", "5", "")[1])}
    ok(float(kept["video"]["start_time"]) < 0.1 and float(kept["audio"]["start_time"]) < 0.1, "a part alone begins at once, in both", kept)
    ok(s.get("/media/%d/part?from=1&to=2&side=144&fragments=2" % films["ac3.avi"])[0] == 400, "fragments are asked for or not")
    code, _ = s.stop()
    ok(code == 0, "and the server ends", code)


main()
