"""colour_films.py OUT - six known colours in every way that a film may hold them; writes OUT/expected.tsv.

Samples are computed here from the definitions (BT.601, BT.709, BT.2020, ST 2084, BT.2100, IPT) and stored without loss."""
import math
import os
import struct
import subprocess
import sys

out = sys.argv[1]
COLOURS = [(192, 32, 64), (40, 160, 90), (60, 80, 200), (128, 128, 128), (216, 216, 216), (24, 24, 24)]
PATCH, W, H = 32, 192, 32
table = []


def ffmpeg(*args, data=None):
    r = subprocess.run(["ffmpeg", "-v", "error", "-nostdin" if data is None else "-y", "-y", "-threads", "1", *args], input=data)
    assert r.returncode == 0, args


def planes(samples, steps, bits, shift=0):
    """samples: a tuple of values a patch; steps: (across, down) of each plane's subsampling."""
    made = b""
    for k, (sx, sy) in enumerate(steps):
        row = b""
        for s in samples:
            code = max(0, min((1 << bits) - 1, round(s[k]))) << shift
            row += (struct.pack("<H", code) if bits > 8 else bytes([code])) * (PATCH // sx)
        made += row * (H // sy)
    return made


def film(name, fmt, data, options, expected=None):
    ffmpeg("-f", "rawvideo", "-pix_fmt", fmt, "-s", "%dx%d" % (W, H), "-r", "25", "-i", "-", *options, os.path.join(out, name), data=data * 2)
    table.append((name, expected or COLOURS))


def ycc(rgb, kr, kb, bits, full):
    """R'G'B' 0..1 -> code values."""
    r, g, b = rgb
    y = kr * r + (1 - kr - kb) * g + kb * b
    cb, cr = (b - y) / (2 - 2 * kb), (r - y) / (2 - 2 * kr)
    if full:
        m = (1 << bits) - 1
        return y * m, cb * m + (1 << bits - 1), cr * m + (1 << bits - 1)
    u = 1 << bits - 8
    return (219 * y + 16) * u, (224 * cb + 128) * u, (224 * cr + 128) * u


ONE = [tuple(v / 255 for v in c) for c in COLOURS]
HALF = [(1, 1), (2, 2), (2, 2)]
WIDE = [(1, 1), (2, 1), (2, 1)]
EVERY = [(1, 1)] * 3
K601, K709, K2020, K240 = (.299, .114), (.2126, .0722), (.2627, .0593), (.212, .087)
FFV1 = ["-c:v", "ffv1", "-level", "3"]


def tagged(space, full=False, transfer=None, primaries=None):
    tags = ["-colorspace", space, "-color_range", "pc" if full else "tv"]
    return FFV1 + tags + (["-color_trc", transfer] if transfer else []) + (["-color_primaries", primaries] if primaries else [])


def sdr(name, fmt, k, bits, steps, options, full=False):
    film(name, fmt, planes([ycc(c, *k, bits, full) for c in ONE], steps, bits), options)


sdr("601_420.mkv", "yuv420p", K601, 8, HALF, FFV1)
sdr("601_tagged.mkv", "yuv420p", K601, 8, HALF, tagged("smpte170m"))
sdr("709_420.mkv", "yuv420p", K709, 8, HALF, tagged("bt709"))
sdr("709_full.mkv", "yuv420p", K709, 8, HALF, tagged("bt709", True), True)
sdr("709_422_10.mkv", "yuv422p10le", K709, 10, WIDE, tagged("bt709"))
sdr("709_444_12.mkv", "yuv444p12le", K709, 12, EVERY, tagged("bt709"))
sdr("709_420_12_full.mkv", "yuv420p12le", K709, 12, HALF, tagged("bt709", True), True)
sdr("2020_444_10.mkv", "yuv444p10le", K2020, 10, EVERY, tagged("bt2020nc"))
sdr("240m.mkv", "yuv444p", K240, 8, EVERY, tagged("smpte240m"))
sdr("mjpeg_full.avi", "yuvj420p", K601, 8, HALF, ["-c:v", "mjpeg", "-q:v", "1"], True)
sdr("709_h264.mp4", "yuv420p", K709, 8, HALF, ["-c:v", "libx264", "-qp", "0", "-colorspace", "bt709", "-color_range", "tv"])
sdr("709_full_h264.mp4", "yuv420p", K709, 8, HALF, ["-c:v", "libx264", "-qp", "0", "-colorspace", "bt709", "-color_range", "pc"], True)

RGB = b"".join(bytes(c) * PATCH for c in COLOURS) * H
film("rgb_png.mov", "rgb24", RGB, ["-c:v", "png"])
film("rgb_h264.mp4", "rgb24", RGB, ["-c:v", "libx264rgb", "-qp", "0"])
film("rgb_qtrle.mov", "rgb24", RGB, ["-c:v", "qtrle"])
film("palette.gif", "rgb24", RGB, ["-filter_complex", "split[a][b];[a]palettegen=reserve_transparent=0[p];[b][p]paletteuse=dither=none"])
gbr = [(g, b, r) for r, g, b in ONE]
film("gbr_10.mkv", "gbrp10le", planes([[v * 1023 for v in c] for c in gbr], EVERY, 10), FFV1)
film("gbr_12.mkv", "gbrp12le", planes([[v * 4095 for v in c] for c in gbr], EVERY, 12), FFV1)
GREYS = [(c[1],) * 3 for c in COLOURS]
film("grey_png.mov", "gray", planes(GREYS, [(1, 1)], 8), ["-c:v", "png"], GREYS)
film("grey_16.mkv", "gray16le", planes([(g[0] * 257,) for g in GREYS], [(1, 1)], 16), FFV1, GREYS)
film("grey_10.mkv", "gray10le", planes([(g[0] * 1023 / 255,) for g in GREYS], [(1, 1)], 10), FFV1, GREYS)
film("grey_h264.mp4", "gray", planes([(16 + g[0] * 219 / 255,) for g in GREYS], [(1, 1)], 8),
     ["-c:v", "libx264", "-qp", "0", "-color_range", "tv", "-pix_fmt", "gray"], GREYS)

# alpha: what is shown lies over black
ALPHA = [255, 128, 0, 255, 128, 0]
for ground in (0, 255):
    colours = [tuple(v if i < 3 else ground for v in c) for i, c in enumerate(COLOURS)]
    over = [tuple(v * a / 255 for v in c) for c, a in zip(colours, ALPHA)]
    rgba = b"".join(bytes(c + (a,)) * PATCH for c, a in zip(colours, ALPHA)) * H
    film("alpha%d_png.mov" % ground, "rgba", rgba, ["-c:v", "png"], over)
    yuva = [ycc([v / 255 for v in c], *K601, 8, False) + (a,) for c, a in zip(colours, ALPHA)]
    film("alpha%d_yuva.mkv" % ground, "yuva444p", planes(yuva, [(1, 1)] * 4, 8), FFV1, over)


def times(m, v):
    return [sum(m[3 * i + j] * v[j] for j in range(3)) for i in range(3)]


def product(a, b):
    return [sum(a[3 * i + k] * b[3 * k + j] for k in range(3)) for i in range(3) for j in range(3)]


def inverse(m):
    a, b, c, d, e, f, g, h, i = m
    t = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    return [v / t for v in (e * i - f * h, c * h - b * i, b * f - c * e, f * g - d * i, a * i - c * g, c * d - a * f,
                            d * h - e * g, b * g - a * h, a * e - b * d)]


LINEAR = [[v ** 2.2 for v in c] for c in ONE]
XYZ709 = [.4124, .3576, .1805, .2126, .7152, .0722, .0193, .1192, .9505]
TO2020 = [.6274, .3293, .0433, .0691, .9195, .0114, .0164, .0880, .8956]
xyz = [[4095 * max(0, v) ** (1 / 2.6) for v in times(XYZ709, c)] for c in LINEAR]
film("xyz.nut", "xyz12le", b"".join(struct.pack("<3H", *(min(4095, round(v)) << 4 for v in c)) * PATCH for c in xyz) * H,
     ["-c:v", "rawvideo"])


def pq(light):
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    p = max(0, light) ** m1
    return ((c1 + c2 * p) / (1 + c3 * p)) ** m2


def hlg(scene):
    a = .17883277
    return math.sqrt(3 * scene) if scene <= 1 / 12 else a * math.log(12 * scene - (1 - 4 * a)) + .5 - a * math.log(4 * a)


wide = [times(TO2020, c) for c in LINEAR]
PQ = [[pq(v * 203 / 10000) for v in c] for c in wide]
HLG = []
for c in wide:
    shown = [v * 203 / 1000 for v in c]
    y = (.2627 * shown[0] + .6780 * shown[1] + .0593 * shown[2]) ** (1 / 1.2)
    HLG.append([hlg(v / y ** .2) for v in shown])
for name, fmt, bits, steps in (("420_10", "yuv420p10le", 10, HALF), ("422_12", "yuv422p12le", 12, WIDE), ("444_10", "yuv444p10le", 10, EVERY)):
    for curve, values, tag in (("pq", PQ, "smpte2084"), ("hlg", HLG, "arib-std-b67")):
        data = planes([ycc(c, *K2020, bits, False) for c in values], steps, bits)
        film("%s_%s.mkv" % (curve, name), fmt, data, tagged("bt2020nc", False, tag, "bt2020"))
full = planes([ycc(c, *K2020, 10, True) for c in PQ], EVERY, 10)
film("pq_full.mkv", "yuv444p10le", full, tagged("bt2020nc", True, "smpte2084", "bt2020"))

# Dolby Vision: profile 5 is IPT with 2 % of crosstalk; 8 is HDR10 with data beside it
HPE = [3.06441879, -2.16597676, .10155818, -.65612108, 1.78554118, -.12943749, .01736321, -.04725154, 1.03004253]
BACK = [v / 16384 for v in (17081, -349, -349, -349, 17081, -349, -349, -349, 17081)]
TO_LMS = [v / 8192 for v in (8192, 799, 1681, 8192, -933, 1091, 8192, 267, -5545)]
ipt = []
for c in wide:
    lms = [pq(v * 203 / 10000) for v in times(inverse(product(HPE, BACK)), c)]
    i, p, t = times(inverse(TO_LMS), lms)
    ipt.append((i * 1023, (p + .5) * 1023, (t + .5) * 1023))


def dolby(name, data, profile, compatible, options):
    film(name, "yuv420p10le", data, ["-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", *options])
    path = os.path.join(out, name)
    b = bytearray(open(path, "rb").read())
    kind = b"dvcC" if profile < 8 else b"dvvC"
    box = struct.pack(">I", 32) + kind + bytes([1, 0]) + struct.pack(">H", profile << 9 | 3 << 3 | 4 | 1) + bytes([compatible << 4]) + bytes(19)
    at = b.find(b"hvcC") - 4
    at += struct.unpack(">I", b[at:at + 4])[0]
    b[at:at] = box
    for atom in (b"hvc1", b"stsd", b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        p = b.find(atom, b.find(b"moov")) - 4
        b[p:p + 4] = struct.pack(">I", struct.unpack(">I", b[p:p + 4])[0] + 32)
    open(path, "wb").write(b)


x265 = "log-level=none:pools=none:frame-threads=1:lossless=1"
dolby("dolby5.mp4", planes(ipt, HALF, 10), 5, 0, ["-x265-params", x265 + ":range=full"])
for profile, compatible in ((7, 6), (8, 1)):
    dolby("dolby%d.mp4" % profile, planes([ycc(c, *K2020, 10, False) for c in PQ], HALF, 10), profile, compatible,
          ["-x265-params", x265 + ":colormatrix=bt2020nc:transfer=smpte2084:colorprim=bt2020"])
dolby("dolby8_hlg.mp4", planes([ycc(c, *K2020, 10, False) for c in HLG], HALF, 10), 8, 4,
      ["-x265-params", x265 + ":colormatrix=bt2020nc:transfer=arib-std-b67:colorprim=bt2020"])

with open(os.path.join(out, "expected.tsv"), "w") as f:
    for name, colours in table:
        f.write(name + "\t" + " ".join("%d,%d,%d" % tuple(round(v) for v in c) for c in colours) + "\n")
