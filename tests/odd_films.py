"""odd_films.py PLAIN_FOLDER OUT - whole films with something odd in them that libav calls an error.

Each is a film of PLAIN_FOLDER (same name after the last "-") with a few bytes changed that no picture depends on."""
import os
import sys

plain, out = sys.argv[1:3]


def load(name):
    return bytearray(open(os.path.join(plain, name), "rb").read())


def keep(name, data):
    open(os.path.join(out, name), "wb").write(bytes(data))


def each(data, mark):
    at = data.find(mark)
    while at >= 0:
        yield at
        at = data.find(mark, at + len(mark))


def app_segments(name):
    """The encoder's comment becomes APP4 segments of two bytes each: "unable to decode APP fields"."""
    data, n = load(name), 0
    for at in list(each(data, b"\xff\xfe")):
        size = data[at + 2] << 8 | data[at + 3]
        if data[at + 4:at + 8] == b"Lavc" and (size + 2) % 6 == 0:
            data[at:at + size + 2] = b"\xff\xe4\x00\x04\x00\x00" * ((size + 2) // 6)
            n += 1
    assert n, name
    return data


def progressive(name):
    """Sequences say progressive, their pictures interlaced."""
    data, n = load(name), 0
    for at in each(data, b"\0\0\1\xb5"):
        if data[at + 4] >> 4 == 1:
            data[at + 5] |= 8
            n += 1
    assert n, name
    return data


def aspect_zero(name):
    data, n = load(name), 0
    for at in each(data, b"\0\0\1\xb3"):
        data[at + 7] &= 15
        n += 1
    assert n, name
    return data


class Bits:
    def __init__(self, data):
        self.text, self.at = "".join("{:08b}".format(b) for b in data), 0

    def u(self, n):
        self.at += n
        return int(self.text[self.at - n:self.at], 2) if n else 0

    def ue(self):
        zeros = 0
        while self.u(1) == 0:
            zeros += 1
        return (1 << zeros) - 1 + self.u(zeros)


def units(data):
    starts = list(each(data, b"\0\0\1"))
    for k, at in enumerate(starts):
        end = starts[k + 1] if k + 1 < len(starts) else len(data)
        yield bytes(data[at + 3:end]).rstrip(b"\0")


def escape(data):
    made, zeros = bytearray(), 0
    for b in data:
        if zeros >= 2 and b <= 3:
            made.append(3)
            zeros = 0
        made.append(b)
        zeros = zeros + 1 if b == 0 else 0
    return bytes(made)


def tick_zero(sps):
    """num_units_in_tick of a Baseline SPS with picture order type 2 -> 0."""
    b = Bits(sps.replace(b"\0\0\3", b"\0\0"))
    b.u(32)
    for _ in range(2):
        b.ue()
    assert b.ue() == 2
    b.ue(), b.u(1), b.ue(), b.ue(), b.u(2)
    if b.u(1):
        for _ in range(4):
            b.ue()
    assert b.u(1)
    if b.u(1) and b.u(8) == 255:
        b.u(32)
    if b.u(1):
        b.u(1)
    if b.u(1) and (b.u(4) or 1) and b.u(1):
        b.u(24)
    if b.u(1):
        b.ue(), b.ue()
    assert b.u(1)
    text = b.text[:b.at] + "0" * 32 + b.text[b.at + 32:]
    return escape(bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8)))


def raw_h264(change):
    made = b""
    for unit in units(load("plain.h264")):
        for u in change(unit):
            made += b"\0\0\0\1" + u
    return made


def low_delay(name):
    """No vol_control_parameters in a film with B pictures: the decoder has to find out."""
    data = load(name)
    at = data.find(b"\0\0\1\x20") + 4
    end = data.find(b"\0\0\1", at)
    b = Bits(data[at:end])
    b.u(9)
    if b.u(1):
        b.u(7)
    if b.u(4) == 15:
        b.u(16)
    assert b.text[b.at] == "1"
    head = (b.text[:b.at] + "0" + b.text[b.at + 5:]).rstrip("1")
    head += "1" * (-len(head) % 8)
    new = bytes(int(head[i:i + 8], 2) for i in range(0, len(head), 8))
    data[at:end] = (new + b"\x7f" * 8)[:end - at]
    return data


def dropouts(name, blocks):
    """So many video blocks of each frame of DV are noise."""
    data, state = load(name), 1
    for frame in range(0, len(data), 144000):
        done = 0
        while done < blocks:
            state = state * 1103515245 + 12345 & 0x7fffffff
            at = frame + 80 * ((state >> 8) % 1800)
            if data[at] >> 5 != 4:
                continue
            for i in range(8, 76):
                state = state * 1103515245 + 12345 & 0x7fffffff
                data[at + i] = state >> 16 & 255
            done += 1
    return data


def stamped(name, which, stamp):
    """One key frame's time of presentation."""
    data = bytearray(load(name))
    at = 32
    for _ in range(which):
        at += 12 + int.from_bytes(data[at:at + 4], "little")
    data[at + 4:at + 12] = (stamp % 2**64).to_bytes(8, "little")
    return data


def empty_chunks(name, at_end, between):
    """AVI without an index: empty chunks of the picture's stream, as capture programs write them for "as before"."""
    data = load(name)
    movi = data.find(b"movi") + 4
    end = data.find(b"idx1")
    chunks, at = [], movi
    while at < end:
        size = int.from_bytes(data[at + 4:at + 8], "little")
        chunks.append(bytes(data[at:at + 8 + size + (size & 1)]))
        at += 8 + size + (size & 1)
    empty = chunks[0][:4] + b"\0\0\0\0"
    made = b""
    for k, c in enumerate(chunks):
        made += c + (empty if between and k % 5 == 4 else b"")
    made += empty * at_end
    data[movi:] = made
    data[movi - 8:movi - 4] = (len(made) + 4).to_bytes(4, "little")
    data[4:8] = (len(data) - 8).to_bytes(4, "little")
    return data


for name in ("mjpeg.avi", "mjpeg.mov"):
    keep("app-" + name, app_segments(name))
for name in ("mpeg2i.mpg", "mpeg2i.ts"):
    keep("progressive-" + name, progressive(name) if name.endswith("mpg") else load(name))
for name in ("mpeg2i.mpg", "mpeg1.mpg"):
    keep("aspect0-" + name, aspect_zero(name))
keep("tick0.h264", raw_h264(lambda u: [tick_zero(u)] if u[0] & 31 == 7 else [u]))
keep("delimiters.h264", raw_h264(lambda u: [b"\x09\xf0", u, b"\x09\xf0"] if u[0] & 31 in (1, 5) else [u]))
keep("supplements.h264", raw_h264(lambda u: [b"\x06\xc8\x04abcd\x80", b"\x06\x04\x20\xb5\x00\x31\x80", u]))
keep("alone.h264", raw_h264(lambda u: [u] + ([b"\x09\xf0", b"\x06\x05\x02ab\x80", b"\x0c\xff\x80"] if u[0] & 31 == 1 else [])))
keep("delay-mpeg4b.avi", low_delay("mpeg4b.avi"))
for n in (1, 2, 5):
    keep("dropouts%d-dv.dv" % n, dropouts("dv.dv", n))
for name in ("h264.mkv", "h264.mp4", "mpeg2i.mpg", "mpeg2i.ts", "mjpeg.avi", "mjpeg.mov", "h264.flv", "wmv2.asf", "theora.ogv", "vp8.webm"):
    keep("zeros-" + name, load(name) + bytes(70000))
keep("rubbish-h264.mkv", load("h264.mkv") + bytes(i * i * 7 + i >> 3 & 255 for i in range(9000)))
keep("empty_end-mjpeg.avi", empty_chunks("mjpeg.avi", 8, 0))
keep("empty_between-mjpeg.avi", empty_chunks("mjpeg.avi", 0, 1))
keep("empty_between-mpeg4b.avi", empty_chunks("mpeg4b.avi", 3, 1))
flv = load("h264.flv")
at = flv.find(b"onMetaData") + 10
flv[at + 5:at + 9] = b"\x00\x04bad\x19"[:4]
keep("amf-h264.flv", flv)
for far, stamp in (("low", -2**63 + 5), ("lower", -2**62), ("higher", 2**62), ("high", 2**63 - 9)):
    keep(far + "-vp8.ivf", stamped("vp8.ivf", 5, stamp))
