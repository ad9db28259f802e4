"""Writes scenes as real films: frames at the film's own rate and size, encoded with ffmpeg."""
import pathlib
import subprocess
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'train'))

import ground                                   # noqa: E402
from render import MARGIN, draw                 # noqa: E402


def encode(path, size, fps, crf=24, preset='medium'):
    """An ffmpeg process that takes raw RGB frames."""
    w, h = size
    command = ['ffmpeg', '-y', '-loglevel', 'error', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', f'{w}x{h}', '-r', str(fps), '-i', '-',
               '-c:v', 'libx264', '-threads', '1', '-preset', preset, '-crf', str(crf), '-pix_fmt', 'yuv420p', '-movflags', '+faststart',
               '-map_metadata', '-1', '-fflags', '+bitexact', '-flags:v', '+bitexact', str(path)]
    return subprocess.Popen(command, stdin=subprocess.PIPE)


def finish(process):
    process.stdin.close()
    if process.wait():
        raise SystemExit('ffmpeg failed')


class Camera:
    """Films scenes: `grain` is the noise, `bars` the share of the height that is black above and below."""

    def __init__(self, drawer, size=(384, 288), fps=30, grain=0., bars=0., seed=0):
        self.drawer, self.size, self.fps, self.grain, self.bars = drawer, size, fps, grain, bars
        self.rng = np.random.default_rng(seed)

    def backdrop(self, scene):
        """The larger background of a scene, of the same look for the same ground."""
        w, h = self.inner()
        rng = np.random.default_rng([scene.ground[3], w, h])
        return ground.make(rng, scene.ground, int(w * MARGIN), int(h * MARGIN))

    def inner(self):
        w, h = self.size
        return w, int(h * (1 - 2 * self.bars)) // 2 * 2

    def shoot(self, scene, seconds, backdrop=None):
        """Frames of one scene, a few at a time."""
        backdrop = self.backdrop(scene) if backdrop is None else backdrop
        n = int(round(seconds * self.fps))
        w, h = self.inner()
        scene.aspect = w / h
        for at in range(0, n, 15):
            frames = draw(self.drawer, scene, backdrop, np.arange(at, min(at + 15, n)) / n, w, h)
            yield self.developed(frames)

    def developed(self, frames):
        if self.grain:
            noise = self.rng.normal(0, self.grain, frames.shape[:3] + (1,))
            frames = np.clip(frames + noise, 0, 255).astype(np.uint8)
        if frames.shape[1] < self.size[1]:
            out = np.zeros((len(frames), self.size[1], self.size[0], 3), np.uint8)
            top = (self.size[1] - frames.shape[1]) // 2
            out[:, top:top + frames.shape[1]] = frames
            return out
        return frames

    def clip(self, path, scene, seconds, crf=24, preset='veryfast'):
        """One scene as a file of its own."""
        process = encode(path, self.size, self.fps, crf, preset)
        for frames in self.shoot(scene, seconds):
            process.stdin.write(frames.tobytes())
        finish(process)
