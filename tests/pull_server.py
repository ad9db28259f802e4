"""pull_server.py FILE LOG - serves FILE on 127.0.0.1 in the ways servers misbehave; prints its port.

  /good     with ETag, Range and If-Range        /cut      at most 100 kB a connection, then it hangs up
  /plain    neither ETag nor Range               /short    Content-Length and body 1000 bytes less
  /lies     says more bytes than it sends        /long     sends 1000 bytes more than the file has
  /moved    301 to /good    /loop  to itself     /other    answers Range with bytes from elsewhere
  /changed  a new ETag at every request, so no If-Range holds; cut like /cut for the first two
  /404 /500                                       /page     200 with an HTML page
LOG gets one line a request: path, Range or -, If-Range or -, status.
"""
import http.server
import os
import sys

DATA = open(sys.argv[1], "rb").read()
LOG = sys.argv[2]
CUT = 100000
seen = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, headers, body, hang_up=False):
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

    def do_GET(self):
        path = self.path
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


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
