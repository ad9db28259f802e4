"""Batches: scenes in groups that differ in one thing, their frames, their captions and what those claim."""
import dataclasses

import numpy as np

import ground
import scenes
from captions import Writer, canonical, true_of
from film import Conditions
from render import Drawer, MARGIN, draw, owners, touched
from scenes import CAMERAS, EVENT_ID, EVENTS, FACTS, GROUNDS, N_CLASSES, N_THINGS, OPPOSITE, ROLED

SIDE = 126
GRID = 7


def banned(cls, event):
    """Combinations never trained on: for every thing, a seventh of the moves."""
    return cls < N_THINGS and event in ('left', 'right', 'up', 'down', 'grow', 'shrink', 'bounce', 'spin', 'appear', 'vanish') \
        and (cls * 7 + EVENT_ID[event] * 3) % 13 < 2


@dataclasses.dataclass
class Batch:
    frames: np.ndarray       # uint8 [B, T, S, S, 3], or the kept patches [B, T, K, P * P * 3]
    times: list              # rows of the temporal positions
    ids: np.ndarray          # [B, L]
    things: np.ndarray       # [B, 3]
    facts: np.ndarray        # [B, F]
    said_things: np.ndarray
    said: np.ndarray
    texts: list
    owner: np.ndarray        # [B, T, N] class of the thing in each patch, -1: none
    kept: np.ndarray = None  # [B, K] patches that are looked at, or all


class World:
    def __init__(self, sprites, tokenizer, seed, pool=900, pool_seed=1, styles=(0, 1, 2, 3), hold_out=True, strength=1.):
        self.drawer = Drawer(sprites)
        self.tokenizer = tokenizer
        self.rng = np.random.default_rng(seed)
        self.grounds, self.images = ground.pool(pool_seed, pool, int(SIDE * MARGIN))
        self.chooser = scenes.Chooser(seed + 1, self.grounds, styles, banned if hold_out else None)
        self.writer = Writer(seed + 2)
        self.conditions = Conditions(seed + 3)
        self.strength = strength
        self.foreign_frames = .06 if hold_out else 0.

    def group(self, frames):
        """Some scenes and the facts that their captions must mention."""
        u, c = self.rng.random(), self.chooser
        if frames == 1:
            return ([c.scene()], ()) if u < .75 else self.variants(c.scene())
        if u < .40:
            return [c.scene()], ()
        if u < .56:
            return c.siblings(int(self.rng.integers(3, 7)), slow=frames > 2), ('event',)
        if u < .60:
            return c.cameras(4), ('camera',)
        if u < .83:
            return self.twins(['order'] * 3 if frames > 2 else []), ('event',)
        return self.variants(c.scene())

    def twins(self, more):
        """The same two things before the same ground with their roles exchanged; half the time in another relation too."""
        c, kinds = self.chooser, sorted(ROLED) + ['beside', 'over'] * 2 + more
        a = c.pair(c.pick(kinds))
        out = [a, c.pair(a.event, ground=a.ground, actors=a.actors[::-1])]
        if self.rng.random() < .5:
            other = c.pick(kinds)
            out += [c.pair(other, ground=a.ground, actors=a.actors), c.pair(other, ground=a.ground, actors=a.actors[::-1])]
        return out

    def variants(self, scene):
        """The scene and a copy that differs in one thing."""
        c, rng = self.chooser, self.rng
        first = scene.actors[0]
        kind = rng.choice(['thing', 'size', 'ground', 'time', 'role', 'pos', 'count'])
        other = dataclasses.replace(scene, actors=[dataclasses.replace(a) for a in scene.actors])
        if len(scene.actors) == 2 and kind in ('role', 'pos', 'size', 'time', 'count'):
            a, b = other.actors
            other.actors = [dataclasses.replace(b, x=a.x, y=a.y), dataclasses.replace(a, x=b.x, y=b.y)]
            return [scene, other], ('event',)
        if kind == 'ground' and first.style == 0:
            other.ground = c.ground()
            return [scene, other], ('ground', 'gcolour')
        if len(scene.actors) == 1:
            if kind == 'size' and scene.event == 'still' and scene.camera == 'none':
                out = c.single('still', ground=scene.ground, actor=dataclasses.replace(first, size=(first.size + 1) % 3))
                out.actors[0].scale = rng.uniform(*scenes.SIZE_RANGES[out.actors[0].size])
                return [scene, out], ('size',)
            if kind == 'pos' and scene.pos >= 0:
                other.pos = c.place(other.actors[0])
                return [scene, other], ('pos',)
            if scene.event in OPPOSITE:
                return [scene, c.single(OPPOSITE[scene.event], ground=scene.ground, actor=first)], ('event',)
        if first.cls < N_THINGS:
            cls = int(rng.integers(N_THINGS))
            for a in other.actors:
                a.cls = cls if a.cls == first.cls else a.cls
        return [scene, other], ()

    def batch(self, n, t, keep=0):
        chosen, texts, said_things, said = [], [], [], []
        while len(chosen) < n:
            group, need = self.group(t)
            level = self.rng.choice([.1, .35, .7, 1.])
            for scene in group[:n - len(chosen)]:
                if self.chooser.allowed(scene):
                    chosen.append(scene)
                    text, things, claim = self.writer.sentence(scene, level, need)
                    texts.append(text)
                    said_things.append(things)
                    said.append(claim)
        batch = self.render(chosen, t, texts, said_things, said)
        if keep:
            batch.kept = self.kept(chosen, batch.times, keep)
            b, g, p = len(chosen), GRID, SIDE // GRID
            parts = batch.frames.reshape(b, t, g, p, g, p, 3).transpose(0, 2, 4, 1, 3, 5, 6).reshape(b, g * g, t, -1)
            batch.frames = np.take_along_axis(parts, batch.kept[:, :, None, None], 1).transpose(0, 2, 1, 3).copy()
        return batch

    def kept(self, chosen, times, keep):
        """For each scene the patches of its actors first, then others at random: plain ground teaches little."""
        score = self.rng.random((len(chosen), GRID * GRID))
        score += np.stack([touched(s, np.array(times) / 8, GRID) for s in chosen])
        return np.sort(np.argsort(-score, 1)[:, :keep], 1)

    def render(self, chosen, t, texts, said_things, said):
        places = {1: [int(self.rng.integers(8))], 2: [0, 7], 4: [0, 2, 5, 7]}.get(t, list(range(8)))
        frames = np.empty((len(chosen), t, SIDE, SIDE, 3), np.uint8)
        owner = np.stack([[owners(s, k / 8, GRID) for k in places] for s in chosen])
        for i, scene in enumerate(chosen):
            clip = draw(self.drawer, scene, self.images[scene.ground[3]], np.array(places) / 8, SIDE, SIDE)
            if t == 8 and self.rng.random() < self.foreign_frames:
                self.intrude(clip, scene, chosen)
            frames[i] = self.conditions(clip, self.strength)
        return Batch(frames, places, self.encode(texts), np.array([s.things() for s in chosen]),
                     np.array([s.facts() for s in chosen]), np.array(said_things), np.array(said), texts, owner)

    def intrude(self, clip, scene, others):
        """A window over a film does not end where a moment ends: one or two frames of what is before or after."""
        n, first = int(self.rng.integers(1, 3)), self.rng.random() < .5
        other = others[int(self.rng.integers(len(others)))]
        if self.rng.random() < .6:
            other = dataclasses.replace(other if self.rng.random() < .5 else scene, actors=[], event='still', ground=scene.ground)
        part = slice(0, n) if first else slice(8 - n, 8)
        clip[part] = draw(self.drawer, other, self.images[other.ground[3]], np.full(n, .5), SIDE, SIDE)

    def encode(self, texts):
        lists = [self.tokenizer.encode(canonical(x))[:64] for x in texts]
        ids = np.zeros((len(lists), -(-max(map(len, lists)) // 8) * 8), np.int64)    # few lengths: kernels are made per shape
        for row, x in zip(ids, lists):
            row[:len(x)] = x
        return ids


def without_time(facts, said):
    """One frame does not show the event or the camera: these claims are dropped from what is compared."""
    said = said.copy()
    for name in ('event', 'camera', 'colour2'):
        said[:, FACTS.index(name)] = -1
    return said


BASES = list(dict.fromkeys(e.partition('.')[0] for e in EVENTS))
BASE_OF = np.array([BASES.index(e.partition('.')[0]) for e in EVENTS])       # an event without its roles
ROLES = np.array([('.lo', '.hi').index('.' + e.partition('.')[2]) if '.' in e else -1 for e in EVENTS])
HEADS = {'thing': N_CLASSES, 'first': N_CLASSES, 'second': N_CLASSES, 'event': len(BASES), 'camera': len(CAMERAS), 'ground': len(GROUNDS), 'gcolour': 11,
         'colour': 11, 'colour2': 11, 'size': 3, 'pos': 9, 'count': 6}


def targets(things, facts):
    """For the auxiliary heads: a distribution over the classes, one class each for the others (-1: not asked)."""
    thing = np.zeros((len(things), N_CLASSES), np.float32)
    for row, kinds in zip(thing, things):
        row[kinds[kinds >= 0]] = 1
    thing /= np.maximum(thing.sum(1, keepdims=True), 1)
    rest = {name: facts[:, FACTS.index(name)] for name in HEADS if name in FACTS}
    event = rest['event']
    rest['event'] = np.where(event >= 0, BASE_OF[event], -1)
    swapped = np.where(event >= 0, ROLES[event], -1)
    low, high = things[:, 0], things[:, 1]
    rest['first'] = np.where((swapped >= 0) & (high >= 0), np.where(swapped == 0, low, high), -1)
    rest['second'] = np.where((swapped >= 0) & (high >= 0), np.where(swapped == 0, high, low), -1)
    return thing, rest


__all__ = ['World', 'Batch', 'HEADS', 'targets', 'true_of', 'without_time', 'banned']
