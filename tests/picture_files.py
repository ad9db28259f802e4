#!/usr/bin/env python3
"""picture_files.py FOLDER - photographs as phones and browsers make them, and expected.tsv: name, size as shown, frames,
reason, colours of the four quarters (top left, top right, bottom left, bottom right) as they are to be shown.

HEIC is built from ffmpeg's HEVC pictures box by box (ISO/IEC 23008-12): one item, a grid of tiles, turns and mirrors."""
import os, struct, subprocess, sys, zlib

OUT = sys.argv[1]
COLOURS = [(200, 40, 40), (40, 180, 60), (50, 60, 200), (220, 200, 60)]
ROWS = []


def ff(*args):
    subprocess.run(["ffmpeg", "-hide_banner", "-nostdin", "-v", "error", "-y", "-threads", "1", *args], check=True)


def path(name):
    return os.path.join(OUT, name)


def ppm(name, w, h, colours=COLOURS):
    top = bytes(colours[0]) * (w // 2) + bytes(colours[1]) * (w - w // 2)
    low = bytes(colours[2]) * (w // 2) + bytes(colours[3]) * (w - w // 2)
    with open(path(name), "wb") as f:
        f.write(b"P6 %d %d 255\n" % (w, h))
        for y in range(0, h):
            f.write(top if y < h // 2 else low)


def expect(name, size, colours=COLOURS, frames=1, reason=""):
    ROWS.append("\t".join([name, size, str(frames), reason, " ".join("%d,%d,%d" % c for c in colours)]))


def turned(c, quarter, mirror=0):
    """Quarters after a mirror (left-right) and then quarter turns clockwise."""
    if mirror:
        c = [c[1], c[0], c[3], c[2]]
    for _ in range(quarter):
        c = [c[2], c[0], c[3], c[1]]
    return c


# --- Exif ---
def with_exif(name, source, orientation):
    """Orientation of a JPEG, in an APP1 of its own behind the first two bytes."""
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x112, 3, 1, orientation, 0, 0)
    app = b"Exif\0\0" + tiff
    data = open(path(source), "rb").read()
    open(path(name), "wb").write(data[:2] + b"\xff\xe1" + struct.pack(">H", len(app) + 2) + app + data[2:])


EXIF = {1: (0, 0), 2: (0, 1), 3: (2, 0), 4: (2, 1), 5: (3, 1), 6: (1, 0), 7: (1, 1), 8: (3, 0)}


def large(*args):
    """From four quarters of few points, so that nobody writes hundreds of megabytes."""
    ppm("p.ppm", 510, 510)
    ff("-i", path("p.ppm"), *args)


def jpegs():
    for w, h, k in ((8160, 6120, 2), (16320, 12240, 4)):  # 50 and 200 million points
        source = "plain_%d.jpg" % w
        large("-vf", "scale=%d:%d:flags=neighbor,format=yuvj420p" % (w, h), "-q:v", "2", path(source))
        for o in (8,) if w > 9000 else (5, 6):
            name = "exif%d_%d.jpg" % (o, w)
            with_exif(name, source, o)
            q, m = EXIF[o]
            size = (h // k, w // k) if q & 1 else (w // k, h // k)
            expect(name, "%dx%d" % size, turned(COLOURS, q, m))
        os.remove(path(source))


def others():
    for name, form, args in (("large.png", "rgb24", ["-compression_level", "1"]), ("large.tiff", "rgb24", ["-compression_algo", "packbits"]),
                             ("large.webp", "yuv420p", ["-compression_level", "0"]), ("grey16.png", "gray16be", ["-compression_level", "1"])):
        large("-vf", "scale=8160:6120:flags=neighbor,format=" + form, *args, path(name))
        grey = [(round(0.299 * r + 0.587 * g + 0.114 * b),) * 3 for r, g, b in COLOURS]
        expect(name, "4080x3060", grey if "grey" in name else COLOURS)
    png = b"\x89PNG\r\n\x1a\n"
    ihdr = b"IHDR" + struct.pack(">IIBBBBB", 20000, 20000, 8, 2, 0, 0, 0)
    open(path("claims.png"), "wb").write(png + struct.pack(">I", 13) + ihdr + struct.pack(">I", zlib.crc32(ihdr)) + b"\0\0\0\x08IDAT" + b"x\x9c" + b"\0" * 10)
    expect("claims.png", "0x0", [], 0, "picture too large")


# --- HEIC ---
def box(kind, *parts):
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def full(kind, version, flags, *parts):
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def units(data):
    return [u for u in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if u]


def hevc(w, h, colours):
    """(hvcC, coded picture with 4-byte lengths) of one intra picture."""
    ppm("t.ppm", w, h, colours)
    ff("-i", path("t.ppm"), "-vf", "scale=out_range=full:out_color_matrix=bt601,format=yuvj420p", "-c:v", "libx265", "-preset", "ultrafast",
       "-x265-params", "log-level=none:pools=none:frame-threads=1:keyint=1:info=0:qp=8:range=full", "-frames:v", "1", path("t.hevc"))
    us = units(open(path("t.hevc"), "rb").read())
    kinds = {u[0] >> 1 & 63: u for u in us}
    sps = kinds[33]
    profile = sps[3:15]  # after the unit's head (2) and vps id, layers, nesting (1)
    arrays = b"".join(bytes([0x80 | k]) + struct.pack(">HH", 1, len(kinds[k])) + kinds[k] for k in (32, 33, 34))
    hvcc = b"\1" + profile + b"\xf0\0\xfc\xfd\xf8\xf8\0\0\x0f\3" + arrays
    picture = b"".join(struct.pack(">I", len(u)) + u for u in us if u[0] >> 1 & 63 < 32)
    return hvcc, picture


def exif_dates(order):
    """2019-07-12 18:15:30 at +02:00, as phones write it: a list that points to Exif's own."""
    date, zone = b"2019:07:12 18:15:30\0", b"+02:00\0"
    first = struct.pack(order + "HHHII", 1, 0x8769, 4, 1, 26) + struct.pack(order + "I", 0)
    own = struct.pack(order + "H", 2) + struct.pack(order + "HHII", 0x9003, 2, len(date), 56) + struct.pack(order + "HHII", 0x9011, 2, len(zone), 56 + len(date))
    return (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(order + "I", 8) + first + own + struct.pack(order + "I", 0) + date + zone


def heic(name, pictures, sizes, extra=(), grid=None, exif=None):
    """pictures: [(hvcC, bytes)], items 1...; grid: (rows, columns, w, h), the item after them and the primary one."""
    n, props, links = len(pictures), [], []
    for i, ((hvcc, _), (w, h)) in enumerate(zip(pictures, sizes)):
        props += [box(b"hvcC", hvcc), full(b"ispe", 0, 0, struct.pack(">II", w, h))]
        links.append([2 * i + 1, 2 * i + 2])
    items = [(b"hvc1", p) for _, p in pictures]
    if grid:
        rows, columns, w, h = grid
        items.append((b"grid", bytes([0, 0, rows - 1, columns - 1]) + struct.pack(">HH", w, h)))
        props.append(full(b"ispe", 0, 0, struct.pack(">II", w, h)))
        links.append([len(props)])
    for p in extra:
        props.append(p)
        links[-1].append(len(props) | 0x80)
    main = len(items)
    if exif:
        items.append((b"Exif", exif))
    infe = b"".join(full(b"infe", 2, 1 if grid and i < n or i >= main else 0, struct.pack(">HH", i + 1, 0) + k + b"\0") for i, (k, _) in enumerate(items))
    ipma = struct.pack(">I", len(links)) + b"".join(struct.pack(">HB", i + 1, len(l)) + bytes(l) for i, l in enumerate(links))
    refs = [box(b"dimg", struct.pack(">HH", n + 1, n) + b"".join(struct.pack(">H", i + 1) for i in range(n)))] if grid else []
    if exif:
        refs.append(box(b"cdsc", struct.pack(">HHH", main + 1, 1, main)))
    refs = full(b"iref", 0, 0, *refs) if refs else b""

    def meta(at):
        iloc = b""
        for i, (_, p) in enumerate(items):
            iloc += struct.pack(">HHHII", i + 1, 0, 1, at, len(p))
            at += len(p)
        return full(b"meta", 0, 0, full(b"hdlr", 0, 0, b"\0\0\0\0pict" + b"\0" * 13), full(b"pitm", 0, 0, struct.pack(">H", main)),
                    full(b"iloc", 0, 0, b"\x44\0" + struct.pack(">H", len(items)) + iloc), full(b"iinf", 0, 0, struct.pack(">H", len(items)) + infe),
                    refs, box(b"iprp", box(b"ipco", *props), full(b"ipma", 0, 0, ipma)))
    ftyp = box(b"ftyp", b"heic\0\0\0\0mif1heic")
    head = len(ftyp) + len(meta(0)) + 8
    open(path(name), "wb").write(ftyp + meta(head) + box(b"mdat", *[p for _, p in items]))


def heics():
    one = hevc(256, 192, COLOURS)
    heic("one.heic", [one], [(256, 192)])
    expect("one.heic", "256x192")
    for q in (1, 2, 3):  # irot counts quarter turns anticlockwise
        heic("irot%d.heic" % q, [one], [(256, 192)], [box(b"irot", bytes([q]))])
        expect("irot%d.heic" % q, "192x256" if q & 1 else "256x192", turned(COLOURS, (4 - q) % 4))
    heic("imir.heic", [one], [(256, 192)], [box(b"imir", b"\1")])
    expect("imir.heic", "256x192", turned(COLOURS, 0, 1))
    heic("dated.heic", [one], [(256, 192)], exif=b"\0\0\0\0" + exif_dates(">"))
    expect("dated.heic", "256x192")
    heic("dated_bad.heic", [one], [(256, 192)], exif=b"\0\0\0\0" + exif_dates(">")[:40])
    expect("dated_bad.heic", "256x192")
    tiles = [hevc(512, 512, [c] * 4) for c in COLOURS]
    heic("grid.heic", tiles, [(512, 512)] * 4, [box(b"irot", b"\3")], (2, 2, 1024, 1000))
    expect("grid.heic", "1000x1024", turned(COLOURS, 1))
    heic("cut.heic", [one], [(256, 192)])
    whole = open(path("cut.heic"), "rb").read()
    open(path("cut.heic"), "wb").write(whole[:400])
    expect("cut.heic", "0x0", [], 0, "damaged header")
    # 50 million points, 12 rows of two tiles
    left, right = (hevc(4096, 512, [c] * 4) for c in COLOURS[:2])
    lowleft, lowright = (hevc(4096, 512, [c] * 4) for c in COLOURS[2:])
    heic("large.heic", [left, right] * 6 + [lowleft, lowright] * 6, [(4096, 512)] * 24, [], (12, 2, 8192, 6144))
    expect("large.heic", "4096x3072")


# --- sequences ---
def sequences():
    """Frame i of 20 has colours turned by i quarters; the first is what is looked at."""
    for i in range(20):
        ppm("s%02d.ppm" % i, 128, 96, turned(COLOURS, i % 4))
    frames = ["-framerate", "10", "-i", path("s%02d.ppm")]
    ff(*frames, "-c:v", "libwebp_anim", "-quality", "95", "-loop", "0", path("anim.webp"))
    expect("anim.webp", "128x96", frames=20)
    data, chunk = open(path("anim.webp"), "rb").read(), exif_dates("<")
    data = data[:20] + bytes([data[20] | 8]) + data[21:] + b"EXIF" + struct.pack("<I", len(chunk)) + chunk + b"\0" * (len(chunk) % 2)
    open(path("dated.webp"), "wb").write(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
    expect("dated.webp", "128x96", frames=20)
    ff(*frames, "-pix_fmt", "yuva420p", "-c:v", "libwebp_anim", "-lossless", "1", path("lossless.webp"))
    expect("lossless.webp", "128x96", frames=20)
    ff(*frames, "-vf", "scale=out_range=full:out_color_matrix=bt601,format=yuvj444p", "-c:v", "libaom-av1", "-cpu-used", "8", "-crf", "10", path("sequence.avif"))
    expect("sequence.avif", "128x96", frames=20)
    ff("-i", path("s00.ppm"), "-vf", "scale=out_range=full:out_color_matrix=bt601,format=yuvj444p", "-c:v", "libaom-av1", "-cpu-used", "8", "-crf", "10", "-still-picture", "1", "-frames:v", "1", path("still.avif"))
    expect("still.avif", "128x96")
    ff(*frames, "-vf", "scale=out_range=full:out_color_matrix=bt601,format=yuvj420p", "-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1",
       "-x265-params", "log-level=none:pools=none:frame-threads=1:keyint=1:qp=8:range=full", "-color_range", "pc", path("s.mp4"))
    data = open(path("s.mp4"), "rb").read()
    data = data[:8] + b"hevc" + data[12:16] + b"msf1" + data[20:]
    open(path("sequence.heics"), "wb").write(data.replace(b"hdlr\0\0\0\0\0\0\0\0vide", b"hdlr\0\0\0\0\0\0\0\0pict", 1))
    expect("sequence.heics", "128x96", frames=20)


jpegs(), others(), heics(), sequences()
for name in os.listdir(OUT):
    if name.endswith((".ppm", ".hevc", ".mp4")):
        os.remove(path(name))
open(path("expected.tsv"), "w").write("\n".join(ROWS) + "\n")
