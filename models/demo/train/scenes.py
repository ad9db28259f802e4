"""What can happen: a Scene is things, an event in time, a camera move and a background, all drawn from one rng.

Everything that a caption may mention is also an integer in `facts`, so that one can tell which captions
are true of which scenes (needed in training for false negatives, in evaluation for the ceiling).
"""
import dataclasses

import numpy as np

from art import COLOUR, INK, LINES, TONES
from things import CATEGORIES, THINGS

COLOURS = {
    'red': (214, 40, 40), 'orange': (240, 134, 28), 'yellow': (246, 214, 56), 'green': (52, 158, 72),
    'blue': (44, 92, 206), 'purple': (128, 60, 170), 'pink': (242, 138, 182), 'brown': (122, 78, 44),
    'black': (22, 22, 24), 'white': (246, 246, 244), 'grey': (134, 136, 140)}
COLOUR_NAMES = list(COLOURS)
SHAPES = ['circle', 'square', 'triangle', 'star', 'diamond', 'cross', 'ring', 'heart', 'hexagon', 'arrow']
N_THINGS = len(THINGS)
N_CLASSES = N_THINGS + len(SHAPES) * len(COLOUR_NAMES)
SIZES = ['small', 'medium', 'large']
SIZE_RANGES = [(.25, .32), (.4, .5), (.6, .76)]

SINGLE = ['still', 'left', 'right', 'up', 'down', 'grow', 'shrink', 'bounce', 'spin', 'appear', 'vanish', 'recolour',
          'left_back', 'right_back', 'up_back', 'down_back', 'wobble', 'circle', 'blink']
PAIR = ['beside', 'over', 'collide', 'part', 'swap', 'order', 'become', 'one_left', 'one_right', 'one_up', 'one_down',
        'one_appears', 'one_vanishes']
MANY = ['many', 'many_left', 'many_right', 'many_appear', 'row']
CAMERAS = ['none', 'pan_left', 'pan_right', 'pan_up', 'pan_down', 'zoom_in', 'zoom_out', 'shake']
# An event between two things is true of the thing with the lower class, or of the other one.
ROLED = {'beside', 'over', 'order', 'become', 'one_left', 'one_right', 'one_up', 'one_down', 'one_appears',
         'one_vanishes'}
EVENTS = SINGLE + MANY + [e + s for e in PAIR for s in (('.lo', '.hi') if e in ROLED else ('',))]
EVENT_ID = {e: i for i, e in enumerate(EVENTS)}
OPPOSITE = {'left': 'right', 'right': 'left', 'up': 'down', 'down': 'up', 'grow': 'shrink', 'shrink': 'grow',
            'appear': 'vanish', 'vanish': 'appear', 'left_back': 'right_back', 'right_back': 'left_back',
            'up_back': 'down_back', 'down_back': 'up_back', 'collide': 'part', 'part': 'collide',
            'one_left': 'one_right', 'one_right': 'one_left', 'one_up': 'one_down', 'one_down': 'one_up',
            'one_appears': 'one_vanishes', 'one_vanishes': 'one_appears', 'many_left': 'many_right',
            'many_right': 'many_left', 'pan_left': 'pan_right', 'pan_right': 'pan_left', 'pan_up': 'pan_down',
            'pan_down': 'pan_up', 'zoom_in': 'zoom_out', 'zoom_out': 'zoom_in'}
PATTERNS = ['plain', 'gradient', 'stripes', 'bars', 'checks', 'dots', 'grid', 'speckle']
PLACES = ['meadow', 'sea', 'night', 'desert', 'snow', 'bricks', 'wood', 'clouds']
GROUNDS = PATTERNS + PLACES

FACTS = ['event', 'camera', 'ground', 'gcolour', 'colour', 'colour2', 'size', 'pos', 'count', 'category']
MAX_THINGS = 3


@dataclasses.dataclass
class Actor:
    cls: int             # thing, or N_THINGS + shape * colours + colour
    style: int
    colour: int          # ink
    size: int
    scale: float         # height of the thing / height of the picture
    x: float
    y: float


@dataclasses.dataclass
class Scene:
    actors: list
    event: str
    camera: str
    ground: tuple        # (kind, main colour, second colour, pool index or seed)
    colour2: int = -1    # what a recoloured thing turns into
    pos: int = -1
    start: float = 0.
    end: float = 1.
    phase: float = 0.
    aspect: float = 1.   # of the film, before it is squashed to a square
    count: int = 1
    seed: int = 0

    def roles(self):
        """The event with its role: '.lo' where the first actor has the lower class."""
        if self.event not in ROLED:
            return self.event
        return self.event + ('.lo' if self.actors[0].cls <= self.actors[1].cls else '.hi')

    def things(self):
        kinds = sorted({a.cls for a in self.actors})
        return kinds[:MAX_THINGS] + [-1] * (MAX_THINGS - len(kinds))

    def facts(self):
        one = self.actors[0]
        single = len({a.cls for a in self.actors}) == 1
        inked = single and (one.style != COLOUR or one.cls >= N_THINGS)
        kind, main, _, _ = self.ground
        return [EVENT_ID[self.roles()], CAMERAS.index(self.camera), GROUNDS.index(kind),
                main if kind in PATTERNS else -2, one.colour if inked else -2, self.colour2 if self.colour2 >= 0 else -2,
                one.size if single else -2, self.pos if self.pos >= 0 else -2, self.count,
                CATEGORIES.index(THINGS[one.cls].category) if single and one.cls < N_THINGS else -2]


def shape_of(cls):
    return divmod(cls - N_THINGS, len(COLOUR_NAMES))


def apart(c, *others):
    """Whether a colour can be told from the others."""
    return all(o < 0 or np.abs(np.subtract(COLOURS[COLOUR_NAMES[c]], COLOURS[COLOUR_NAMES[o]])).sum() > 170 for o in others)


PLACE_COLOURS = {'meadow': (3, 4), 'sea': (4, 9), 'night': (8, 8), 'desert': (2, 1), 'snow': (9, 9), 'bricks': (0, 7),
                 'wood': (7, 1), 'clouds': (4, 9)}


class Chooser:
    """Draws scenes. `grounds` is the list of (kind, main, second) of a pool of backgrounds."""

    def __init__(self, seed, grounds, styles=(COLOUR, INK, TONES, LINES), banned=None, motion=1.0):
        self.rng = np.random.default_rng(seed)
        self.grounds = grounds
        self.styles = styles
        self.banned = banned      # (cls, event) pairs kept for the test of unseen combinations
        self.motion = motion      # share of events; below 1 more scenes are still
        self.share = STYLE_SHARE[:len(styles)] / STYLE_SHARE[:len(styles)].sum()
        self.sizes = (.3, .42, .28)

    def easy(self):
        """For the start of the training: large things, in colour."""
        self.share = EASY_SHARE
        self.sizes = (.1, .35, .55)

    def pick(self, options, p=None):
        return options[int(self.rng.choice(len(options), p=p))]

    def ground(self):
        i = int(self.rng.integers(len(self.grounds)))
        return (*self.grounds[i], i)

    def actor(self, ground, avoid=(), sizes=None):
        """A thing in nine of ten cases, else a coloured shape; its ink stands out from the ground."""
        rng = self.rng
        kind, main, second, _ = ground
        if kind in PLACES:
            main, second = PLACE_COLOURS[kind]
        ink = self.pick([c for c in range(len(COLOUR_NAMES)) if apart(c, main, second) and c not in avoid])
        if rng.random() < .12:
            cls, style = N_THINGS + int(rng.integers(len(SHAPES))) * len(COLOUR_NAMES) + ink, INK
        else:
            cls, style = int(rng.integers(N_THINGS)), self.pick(self.styles, self.share)
        size = int(rng.choice(3, p=sizes or self.sizes))
        return Actor(cls, style, ink, size, rng.uniform(*SIZE_RANGES[size]), .5, .5)

    def place(self, actor, pos=None):
        """Centre of the cell pos of a 3 x 3 grid, kept inside the picture."""
        rng = self.rng
        pos = int(rng.integers(9)) if pos is None else pos
        half = actor.scale / 2
        free = max(.0, .5 - half)
        row, col = divmod(pos, 3)
        actor.x = .5 + (col - 1) * free * rng.uniform(.75, 1.0) + rng.uniform(-.02, .02)
        actor.y = .5 + (row - 1) * free * rng.uniform(.75, 1.0) + rng.uniform(-.02, .02)
        return pos

    def base(self, event, camera='none'):
        rng = self.rng
        start, end = rng.uniform(0, .25), rng.uniform(.72, .95)
        return dict(event=event, camera=camera, start=start, end=end, phase=rng.random(),
                    aspect=float(self.pick([1., 1.333, 1.778], [.3, .4, .3])), seed=int(rng.integers(1 << 30)))

    def single(self, event, camera='none', ground=None, actor=None):
        ground = ground or self.ground()
        sizes = self.sizes
        if event in ('left', 'right', 'up', 'down', 'left_back', 'right_back', 'up_back', 'down_back', 'circle'):
            sizes = (.42, .5, .08)
        actor = dataclasses.replace(actor) if actor else self.actor(ground, sizes=sizes)
        scene = Scene([actor], ground=ground, **self.base(event, camera))
        movable = event in ('still', 'spin', 'appear', 'vanish', 'recolour', 'wobble', 'blink')
        if movable and actor.size < 2 and camera == 'none':
            scene.pos = self.place(actor)
        elif camera != 'none' or event == 'circle':
            actor.x, actor.y = self.rng.uniform(.42, .58, 2)
        else:
            actor.x, actor.y = self.rng.uniform(.3, .7, 2) if actor.size < 2 else self.rng.uniform(.44, .56, 2)
        if event == 'recolour':
            self.recolour(scene)
        return scene

    def recolour(self, scene):
        actor = scene.actors[0]
        if actor.style == COLOUR and actor.cls < N_THINGS:
            actor.style = self.pick([INK, TONES, LINES])
        kind, main, second, _ = scene.ground
        if kind in PLACES:
            main, second = PLACE_COLOURS[kind]
        scene.colour2 = self.pick([c for c in range(len(COLOUR_NAMES)) if c != actor.colour and apart(c, main, second, actor.colour)])

    def pair(self, event, camera='none', ground=None, actors=None):
        rng = self.rng
        ground = ground or self.ground()
        if actors is None:
            a = self.actor(ground)
            b = self.actor(ground, avoid=(a.colour,))
            while b.cls == a.cls:
                b = self.actor(ground, avoid=(a.colour,))
            for actor in (a, b):
                actor.size, actor.scale = 1, rng.uniform(.33, .46)
        else:
            a, b = (dataclasses.replace(x) for x in actors)
        scene = Scene([a, b], ground=ground, **self.base(event, camera))
        gap = rng.uniform(.22, .27)
        mid = rng.uniform(.44, .56, 2)
        if event == 'over':
            a.x, a.y, b.x, b.y = mid[0], .5 - gap, mid[0] + rng.uniform(-.08, .08), .5 + gap
        else:
            side = 1 if event == 'beside' or rng.random() < .5 else -1
            a.x, b.x = .5 - side * gap, .5 + side * gap
            a.y = mid[1]
            b.y = mid[1] + rng.uniform(-.06, .06)
        if event == 'become':
            a.x, a.y = b.x, b.y = mid
        return scene

    def many(self, event, camera='none', ground=None):
        rng = self.rng
        ground = ground or self.ground()
        first = self.actor(ground)
        scene = Scene([], ground=ground, **self.base(event, camera))
        if event == 'row':
            kinds = [first]
            while len(kinds) < 3:
                other = self.actor(ground, avoid=[k.colour for k in kinds])
                if other.cls not in [k.cls for k in kinds]:
                    kinds.append(other)
            n = 3
        else:
            n = int(rng.integers(2, 6))
            kinds = [first] * n
        scene.count = n if event != 'row' else 1
        scale = rng.uniform(.28, .34)
        spots = rng.permutation(9)[:n] if event != 'row' else [3, 4, 5]
        for spot, actor in zip(spots, kinds):
            row, col = divmod(int(spot), 3)
            scene.actors.append(dataclasses.replace(actor, size=0, scale=scale, x=.5 + (col - 1) * .32 + rng.uniform(-.03, .03),
                                                    y=.5 + (row - 1) * .32 + rng.uniform(-.03, .03)))
        return scene

    def allowed(self, scene):
        return self.banned is None or not any(self.banned(a.cls, scene.event) for a in scene.actors)

    def scene(self):
        """One scene of any kind."""
        while True:
            u = self.rng.random()
            if u < .58:
                still = self.rng.random() > self.motion or self.rng.random() < .15
                scene = self.single('still' if still else self.pick(SINGLE[1:]))
            elif u < .68:
                camera = self.pick(CAMERAS[1:])
                scene = self.single('still', camera) if self.rng.random() < .7 else self.pair(self.pick(['beside', 'over']), camera)
            elif u < .88:
                still = self.rng.random() > self.motion or self.rng.random() < .3
                scene = self.pair(self.pick(['beside', 'over']) if still else self.pick(PAIR[2:]))
            else:
                scene = self.many('many' if self.rng.random() > self.motion else self.pick(MANY, [.3, .15, .15, .15, .25]))
            if self.allowed(scene):
                return scene

    def siblings(self, n, slow=False):
        """The same things before the same ground, in n different events; `slow` ones are seen in many frames alone."""
        rng = self.rng
        if rng.random() < .65:
            actor = self.actor(self.ground(), sizes=(.45, .55, 0))
            ground = self.ground_for(actor)
            events = list(rng.permutation([e for e in SINGLE if e != 'recolour'])[:n])
            if slow and rng.random() < .5:
                events = ['still', self.pick(['spin', 'blink', 'bounce', 'wobble'])] + events
            events = with_opposites(events, n)
            out = [self.single(e, ground=ground, actor=actor) for e in events]
        else:
            first = self.pair('beside')
            options = [(e, r) for e in PAIR for r in (0, 1) if r == 0 or e in ROLED]
            picked = [options[i] for i in rng.permutation(len(options))[:n]]
            out = [self.pair(e, ground=first.ground, actors=first.actors[::-1] if r else first.actors) for e, r in picked]
        return [s for s in out if self.allowed(s)]

    def ground_for(self, actor):
        """A ground from which this actor's ink stands out."""
        while True:
            ground = self.ground()
            main, second = PLACE_COLOURS.get(ground[0], ground[1:3])
            if apart(actor.colour, main, second):
                return ground

    def cameras(self, n):
        first = self.single('still', 'shake')
        return [self.single('still', c, ground=first.ground, actor=first.actors[0])
                for c in self.rng.permutation(CAMERAS[1:])[:n]]


STYLE_SHARE = np.array([.46, .2, .17, .17])
EASY_SHARE = np.array([.7, .1, .1, .1])


def with_opposites(events, n):
    """Pairs of opposites first: the difference that only time shows."""
    out = []
    for e in events:
        for x in (e, OPPOSITE.get(e)):
            if x and x in SINGLE and x not in out:
                out.append(x)
    return out[:n]
