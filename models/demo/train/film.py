"""What filming and compression do to a picture: brightness, noise, blur, JPEG blocks, black bars."""
import io

import numpy as np
from PIL import Image


class Conditions:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.noise = self.rng.normal(0, 1, (64, 160, 160, 3)).astype(np.float32)

    def __call__(self, frames, strength=1.0):
        rng = self.rng
        if rng.random() < .5 * strength:
            frames = self.light(frames)
        if rng.random() < .25 * strength:
            frames = self.soft(frames)
        if rng.random() < .35 * strength:
            frames = self.grain(frames)
        if rng.random() < .25 * strength:
            quality = int(rng.integers(12, 50))
            frames = np.stack([blocks(f, quality) for f in frames])
        if rng.random() < .1 * strength:
            frames = self.bars(frames)
        return frames

    def light(self, frames):
        gain, lift, gamma = self.rng.uniform(.65, 1.2), self.rng.uniform(-25, 25), self.rng.uniform(.75, 1.35)
        table = 255 * (np.arange(256) / 255) ** gamma * gain + lift
        return np.clip(table, 0, 255).astype(np.uint8)[frames]

    def grain(self, frames):
        sigma = self.rng.uniform(3, 16)
        h, w = frames.shape[1:3]
        out = np.empty_like(frames)
        for k, f in enumerate(frames):
            i, y, x = self.rng.integers(64), self.rng.integers(160 - h), self.rng.integers(160 - w)
            out[k] = np.clip(f + sigma * self.noise[i, y:y + h, x:x + w], 0, 255)
        return out

    def soft(self, frames):
        h, w = frames.shape[1:3]
        k = self.rng.uniform(.4, .8)
        small = (int(w * k), int(h * k))
        return np.stack([np.asarray(Image.fromarray(f).resize(small, Image.BILINEAR).resize((w, h), Image.BILINEAR)) for f in frames])

    def bars(self, frames):
        """The picture squeezed between black bars, above and below or left and right."""
        h, w = frames.shape[1:3]
        part = self.rng.uniform(.06, .13)
        out = np.zeros_like(frames)
        wide = self.rng.random() < .7
        n = int((h if wide else w) * part)
        size = (w, h - 2 * n) if wide else (w - 2 * n, h)
        for k, f in enumerate(frames):
            small = np.asarray(Image.fromarray(f).resize(size, Image.BILINEAR))
            out[k, n:n + size[1]] = small if wide else out[k, n:n + size[1]]
            if not wide:
                out[k, :, n:n + size[0]] = small
        return out


def blocks(frame, quality):
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, 'JPEG', quality=quality)
    return np.asarray(Image.open(buffer))
