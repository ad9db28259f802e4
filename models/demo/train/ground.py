"""Backgrounds: patterns in named colours and drawn places, made by numpy for any size."""
import numpy as np
from PIL import Image, ImageFilter

from scenes import COLOUR_NAMES, COLOURS, GROUNDS, PATTERNS, PLACES, apart


def choose(rng):
    """(kind, main colour, second colour)"""
    kind = GROUNDS[int(rng.choice(len(GROUNDS), p=SHARE))]
    if kind in PLACES:
        return kind, -1, -1
    main = int(rng.integers(len(COLOUR_NAMES)))
    if kind == 'plain':
        return kind, main, main
    second = int(rng.choice([c for c in range(len(COLOUR_NAMES)) if c != main and (kind == 'gradient' or apart(c, main))]))
    return kind, main, second


SHARE = np.array([.2, .1] + [.055] * 6 + [.37 / 8] * 8)
SHARE = SHARE / SHARE.sum()


def tinted(rng, colour, spread=16):
    return np.clip(np.array(COLOURS[COLOUR_NAMES[colour]], np.float32) + rng.uniform(-spread, spread, 3) + rng.uniform(-spread, spread), 0, 255)


def smooth(rng, w, h, cells):
    """Smooth noise in [0, 1]."""
    small = Image.fromarray(rng.integers(0, 256, (cells, cells), dtype=np.uint8))
    return np.asarray(small.resize((w, h), Image.BICUBIC), np.float32) / 255


def mix(mask, a, b):
    return a + mask[..., None] * (b - a)


def pattern(rng, kind, main, second, w, h):
    """The main colour covers more of the picture than the second."""
    y, x = np.mgrid[0:h, 0:w] / np.float32(h)
    a, b = tinted(rng, main), tinted(rng, second)
    period = rng.uniform(.12, .3)
    px, py = (x / period + rng.random()) % 1, (y / period + rng.random()) % 1
    if kind == 'plain':
        mask = np.zeros_like(x)
    elif kind == 'gradient':
        angle = rng.uniform(0, 2 * np.pi)
        mask = np.clip((np.cos(angle) * (x - x.mean()) + np.sin(angle) * (y - .5)) * .7 + .35, 0, .8)
    elif kind == 'stripes':
        mask = (px < .38).astype(np.float32)
    elif kind == 'bars':
        mask = (py < .38).astype(np.float32)
    elif kind == 'checks':
        mask = ((px < .5) ^ (py < .5)) * np.float32(.9)
    elif kind == 'dots':
        mask = ((px - .5) ** 2 + (py - .5) ** 2 < .1).astype(np.float32)
    elif kind == 'grid':
        mask = ((px < .12) | (py < .12)).astype(np.float32)
    else:
        mask = (smooth(rng, w, h, int(max(w, h) / 5)) > .66).astype(np.float32)
    return mix(mask, a, b)


def place(rng, kind, w, h):
    y, x = np.mgrid[0:h, 0:w] / np.float32(h)
    n = smooth(rng, w, h, 9) - .5
    jitter = rng.uniform(.85, 1.12)
    sky = mix(y, np.array([96, 160, 232]), np.array([204, 228, 246])) * jitter
    horizon = rng.uniform(.4, .6) + .05 * np.sin(x * rng.uniform(3, 8) + rng.uniform(0, 6))
    below = (y > horizon).astype(np.float32)
    if kind == 'meadow':
        blades = smooth(rng, w, h, int(h / 3)) - .5
        return mix(below, sky, np.array([82, 160, 62]) * jitter + 50 * n[..., None] + 50 * blades[..., None])
    if kind == 'desert':
        return mix(below, sky, np.array([226, 190, 120]) * jitter + 30 * n[..., None])
    if kind == 'snow':
        return mix(below, np.array([176, 196, 218]) * jitter + 0 * sky, np.array([244, 247, 252]) + 14 * n[..., None])
    if kind == 'sea':
        waves = np.sin(y * 60 + 3 * np.sin(x * 14 + 9 * n)) * 14
        return mix((y > horizon.mean()).astype(np.float32), sky, np.array([26, 92, 164]) * jitter + waves[..., None] + 20 * n[..., None])
    if kind == 'night':
        stars = (rng.random((h, w)) > 1 - .012 * (96 / h)).astype(np.float32)
        stars = np.asarray(Image.fromarray((stars * 255).astype(np.uint8)).filter(ImageFilter.MaxFilter(3 if h > 240 else 1)), np.float32) / 255
        return mix(stars, np.array([14, 18, 48]) * jitter + 26 * y[..., None] + 0 * sky, np.array([238, 238, 220]))
    if kind == 'clouds':
        puffs = np.clip((smooth(rng, w, h, 7) - .5) * 5, 0, 1)
        return mix(puffs, np.array([112, 170, 236]) * jitter + 0 * sky, np.array([248, 250, 252]))
    if kind == 'bricks':
        size = rng.uniform(.07, .11)
        row = np.floor(y / size)
        px = (x / (2 * size) + .5 * (row % 2)) % 1
        mortar = ((px < .07) | ((y / size) % 1 < .14)).astype(np.float32)
        return mix(mortar, np.array([168, 76, 58]) * jitter + 40 * n[..., None], np.array([206, 196, 186]))
    grain = np.sin((x * 40 + 6 * n) * rng.uniform(.7, 1.2)) * 12 + 26 * n
    planks = ((y / .25) % 1 < .04).astype(np.float32)
    return mix(planks, np.array([164, 112, 62]) * jitter + grain[..., None], np.array([70, 44, 22]))


def make(rng, ground, w, h):
    kind, main, second = ground[:3]
    image = pattern(rng, kind, main, second, w, h) if kind in PATTERNS else place(rng, kind, w, h)
    return np.clip(image, 0, 255).astype(np.uint8)


def pool(seed, n, side):
    """n backgrounds with what they are; larger than the picture, so that a crop differs each time."""
    rng = np.random.default_rng(seed)
    grounds = [choose(rng) for _ in range(n)]
    return grounds, np.stack([make(rng, g, side, side) for g in grounds])
