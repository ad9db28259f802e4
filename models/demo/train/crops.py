"""Crops: one drawing on a piece of ground of three or four patches a side, with a class for each patch.

A crop costs a tenth of a clip and its patches are labelled: this is where most of the names come from.
"""
import numpy as np
from PIL import Image

from render import paste
from scenes import COLOUR_NAMES, COLOURS, N_CLASSES, N_THINGS, STYLE_SHARE, Actor

PATCH = 18
INKS = np.array([COLOURS[n] for n in COLOUR_NAMES], np.float32)
SHAPES = (N_CLASSES - N_THINGS) // len(INKS)


class Crops:
    """Random drawings on random pieces of ground; half of them filmed."""

    def __init__(self, drawer, images, conditions, rng):
        self.drawer, self.images, self.conditions, self.rng = drawer, images, conditions, rng

    def kind(self, ground):
        """Class, style and ink; the ink stands out from the ground."""
        rng = self.rng
        colour = int(rng.integers(len(INKS)))
        if np.abs(ground - INKS[colour]).sum() < 150:
            colour = (colour + 5) % len(INKS)
        if rng.random() < .08:
            return N_THINGS + int(rng.integers(SHAPES)) * len(INKS) + colour, 1, colour
        return int(rng.integers(N_THINGS)), int(rng.choice(len(STYLE_SHARE), p=STYLE_SHARE)), colour

    def one(self, frame, owner, middle):
        """Draws into frame (S x S) and writes the class of the patches whose middles it covers."""
        rng, side = self.rng, len(frame)
        image = self.images[rng.integers(len(self.images))]
        y, x = rng.integers(0, image.shape[0] - side, 2)
        frame[:] = image[y:y + side, x:x + side]
        cls, style, colour = self.kind(frame[::9, ::9].mean((0, 1)))
        ph = int(side * rng.uniform(.5, 1.05))
        pw = int(ph / (1., 1., 1.333, 1.778)[rng.integers(4)])
        sprite = self.drawer.sprite(Actor(cls, style, colour, 1, 1., 0., 0.), INKS[colour], ph)
        if rng.random() < .1:
            sprite = sprite.rotate(rng.uniform(0, 360), Image.BILINEAR)
        free = np.maximum(np.array([side - pw, side - ph]), side * .12) / 2
        cx, cy = side / 2 + rng.uniform(-1, 1, 2) * free
        paste(frame, sprite.resize((pw, ph), Image.BILINEAR), cx, cy, 1. if rng.random() < .9 else rng.uniform(.5, 1.))
        owner[np.ix_(abs(middle - cy) <= max(ph * .46, 9), abs(middle - cx) <= max(pw * .46, 9))] = cls

    def batch(self, n, g):
        """Frames uint8 [n, 18 g, 18 g, 3], owner [n, g * g], and which cells of the grid the crops take."""
        side = g * PATCH
        frames, owner = np.empty((n, side, side, 3), np.uint8), np.full((n, g, g), -1)
        middle = (np.arange(g) + .5) * PATCH
        for i in range(n):
            self.one(frames[i], owner[i], middle)
            frames[i] = self.conditions(frames[i:i + 1], .6)[0]
        r, c = self.rng.integers(0, 8 - g, 2)
        return frames, owner.reshape(n, -1), ((np.arange(g)[:, None] + r) * 7 + np.arange(g) + c).ravel()
