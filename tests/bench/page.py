"""page PROGRAM FOLDER REQUESTS: what tests/bench/page.sh has prepared in FOLDER, measured. Processor time is the server's
and its helpers', of one request."""
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import serve_rows  # noqa: E402

REQUESTS = int(sys.argv[3])
TICK = os.sysconf("SC_CLK_TCK")
WORDS = "dog cat car boat rain snow man woman child street".split()


def family(pid):
    found = [pid]
    for task in os.listdir("/proc/%d/task" % pid):
        try:
            found += [p for c in open("/proc/%d/task/%s/children" % (pid, task)).read().split() for p in family(int(c))]
        except FileNotFoundError:  # threads come and go
            pass
    return found


def used(pid):
    """Milliseconds of processor time so far, of it, its children, and those of them that ended."""
    return sum(sum(map(int, open("/proc/%d/stat" % p).read().rpartition(")")[2].split()[11:15])) for p in family(pid)) * 1000 / TICK


def row(figure, took, processor, wanted):
    print("%s,%.1f,%.1f,%s,%s" % (figure, min(took), statistics.median(took), "" if processor is None else "%.1f" % processor, wanted), flush=True)


def measure(s, figure, wanted, rounds, do, beyond=0):
    began, took = used(s.process.pid), []
    for i in range(rounds):
        at = time.perf_counter()
        do(i)
        took.append((time.perf_counter() - at) * 1000 - beyond)
    row(figure, took, (used(s.process.pid) - began) / rounds - beyond, wanted)


def first_byte(s, target):
    with s.connect() as c:
        c.sendall(s.head("GET " + target))
        assert c.recv(1) == b"H"


def fine(s, target):
    status, headers, body = s.get(target)
    assert status in (200, 206), (target, status, body[:300])
    return body


def thumbnails(s, clips):
    """As browsers ask: six at once."""
    def some(which):
        for clip in clips[which::6]:
            fine(s, "/thumb/%d.jpg" % clip)

    threads = [threading.Thread(target=some, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def ffmpeg(film):
    """(wall, processor) ms of the same part by plain ffmpeg, from its start to the last byte."""
    at, before = time.perf_counter(), os.times()
    subprocess.run(["ffmpeg", "-v", "error", "-ss", "11.3", "-i", film, "-t", "2", "-vf", "scale=-2:480", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency",
                    "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov", "-f", "mp4", "-y", "/dev/null"], check=True)
    now = os.times()
    return (time.perf_counter() - at) * 1000, (now[2] + now[3] - before[2] - before[3]) * 1000


def parts(s, films):
    path = "/media/%d/part?from=11.3&to=13.3"
    measure(s, "a part of 2 s copied, 1080p MPEG-TS, whole", "", 9, lambda i: fine(s, path % films["remuxed.ts"]))
    measure(s, "a part of 2 s encoded, 1080p HEVC to 480p, whole", "", 7, lambda i: fine(s, path % films["encoded.mp4"] + "&side=480&fragments=1"))
    beside = [ffmpeg(serve_rows.FOLDER + "/films/encoded.mp4") for _ in range(5)]
    row("the same by plain ffmpeg", [b[0] for b in beside], min(b[1] for b in beside), "")


def small_library():
    s = serve_rows.Server("--listen", "127.0.0.1:0")
    films = {v["path"].split("/")[-1]: v["video"] for v in s.json("/api/v1/videos")["videos"]}
    clips = [c["id"] for f in films.values() for c in s.json("/api/v1/videos/%d" % f)["clips"]][:200]
    assert len(clips) == 200, len(clips)
    for target in ("/", "/media/%d" % films["direct.mp4"], "/thumb/%d.jpg" % clips[0]):
        measure(s, "first byte of " + re.sub(r"\d+", "N", target), "5", 200, lambda i, t=target: first_byte(s, t))
    measure(s, "200 thumbnails, six at once", "150", 9, lambda i: thumbnails(s, clips))
    parts(s, films)
    page = [s.get(p, "Accept-Encoding: gzip")[2] for p in ["/"] + ["/page/" + f for f in sorted(os.listdir("serve/page")) if f != "openapi.json"]]
    print("bytes of the page, gzipped: %d,,,,120000" % sum(map(len, page)))
    memory(s, clips, films["weather.mp4"])
    s.stop()


def memory(s, clips, film):
    targets = ["/thumb/%d.jpg" % clips[7], "/api/v1/search?q=%s&all=1", "/api/v1/status", "/nothing", "/api/v1/videos", "/media/%d" % film, "/api/v1/curve?q=rain&video=%d" % film, "/"]

    def resident():
        return sum(int(re.search(r"VmRSS:\s+(\d+)", open("/proc/%d/status" % p).read())[1]) for p in family(s.process.pid))

    def many(n):
        for i in range(n):
            t = targets[i % len(targets)]
            s.get(t % WORDS[i // 8 % 10] if "%s" in t else t)

    many(800)
    before = resident()
    many(REQUESTS)
    print("KiB resident after 800 requests and after %d more: %d %d,,,,equal" % (REQUESTS, before, resident()), flush=True)


def large_library():
    """Beyond the text tower: what `bench query` says of the same words on the same machine is taken off."""
    serve_rows.LIBRARY = serve_rows.FOLDER + "/large"
    bench = json.loads(subprocess.run([serve_rows.PROGRAM, "-L", serve_rows.LIBRARY, "-m", "demo", "--precision", "fp32", "bench", "query", "--json", "--rounds", "30", "a dog in the rain"],
                                      capture_output=True, check=True).stdout)
    tower = bench["words_seconds"] * 1000
    s = serve_rows.Server("--listen", "127.0.0.1:0", "-m", "demo")
    sentences = [urllib.parse.quote("a %s in the %s" % (a, b)) for a in WORDS for b in WORDS]
    for words in sentences[:20]:
        fine(s, "/api/v1/search?q=" + words)
    row("the text tower", [tower], None, "")
    for more in ("", "&k=60", "&k=60&all=1"):
        measure(s, "search of %d clips%s beyond the tower" % (bench["clips"], " (%s)" % more[1:] if more else ""), "40", 50, lambda i, m=more: fine(s, "/api/v1/search?q=" + sentences[20 + i] + m), tower)
    s.stop()


PICTURE = """async ([to, bare]) => {
    const began = performance.now(), find = () => document.querySelector("#player video") || document.querySelector("#bare");
    if (bare) {
      const video = document.createElement("video");
      video.id = "bare";
      video.src = to;
      document.body.append(video);
    } else {
      history.pushState(null, "", to);
      dispatchEvent(new PopStateEvent("popstate"));
    }
    for (let v = find(); !(v && v.readyState >= 2 && v.videoWidth && !v.seeking); v = find()) await new Promise((d) => setTimeout(d, 2));
    return performance.now() - began; }"""


def in_browser():
    """From the wish to the first picture of a film at 11.3 s, beside a bare <video> of the film that plays as it is."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return
    s = serve_rows.Server("--listen", "127.0.0.1:0")
    films = {v["path"].split("/")[-1]: v["video"] for v in s.json("/api/v1/videos")["videos"]}
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.goto("http://%s/?token=%s" % (s.host, s.token))
        for name, bare, wanted in (("direct.mp4", 1, ""), ("direct.mp4", 0, 200), ("remuxed.ts", 0, 500), ("encoded.mp4", 0, 1500)):
            took, began = [], used(s.process.pid)
            for i in range(9):
                page.goto("http://%s/?q=%s&all=1" % (s.host, WORDS[i]))
                page.wait_for_selector("#moments .tile")
                page.wait_for_timeout(300)
                to = "/media/%d#t=11.3" % films[name] if bare else "/?q=%s&all=1&video=%d&t=11.3" % (WORDS[i], films[name])
                took.append(page.evaluate(PICTURE, [to, bare]))
            row("first picture, %s%s" % (name, " in a bare <video>" if bare else ""), took, (used(s.process.pid) - began) / 9, wanted)
        browser.close()
    s.stop()


print("figure,best,median,processor,wanted")
print("# load %.1f %.1f %.1f at the beginning" % os.getloadavg())
small_library()
in_browser()
if os.path.isdir(serve_rows.FOLDER + "/large"):
    large_library()
print("# load %.1f %.1f %.1f at the end" % os.getloadavg())
