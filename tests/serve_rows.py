"""serve_rows PROGRAM FOLDER: a running `serve` on raw sockets, TAP on standard output (tests/cli/serve.sh has the library).

Every answer is read to the end of its connection: one request a connection is part of what is tested."""
import io
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.parse
import zipfile

PROGRAM, FOLDER = sys.argv[1], sys.argv[2]
LIBRARY = FOLDER + "/lib"
SLOW = 6 if "build-" in PROGRAM else 1  # sanitizers


def ok(good, what, seen=""):
    said = ("ok - " if good else "not ok - ") + what + "\n"
    sys.stdout.write(said if good else said + "# saw: %.2000r\n" % (seen,))
    sys.stdout.flush()


class Server:
    patience = 20 * SLOW  # seconds for one answer

    def __init__(self, *options, **how):
        self.log = open(FOLDER + "/serve.err", "a")
        self.process = subprocess.Popen([PROGRAM, "-L", LIBRARY, "--precision", "fp32", "serve", *options], stdout=subprocess.PIPE,
                                        stderr=self.log, text=True, **how)
        self.line = self.process.stdout.readline().strip()
        found = re.fullmatch(r"Listening on http://([^/]*?)(?::(\d+))?/\?token=([0-9a-f]{32})", self.line)
        if not found:
            raise SystemExit("not ok - one line with the address: %r" % self.line)
        self.port, self.token = int(found[2] or 0), found[3]
        self.host = found[1] + (":" + found[2] if found[2] else "")
        self.socket = options[options.index("--socket") + 1] if "--socket" in options else None

    def connect(self):
        if self.socket:
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(self.patience)
            s.connect(self.socket)
            return s
        return socket.create_connection(("127.0.0.1", self.port), self.patience)

    def raw(self, data, wait=None):
        """All that comes back until the server closes, and the seconds that took."""
        began = time.time()
        with self.connect() as s:
            if wait:
                s.settimeout(wait)
            got = b""
            try:
                s.sendall(data)
                while True:
                    block = s.recv(65536)
                    if not block:
                        break
                    got += block
            except (ConnectionResetError, BrokenPipeError):
                pass
            except socket.timeout:
                got += b"(open)"
        return got, time.time() - began

    def head(self, line, *headers, host=None, auth=True):
        lines = [line + " HTTP/1.1", "Host: " + (host or self.host)]
        if auth:
            lines.append("Authorization: Bearer " + self.token)
        return ("\r\n".join([*lines, *headers]) + "\r\n\r\n").encode()

    def get(self, target, *headers, **how):
        return answer(self.raw(self.head("GET " + target, *headers, **how))[0])

    def post(self, target, body, *headers, **how):
        size = how.pop("size", len(body))
        return answer(self.raw(self.head("POST " + target, "Content-Length: %d" % size, "X-Kinoseek: 1", *headers, **how) + body)[0])

    def json(self, target):
        status, headers, body = self.get(target)
        if status != 200:
            raise AssertionError("%s: %d %r" % (target, status, body))
        return json.loads(body)

    def stop(self, number=signal.SIGTERM):
        began = time.time()
        self.process.send_signal(number)
        code = self.process.wait(60)
        return code, time.time() - began


def answer(data):
    """(status, {header: value}, body); status 0: nothing that is HTTP."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    found = re.fullmatch(r"HTTP/1\.1 (\d+) .*", lines[0])
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return (int(found[1]) if found else 0), headers, body


def count(data):
    return len(re.findall(rb"HTTP/1\.1 \d+ ", data))


def alive(server):
    """A live client's answer, and how long it took."""
    began = time.time()
    status = server.get("/thumb/1.jpg")[0]
    return status == 200 and time.time() - began < 1 * SLOW, time.time() - began


def rows(s):
    ok(s.get("/api/v1/status", host="evil.example")[0] == 421, "1: a foreign host is 421")
    ok(s.get("/", host="evil.example:%d" % s.port, auth=False)[0] == 421, "1: with our port, too")
    for host in ("127.0.0.1", "localhost:9", "[::1]:%d" % s.port):
        ok(s.get("/api/v1/status", host=host)[0] == 200, "1: %s is us, forwarded or not" % host)
    for host in ("127.0.0.1.evil.example", "localhost.evil", "127.0.0.1:80:80", "127.0.0.1:x", "[::1", "", "evil@127.0.0.1"):
        got = s.get("/api/v1/status", host=host or " ")[0]
        ok(got in (421, 400), "1: %r is not" % host, got)
    auth = "Authorization: Bearer %s\r\n" % s.token

    def status_of(text, what, want, closed=True):
        data, took = s.raw(text.encode("latin-1") if isinstance(text, str) else text)
        ok(answer(data)[0] in want and count(data) == 1, what, data[:300])

    me = "Host: %s\r\n" % s.host
    status_of("GET /api/v1/status HTTP/1.1\r\n%s\r\n" % auth, "2: no Host is 400", [400])
    status_of("GET / HTTP/1.1\r\n%s%s%s\r\n" % (me, me, auth), "3: two Hosts are 400", [400])
    status_of("GET http://evil/ HTTP/1.1\r\n%s%s\r\n" % (me, auth), "4: the absolute form is 400", [400])
    status_of("GET //evil/ HTTP/1.1\r\n%s%s\r\n" % (me, auth), "4: a path of two slashes is no page", [404])
    status_of("GET * HTTP/1.1\r\n%s%s\r\n" % (me, auth), "4: the asterisk form is 400", [400])
    body = b'{"format":"csv","items":[]}'
    for origin, site in (("https://evil", None), ("null", None), ("http://127.0.0.1:1", None), (None, "cross-site"), (None, "same-site")):
        more = ["Origin: " + origin] if origin else ["Sec-Fetch-Site: " + site]
        ok(s.post("/api/v1/export", body, *more)[0] == 403, "5, 6: a POST from %s is 403" % (origin or site))
        ok(s.get("/media/1", *more)[0] == 403, "6: so is a film")
    ok(s.post("/api/v1/export", body, "Origin: http://" + s.host, "Sec-Fetch-Site: same-origin")[0] == 400, "5: our own page may ask")
    data = s.raw(("POST /api/v1/export HTTP/1.1\r\n%s%sContent-Length: 2\r\n\r\n{}" % (me, auth)).encode())[0]
    ok(answer(data)[0] == 403, "5: a POST without our own header is 403", data[:200])
    status, headers, body = s.get("/api/v1/search?q=rain", auth=False)
    ok((status, body) == (401, b""), "7: without the cookie 401, and not a byte", (status, body))
    for target in ("/thumb/1.jpg", "/media/1", "/openapi.json", "/page/page.js", "/nothing"):
        ok(s.get(target, auth=False)[0] == 401, "7: %s, too" % target)
    ok(b"token" in s.get("/", auth=False)[2], "7: the page says what to do")
    status, headers, body = s.get("/", "Origin: https://evil", "Access-Control-Request-Method: GET")
    status, headers, body = answer(s.raw(s.head("OPTIONS /api/v1/search", "Origin: http://" + s.host))[0])
    ok(status == 405 and not any(h.startswith("access-control") for h in headers), "9: a preflight is 405 and allows nothing", headers)

    # A request that is smuggled would be answered, or would stand in the export below.
    behind = "GET /api/v1/status HTTP/1.1\r\n%s%s\r\n" % (me, auth)
    post = "POST /api/v1/export HTTP/1.1\r\n%s%sX-Kinoseek: 1\r\n" % (me, auth)
    status_of(post + "Content-Length: 5\r\nContent-Length: %d\r\n\r\nhello" % (5 + len(behind)) + behind, "10: two lengths are 400, the second request does not run", [400])
    status_of(post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello" + behind, "10: two equal ones, too", [400])
    status_of(post + "Content-Length: 5, 5\r\n\r\nhello" + behind, "10: a list of them, too", [400])
    for length in ("+5", "-5", "0x5", "5 5", "", "99999999999999999999"):
        status_of(post + "Content-Length: %s\r\n\r\nhello" % length + behind, "10: the length %r is 400" % length, [400])
    for te in ("chunked", "identity", "xchunked", " chunked", "chunked\r\nTransfer-Encoding: x"):
        status_of(post + "Content-Length: 5\r\nTransfer-Encoding: %s\r\n\r\n0\r\n\r\n" % te + behind, "11: a length and Transfer-Encoding %r are 400" % te, [400])
        status_of(post + "Transfer-Encoding: %s\r\n\r\n0\r\n\r\n" % te + behind, "11: it alone, too", [400])
    status_of(post + "Content-Length: 2\r\n\r\n{}" + behind, "10: a second request behind a whole one is not run", [400])
    status_of("GET /thumb/1.jpg HTTP/1.1\r\n%s%s\r\n" % (me, auth) + behind, "10: nor behind a GET", [200])
    status_of("GET /thumb/1.jpg HTTP/1.1\r\n%s%sContent-Length: %d\r\n\r\n" % (me, auth, len(behind)) + behind, "10: a GET with a body is 400", [400])
    for what, text in (("a bare LF", "GET / HTTP/1.1\n%s%s\n" % (me, auth)), ("a bare LF in the middle", "GET / HTTP/1.1\r\nX: 1\n%s%s\r\n" % (me, auth)),
                       ("a bare CR", "GET / HTTP/1.1\r\nX: a\rb\r\n%s%s\r\n" % (me, auth)), ("a NUL", "GET / HTTP/1.1\r\nX: a\0b\r\n%s%s\r\n" % (me, auth)),
                       ("a folded line", "GET / HTTP/1.1\r\nX: a\r\n b\r\n%s%s\r\n" % (me, auth)), ("a blank before the colon", "GET / HTTP/1.1\r\nHost : x\r\n%s%s\r\n" % (me, auth)),
                       ("no colon", "GET / HTTP/1.1\r\nhello\r\n%s%s\r\n" % (me, auth)), ("an empty first line", "\r\nGET / HTTP/1.1\r\n%s%s\r\n" % (me, auth)),
                       ("two blanks", "GET  / HTTP/1.1\r\n%s%s\r\n" % (me, auth)), ("HTTP/0.9", "GET /\r\n\r\n"), ("a tab", "GET\t/ HTTP/1.1\r\n%s%s\r\n" % (me, auth)),
                       ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64)):
        status_of(text, "10: %s is 400" % what, [400])
    status_of("GET / HTTP/1.0\r\n%s%s\r\n" % (me, auth), "10: HTTP/1.0 is 505", [505])
    status_of("GET / HTTP/2.0\r\n%s%s\r\n" % (me, auth), "10: HTTP/2 is 505", [505])
    for target in ("/media/../../etc/passwd", "/media/%2e%2e%2f%2e%2e%2fetc/passwd", "/media/1%00.mp4", "/page/../../../etc/passwd", "/page/%2e%2e/serve.h",
                   "/thumb/../media/1", "/media/%", "/media/%zz", "/media/-1", "/media/0", "/media/1e3", "/media/99999999999999999999", "/media/%31%0a",
                   "/media/\\..\\x", "/media/", "/thumb/", "/page/", "/api/v1/", "/api/v1/videos/1/", "/api/v1/clips/x"):
        got = s.get(target)[0]
        ok(got in (400, 404), "12: %s is nothing" % target, got)
    size = os.stat(FOLDER + "/films/weather.mp4").st_size
    film = [v["video"] for v in s.json("/api/v1/videos")["videos"] if v["path"].endswith("weather.mp4")][0]
    whole = open(FOLDER + "/films/weather.mp4", "rb").read()
    for what, want, part in (("bytes=%d-" % size, 416, None), ("bytes=-0", 416, None), ("bytes=0-9", 206, whole[:10]), ("bytes=-7", 206, whole[-7:]),
                             ("bytes=%d-" % (size - 3), 206, whole[-3:]), ("bytes=5-%d" % (10 * size), 206, whole[5:]), ("bytes=-%d" % (9 * size), 206, whole),
                             ("bytes=9-5", 200, whole), ("bytes=a-b", 200, whole), ("bytes=-", 200, whole), ("lines=0-1", 200, whole), ("bytes=0-0,2-2", 200, whole),
                             ("bytes=" + ",".join("%d-%d" % (i, i) for i in range(1000)), 200, whole), ("bytes=99999999999999999999-", 200, whole)):
        status, headers, body = s.get("/media/%d" % film, "Range: " + what)
        ok(status == want and (part is None or body == part), "14: %.40s is %d" % (what, want), (status, len(body)))
        if status in (206, 416):
            ok(headers.get("content-range", "").endswith("/%d" % size), "14: and says the size", headers)
    etag = s.get("/media/%d" % film)[1]["etag"]
    ok(s.get("/media/%d" % film, "Range: bytes=0-9", "If-Range: " + etag)[0] == 206, "14: If-Range of this film is a part")
    ok(s.get("/media/%d" % film, "Range: bytes=0-9", 'If-Range: "other"')[0] == 200, "14: of another one the whole")
    status, headers, body = answer(s.raw(s.head("HEAD /media/%d" % film))[0])
    ok((status, headers.get("content-length"), body) == (200, str(size), b""), "14: HEAD says the length alone", (status, headers, body[:9]))
    status_of("GET /%s HTTP/1.1\r\n%s%s\r\n" % ("a" * 20000, me, auth), "15: a target of 20 kB is 414", [414])
    status_of("GET / HTTP/1.1\r\n%s%s%s\r\n" % (me, auth, "X: %s\r\n" % ("b" * 1000) * 40), "15: headers of 40 kB are 431", [431])
    status_of("GET / HTTP/1.1\r\n%s%s%s\r\n" % (me, auth, "X: 1\r\n" * 200), "15: 200 headers are 431", [431])
    began = time.time()
    got = s.post("/api/v1/search", b"x", size=1 << 40)[0]
    ok(got == 413 and time.time() - began < 3 * SLOW, "16: a body over the limit is 413, unread", got)
    for what, body in (("no picture", b"hello"), ("a bomb", bomb()), ("a broken one", b"\x89PNG\r\n\x1a\n" + b"\0" * 100), ("MagicYUV", magicyuv())):
        got = s.post("/api/v1/search", body)
        ok(got[0] == 422, "16: %s is 422" % what, got)
    ok(s.post("/api/v1/search", b"")[0] == 400, "16: an empty picture is 400")
    ok(alive(s)[0], "16: and the server lives")
    for method in ("TRACE", "PUT", "CONNECT", "DELETE", "PATCH", "PROPFIND"):
        ok(answer(s.raw(s.head(method + " /api/v1/search?q=rain"))[0])[0] == 405, "19: %s is 405" % method)
    for bad in ("k=-1", "k=1e9", "k=NaN", "k=", "k=9999999999999999999999", "longer=NaN", "longer=-1", "longer=inf", "per-video=-1",
                "after=x", "before=2019-13", "exact=1&ann=1", "merge=x", "nothing=1", "clip=1", "film=/etc/passwd", "plus=@/etc/passwd", "and=@/etc/passwd@3", "like=@/etc/passwd", "image=/etc/passwd", "then=", "within=4", "q=%ff", "in=nobody.mp4", "k=%31%", "q=%00"):
        status, headers, body = s.get("/api/v1/search?q=rain&" + bad)
        ok(status in (400, 404) and headers.get("content-type") == "application/problem+json" and json.loads(body)["status"] == status, "19: %s is a problem" % bad, (status, body))
    ok(s.get("/api/v1/search")[0] == 400 and s.get("/api/v1/search?q=%20")[0] == 400 and s.get("/api/v1/similar")[0] == 400, "19: a question of nothing is 400")
    status, headers, body = s.get("/api/v1/videos")
    ok("onerror" in body.decode() and headers["content-type"] == "application/json" and headers["x-content-type-options"] == "nosniff", "20: an odd name is JSON, nosniff", headers)
    ok("default-src 'self'" in headers["content-security-policy"] and headers["connection"] == "close", "20: with the policy of every answer")
    status, headers, body = s.post("/api/v1/export", json.dumps({"format": "csv", "title": "=cmd()", "items": [{"video": film, "start": 0, "end": 1}]}).encode())
    ok(status == 200 and "'=cmd()" in body.decode(), "20: a formula is quoted in CSV", body)


def bomb():
    """A PNG of 60,000 x 60,000."""
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(b"\0" * 100000)) + chunk(b"IEND", b"")


def magicyuv():
    """The head of an AVI whose picture is MagicYUV's (CVE-2026-8461): that decoder is not on the list of kinoseek-decode."""
    strf = struct.pack("<IiiHHIIiiII", 40, 64, 64, 1, 24, int.from_bytes(b"M8RG", "little"), 64 * 64 * 3, 0, 0, 0, 0)
    strh = b"vidsM8RG" + struct.pack("<IHHIIIIIIIIhhhh", 0, 0, 0, 0, 1, 25, 0, 1, 0, 0, 0, 0, 0, 64, 64)

    def lump(kind, data):
        return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)

    avih = struct.pack("<14I", 40000, 0, 0, 0x10, 1, 0, 1, 0, 64, 64, 0, 0, 0, 0)
    frame = b"MAGY" + struct.pack("<IBBBBIIII", 32, 7, 0x65, 12, 0, 0, 64, 64, 64) + b"\xff" * 200
    body = lump(b"LIST", b"hdrl" + lump(b"avih", avih) + lump(b"LIST", b"strl" + lump(b"strh", strh) + lump(b"strf", strf))) + lump(b"LIST", b"movi" + lump(b"00dc", frame))
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"AVI " + body


def tokens(s):
    cookie = answer(s.raw(s.head("GET /?token=" + s.token, auth=False))[0])
    ok(cookie[0] == 303 and cookie[1]["location"] == "/" and "HttpOnly; SameSite=Strict" in cookie[1]["set-cookie"], "the token becomes a cookie", cookie)
    name, _, value = cookie[1]["set-cookie"].partition(";")[0].partition("=")
    ok(name == "kinoseek_%d" % s.port and value != s.token, "of this port, and not the token itself", name)
    ok(s.get("/api/v1/status", "Cookie: a=b; %s=%s; c=d" % (name, value), auth=False)[0] == 200, "it opens the page")
    ok(s.get("/api/v1/status", "Cookie: %s=%s" % (name, s.token), auth=False)[0] == 401, "the token is no cookie")
    ok(s.get("/api/v1/status", "Cookie: x%s=%s" % (name, value), auth=False)[0] == 401, "nor is another name")
    seen = [s.get("/?token=" + "%032x" % i, auth=False)[0] for i in range(24)]
    ok(seen[0] == 401 and seen[-1] == 429 and 429 not in seen[:20], "8: wrong tokens are 401, then 429", seen)
    ok(s.get("/api/v1/status", "Cookie: %s=%s" % (name, value), auth=False)[0] == 200, "8: who is in stays in")


def slow(s):
    """17 and 18, side by side: each ends on its own, and a live client is answered all the while."""
    seen = {}

    def drip(name, first, more):
        began = time.time()
        with s.connect() as c:
            got = b""
            try:
                c.sendall(first)
                c.settimeout(0.5)
                while time.time() - began < 20 * SLOW:
                    try:
                        block = c.recv(4096)
                        got += block
                        if not block:
                            break
                    except socket.timeout:
                        pass
                    c.sendall(more)
            except OSError:
                pass
        seen[name] = (time.time() - began, got)

    head = s.head("GET /api/v1/status")[:-2]
    body = s.head("POST /api/v1/export", "Content-Length: 1000", "X-Kinoseek: 1") + b"{"
    threads = [threading.Thread(target=drip, args=a) for a in (("header", head, b"X: 1\r\n"), ("body", body, b" "), ("byte", b"G", b"E"))]
    for t in threads:
        t.start()
    idle = [s.connect() for _ in range(1000)]
    worst, good = 0, True
    for _ in range(8):
        fine, took = alive(s)
        good, worst = good and fine, max(worst, took)
        time.sleep(0.2)
    ok(good, "18: beside 1,000 idle connections a live client is answered", worst)
    closed = 0
    for c in idle:
        c.setblocking(False)
        try:
            closed += c.recv(1) == b""
        except BlockingIOError:
            pass
        except OSError:
            closed += 1
        c.close()
    ok(closed >= 700, "18: the excess is closed", closed)
    for t in threads:
        t.join()
    for name in ("header", "body"):
        took, got = seen[name]
        ok(took < 13 * SLOW, "17: a %s a while ends at 10 s" % name, seen[name])
    ok(answer(seen["byte"][1])[0] in (0, 400, 408), "17: so does a byte a while", seen["byte"])


def same_as_commands(s):
    words = ["rain", "snow", "a dog", "a cat sits", "people play music", "lightning", "a storm at night", "sunshine", "an animal", "drums"]
    queries = [a + b for a in words for b in ("", " outside", " in the dark", " on a table", " and water")]
    with open(FOLDER + "/queries", "w") as f:
        f.write("\n".join(queries) + "\n")
    out = subprocess.run([PROGRAM, "-L", LIBRARY, "--precision", "fp32", "search", "--json", "--all", "-k", "7", "--queries", FOLDER + "/queries"], capture_output=True, text=True).stdout
    told = {}
    for line in out.splitlines():
        told.setdefault(json.loads(line)["query"], []).append(json.loads(line))
    differ = [q for q in queries if s.json("/api/v1/search?all=1&k=7&q=" + urllib.parse.quote(q))["moments"] != told.get(q)]
    ok(len(queries) == 50 and len(told) == 50 and not differ, "50 questions: the page says what the command says", differ)

    def command(*words):
        return subprocess.run([PROGRAM, "-L", LIBRARY, "--precision", "fp32", *words], capture_output=True)

    def lines(*words):
        return [json.loads(line) for line in command(*words, "--json").stdout.splitlines()]

    ok(s.json("/api/v1/similar?clip=3&k=5")["moments"] == s.json("/api/v1/search?like=%233&k=5")["moments"] == lines("search", "--like", "3", "-k", "5"), "like a clip, too")
    ok(s.json("/api/v1/search?all=1&k=5&q=rain&and=snow&not=a+dog")["moments"] == lines("search", "rain", "--and", "snow", "--not", "a dog", "--all", "-k", "5"), "several terms, too")
    ok(s.json("/api/v1/search?all=1&k=5&q=rain&then=0.5:snow&within=1:00&unless=sun")["moments"] ==
       lines("search", "rain", "--then", "0.5:snow", "--within", "1:00", "--unless", "sun", "--all", "-k", "5"), "sequences, too")
    films = s.json("/api/v1/videos")["videos"]
    ok(s.json("/api/v1/curve?video=%d&q=rain" % films[1]["video"])["points"] == lines("curve", films[1]["path"], "rain"), "the curve of a film, too")
    ok(s.json("/api/v1/similar?video=%d&t=9.5&not-self=1" % films[1]["video"])["moments"] == lines("similar", films[1]["path"] + "@9.5", "--not-self"), "and a second of a film")
    picture = open("models/demo/moments.png", "rb").read()
    page = json.loads(s.post("/api/v1/search?k=4", picture)[2])
    ok(page["query"] == "picture" and {m["query"] for m in page["moments"]} == {"picture"}, "a picture that is sent is called so", page["query"])
    page = [dict(m, query="") for m in page["moments"]]
    ok(page and page == [dict(m, query="") for m in lines("search", "--image", "models/demo/moments.png", "-k", "4")], "and a picture that is sent")
    page = [dict(m, query="", parts=0) for m in json.loads(s.post("/api/v1/search?k=4&all=1&and=snow&minus=drums", picture)[2])["moments"]]
    ok(page and page == [dict(m, query="", parts=0) for m in lines("search", "--image", "models/demo/moments.png", "--and", "snow", "--minus", "drums", "--all", "-k", "4")], "which begins a question of several terms, too", page)
    for more in ("q=snow", "and=@/etc/passwd"):
        ok(s.post("/api/v1/search?" + more, picture)[0] == 400, "a picture with %s is 400" % more)
    clips = [c for v in films for c in s.json("/api/v1/videos/%d" % v["video"])["clips"]]
    want = lines("clips")
    ok(sorted(clips, key=lambda c: c["id"]) == sorted(want, key=lambda c: c["id"]) and s.json("/api/v1/clips/%d" % want[0]["id"]) == want[0], "clips are those of clips")
    told, status = s.json("/api/v1/status"), lines("status")[0]
    ok(told == status, "status is that of status", [k for k in told if told[k] != status.get(k)])
    for name in ("csv", "jsonl", "mpv-edl", "otio", "cmx3600"):
        page = s.get("/api/v1/export?q=rain&all=1&k=3&fps=25&format=" + name)[2]
        ok(page == command("search", "rain", "--all", "-k", "3", "--fps", "25", "--format", name).stdout, "export as %s" % name, page[:200])
    hits = s.json("/api/v1/search?q=rain&all=1&k=3")["moments"]
    items = [{k: h[k] for k in ("video", "start", "end", "score", "clips", "query")} for h in hits]
    status, headers, page = s.post("/api/v1/export", json.dumps({"format": "mpv-edl", "items": items}).encode())
    ok(page == command("search", "rain", "--all", "-k", "3", "--format", "mpv-edl").stdout and "kinoseek" in headers["content-disposition"], "a selection as mpv-edl", page)
    got = s.post("/api/v1/export", json.dumps({"format": "cmx3600", "items": [{"video": 1, "start": 2, "end": 1}]}).encode())
    ok(got[0] == 400, "a selection that ends before it begins is 400", got)
    for bad in (b"", b"[]", b"{", b'{"items":7}', b'{"format":"exe","items":[{"video":1,"start":0,"end":1}]}', b'{"format":"csv","items":[{"video":99,"start":0,"end":1}]}',
                b'{"format":7,"items":[{"video":1,"start":0,"end":1}]}', b'{"format":"csv","items":[7]}', b'{"format":"csv","items":[{"video":1,"start":0,"end":1e99}]}', b"[" * 5000):
        got = s.post("/api/v1/export", bad)[0]
        ok(got in (400, 404), "a selection %.40s is refused" % bad, got)


def films(s):
    """13: what the file became since."""
    path = FOLDER + "/films/band.mp4"
    film = [v["video"] for v in s.json("/api/v1/videos")["videos"] if v["path"] == path][0]
    was = open(path, "rb").read()
    ok(s.get("/media/%d" % film)[2] == was, "13: a film is its bytes")
    os.utime(path, (1, 1))
    ok(s.get("/media/%d" % film)[0] == 200, "13: touched it is the film still")
    os.rename(path, path + ".was")
    ok(s.get("/media/%d" % film)[0] == 404, "13: away it is 404")
    os.symlink("/etc/passwd", path)
    ok(s.get("/media/%d" % film)[0] == 409, "13: a link to a secret is 409")
    os.unlink(path)
    os.symlink(path + ".was", path)
    ok(s.get("/media/%d" % film)[0] == 409, "13: a link to the film, too")
    os.unlink(path)
    open(path, "wb").write(b"x" * len(was))
    ok(s.get("/media/%d" % film)[0] == 409, "13: other bytes of the same length are 409")
    os.unlink(path)
    os.mkfifo(path)
    ok(s.get("/media/%d" % film)[0] == 409, "13: a pipe is 409, at once")
    os.unlink(path)
    os.rename(path + ".was", path)
    ok(s.get("/media/%d" % film)[0] == 200, "13: back it plays")


def told_by(*words):
    return [json.loads(line) for line in subprocess.run([PROGRAM, "-L", LIBRARY, *words, "--json"], capture_output=True, text=True).stdout.splitlines()]


def labels(s):
    """A person's word, teaching, kept queries: what the page writes is what the command line reads."""

    def post(path, **members):
        status, headers, body = s.post("/api/v1/" + path, json.dumps(members).encode())
        return status, json.loads(body)

    film = [v for v in s.json("/api/v1/videos")["videos"] if v["path"].endswith("weather.mp4")][0]
    ok(s.json("/api/v1/labels") == {"sets": [], "learnt": []}, "no label is kept at first")
    got = post("labels/say", set="mine", label="storm", video=film["video"], start=1.5, end=4, yes=True)
    ok(got[0] == 200, "yes is said of a moment, in a set that is made for it", got)
    seen = told_by("labels", "mine")
    ok([(m["label"], m["start"], m["end"], m["said"]) for m in seen] == [("storm", 1.5, 4, True)], "and the command line reads it", seen)
    ok(s.json("/api/v1/labels?video=%d" % film["video"])["sets"][0]["marks"] == seen, "as the page does")
    ok(post("labels/say", set="mine", label="storm", video=film["video"], start=2, end=3, yes=False)[0] == 200, "no is said of a part of it")
    ok([(m["start"], m["end"]) for m in told_by("labels", "mine")] == [(1.5, 2), (3, 4)], "which cuts it")
    for what, want, members in (("no film", 404, dict(video=999)), ("an end beyond the film", 400, dict(end=1e6)), ("a start behind the end", 400, dict(start=5)), ("a negative start", 400, dict(start=-1)),
                                ("no yes", 400, dict(yes=1)), ("an empty label", 400, dict(label="")), ("a label of two lines", 400, dict(label="a\nb")), ("a long label", 400, dict(label="x" * 101)),
                                ("a longer one", 400, dict(label="x" * 5000)), ("no set", 400, dict(set=None)), ("NUL in a set", 400, dict(set="a\0b")), ("NaN", 400, dict(end=None))):
        got = post("labels/say", **dict(dict(set="mine", label="storm", video=film["video"], start=1, end=2, yes=True), **members))
        ok(got[0] == want and got[1]["detail"], "a word with %s is %d" % (what, want), got)
    ok(len(told_by("labels", "mine")) == 2, "and none of them is kept")
    got = post("labels/teach", label="storm", items=[dict(video=film["video"], start=10, end=12, yes=True), dict(video=film["video"], start=20, end=22, yes=False)])
    ok(got[0] == 200 and [got[1]["learnt"][0][k] for k in ("yes", "no")] == [3, 2], "a selection teaches, with what was said", got)
    ok(told_by("teach", "--list") == got[1]["learnt"] == s.json("/api/v1/labels")["learnt"], "and teach --list has it")
    ok(post("labels/teach", label="nothing", items=[])[0] == 400, "of nothing nothing is learnt")
    got = post("labels/store", label="storm")
    stored = told_by("labels", "storm")
    ok(got == (200, dict(set="storm", films=3, spans=len(stored))) and stored, "a taught label is stored over the library", (got, stored))
    subprocess.run([PROGRAM, "-q", "-L", LIBRARY, "--precision", "fp32", "label", "--learnt", "storm", "--intervals", "--store", "again"], capture_output=True)
    ok(told_by("labels", "again") == stored, "with the spans of label --learnt --intervals", told_by("labels", "again"))
    ok({m["path"] for m in s.json("/api/v1/search?q=storm&label=storm&all=1")["moments"]} <= {m["path"] for m in stored}, "and search looks among them")
    ok(post("labels/store", label="nothing")[0] == 404, "what was not taught is not stored")
    ok(s.post("/api/v1/labels/say", b"{}", "Origin: https://evil")[0] == 403 and s.get("/api/v1/labels/say")[0] == 405, "another's page says nothing")
    ok(post("saved?q=rain&and=snow&path=*.mp4&k=7", name="wet")[0] == 200, "a query is kept")
    want = dict(name="wet", words="rain", options=["--and", "snow", "--path", "*.mp4"], told=0, waiting=0)
    ok(told_by("saved") == [want] and s.json("/api/v1/saved") == [dict(want, hits=[])], "as save keeps it", (told_by("saved"), s.json("/api/v1/saved")))
    for what, want in (("q=rain&all=1", 400), ("q=rain&exact=1", 400), ("and=rain", 400), ("q=rain&longer=x", 400), ("q=rain&plus=@/etc/passwd", 400), ("q=rain", 400)):
        ok(post("saved?" + what, name="wet" if what == "q=rain" else "x")[0] == want, "%s is not kept" % what)
    shutil.copy(FOLDER + "/films/weather.mp4", FOLDER + "/films/again.mp4")
    with open(FOLDER + "/films/again.mp4", "ab") as f:
        f.write(b"\0\0\0\x08free")
    subprocess.run([PROGRAM, "-q", "-L", LIBRARY, "ingest", FOLDER + "/films"], stdout=subprocess.DEVNULL)
    kept = s.json("/api/v1/saved")[0]
    ok(len(kept["hits"]) == kept["told"] + kept["waiting"] and all(h["path"].endswith("again.mp4") and h["start"] < h["end"] for h in kept["hits"]), "its hits in a new film are there", kept)
    subprocess.run([PROGRAM, "-q", "-L", LIBRARY, "forget", FOLDER + "/films/again.mp4"])
    os.unlink(FOLDER + "/films/again.mp4")
    ok(post("saved/forget", name="wet")[0] == 200 and post("saved/forget", name="wet")[0] == 404 and told_by("saved") == [], "and it is kept no longer")
    ok(post("retry") == (200, {"films": 0}), "nothing failed, nothing is tried again")
    ok(subprocess.run([PROGRAM, "-q", "-L", LIBRARY, "check"], capture_output=True).returncode == 0, "check finds nothing")
    for v in told_by("labels"):
        subprocess.run([PROGRAM, "-q", "-L", LIBRARY, "labels", v["set"], "--forget"])


def helpers(s):
    """Those that open films and write are processes of their own; what they were asked for is not lost in silence."""
    kinds = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat, status = open("/proc/%s/stat" % pid).read(), open("/proc/%s/status" % pid).read()
        except OSError:
            continue
        if stat.rpartition(")")[2].split()[1] == str(s.process.pid):
            kinds.setdefault(stat.partition("(")[2].partition(")")[0], []).append((int(pid), status))
    ok([len(kinds.get(n, [])) for n in ("kinoseek-open", "kinoseek-write")] == [3, 1], "three open films, one writes", {k: len(v) for k, v in kinds.items()})
    ok(all(re.search(r"NoNewPrivs:\s+1", t) and (re.search(r"Seccomp:\s+2", t) or "Seccomp:" not in t) for n in ("kinoseek-open", "kinoseek-write") for _, t in kinds.get(n, [])), "each inside walls of its own")
    word = json.dumps(dict(set="m", label="x", video=1, start=0, end=1, yes=True)).encode()
    for pid, _ in kinds["kinoseek-write"] + kinds["kinoseek-open"][:2]:
        os.kill(pid, signal.SIGKILL)
    status, headers, body = s.post("/api/v1/labels/say", word)
    ok(status == 500 and b"kinoseek-write is gone" in body, "without its writer it says so", (status, body))
    seen = [s.get("/media/1")[0] for _ in range(4)]
    ok(seen[-1] == 200 and set(seen) <= {200, 500}, "and one that opens is enough", seen)
    ok(alive(s)[0], "all else goes on")


def confined(s):
    """What the kernel says of the server, and what a decoder that it started may do."""
    told = open("/proc/%d/status" % s.process.pid).read()
    ok(re.search(r"NoNewPrivs:\s+1", told), "no program that it starts gains rights", told)
    ok(re.search(r"Seccomp:\s+2", told) or not re.search(r"Seccomp:", told), "calls are filtered", told)
    threads = [open("/proc/%d/task/%s/status" % (s.process.pid, t)).read() for t in os.listdir("/proc/%d/task" % s.process.pid)]
    ok(all(re.search(r"Seccomp:\s+2", t) or not re.search(r"Seccomp:", t) for t in threads), "of every thread", len(threads))


def children(parent):
    """Its kinoseek-decodes; processes come and go while one looks."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = open("/proc/%s/stat" % pid).read()
        except OSError:
            continue
        if "(kinoseek-decode" in stat and stat.rpartition(")")[2].split()[1] == str(parent):
            found.append(int(pid))
    return found


def parts(s):
    """A few seconds of a film, as it is and encoded, by way of ffprobe."""
    film = [v["video"] for v in s.json("/api/v1/videos")["videos"] if v["path"].endswith("weather.mp4")][0]

    def look(body):
        with open(FOLDER + "/part.mp4", "wb") as f:
            f.write(body)
        out = subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=codec_name,height,nb_read_frames", "-of", "json", FOLDER + "/part.mp4"], capture_output=True)
        return json.loads(out.stdout or b"{}").get("streams", [])

    status, headers, body = s.get("/media/%d/part?from=10&to=12.5&side=144" % film)
    seen = look(body)
    ok(status == 200 and len(seen) == 1 and seen[0]["codec_name"] == "h264" and seen[0]["height"] == 144 and seen[0]["nb_read_frames"] == "75", "a part is encoded: 75 frames of 144 points", (status, seen, body[:200]))
    ok(headers.get("x-kinoseek-seconds", "").startswith("10.000-12.5"), "and says what it shows", headers)
    seen = look(s.get("/media/%d/part?from=0&to=1&side=1080" % film)[2])
    ok(len(seen) == 1 and seen[0]["height"] == 252, "never larger than the film", seen)
    status, headers, body = s.get("/media/%d/part?from=10&to=12.5" % film)
    seen, shows = look(body), [float(x) for x in headers.get("x-kinoseek-seconds", "99-99").split("-")]
    ok(status == 200 and seen and seen[0]["codec_name"] == "h264" and shows[0] <= 10 and 12.4 < shows[1] < 12.5 + 8 / 30 and seen[0]["nb_read_frames"] == "%.0f" % ((shows[1] - shows[0]) * 30), "or as it is, from the key frame before to where its pictures close, every one of them there", (status, seen, shows))
    for bad, want in (("from=10", 400), ("from=10&to=10", 400), ("from=10&to=40", 400), ("from=-1&to=2", 400), ("from=1&to=2&side=9999", 400), ("from=1&to=2&side=1", 400),
                      ("from=NaN&to=2", 400), ("from=9000&to=9001&side=144", 422)):
        got = s.get("/media/%d/part?%s" % (film, bad))
        ok(got[0] == want, "a part %s is %d" % (bad, want), got)
    ok(s.get("/media/999/part?from=1&to=2")[0] == 404, "of no film there is none")
    dead = children(s.process.pid)
    for pid in dead:
        os.kill(pid, signal.SIGKILL)
    seen = [s.get("/media/%d/part?from=1&to=2&side=144" % film)[::2] for _ in range(2)]
    ok(dead and [got[0] for got in seen] == [200, 200], "a decoder that is killed is started again", seen)
    time.sleep(0.3)
    ok(s.post("/api/v1/search", open("models/demo/moments.png", "rb").read())[0] == 200, "also the one for pictures")


def pieces(s):
    """A selection as an archive of pieces, each what cut makes."""
    films = {v["path"].split("/")[-1]: v["video"] for v in s.json("/api/v1/videos")["videos"]}
    items = [dict(video=films["weather.mp4"], start=10, end=12.5), dict(video=films["band.mp4"], start=1, end=2), dict(video=films["weather.mp4"], start=3, end=4)]
    os.rename(FOLDER + "/films/band.mp4", FOLDER + "/films/band.was")
    status, headers, body = s.post("/api/v1/export", json.dumps(dict(format="zip", items=items)).encode())
    os.rename(FOLDER + "/films/band.was", FOLDER + "/films/band.mp4")
    archive = zipfile.ZipFile(io.BytesIO(unchunked(body)))
    names = archive.namelist()
    ok(status == 200 and archive.testzip() is None and "kinoseek.zip" in headers["content-disposition"], "an archive is whole", (status, names))
    ok(names == ["01 weather 0.00.10.mp4", "02 missing.txt", "03 weather 0.00.03.mp4"] and b"No such file" in archive.read(names[1]), "what cannot be cut says why", names)
    for name, a, b in ((names[0], "10", "12.5"), (names[2], "3", "4")):
        subprocess.run([PROGRAM, "-q", "cut", FOLDER + "/films/weather.mp4@%s-%s" % (a, b), "--to", FOLDER + "/cut" + a], check=True, stdout=subprocess.DEVNULL)
        made = os.listdir(FOLDER + "/cut" + a)
        ok(len(made) == 1 and archive.read(name) == open(FOLDER + "/cut%s/%s" % (a, made[0]), "rb").read(), "%s is what cut makes" % name, made)
    for bad, want in ((dict(format="zip", items=[]), 400), (dict(format="zip", items=items[:1] * 101), 400), (dict(format="zip", items=[dict(video=films["weather.mp4"], start=0, end=700)]), 400)):
        ok(s.post("/api/v1/export", json.dumps(bad).encode())[0] == want, "an archive of too much is refused")
    ok("zip" in [f["name"] for f in s.json("/api/v1/formats")], "it stands among the formats")


def unchunked(data):
    whole = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        whole, data = whole + data[: int(size, 16)], data[int(size, 16) + 2 :]
    return whole


def described(s):
    """/openapi.json against the server: every path of it is there, and every member of an answer is told."""
    told = s.json("/openapi.json")
    schemas = told["components"]["schemas"]
    for path, how in told["paths"].items():
        if "post" in how:
            got = s.post(path, b"x")[0]
            ok(got in (400, 422), "%s of /openapi.json takes a body" % path, got)
        if "get" not in how:
            continue
        got = s.get(path.replace("{id}", "1") + ("?format=csv" if path.endswith("export") else ""))[0]
        ok(got in (200, 400), "%s of /openapi.json is there" % path, got)
    answer_, video = s.json("/api/v1/search?q=rain&all=1"), s.json("/api/v1/videos/1")
    for name, seen in (("Answer", answer_), ("Moment", answer_["moments"][0]), ("Video", video), ("Clip", video["clips"][0]), ("Problem", json.loads(s.get("/x")[2]))):
        ok(set(seen) <= set(schemas[name]["properties"]), "%s is told there" % name, set(seen))
    page = [s.get(p, "Accept-Encoding: gzip, br") for p in ["/"] + ["/page/" + f for f in sorted(os.listdir("serve/page")) if f != "openapi.json"]]
    ok(all(p[0] == 200 and p[1]["content-encoding"] == "gzip" for p in page) and sum(len(p[2]) for p in page) <= 120000, "the page has 120 kB at most", [len(p[2]) for p in page])
    ok(s.get("/", "If-None-Match: " + page[0][1]["etag"])[0] == 304, "and is sent once")


def events_and_end(s):
    status, headers, body = s.get("/api/v1/status")
    streams = [s.connect() for _ in range(50)]
    for c in streams:
        c.sendall(s.head("GET /api/v1/status", "Accept: text/event-stream"))
    first = [c.recv(65536) for c in streams]
    time.sleep(0.2)
    ok(all(f.startswith(b"HTTP/1.1 200") and b"text/event-stream" in f for f in first), "50 streams of events are open", first[0][:200])
    ok(alive(s)[0], "and a live client is answered")
    code, took = s.stop()
    ok(code == 0 and took < 1 + (SLOW - 1) * 3, "SIGTERM ends all of them in a second", (code, took))
    ends = 0
    for c in streams:
        try:
            c.settimeout(2)
            while c.recv(65536):
                pass
            ends += 1
        except OSError:
            ends += 1
    ok(ends == 50, "and each stream", ends)


def sockets_and_options():
    path = FOLDER + "/s.sock"
    s = Server("--socket", path, "--read-only")
    ok(os.stat(path).st_mode & 0o777 == 0o600, "a socket is its owner's alone")
    ok(s.get("/api/v1/status", host="localhost")[0] == 200 and s.get("/api/v1/status", host="localhost", auth=False)[0] == 401, "and wants the token, too")
    ok(s.get("/api/v1/status", host="evil.example")[0] == 421, "and our name")
    for target in ("labels/say", "labels/teach", "saved?q=rain", "saved/forget", "retry"):
        got = s.post("/api/v1/" + target, b"{}", host="localhost")
        ok(got[0] == 403 and b"--read-only" in got[2], "%s is refused on a read-only one" % target, got)
    busy = subprocess.run([PROGRAM, "-L", LIBRARY, "serve", "--socket", path], capture_output=True, text=True)
    ok(busy.returncode == 5 and "somebody listens" in busy.stderr, "one that is in use is not taken", busy)
    s.process.kill()
    s.process.wait()
    s = Server("--socket", path)
    ok(s.get("/api/v1/status", host="localhost")[0] == 200, "one that was left behind is")
    code, _ = s.stop(signal.SIGINT)
    ok(code == 0, "Ctrl-C ends it", code)

    def wrong(*words):
        return subprocess.run([PROGRAM, "-L", LIBRARY, "serve", *words], capture_output=True, text=True, timeout=60)

    for words, code in ((["--listen", "x"], 2), (["--listen", "127.0.0.1:99999"], 2), (["--listen", "::1"], 2), (["--listen", ":80"], 2), (["--listen", "999.1.1.1:80"], 2),
                        (["--listen", "127.0.0.1:0", "--socket", "x"], 2), (["words"], 2), (["--socket", FOLDER + "/films/weather.mp4"], 2),
                        (["--socket", "x" * 200], 2), (["--socket", FOLDER + "/none/x"], 5)):
        got = wrong(*words)
        ok(got.returncode == code and got.stderr.count("\n") == 1, "serve %.60s is exit %d" % (" ".join(words), code), got)
    got = subprocess.run([PROGRAM, "-L", FOLDER + "/none", "serve"], capture_output=True, text=True)
    ok(got.returncode == 10 and not got.stdout, "without a library it is exit 10", got)
    a, b = Server(), Server()
    ok(a.port != b.port, "where the usual port is taken the next free one is")
    taken = wrong("--listen", "127.0.0.1:%d" % a.port)
    ok(taken.returncode == 5, "a port that was named is not exchanged", taken)
    a.stop(), b.stop()
    page = FOLDER + "/ui"
    os.mkdir(page)
    open(page + "/index.html", "w").write("mine")
    s = Server("--ui-dir", page, "--listen", "127.0.0.1:0")
    os.symlink("/etc/passwd", page + "/grid.js")
    landlock = s.get("/page/grid.js")[0] == 404
    ok(landlock or not os.path.exists("/sys/kernel/security/landlock"), "no file is read but what the page is made of", landlock)
    ok(s.get("/")[2] == b"mine" and s.get("/page/page.css")[0] == 404 and s.get("/page/index.html%00")[0] == 400, "--ui-dir is read at every request")
    s.stop()


def library_changes():
    s = Server("--listen", "127.0.0.1:0")
    before = s.json("/api/v1/search?q=rain&all=1")
    os.rename(LIBRARY, LIBRARY + ".was")
    ok(s.get("/api/v1/search?q=rain")[0] == 503, "a library that went away is 503")
    os.rename(LIBRARY + ".was", LIBRARY)
    ok(s.json("/api/v1/search?q=rain&all=1")["moments"] == before["moments"], "and is asked again when it is back")
    for words in (["compact"], ["forget", FOLDER + "/films/band.mp4"]):
        subprocess.run([PROGRAM, "-q", "-L", LIBRARY, *words], check=True)
        ok(s.get("/api/v1/search?q=rain&all=1")[0] == 200, "%s beside it" % words[0])
    ok(len(s.json("/api/v1/videos")["videos"]) == 2, "what is forgotten is gone")
    s.stop()


def flat_memory():
    s = Server("--listen", "127.0.0.1:0")

    def resident():
        return int(re.search(r"VmRSS:\s+(\d+)", open("/proc/%d/status" % s.process.pid).read())[1])

    targets = ["/thumb/2.jpg", "/api/v1/search?q=rain&all=1", "/api/v1/status", "/nothing", "/api/v1/videos", "/media/1"]

    def many(n):
        for i in range(n):
            s.get(targets[i % len(targets)])

    many(600)
    before = resident()
    many(1200 if SLOW == 1 else 300)
    after = resident()
    threads = len(os.listdir("/proc/%d/task" % s.process.pid))
    ok(SLOW > 1 or after - before < 2048, "memory is flat over 1,200 requests", (before, after))
    ok(threads < 24 and len(os.listdir("/proc/%d/fd" % s.process.pid)) < 64, "so are threads and descriptors", threads)
    code, took = s.stop()
    ok(code == 0, "and it ends well", code)


def main():
    s = Server("--listen", "127.0.0.1:0")
    ok(True, "one line with the address")
    besieged = Server("--listen", "127.0.0.1:0")  # ten seconds, beside the others
    siege = threading.Thread(target=slow, args=(besieged,))
    siege.start()
    same_as_commands(s)
    rows(s)
    films(s)
    parts(s)
    confined(s)
    pieces(s)
    labels(s)
    helpers(besieged)
    described(s)
    tokens(s)
    events_and_end(s)
    sockets_and_options()
    flat_memory()
    siege.join()
    besieged.stop()
    library_changes()
    told = open(FOLDER + "/serve.err").read()
    ok("ERROR" not in told and "WARNING: Thread" not in told and "Assert" not in told, "nothing was said on stderr that should not be", told[-3000:])


if __name__ == "__main__":
    main()
