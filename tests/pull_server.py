"""pull_server.py FILE LOG - serves FILE on 127.0.0.1 in the ways servers misbehave; prints its port.

  /good     with ETag, Range and If-Range        /cut      at most 100 kB a connection, then it hangs up
  /plain    neither ETag nor Range               /short    Content-Length and body 1000 bytes less
  /lies     says more bytes than it sends        /long     sends 1000 bytes more than the file has
  /moved    301 to /good    /loop  to itself     /other    answers Range with bytes from elsewhere
  /changed  a new ETag at every request, so no If-Range holds; cut like /cut for the first two
  /404 /500                                       /page     200 with an HTML page
  /slow     half of it, and the rest after 3 s
  /way/NAME/KEY  one of WAYS, 120 ways to lie; KEY tells those who ask apart
LOG gets one line a request: path, Range or -, If-Range or -, status.
"""
import http.server
import itertools
import sys
import time

DATA = b""
LOG = None
CUT = 100000
seen = {}
served = {}  # bytes of bodies by key

# Products of: what the server calls the version - what it does with Range - how it ends the body.
TAGS = ("strong", "weak", "none", "changing", "huge", "odd")
RANGES = ("honoured", "ignored", "shifted", "416", "bare206", "total")
ENDS = ("whole", "cut", "flip")
WAYS = ["-".join(w) for w in itertools.product(TAGS, RANGES, ENDS)] + [
    "nothing", "status204", "status304", "status206", "status999", "page404", "page503", "headers", "continues", "garbage",
    "redirect_file", "redirect_ftp", "redirect_dead", "redirect_loop", "redirect_page", "redirect_no_location",
    "length_minus", "length_text", "length_huge", "length_none", "length_twice", "chunked", "chunked_cut", "chunked_bad",
    "multipart", "gzip", "step", "html",
]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, headers, body, hang_up=False):
        if LOG:
            with open(LOG, "a") as log:
                print(self.path, self.headers.get("Range", "-"), self.headers.get("If-Range", "-"), status, file=log)
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k, v)
        self.end_headers()
        try:
            self.wfile.write(body)
            self.wfile.flush()
        except OSError:
            pass
        if hang_up:
            self.close_connection = True
            self.connection.shutdown(2)

    def raw(self, data, key):
        served[key] = served.get(key, 0) + len(data)
        try:
            self.connection.sendall(data)
        except OSError:
            pass
        self.close_connection = True

    def flood(self, head, line, key):
        """Until the other side has enough, at most 64 MB."""
        self.raw(head, key)
        try:
            while served[key] < 64 << 20:
                served[key] += len(line) * 1000
                self.connection.sendall(line * 1000)
        except OSError:
            pass

    def odd_way(self, name, key, times):
        n, ok = len(DATA), b"HTTP/1.1 200 OK\r\n"
        if name == "nothing":
            return self.raw(b"", key)
        if name.startswith("status"):
            return self.raw(b"HTTP/1.1 %d X\r\nContent-Range: bytes 0-9/10\r\n\r\n" % int(name[6:]), key)
        if name.startswith("page"):
            return self.flood(b"HTTP/1.1 %d X\r\n\r\n" % int(name[4:]), b"sorry " * 20, key)
        if name == "headers":
            return self.flood(ok, b"X-Again: and again\r\n", key)
        if name == "continues":
            return self.flood(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", key)
        if name == "garbage":
            return self.raw(DATA[:5000], key)
        if name.startswith("redirect"):
            to = {"file": "file:///etc/passwd", "ftp": "ftp://127.0.0.1/x", "dead": "http://127.0.0.1:1/x", "loop": self.path, "page": self.path}.get(name[9:])
            head = b"HTTP/1.1 302 X\r\n" + (b"Location: %s\r\n" % to.encode() if to else b"")
            return self.flood(head + b"\r\n", DATA[:1000], key) if name.endswith("page") else self.raw(head + b"Content-Length: 0\r\n\r\n", key)
        if name.startswith("length"):
            lines = {"minus": "-5", "text": "many", "huge": "9" * 30, "twice": "7\r\nContent-Length: %d" % n}.get(name[7:])
            return self.raw(ok + (b"Content-Length: %s\r\n" % lines.encode() if lines else b"") + b"\r\n" + DATA, key)
        if name.startswith("chunked"):
            body = b"".join(b"%x\r\n%s\r\n" % (len(DATA[i : i + 9999]), DATA[i : i + 9999]) for i in range(0, n, 9999)) + b"0\r\n\r\n"
            body = body[: len(body) // 2] if name.endswith("cut") else body[:30000] + b"zz" + body[30000:] if name.endswith("bad") else body
            return self.raw(ok + b'ETag: "c"\r\nTransfer-Encoding: chunked\r\n\r\n' + body, key)
        if name == "multipart":
            return self.raw(b'HTTP/1.1 206 X\r\nETag: "v1"\r\nContent-Type: multipart/byteranges; boundary=B\r\n\r\n--B\r\n' + DATA, key)
        if name == "gzip":
            return self.raw(ok + b'ETag: "g"\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n' % n + DATA[::-1], key)
        if name == "step":  # a byte more each time
            return self.raw(ok + b"Content-Length: %d\r\n\r\n" % n + DATA[: 1000 + times], key)
        return self.raw(ok + b"Content-Length: 12\r\n\r\n<html></html", key)

    def way(self, name, key, times):
        if name.count("-") != 2:
            return self.odd_way(name, key, times)
        tag, ranges, ends = name.split("-")
        n, wanted = len(DATA), self.headers.get("Range", "")
        start = int(wanted[6:].rstrip("-")) if wanted.startswith("bytes=") and ranges != "ignored" else 0
        etag = {"strong": '"v1"', "weak": 'W/"v1"', "none": None, "changing": '"%d"' % times, "huge": '"%s"' % ("v" * 5000), "odd": "v\x01\t'1"}[tag]
        if start and ranges == "416":
            return self.raw(b"HTTP/1.1 416 X\r\nContent-Length: 0\r\n\r\n", key)
        body = DATA[start + (7 if start and ranges == "shifted" else 0) :]
        length = len(body)
        if ends == "flip" and length:
            body = body[: length // 2] + bytes([body[length // 2] ^ 1]) + body[length // 2 + 1 :]
        head = "HTTP/1.1 %d X\r\nContent-Length: %d\r\n" % (206 if start else 200, length)
        if etag:
            head += "ETag: %s\r\n" % etag
        if start and ranges != "bare206":
            head += "Content-Range: bytes %d-%d/%d\r\n" % (n - length, n - 1, n + (9 if ranges == "total" else 0))
        return self.raw(head.encode("latin-1") + b"\r\n" + (body[:CUT] if ends == "cut" else body), key)

    def do_GET(self):
        path = self.path
        if path.startswith("/way/"):
            _, _, name, key = path.split("/")
            times = seen[key] = seen.get(key, 0) + 1
            return self.way(name, key, times)
        times = seen[path] = seen.get(path, 0) + 1
        n = len(DATA)
        if path == "/404" or path == "/500":
            return self.answer(int(path[1:]), {"Content-Length": 5}, b"sorry")
        if path == "/page":
            page = b"<html>please log in</html>"
            return self.answer(200, {"Content-Length": len(page), "Content-Type": "text/html"}, page)
        if path == "/moved":
            return self.answer(301, {"Location": "/good", "Content-Length": 0, "ETag": '"redirect"'}, b"")
        if path == "/loop":
            return self.answer(302, {"Location": "/loop", "Content-Length": 0}, b"")
        if path == "/plain":
            return self.answer(200, {"Content-Length": n}, DATA)
        if path == "/short":
            return self.answer(200, {"Content-Length": n - 1000, "ETag": '"1"'}, DATA[: n - 1000])
        if path == "/lies":
            return self.answer(200, {"Content-Length": n + 1000, "ETag": '"1"'}, DATA, hang_up=True)
        if path == "/slow":
            head = b'HTTP/1.1 200 OK\r\nETag: "slow"\r\nContent-Length: %d\r\n\r\n' % n
            self.raw(head + DATA[: n // 2], path)
            time.sleep(3)
            return self.raw(DATA[n // 2 :], path)
        if path == "/long":
            return self.answer(200, {"Content-Length": n + 1000, "ETag": '"1"'}, DATA + bytes(1000))
        etag = '"%s"' % (times if path == "/changed" else "v1")
        start = 0
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes=") and self.headers.get("If-Range") == etag:
            start = int(wanted[6:].rstrip("-"))
        if path == "/other" and start:
            start += 7
        status = 206 if start else 200
        headers = {"ETag": etag, "Content-Length": n - start}
        if start:
            headers["Content-Range"] = "bytes %d-%d/%d" % (start, n - 1, n)
        cut = path == "/cut" or (path in ("/changed", "/other") and times <= 2)
        self.answer(status, headers, DATA[start : start + CUT] if cut else DATA[start:], hang_up=cut and n - start > CUT)


def serve(data, log=None):
    global DATA, LOG
    DATA, LOG = data, log
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    return server


if __name__ == "__main__":
    server = serve(open(sys.argv[1], "rb").read(), sys.argv[2])
    print(server.server_address[1], flush=True)
    server.serve_forever()
