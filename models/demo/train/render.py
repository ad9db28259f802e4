"""Draws a scene at given times. The same code draws training clips (126 x 126) and films."""
import numpy as np
from PIL import Image, ImageDraw

from art import COLOUR, FOREIGN, SIZE
from scenes import COLOUR_NAMES, COLOURS, N_THINGS, SHAPES, shape_of

MARGIN = 1.5          # backgrounds are this much larger than the picture


def shape_alpha(name):
    """A shape as an alpha map of SIZE x SIZE."""
    big = SIZE * 2
    image = Image.new('L', (big, big))
    draw = ImageDraw.Draw(image)
    t = np.arange(8) / 8 * 2 * np.pi
    at = lambda pts: [((x + 1) * big / 2, (y + 1) * big / 2) for x, y in pts]
    ring = lambda n, r, o=0.: [(r * np.sin(2 * np.pi * (i + o) / n), -r * np.cos(2 * np.pi * (i + o) / n)) for i in range(n)]
    if name in ('circle', 'ring'):
        draw.ellipse([4, 4, big - 4, big - 4], fill=255)
        if name == 'ring':
            draw.ellipse([big * .24, big * .24, big * .76, big * .76], fill=0)
    elif name == 'square':
        draw.rectangle([big * .07, big * .07, big * .93, big * .93], fill=255)
    elif name == 'triangle':
        draw.polygon(at([(0, -.95), (.98, .85), (-.98, .85)]), fill=255)
    elif name == 'star':
        outer, inner = ring(5, .98), ring(5, .4, .5)
        draw.polygon(at([p for pair in zip(outer, inner) for p in pair]), fill=255)
    elif name == 'diamond':
        draw.polygon(at([(0, -.98), (.7, 0), (0, .98), (-.7, 0)]), fill=255)
    elif name == 'cross':
        draw.rectangle([big * .36, 4, big * .64, big - 4], fill=255)
        draw.rectangle([4, big * .36, big - 4, big * .64], fill=255)
    elif name == 'heart':
        s = np.linspace(0, 2 * np.pi, 80)
        draw.polygon(at(zip(np.sin(s) ** 3 * .96, -(13 * np.cos(s) - 5 * np.cos(2 * s) - 2 * np.cos(3 * s) - np.cos(4 * s)) / 17)), fill=255)
    elif name == 'hexagon':
        draw.polygon(at(ring(6, .96)), fill=255)
    else:
        draw.polygon(at([(-.95, -.3), (.1, -.3), (.1, -.75), (.95, 0), (.1, .75), (.1, .3), (-.95, .3)]), fill=255)
    return np.asarray(image.resize((SIZE, SIZE), Image.LANCZOS))


class Drawer:
    """Keeps the sprites at two sizes; inks and scales them when asked."""

    def __init__(self, sprites):
        self.full = sprites
        self.half = self.halved(sprites)
        self.shapes = [shape_alpha(n) for n in SHAPES]

    @staticmethod
    def halved(sprites):
        out = np.empty((*sprites.shape[:2], SIZE // 2, SIZE // 2, 4), np.uint8)
        for i in range(len(sprites)):
            s = sprites[i].astype(np.uint16)
            out[i] = (s[:, ::2, ::2] + s[:, 1::2, ::2] + s[:, ::2, 1::2] + s[:, 1::2, 1::2] + 2) // 4
        return out

    def sprite(self, actor, ink, px):
        """Premultiplied RGBA as a PIL image of mode RGBa."""
        if actor.cls >= N_THINGS:
            alpha = self.shapes[shape_of(actor.cls)[0]]
            return inked(alpha, None, ink)
        source = (self.half if px <= SIZE // 2 else self.full)[actor.cls, actor.style]
        if actor.style in (COLOUR, FOREIGN):
            return as_image(source)
        return inked(source[..., 3], source[..., 0] if actor.style == 2 else None, ink)


def as_image(array):
    array = np.ascontiguousarray(array)
    return Image.frombuffer('RGBa', (array.shape[1], array.shape[0]), array, 'raw', 'RGBa', 0, 1)


def inked(alpha, tone, ink):
    """The ink where there is alpha; a tone lightens it (the tone is premultiplied)."""
    out = np.empty((*alpha.shape, 4), np.uint8)
    a = alpha.astype(np.uint16)
    for c in range(3):
        out[..., c] = a * int(ink[c]) // 255
        if tone is not None:
            out[..., c] += (tone.astype(np.uint16) * int((255 - ink[c]) * .55) // 255).astype(np.uint8)
    out[..., 3] = alpha
    return as_image(out)


def smoothstep(u):
    return u * u * (3 - 2 * u)


def state(scene, i, t):
    """(x, y, scale, turn, alpha, shift of colour) of actor i at time t in [0, 1)."""
    a, e = scene.actors[i], scene.event
    p = float(np.clip((t - scene.start) / (scene.end - scene.start), 0, 1))
    x, y, s, turn, alpha, tint = a.x, a.y, a.scale, 0., 1., 0.
    half = s / 2 / 1.05
    lo, hi = min(half, .4), max(1 - half, .6)
    go = lo + (hi - lo) * p
    back = lo + (hi - lo) * (1 - abs(2 * p - 1))
    if e in ('left', 'many_left'):
        x = 1 - go if e == 'left' else a.x + .35 - .7 * p
    elif e in ('right', 'many_right'):
        x = go if e == 'right' else a.x - .35 + .7 * p
    elif e == 'down':
        y = go
    elif e == 'up':
        y = 1 - go
    elif e == 'left_back':
        x = 1 - back
    elif e == 'right_back':
        x = back
    elif e == 'up_back':
        y = 1 - back
    elif e == 'down_back':
        y = back
    elif e == 'grow':
        s = a.scale * (.4 + 1.2 * p)
    elif e == 'shrink':
        s = a.scale * (1.6 - 1.2 * p)
    elif e == 'bounce':
        y = .78 - .5 * abs(np.sin(np.pi * (2.5 * t + scene.phase)))
    elif e == 'spin':
        turn = 360 * (1.1 * t + scene.phase * .1)
    elif e == 'wobble':
        x += .09 * np.sin(2 * np.pi * (2.7 * t + scene.phase))
    elif e == 'circle':
        angle = 2 * np.pi * (t * 1.1 + scene.phase)
        x, y = .5 + .27 * np.cos(angle), .5 + .27 * np.sin(angle)
    elif e == 'blink':
        alpha = float((t * 3.4 + scene.phase) % 1 < .5)
    elif e in ('appear', 'many_appear'):
        alpha = float(np.clip((p - .4) * 6, 0, 1))
    elif e == 'vanish':
        alpha = float(np.clip((.6 - p) * 6, 0, 1))
    elif e == 'recolour':
        tint = float(np.clip((p - .4) * 5, 0, 1))
    elif e == 'collide':
        d = abs(2 * p - 1)
        side = 1 if (scene.actors[0].x < .5) == (i == 0) else -1
        x = .5 - side * (a.scale * .4 + .3 * d)
    elif e == 'part':
        side = 1 if (scene.actors[0].x < .5) == (i == 0) else -1
        x = .5 - side * (a.scale * .3 + .3 * p)
    elif e == 'swap':
        other = scene.actors[1 - i]
        q = smoothstep(p)
        x = a.x + (other.x - a.x) * q
        y = a.y + (.5 - i) * .5 * np.sin(np.pi * q)
    elif e == 'order':
        gate = .12 if i == 0 else .62
        alpha = float(np.clip((p - gate) * 8, 0, 1))
        if i == 0:
            alpha = alpha if scene.phase < .5 else alpha * float(p < .58)
    elif e == 'become':
        q = float(np.clip((p - .4) * 5, 0, 1))
        alpha = q if i else 1 - q
    elif e.startswith('one_') and i == 0:
        if e == 'one_left':
            x = hi - (hi - lo) * p
        elif e == 'one_right':
            x = lo + (hi - lo) * p
        elif e == 'one_up':
            y = 1 - go
        elif e == 'one_down':
            y = go
        elif e == 'one_appears':
            alpha = float(np.clip((p - .4) * 6, 0, 1))
        else:
            alpha = float(np.clip((.6 - p) * 6, 0, 1))
    elif e in ('one_left', 'one_right'):
        y = .5 + (.26 if scene.phase < .5 else -.26)
        x = .5
    if i == 0 and e in ('one_left', 'one_right'):
        y = .5 - (.24 if scene.phase < .5 else -.24)
    return x, y, s, turn, alpha, tint


def camera(scene, t):
    """Centre and zoom of the view at time t; the world is the unit square plus a margin."""
    p = float(np.clip((t - scene.start) / (scene.end - scene.start), 0, 1))
    d = .44 * (p - .5)
    c = scene.camera
    if c == 'pan_left':
        return .5 - d, .5, 1.
    if c == 'pan_right':
        return .5 + d, .5, 1.
    if c == 'pan_up':
        return .5, .5 - d, 1.
    if c == 'pan_down':
        return .5, .5 + d, 1.
    if c == 'zoom_in':
        return .5, .5, .75 + .95 * p
    if c == 'zoom_out':
        return .5, .5, 1.7 - .95 * p
    if c == 'shake':
        u = 2 * np.pi * (t * 3.3 + scene.phase)
        return .5 + .05 * np.sin(u), .5 + .05 * np.sin(1.7 * u + 1), 1.04
    return .5, .5, 1.


def view(ground, scene, t, w, h):
    """The part of the larger background that the camera sees."""
    cx, cy, zoom = camera(scene, t)
    gh, gw = ground.shape[:2]
    rng = np.random.default_rng(scene.seed)
    slack = 0 if scene.camera != 'none' else .16
    ox, oy = rng.uniform(-slack, slack, 2)
    bw, bh = gw / MARGIN / zoom, gh / MARGIN / zoom
    left = np.clip(gw / 2 + (cx + ox - .5) * gw / MARGIN - bw / 2, 0, gw - bw)
    top = np.clip(gh / 2 + (cy + oy - .5) * gh / MARGIN - bh / 2, 0, gh - bh)
    if zoom == 1. and abs(bw - w) < 1 and abs(bh - h) < 1:
        return ground[int(top):int(top) + h, int(left):int(left) + w].copy()
    box = (float(left), float(top), float(left + bw), float(top + bh))
    return np.array(Image.fromarray(ground).resize((w, h), Image.BILINEAR, box=box))


def paste(frame, sprite, cx, cy, alpha):
    """Composites a premultiplied sprite centred at (cx, cy)."""
    s = np.asarray(sprite)
    h, w = s.shape[:2]
    left, top = int(round(cx - w / 2)), int(round(cy - h / 2))
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + w, frame.shape[1]), min(top + h, frame.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    s = s[y0 - top:y1 - top, x0 - left:x1 - left].astype(np.uint16)
    if alpha < 1:
        s = s * int(alpha * 256) // 256
    part = frame[y0:y1, x0:x1]
    part[:] = np.minimum(s[..., :3] + part * (255 - s[..., 3:]) // 255, 255)


def draw(drawer, scene, ground, times, w, h):
    """Frames uint8 [len(times), h, w, 3]. A square picture stands for a squashed film of scene.aspect."""
    squash = scene.aspect * h / w
    ready, base = {}, None
    frames = np.empty((len(times), h, w, 3), np.uint8)
    for k, t in enumerate(times):
        if base is None or scene.camera != 'none':
            base = view(ground, scene, t, w, h)
        frame = frames[k]
        frame[:] = base
        ccx, ccy, zoom = camera(scene, t)
        for i, actor in enumerate(scene.actors):
            x, y, s, turn, alpha, tint = state(scene, i, t)
            if alpha <= 0:
                continue
            x, y, s = (x - ccx) * zoom + .5, (y - ccy) * zoom + .5, s * zoom
            ph = max(4, int(round(s * h)))
            pw = max(4, int(round(s * h / squash)))
            key = (i, ph, pw, round(turn), round(tint, 2))
            if key not in ready:
                ready[key] = scaled(drawer, scene, actor, ph, pw, turn, tint)
            paste(frame, ready[key], x * w, y * h, alpha)
    return frames


def touched(scene, times, grid):
    """[grid * grid] bool: the patches that some actor's box meets at some time (black bars may shift it a little)."""
    out = np.zeros((grid, grid), bool)
    for t in times:
        ccx, ccy, zoom = camera(scene, t)
        for i in range(len(scene.actors)):
            x, y, s, _, _, _ = state(scene, i, t)
            x, y, s = (x - ccx) * zoom + .5, (y - ccy) * zoom + .5, s * zoom * .5
            cols = np.clip([(x - s / scene.aspect) * grid, (x + s / scene.aspect) * grid], 0, grid - .01).astype(int)
            rows = np.clip([(y - s) * grid, (y + s) * grid], 0, grid - .01).astype(int)
            out[rows[0]:rows[1] + 1, cols[0]:cols[1] + 1] = True
    return out.ravel()


def owners(scene, t, grid):
    """[grid * grid] the class of the actor that covers the middle of each patch at time t; -1 where none does."""
    out = np.full((grid, grid), -1)
    ccx, ccy, zoom = camera(scene, t)
    middle = (np.arange(grid) + .5) / grid
    for i, actor in enumerate(scene.actors):
        x, y, s, _, alpha, _ = state(scene, i, t)
        if alpha > .5:
            x, y, s = (x - ccx) * zoom + .5, (y - ccy) * zoom + .5, max(s * zoom * .46, .075)
            out[np.ix_(abs(middle - y) <= s, abs(middle - x) <= max(s / scene.aspect, .075))] = actor.cls
    return out.ravel()


def scaled(drawer, scene, actor, ph, pw, turn, tint):
    ink = np.array(COLOURS[COLOUR_NAMES[actor.colour]], np.float32)
    if tint > 0:
        ink = ink + tint * (np.array(COLOURS[COLOUR_NAMES[scene.colour2]], np.float32) - ink)
    sprite = drawer.sprite(actor, ink, ph)
    if turn:
        sprite = sprite.rotate(-turn, Image.BILINEAR)
    return sprite.resize((pw, ph), Image.BILINEAR)
