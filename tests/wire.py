#!/usr/bin/env python3
"""wire.py FROM TO HOLE - a wire to a server's socket: what comes at the socket FROM goes to the socket TO and back. While the
file HOLE is there it swallows everything and still acknowledges it: nobody hears of an end, and new callers are let in."""
import os, selectors, socket, sys, time

source, target, hole = sys.argv[1:4]
listener = socket.socket(socket.AF_UNIX)
listener.bind(source)
listener.listen(64)
eyes = selectors.DefaultSelector()
eyes.register(listener, selectors.EVENT_READ)
other, waiting = {}, []


def join(near):
    far = socket.socket(socket.AF_UNIX)
    try:
        far.connect(target)
    except OSError:
        near.close()
        return
    for a, b in ((near, far), (far, near)):
        other[a] = b
        eyes.register(a, selectors.EVENT_READ)


def end(s):
    for side in (s, other.pop(s, None)):
        if side is not None and side.fileno() >= 0:
            other.pop(side, None)
            eyes.unregister(side)
            side.close()


while True:
    swallowing = os.path.exists(hole)
    if not swallowing:
        while waiting:
            join(waiting.pop())
    for key, _ in eyes.select(0.05):
        s = key.fileobj
        if s is listener:
            near, _ = listener.accept()
            if swallowing:
                waiting.append(near)
            else:
                join(near)
            continue
        if s not in other:
            continue
        try:
            data = s.recv(1 << 16)
            if not data:
                end(s)
            elif not os.path.exists(hole):
                other[s].sendall(data)
        except OSError:
            end(s)
