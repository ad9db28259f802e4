"""page_browser PROGRAM FOLDER [SHOTS]: what a person does on the page, in Chromium (tests/page.sh). TAP on standard output."""
import atexit
import json
import re
import subprocess
import sys
import time

from axe_core_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

PROGRAM, FOLDER, SHOTS = sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else ""
LIBRARY = FOLDER + "/lib"
failed = 0


def ok(good, what, seen=""):
    global failed
    failed += not good
    print(("ok - " if good else "not ok - ") + what, flush=True)
    if not good:
        print("# saw: %r" % (seen,), flush=True)


class Server:
    def __init__(self, *options):
        self.process = subprocess.Popen([PROGRAM, "-L", LIBRARY, "serve", *options], stdout=subprocess.PIPE, text=True)
        atexit.register(self.process.kill)
        self.url = self.process.stdout.readline().split()[-1]
        self.base = self.url.split("/?")[0]

    def stop(self):
        self.process.terminate()
        return self.process.wait(30)


def command(*words):
    return subprocess.run([PROGRAM, "-L", LIBRARY, *words], capture_output=True).stdout


def tiles(page):
    return page.locator("#moments .tile").count()


def until(page, what, seconds=30):
    """Asked again and again: the page's policy lets nobody wait inside of it."""
    ends = time.time() + seconds
    while time.time() < ends:
        got = page.evaluate(what)
        if got:
            return got
        page.wait_for_timeout(50)
    raise AssertionError("never: " + what)


def settle(page):
    until(page, "!document.querySelector('#results').hasAttribute('aria-busy')")
    page.wait_for_timeout(150)


def shot(page, name):
    if SHOTS:
        page.screenshot(path="%s/%s.png" % (SHOTS, name))


def searching(page, s):
    page.goto(s.url)
    page.wait_for_selector("#said a")
    ok("token" not in page.url, "the token leaves the address", page.url)
    until(page, "document.querySelectorAll('#films .tile').length >= 12")
    page.locator("#films .picture").nth(2).click()
    page.wait_for_selector("#player video")
    name = page.locator("#films .name").nth(2).inner_text()
    ok(page.inner_text("#player h2") == name and "video=" in page.url, "films stand on the first page, and play", page.url)
    page.keyboard.press("Escape")
    page.wait_for_selector("#player", state="hidden")
    page.keyboard.press("/")
    page.keyboard.type("rain")
    page.keyboard.press("Enter")
    page.wait_for_selector(".tile")
    ok("q=rain" in page.url, "the question is in the address", page.url)
    told = json.loads(command("search", "rain", "--json", "-k", "60").splitlines()[0] or b"{}") if command("search", "rain", "--json") else None
    said = page.inner_text("#said")
    ok(("One moment" in said or "moments of" in said) if told else "Nothing here clearly" in said, "and what was found is said", said)
    page.goto(s.base + "/?q=a+dog&all=1")
    page.wait_for_selector(".tile")
    want = [json.loads(line) for line in command("search", "a dog", "--all", "-k", "60", "--json").splitlines()]
    names = page.locator(".tile .name").all_inner_texts()
    ok(names == [m["path"].split("/")[-1] for m in want], "the pictures are the command's, in its order", names[:5])
    page.click("text=Refine") if page.get_attribute("#more-terms", "aria-expanded") == "false" else None
    page.click("text=+ term")
    page.locator("#terms input").last.fill("a cat")
    page.keyboard.press("Enter")
    settle(page)
    ok("and=a+cat" in page.url, "a term goes into the address", page.url)
    seen = page.locator(".parts").first.inner_text()
    ok("a dog" in seen and "a cat" in seen and page.locator("#films .tile").count() == 0, "and its part of a moment is called by its words", seen)
    want = [json.loads(line)["path"].split("/")[-1] for line in command("search", "a dog", "--and", "a cat", "--all", "-k", "60", "--json").splitlines()]
    ok(page.locator(".tile .name").all_inner_texts() == want, "and the answer is the command's")
    page.locator("#terms select").first.select_option("then")
    page.locator("#terms label input").first.fill("60")
    page.locator("#q").press("Enter")
    settle(page)
    ok("then=a+cat" in page.url and "within=60" in page.url, "a sequence, too", page.url)
    page.go_back()
    settle(page)
    ok("and=a+cat" in page.url and page.locator("#terms select").first.input_value() == "and", "back goes back", page.url)
    page.reload()
    page.wait_for_selector(".tile")
    ok(page.locator(".tile .name").all_inner_texts() == want, "a reload shows the same")


def grid(page, s):
    page.goto(s.base + "/?q=a+dog&all=1")
    page.wait_for_selector(".tile")
    first = page.locator(".tile .picture").first
    before = first.locator("img").get_attribute("src")
    box = first.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 20)
    page.wait_for_timeout(400)
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + 20)
    page.wait_for_timeout(400)
    ok(first.locator("img").get_attribute("src") != before and first.locator(".at").is_visible(), "the pointer moves through the film")
    page.mouse.move(0, 0)
    page.wait_for_timeout(200)
    ok(first.locator("img").get_attribute("src") == before, "and leaves it as it was")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("s")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+S")
    ok(page.inner_text("#basket-count") == "3", "s and Shift+s select by keys", page.inner_text("#basket-count"))
    page.keyboard.press(".")
    page.wait_for_timeout(300)
    ok(page.locator(".tile").nth(3).locator(".at").is_visible(), "a key steps a picture through its film")
    page.keyboard.press("+")
    settle(page)
    ok("q=a+dog" in page.url and "plus=%23" in page.url and page.locator("#terms img").count() == 1, "+: this moment into the question, a chip with its picture", page.url)
    page.go_back()
    settle(page)
    page.locator(".tile .picture").nth(3).focus()
    page.keyboard.press("m")
    settle(page)
    ok("like=%23" in page.url and tiles(page) > 1, "m: more like this", page.url)


def basket(page, s):
    page.goto(s.base + "/?q=a+dog&all=1&k=3")
    page.wait_for_selector(".tile")
    page.evaluate("sessionStorage.clear()")
    page.reload()
    page.wait_for_selector(".tile")
    for i in range(3):
        page.locator(".tile input[type=checkbox]").nth(i).check()
    page.keyboard.press("Escape")
    page.click("#show-basket")
    page.wait_for_selector("#basket select")
    for name in ("mpv-edl", "csv", "otio"):
        page.locator("#basket select").select_option(name)
        with page.expect_download() as got:
            page.click("#basket >> text=Download")
        data = open(got.value.path(), "rb").read()
        want = command("search", "a dog", "--all", "-k", "3", "--format", name)
        ok((data == want) if name != "otio" else json.loads(data)["tracks"] == json.loads(want)["tracks"], "the basket as %s is the command's" % name, data[:300])
    page.locator("#basket li").first.get_by_label("later").click()
    ok(page.locator("#basket li").count() == 3, "and its order can be changed")
    page.keyboard.press("Escape")


def streams(page, s, film, how):
    """Parts, laid one behind the other: one film without gaps, with its sound."""
    page.goto(s.base + "/?video=%d&t=0" % film)
    video = "document.querySelector('#player video')"
    until(page, video + "?.dataset.how === '%s'" % how, 60)
    page.get_by_label("loop").uncheck()
    until(page, video + ".currentTime > 5", 90)
    seen = page.evaluate("(v => [v.buffered.length, v.buffered.start(0), v.webkitAudioDecodedByteCount, v.duration])(%s)" % video)
    ok(seen[0] == 1 and seen[1] < 0.1, "%s parts play through, without a gap" % how, seen)
    ok(seen[2] > 0, "and are heard", seen)
    ok(8.5 < seen[3] < 9.6, "the film has its whole length", seen)
    page.evaluate(video + ".currentTime = 7.5")
    until(page, video + ".currentTime > 7.6 && " + video + ".readyState >= 2", 60)
    ok(page.evaluate(video + ".src.startsWith('blob:') && " + video + ".duration > 8"), "and can be gone to anywhere")
    if how != "encoded":
        page.keyboard.press("Escape")
        return
    page.locator("#player select").select_option("720")
    until(page, video + "?.dataset.how === 'encoded' && " + video + ".currentTime > 5", 60)
    ok(page.evaluate(video + ".videoHeight") <= 720, "720p by choice, from the same second on")
    page.evaluate(video + ".currentTime = " + video + ".duration")
    until(page, video + ".ended", 60)
    page.locator("#player select").select_option("480")
    until(page, video + "?.dataset.how === 'encoded' && " + video + ".readyState >= 2", 60)
    ok(page.evaluate(video + ".currentTime") > 8, "also from its end on")
    page.keyboard.press("Escape")


def labelling(page, s):
    """y and x in the pictures and in the player, teaching from the basket, storing, a kept query."""
    page.goto(s.base + "/?q=rain&all=1&k=4")
    page.wait_for_selector(".tile")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("y")
    page.wait_for_selector("#labels[open]")
    ok("Choose a label" in page.inner_text("#labels"), "y without a label asks for one")
    page.locator("#labels input").first.fill("storm")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    page.locator(".tile .picture").first.focus()
    page.keyboard.press("y")
    until(page, "document.querySelector('#said').textContent.includes('storm: yes')")
    told = [json.loads(line) for line in command("labels", "mine", "--json").splitlines()]
    ok(len(told) == 1 and told[0]["label"] == "storm" and told[0]["said"], "y says yes, and the command line knows it", told)
    page.locator(".tile .picture").nth(3).focus()
    page.keyboard.press("x")
    until(page, "document.querySelector('#said').textContent.includes('storm: no')")
    page.locator(".tile .picture").first.click()
    page.wait_for_selector("#player .lanes")
    ok(page.locator("#player svg rect[fill]").count() >= 1, "a lane lies under the score")
    page.locator("#player .close").focus()
    page.keyboard.press("x")
    until(page, "document.querySelector('#player').textContent.includes('storm: no')")
    ok(command("labels", "mine", "--json") == b"", "x in the player takes it back")
    page.keyboard.press("y")
    until(page, "document.querySelector('#player').textContent.includes('storm: yes')")
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    page.wait_for_selector("#labels[open]")
    page.click("#labels .main")
    until(page, "document.querySelector('#labels [role=status]').textContent.includes('taught on')")
    ok(b"storm" in command("teach", "--list"), "it is taught")
    page.get_by_label("Store storm over the library").click()
    until(page, "document.querySelector('#labels [role=status]').textContent.includes('are stored')", 60)
    ok(b"storm" in command("labels", "storm"), "and stored over the library")
    page.keyboard.press("Escape")
    page.once("dialog", lambda d: d.accept("wet"))
    page.click("#keep")
    until(page, "document.querySelector('#said').textContent.includes('Kept as wet')")
    ok(b'"rain"' in command("saved", "--json"), "a query is kept")
    page.click("#show-library")
    until(page, "document.querySelector('#library').textContent.includes('wet')")
    ok(page.locator("#library a", has_text="wet").get_attribute("href") == "/?q=rain", "with its address")
    page.get_by_label("Keep wet no longer").click()
    until(page, "document.querySelector('#library').textContent.includes('No query is kept')")
    ok(command("saved", "--json") == b"", "and no longer")
    page.keyboard.press("Escape")


def plays(page, s):
    films = {v["path"].split("/")[-1]: v["video"] for v in page.evaluate("fetch('/api/v1/videos').then(r => r.json())")["videos"]}
    for name in sorted(n for n in films if re.match(r"vp9|hevc|h264|turned|xvid|mov|mpeg2|ten|weather", n)):
        began = time.time()
        page.goto(s.base + "/?video=%d&t=2" % films[name])
        page.wait_for_selector("#player .screen > *")
        how = until(page, """(() => { const v = document.querySelector('#player video');
            return document.querySelector('#player .still') ? 'pictures' : v && v.readyState >= 2 && v.videoWidth > 0 && v.currentTime > 0 ? v.dataset.how || 'film' : null })()""", 60)
        took = time.time() - began
        want = {"hevc.mp4": "encoded", "turned.mp4": "encoded", "mpeg2.mpg": "encoded", "xvid.avi": "encoded", "h264.ts": "copied"}.get(name, "film")
        ok(how == want, "%s goes by the rung: %s" % (name, want), how)
        if how == "pictures":
            ok(page.locator("#player .still").evaluate("i => i.naturalWidth") > 0 and "mpv" in page.inner_text("#player .screen"), "%s: its pictures, and why (%.1f s)" % (name, took))
        else:
            ok(abs(page.locator("#player video").evaluate("v => v.currentTime") - 2) < 8, "%s plays as %s (%.1f s)" % (name, how, took))
            upright = page.locator("#player video").evaluate("v => v.videoHeight > v.videoWidth")
            ok(upright == (name == "turned.mp4"), "%s stands as it should" % name)
        page.locator("#player .strip").focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(200)
        ok(page.locator("#player .strip").get_attribute("aria-valuenow") is not None, "%s: keys seek" % name)
    streams(page, s, films["hevc.mp4"], "encoded")
    streams(page, s, films["h264.ts"], "copied")
    page.goto(s.base + "/?q=a+dog&all=1")
    page.wait_for_selector(".tile")
    page.locator(".tile .picture").first.click()
    page.wait_for_selector("#player video, #player .still")
    page.wait_for_timeout(600)
    ok("video=" in page.url, "the film is in the address", page.url)
    ok(page.locator("#player .curve").get_attribute("d"), "the score is drawn along the film")
    page.locator("#player input[aria-label^=In]").fill("0:01.500")
    page.keyboard.press("Tab")
    ok(page.locator("#player input[aria-label^=In]").get_attribute("aria-invalid") == "false", "in can be typed")
    page.locator("#player input[aria-label^=In]").fill("9:99:99")
    page.keyboard.press("Tab")
    ok(page.locator("#player input[aria-label^=In]").get_attribute("aria-invalid") == "true", "and is refused beyond the end")
    part = lambda: [page.locator("#player input[aria-label^=%s]" % n).input_value() for n in ("In", "Out")]
    before, box = part(), page.locator("#player .strip").bounding_box()
    length = until(page, "Number(document.querySelector('#player .strip').getAttribute('aria-valuemax'))")
    page.mouse.move(box["x"] + 1.5 / length * box["width"], box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 / length * box["width"], box["y"] + 40, steps=4)
    page.mouse.up()
    after = part()
    ok(after[0] < before[0] and after[1] == before[1], "in is dragged along the strip", (before, after))
    page.locator("#player .close").focus()
    page.keyboard.press("n")
    page.wait_for_timeout(300)
    second = page.url
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    ok("video=" not in page.url and "video=" in second, "Escape closes it, and the address with it", page.url)


def first_page(page, s):
    """Films once each, and none that is none; more of them on demand."""
    page.goto(s.base + "/")
    page.wait_for_selector("#said a")
    page.wait_for_load_state("networkidle")
    before = page.locator("#films .name").all_inner_texts()
    page.locator("#more-films").click()
    until(page, "document.querySelector('#more-films').hidden")
    names = page.locator("#films .name").all_inner_texts()
    want = {json.loads(line)["video"] for line in command("clips", "--json").splitlines()}
    ok(12 <= len(before) < len(names) == len(want) and len(set(names)) == len(names), "every film is there once", (len(before), len(names), len(want), sorted(names)))
    ok("broken" not in page.inner_text("#said"), "what is no film is no example", page.inner_text("#said"))


def hands(page, s):
    """Keys alone; what is wrong is said in the page's words."""
    page.goto(s.base + "/?q=a+dog&all=1")
    page.wait_for_selector(".tile")
    page.locator("#q").press("ArrowDown")
    focused = "document.activeElement === document.querySelector('.tile .picture')"
    ok(page.evaluate(focused), "down from the search box is the first picture")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#player video')?.currentTime > 0 && !document.querySelector('#player video').paused")
    page.keyboard.press(" ")
    page.wait_for_timeout(200)
    ok(page.evaluate("document.querySelector('#player').open && document.querySelector('#player video').paused"), "space pauses what was just opened")
    state = "['Previous', 'Next'].map((n) => [...document.querySelectorAll('#player button')].find((b) => b.textContent.includes(n)).disabled)"
    ok(page.evaluate(state) == [True, False], "there is none before the first", page.evaluate(state))
    page.get_by_text("Next ›").focus()
    page.keyboard.press("Enter")
    until(page, state + "[0] === false")
    ok(page.evaluate("document.activeElement.textContent") == "Next ›", "what was held is held in the next one")
    page.keyboard.press("Escape")
    page.locator("#home").click()
    page.wait_for_selector("#films .tile")
    page.keyboard.press("ArrowDown")
    ok(page.evaluate(focused), "the arrows know the films of the first page, too")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector("#player video, #player .still")
    ok(page.evaluate(state) == [True, True], "a film of the first page has no neighbours in a question of before", page.evaluate(state))
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.get_by_label("From").fill("xyz")
    page.fill("#q", "rain")
    page.locator("#q").press("Enter")
    page.wait_for_selector("#trouble:not([hidden])")
    ok("“From” takes a date" in page.inner_text("#trouble"), "a wrong field is called by its name here", page.inner_text("#trouble"))
    page.get_by_label("From").fill("")
    page.locator("#q").press("Enter")
    page.wait_for_selector("#trouble", state="hidden")
    settle(page)
    ok(not page.is_visible("#filters"), "filters that are not in use fold up")
    spans = page.evaluate("import('/page/dom.js').then((m) => [[0, 5], [0, 0.6], [1.21, 1.24], [3600, 3661.5]].map(([a, b]) => m.span(a, b)))")
    ok(spans == ["0:00 – 0:05", "0:00.0 – 0:00.6", "0:01.210 – 0:01.240", "1:00:00 – 1:01:01"], "times are as exact as tells them apart", spans)
    links = page.evaluate("""import('/page/question.js').then((m) => [["rain", ["--and", "a cat", "--path", "a/*"]], ["rain", ["--exact", "--and", "x"]], ["rain", []]].map(([words, options]) => m.addressOf({ words, options })))""")
    ok(links == ["/?q=rain&and=a+cat&path=a%2F*", "", "/?q=rain"], "a kept query has its address, where the page knows its options", links)


def not_to_be_had(page, s):
    """A film that cannot be played: whose fault it is."""
    film = page.evaluate("fetch('/api/v1/search?q=rain&all=1&k=1').then(r => r.json())")["moments"][0]
    for status, words in ((403, "x.mp4: Permission denied"), (404, "x.mp4: No such file or directory"), (409, "the file of film 1 is another one now")):
        page.route("**/media/**", lambda route: route.fulfill(status=status, content_type="application/problem+json", body=json.dumps(dict(status=status, detail=words))))
        page.goto(s.base + "/?video=%d&t=1" % film["video"])
        page.wait_for_selector("#player .still")
        said = page.inner_text("#player .screen")
        ok(words + ". These are its pictures." in said and "browser" not in said, "a film that is %d: the server's sentence" % status, said)
        page.unroute("**/media/**")
    page.route("**/media/**", lambda route: route.fulfill(status=422, content_type="application/problem+json", body='{"status": 422, "detail": "x"}'))
    page.goto(s.base + "/?video=%d&t=1" % film["video"])
    page.wait_for_selector("#player .still")
    said = page.inner_text("#player .screen")
    ok("cannot play this film" in said and "mpv" in said, "one that nothing plays: the browser's, and mpv", said)
    page.unroute("**/media/**")


def opens(page, s):
    """A film that opens draws nothing anew and asks only for itself; whichever of its row and its bytes is late, it plays."""
    asked = []
    page.on("request", lambda r: asked.append(r.url[len(s.base):]))
    for where, again in (("/?q=rain&all=1", "/api/v1/search"), ("/", "/api/v1/videos?")):
        page.goto(s.base + where)
        page.wait_for_selector(".tile")
        page.wait_for_load_state("networkidle")
        page.evaluate("document.querySelectorAll('.tile, #filters input').forEach((e) => (e.old = true))")
        page.fill("#q", "half a thou")
        del asked[:]
        page.locator(".tile .picture").first.click()
        until(page, "document.querySelector('#player video')?.currentTime > 0")
        page.keyboard.press("Escape")
        until(page, "!location.search.includes('video=')")
        page.go_back()
        until(page, "document.querySelector('#player').open")
        page.go_back()
        until(page, "!document.querySelector('#player').open")
        ok(not [a for a in asked if a.startswith(again)], "%s: a film opens and closes, the question is not asked again" % where, asked)
        ok(page.evaluate("[...document.querySelectorAll('.tile, #filters input')].every((e) => e.old)"), "%s: nor drawn" % where)
        ok(page.input_value("#q") == "half a thou", "%s: nor are words lost that were being typed" % where, page.input_value("#q"))
    page.locator("#home").click()
    until(page, "document.querySelector('#q').value === ''")
    ok(True, "to start again clears them")
    film = page.evaluate("fetch('/api/v1/search?q=rain&all=1&k=1').then(r => r.json())")["moments"][0]["video"]
    for what, late in (("row comes", "**/api/v1/videos/*"), ("bytes come", "**/media/*")):
        page.route(late, lambda route: (page.wait_for_timeout(1500), route.continue_()))
        page.goto(s.base + "/?q=rain&all=1&video=%d&t=1" % film)
        until(page, "document.querySelector('#player video')?.currentTime > 1 && document.querySelector('#player video').controls")
        page.unroute(late)
        until(page, "document.querySelector('#player .curve').getAttribute('d')")
        ok(page.evaluate("!document.querySelector('#player video').dataset.how"), "its %s late: it plays as it is" % what)
    page.keyboard.press("Escape")


def looks(page, s):
    axe = Axe()
    best = page.evaluate("fetch('/api/v1/search?q=a+dog&all=1&k=1').then(r => r.json())")["moments"][0]
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for where, at in (("start", "/"), ("moments", "/?q=a+dog&and=a+cat&all=1"), ("player", "/?q=a+dog&all=1&video=%d&t=%.3f" % (best["video"], best["best"]))):
            page.goto(s.base + at)
            page.wait_for_timeout(800)
            if where == "player":
                page.wait_for_selector("#player .screen > *")
            for size, width, height in (("1440", 1440, 900), ("768", 768, 1024), ("390", 390, 844)):
                page.set_viewport_size({"width": width, "height": height})
                page.wait_for_timeout(150)
                shot(page, "%s-%s-%s" % (where, scheme, size))
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                ok(wide <= 0, "%s, %s, %s: nothing sticks out" % (where, scheme, size), wide)
            page.set_viewport_size({"width": 1440, "height": 900})
            bad = axe.run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})["violations"]
            ok(not bad, "%s, %s: axe finds nothing" % (where, scheme), [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in bad])
        for button in ("#show-basket", "#show-library", "#show-labels", "#show-help"):
            page.goto(s.base + "/?q=a+dog&all=1")
            page.wait_for_selector(".tile")
            page.click(button)
            page.wait_for_selector("dialog[open] h2")
            page.wait_for_timeout(500)
            bad = axe.run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})["violations"]
            ok(not bad, "%s, %s: axe finds nothing" % (button, scheme), [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in bad])
            shot(page, "%s-%s" % (button[6:], scheme))
    page.emulate_media(color_scheme="light")


def others(browser, page, s):
    page.goto(s.base + "/?q=zzz+qqq+xxyyzz")
    settle(page)
    ok(page.inner_text("#said") != "", "nothing found is said", page.inner_text("#said"))
    page.set_input_files("#file", "models/demo/moments.png")
    until(page, "document.querySelector('#said').textContent.includes('moments of')")
    ok(tiles(page) > 3, "a picture is a question", tiles(page))
    names = page.locator(".tile .name").all_inner_texts()
    ok(page.locator("#terms .term img").count() == 1, "and a chip")
    page.click("text=+ term")
    page.locator("#terms input").last.fill("snow")
    page.keyboard.press("Enter")
    until(page, "location.search.includes('and=snow')")
    settle(page)
    want = [json.loads(line)["path"].split("/")[-1] for line in command("search", "--image", "models/demo/moments.png", "--and", "snow", "-k", "60", "--json").splitlines()]
    told = page.locator(".tile .name").all_inner_texts() if "Nothing here clearly" not in page.inner_text("#said") else []
    ok(told == want, "with a term behind it, as the command has it", (told, want))
    page.go_back()
    settle(page)
    ok(page.locator(".tile .name").all_inner_texts() == names and page.locator("#terms .term img").count() == 1, "back brings it back")
    page.get_by_label("Take the picture away").click()
    until(page, "document.querySelectorAll('#terms .term img').length === 0")
    ok(tiles(page) == 0, "and it can be taken away")
    page.click("#show-library")
    page.wait_for_selector("#library dl")
    ok("Films" in page.inner_text("#library"), "the library is shown")
    run = subprocess.Popen([PROGRAM, "-q", "-L", LIBRARY, "ingest", "--shots", "off", "--hop", "0.2", "models/demo/films"], stderr=subprocess.DEVNULL)
    page.wait_for_timeout(1500)
    run.wait(120)
    page.wait_for_timeout(1500)
    ok("No ingest is running" in page.inner_text("#library"), "and follows what is done", page.inner_text("#library")[:300])
    page.keyboard.press("Escape")
    two = page.context.new_page()
    two.goto(s.base + "/?q=rain&all=1")
    two.wait_for_selector(".tile")
    ok(tiles(two) > 0, "a second tab works")
    two.close()
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    page.get_by_label("single letters are keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.wait_for_timeout(200)
    ok(page.locator("#help[open]").count() == 0, "single keys can be off (2.1.4)")
    port = s.base.rsplit(":", 1)[1]
    s.stop()
    page.fill("#q", "snow")
    page.keyboard.press("Enter")
    page.wait_for_selector("#trouble:not([hidden])")
    ok("does not answer" in page.inner_text("#trouble"), "a server that ended is said", page.inner_text("#trouble"))
    again = Server("--listen", "127.0.0.1:" + port)
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#trouble').textContent.includes('anew')")
    ok(True, "and one that was started anew")
    page.goto(again.url)
    page.wait_for_selector("#said a")
    ok(True, "whose address opens the page again")
    again.stop()


def main():
    s = Server("--listen", "127.0.0.1:0")
    noise = []
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True).new_page()
        page.on("console", lambda m: noise.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: noise.append(str(e)))
        page.on("request", lambda r: noise.append("outside: " + r.url) if not r.url.startswith((s.base, "blob:", "data:")) else None)
        searching(page, s)
        grid(page, s)
        basket(page, s)
        plays(page, s)
        opens(page, s)
        first_page(page, s)
        hands(page, s)
        not_to_be_had(page, s)
        labelling(page, s)
        looks(page, s)
        ok(not [n for n in noise if "Failed to load resource" not in n], "no error of a script, no request to the outside", noise)
        others(browser, page, s)
        browser.close()
    sys.exit(failed > 0)


main()
