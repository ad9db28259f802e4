"""Drawings of the things, made once from fonts and kept as one array of premultiplied RGBA sprites.

Styles: 0 the colour font, 1 the monochrome font (alpha only, inked when drawn), 2 the colour drawing
reduced to three tones of one ink, 3 its outlines. A fifth style, a folder of PNG files, is only for tests.
"""
import argparse
import os
import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from things import THINGS

SIZE = 128
COLOUR, INK, TONES, LINES, FOREIGN = range(5)
COLOUR_FONT = os.environ.get('KS_COLOUR_FONT', '/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf')
INK_FONT = os.environ.get('KS_INK_FONT', '/usr/share/fonts/truetype/ancient-scripts/Symbola_hint.ttf')
VARIATION = '\ufe0f'


def squared(image):
    """Crop to what is drawn, centre in a square, scale to SIZE."""
    box = image.getchannel('A').getbbox()
    if box is None:
        return None
    image = image.crop(box)
    side = max(image.size)
    square = Image.new('RGBA', (side, side))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square.resize((SIZE, SIZE), Image.LANCZOS)


def glyph(font, char, colour):
    canvas = Image.new('RGBA', (400, 400))
    ImageDraw.Draw(canvas).text((100, 100), char, font=font, fill=(255, 255, 255, 255), embedded_color=colour)
    return squared(canvas)


def missing(font, char, colour):
    """The picture of an absent glyph is nothing, or the same for every absent one."""
    drawn, absent = glyph(font, char, colour), glyph(font, '\U00013fff', colour)
    return drawn is None or (absent is not None and drawn.tobytes() == absent.tobytes())


def tones(image):
    """Three tones in the channels' place: the alpha stays, RGB holds one grey level of three."""
    grey = ImageOps.autocontrast(image.convert('RGB').convert('L').filter(ImageFilter.GaussianBlur(1.5)), cutoff=2)
    level = np.digitize(np.asarray(grey), [85, 170]).astype(np.uint8) * 105 + 30
    return Image.merge('RGBA', [Image.fromarray(level)] * 3 + [image.getchannel('A')])


def lines(image):
    """Outlines: strong edges of the colours and of the silhouette."""
    a = np.asarray(image).astype(np.float32)
    a = np.concatenate([a[..., :3] * a[..., 3:] / 255, a[..., 3:]], -1)
    gy = np.abs(np.diff(a, axis=0, append=a[-1:])).max(-1)
    gx = np.abs(np.diff(a, axis=1, append=a[:, -1:])).max(-1)
    edge = Image.fromarray(((gx + gy) > 46).astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(5))
    alpha = edge.filter(ImageFilter.GaussianBlur(1))
    white = Image.new('L', image.size, 255)
    return Image.merge('RGBA', [white, white, white, alpha])


def foreign_file(folder, char):
    name = '-'.join(f'{ord(c):04X}' for c in char) + '.png'
    path = pathlib.Path(folder) / name
    return path if path.exists() else None


def premultiplied(image):
    a = np.asarray(image).astype(np.uint16)
    return np.concatenate([a[..., :3] * a[..., 3:] // 255, a[..., 3:]], -1).astype(np.uint8)


def build(foreign=None):
    """[things, styles, SIZE, SIZE, 4]; the foreign style is zero where its folder lacks the drawing."""
    colour_font = ImageFont.truetype(COLOUR_FONT, 109)
    ink_font = ImageFont.truetype(INK_FONT, 140)
    out = np.zeros((len(THINGS), 5 if foreign else 4, SIZE, SIZE, 4), np.uint8)
    for i, thing in enumerate(THINGS):
        drawn = glyph(colour_font, thing.char + VARIATION, True) or glyph(colour_font, thing.char, True)
        if missing(ink_font, thing.char, False):
            raise SystemExit(f'{thing.char} {thing.names[0]}: not in the monochrome font')
        for style, image in ((COLOUR, drawn), (INK, glyph(ink_font, thing.char, False)),
                             (TONES, tones(drawn)), (LINES, lines(drawn))):
            out[i, style] = premultiplied(image)
        path = foreign and foreign_file(foreign, thing.char)
        if path:
            out[i, FOREIGN] = premultiplied(squared(Image.open(path).convert('RGBA')))
    return out


def absent_in_ink():
    font = ImageFont.truetype(INK_FONT, 140)
    return [t for t in THINGS if missing(font, t.char, False)]


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out')
    parser.add_argument('--foreign', help='folder of PNG files named by code point')
    args = parser.parse_args()
    np.save(args.out, build(args.foreign))
