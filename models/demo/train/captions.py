"""Sentences about scenes, in varied English, together with what they claim.

A claim is (things, facts): the facts of scenes.FACTS that the sentence mentions, -1 for the others.
"""
import numpy as np

from scenes import (COLOUR_NAMES, FACTS, MAX_THINGS, N_THINGS, PATTERNS, SHAPES, shape_of)
from things import THINGS

AT = {name: i for i, name in enumerate(FACTS)}
NUMBERS = ['zero', 'one', 'two', 'three', 'four', 'five']
SIZE_WORDS = [['small', 'little', 'tiny'], ['medium sized', 'middle sized'], ['large', 'big', 'huge']]
# third person and -ing form of every single event
VERBS = {
    'still': ['stands still/standing still', 'does not move/not moving', 'stays still/staying still', 'rests/resting'],
    'left': ['moves left/moving left', 'moves to the left/moving to the left', 'goes left/going left',
             'slides to the left/sliding to the left', 'travels from right to left/travelling from right to left',
             'drifts left/drifting left', 'crosses from right to left/crossing from right to left',
             'heads left/heading left', 'passes by to the left/passing by to the left'],
    'up': ['moves up/moving up', 'goes up/going up', 'rises/rising', 'climbs/climbing', 'moves upwards/moving upwards',
           'floats up/floating up', 'travels from bottom to top/travelling from bottom to top', 'ascends/ascending',
           'flies up/flying up'],
    'down': ['moves down/moving down', 'goes down/going down', 'falls/falling', 'sinks/sinking', 'drops/dropping',
             'moves downwards/moving downwards', 'descends/descending',
             'travels from top to bottom/travelling from top to bottom', 'falls down/falling down'],
    'grow': ['grows/growing', 'gets bigger/getting bigger', 'comes closer/coming closer', 'approaches/approaching',
             'becomes larger/becoming larger', 'moves towards the camera/moving towards the camera',
             'comes towards us/coming towards us', 'gets larger/getting larger'],
    'shrink': ['shrinks/shrinking', 'gets smaller/getting smaller', 'moves away/moving away', 'goes away/going away',
               'becomes smaller/becoming smaller', 'recedes/receding', 'moves away from the camera/moving away from the camera',
               'disappears into the distance/disappearing into the distance'],
    'bounce': ['bounces/bouncing', 'jumps up and down/jumping up and down', 'hops/hopping', 'jumps/jumping',
               'bounces up and down/bouncing up and down'],
    'spin': ['spins/spinning', 'rotates/rotating', 'turns around/turning around', 'spins around/spinning around',
             'whirls/whirling', 'turns in place/turning in place'],
    'appear': ['appears/appearing', 'shows up/showing up', 'pops up/popping up', 'comes into view/coming into view',
               'fades in/fading in', 'suddenly appears/suddenly appearing'],
    'vanish': ['vanishes/vanishing', 'disappears/disappearing', 'fades away/fading away', 'fades out/fading out',
               'goes out of sight/going out of sight', 'suddenly disappears/suddenly disappearing'],
    'recolour': ['changes colour/changing colour', 'changes its color/changing its color'],
    'left_back': ['moves left and comes back/moving left and coming back', 'goes left, then right/going left, then right',
                  'moves to the left and then returns/moving to the left and then returning'],
    'right_back': ['moves right and comes back/moving right and coming back', 'goes right, then left/going right, then left',
                   'moves to the right and then returns/moving to the right and then returning'],
    'up_back': ['rises and then falls/rising and then falling', 'goes up, then down/going up, then down',
                'goes up and comes back down/going up and coming back down'],
    'down_back': ['falls and then rises/falling and then rising', 'goes down, then up/going down, then up',
                  'sinks and comes back up/sinking and coming back up'],
    'wobble': ['shakes/shaking', 'wobbles/wobbling', 'trembles/trembling', 'swings from side to side/swinging from side to side',
               'moves back and forth/moving back and forth'],
    'circle': ['moves in a circle/moving in a circle', 'goes round in circles/going round in circles',
               'circles around/circling around', 'goes around/going around'],
    'blink': ['blinks/blinking', 'flashes/flashing', 'flickers/flickering', 'blinks on and off/blinking on and off'],
}
VERBS['right'] = [v.replace('left', '#').replace('right', 'left').replace('#', 'right') for v in VERBS['left']]
VERBS = {k: [tuple(v.split('/')) for v in vs] for k, vs in VERBS.items()}
PLURAL = {'stands': 'stand', 'does': 'do', 'goes': 'go', 'passes': 'pass', 'crosses': 'cross', 'flies': 'fly'}
PLACE_WORDS = [
    ['in the top left corner', 'at the upper left', 'top left'], ['at the top', 'in the upper part', 'up at the top'],
    ['in the top right corner', 'at the upper right', 'top right'], ['on the left', 'on the left side', 'at the left'],
    ['in the middle', 'in the center', 'in the centre'], ['on the right', 'on the right side', 'at the right'],
    ['in the bottom left corner', 'at the lower left', 'bottom left'], ['at the bottom', 'in the lower part', 'down at the bottom'],
    ['in the bottom right corner', 'at the lower right', 'bottom right']]
GROUND_WORDS = {
    'plain': ['on a {c} background', 'on {c}', 'on a plain {c} background', 'against {c}', 'with a {c} background'],
    'gradient': ['on a shaded {c} background', 'on a {c} gradient', 'on a blended {c} background'],
    'stripes': ['on {c} stripes', 'on a {c} striped background', 'in front of {c} vertical stripes', 'with {c} vertical stripes behind'],
    'bars': ['on {c} horizontal bars', 'on a background of {c} horizontal stripes', 'in front of {c} horizontal lines'],
    'checks': ['on {c} checks', 'on a {c} checkered background', 'on a {c} chessboard', 'on a {c} chequered background'],
    'dots': ['on {c} dots', 'on a {c} dotted background', 'on a {c} background with dots', 'in front of a {c} polka dot wall'],
    'grid': ['on a {c} grid', 'on {c} squared paper', 'on a {c} background with grid lines'],
    'speckle': ['on a {c} speckled background', 'on {c} spots', 'on a spotted {c} background'],
    'meadow': ['on a meadow', 'on the grass', 'in a green field', 'on a lawn'],
    'sea': ['at the sea', 'on the water', 'by the ocean', 'over the sea'],
    'night': ['at night', 'under the stars', 'in the night sky', 'in the dark night', 'in space'],
    'desert': ['in the desert', 'on the sand', 'on a beach of sand', 'in a sandy desert'],
    'snow': ['in the snow', 'on snow', 'in a snowy field', 'in winter snow'],
    'bricks': ['in front of a brick wall', 'on a brick wall', 'against bricks', 'before a wall of bricks'],
    'wood': ['on wood', 'on a wooden floor', 'on wooden boards', 'on a wooden table'],
    'clouds': ['in the clouds', 'in a cloudy sky', 'in the sky', 'among white clouds']}
NO_COLOUR = {'plain': ['on a plain background', 'on a single colour'], 'gradient': ['on a gradient', 'on a shaded background']}
CAMERA_WORDS = {
    'pan_left': ['the camera pans left', 'the camera moves to the left', 'camera panning left', 'the view pans to the left'],
    'pan_right': ['the camera pans right', 'the camera moves to the right', 'camera panning right', 'the view pans to the right'],
    'pan_up': ['the camera tilts up', 'the camera moves up', 'camera tilting up', 'the view moves up'],
    'pan_down': ['the camera tilts down', 'the camera moves down', 'camera tilting down', 'the view moves down'],
    'zoom_in': ['the camera zooms in', 'zooming in', 'camera zoom in', 'we zoom in'],
    'zoom_out': ['the camera zooms out', 'zooming out', 'camera zoom out', 'we zoom out'],
    'shake': ['the camera shakes', 'shaky camera', 'a shaky picture', 'handheld shaky camera']}
PREFIXES = ['', '', '', '', '', 'a video of ', 'a clip of ', 'footage of ', 'a scene with ', 'there is ', 'we see ', 'look, ']


class Writer:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def one_of(self, options):
        return options[int(self.rng.integers(len(options)))]

    def noun(self, actor, plural=False, canonical=False):
        if actor.cls >= N_THINGS:
            shape, colour = shape_of(actor.cls)
            word = COLOUR_NAMES[colour] + ' ' + SHAPES[shape]
            return word + 's' if plural and not word.endswith('s') else word + 'es' if plural else word
        thing = THINGS[actor.cls]
        k = 0 if canonical or self.rng.random() < .6 else int(self.rng.integers(len(thing.names)))
        return (thing.plurals if plural else thing.names)[k]

    def article(self, noun, the=False, plural_name=False):
        if the:
            return 'the ' + noun
        if plural_name:
            return noun
        u = self.rng.random()
        if u < .72:
            return ('an ' if noun[0] in 'aeiou' and not noun.startswith(('unic', 'euro', 'one')) else 'a ') + noun
        return 'the ' + noun if u < .86 else noun

    def subject(self, actor, words='', the=False):
        noun = self.noun(actor)
        listed = actor.cls < N_THINGS and THINGS[actor.cls]
        always = bool(listed) and noun in listed.names and listed.plurals[listed.names.index(noun)] == noun \
            and noun not in ('sheep', 'deer', 'fish')
        return self.article((words + ' ' + noun).strip(), the, always)

    def sentence(self, scene, level=.35, need=(), event=.85):
        """Text and claim. level: how likely each detail is mentioned; need: facts that must be."""
        rng = self.rng
        facts = scene.facts()
        claim = [-1] * len(FACTS)
        tell = lambda name, p: name in need or rng.random() < p
        if len(scene.actors) == 1:
            text, things = self.about_one(scene, facts, claim, tell, level, event)
        elif scene.event.startswith('many') or scene.event == 'row':
            text, things = self.about_many(scene, facts, claim, tell, event)
        else:
            text, things = self.about_two(scene, facts, claim, tell, event)
        text = self.with_camera(scene, facts, claim, tell, text, level)
        text = self.with_ground(scene, facts, claim, tell, text, level)
        return text, things + [-1] * (MAX_THINGS - len(things)), claim

    def mention(self, facts, claim, name):
        claim[AT[name]] = facts[AT[name]]

    def with_camera(self, scene, facts, claim, tell, text, level):
        if scene.camera != 'none' and tell('camera', max(level, .8)):
            self.mention(facts, claim, 'camera')
            words = self.one_of(CAMERA_WORDS[scene.camera])
            return self.one_of([f'{text}, {words}', f'{words}, {text}', f'{text} while {words}' if words.startswith('the ') else f'{text}, {words}'])
        return text

    def with_ground(self, scene, facts, claim, tell, text, level):
        kind, main = scene.ground[:2]
        if not (tell('ground', level) or tell('gcolour', 0)):
            return text
        self.mention(facts, claim, 'ground')
        if kind not in PATTERNS:
            words = self.one_of(GROUND_WORDS[kind])
        elif tell('gcolour', .7) or kind == 'plain':
            self.mention(facts, claim, 'gcolour')
            words = self.one_of(GROUND_WORDS[kind]).format(c=COLOUR_NAMES[main])
        else:
            words = ' '.join(self.one_of(NO_COLOUR.get(kind) or GROUND_WORDS[kind]).format(c='').split()).replace('on a on', 'on')
        if self.rng.random() < .12:
            return f'{words}, {text}'
        return f'{text} {words}'

    def verb(self, event):
        return self.one_of(VERBS[event])

    def about_one(self, scene, facts, claim, tell, level, event_p):
        rng, actor = self.rng, scene.actors[0]
        things, words = [actor.cls], ''
        if facts[AT['colour']] >= 0 and (tell('colour', level) or scene.event == 'recolour' and rng.random() < .7) and actor.cls < N_THINGS:
            self.mention(facts, claim, 'colour')
            words = COLOUR_NAMES[actor.colour]
        sizable = scene.event not in ('grow', 'shrink') and not scene.camera.startswith('zoom')
        if sizable and tell('size', level):
            self.mention(facts, claim, 'size')
            words = self.one_of(SIZE_WORDS[actor.size]) + ' ' + words
        if facts[AT['category']] >= 0 and rng.random() < .03:
            category = THINGS[actor.cls].category
            if category in ('animal', 'fruit', 'vegetable', 'person', 'tool', 'drink'):
                things = []
                self.mention(facts, claim, 'category')
                who = self.article((words.strip() + ' ' + category).strip())
        if things:
            who = self.subject(actor, words.strip())
        text = who
        speak = scene.event != 'still' and tell('event', event_p) or scene.event == 'still' and scene.camera == 'none' and tell('event', .25)
        place = ''
        if scene.pos >= 0 and tell('pos', level * 1.2):
            self.mention(facts, claim, 'pos')
            place = ' ' + self.one_of(PLACE_WORDS[scene.pos])
        if speak:
            self.mention(facts, claim, 'event')
            says, doing = self.verb(scene.event)
            if scene.event == 'recolour' and tell('colour2', .8):
                self.mention(facts, claim, 'colour2')
                to = COLOUR_NAMES[scene.colour2]
                says, doing = self.one_of([(f'turns {to}', f'turning {to}'), (f'becomes {to}', f'becoming {to}'),
                                           (f'changes to {to}', f'changing to {to}'), (f'changes colour to {to}', f'changing colour to {to}')])
            text = self.one_of([f'{who} {says}', f'{who} {says}', f'{who} {doing}', f'{who} is {doing}', f'{who} that {says}'])
        text += place
        return self.one_of(PREFIXES) + text if rng.random() < .4 else text, things

    def about_many(self, scene, facts, claim, tell, event_p):
        rng, actor = self.rng, scene.actors[0]
        if scene.event == 'row':
            listed = sorted(scene.actors, key=lambda a: a.x)
            names = [self.subject(a) for a in listed]
            if tell('event', event_p):
                self.mention(facts, claim, 'event')
                tail = self.one_of(['side by side', 'in a row', 'next to each other', 'together'])
                text = f'{names[0]}, {names[1]} and {names[2]}' + (' ' + tail if rng.random() < .6 else '')
                return text, sorted({a.cls for a in listed})
            keep = sorted(rng.permutation(3)[:2])
            return f'{names[keep[0]]} and {names[keep[1]]}', sorted({listed[k].cls for k in keep})
        noun = self.noun(actor, plural=True)
        if tell('count', .75):
            self.mention(facts, claim, 'count')
            noun = NUMBERS[scene.count] + ' ' + noun
        elif rng.random() < .5:
            noun = self.one_of(['several ', 'some ', 'many ', 'a group of ']) + noun
        text = noun
        if scene.event != 'many' and tell('event', event_p):
            self.mention(facts, claim, 'event')
            base = {'many_left': 'left', 'many_right': 'right', 'many_appear': 'appear'}[scene.event]
            says, doing = self.verb(base)
            text = f'{noun} {doing}' if rng.random() < .6 else f'{noun} {plural_verb(says)}'
        return text, [actor.cls]

    def about_two(self, scene, facts, claim, tell, event_p):
        rng = self.rng
        a, b = scene.actors
        things = sorted({a.cls, b.cls})
        if not tell('event', event_p):
            if rng.random() < .35:
                one = a if rng.random() < .5 else b
                return self.subject(one), [one.cls]
            first, second = (a, b) if rng.random() < .5 else (b, a)
            return self.one_of(['{} and {}', '{} with {}', '{} together with {}']).format(self.subject(first), self.subject(second)), things
        self.mention(facts, claim, 'event')
        A, B = self.subject(a), self.subject(b)
        return self.one_of(PAIR_WORDS[scene.event]).format(A=A, B=B), things

    def natural(self, scene):
        return self.sentence(scene, .28)

    def full(self, scene):
        return self.sentence(scene, 1., need=FACTS, event=1.)


def plural_verb(says):
    first, _, rest = says.partition(' ')
    if first == 'suddenly':
        return 'suddenly ' + plural_verb(rest)
    first = PLURAL.get(first, first[:-1] if first.endswith('s') else first)
    return (first + ' ' + rest).strip()


def one_words(event):
    return ['{A} %s while {B} stays' % s for s, _ in VERBS[event][:5]] + ['{A} %s, {B} stands still' % s for s, _ in VERBS[event][:3]] + \
        ['{A} %s past {B}' % d if event in ('left', 'right') else '{A} %s next to {B}' % d for _, d in VERBS[event][:5]]


# A is the first actor. In 'beside' A is on the left, in 'over' A is on top, in 'order' A comes first.
PAIR_WORDS = {
    'beside': ['{A} left of {B}', '{A} to the left of {B}', '{B} right of {A}', '{B} to the right of {A}', '{A} on the left and {B} on the right',
               '{B} on the right of {A}', '{A} on the left side of {B}'],
    'over': ['{A} above {B}', '{A} over {B}', '{B} below {A}', '{B} under {A}', '{A} on top and {B} at the bottom', '{B} beneath {A}'],
    'collide': ['{A} and {B} collide', '{A} collides with {B}', '{B} bumps into {A}', '{A} and {B} crash into each other', '{A} hits {B}',
                '{B} and {A} collide and bounce back', '{A} crashes into {B}'],
    'part': ['{A} and {B} move apart', '{B} and {A} separate', '{A} and {B} move away from each other', '{A} and {B} drift apart',
             '{B} and {A} go in opposite directions'],
    'swap': ['{A} and {B} swap places', '{A} and {B} change places', '{B} and {A} switch positions', '{A} trades places with {B}',
             '{A} and {B} exchange places'],
    'order': ['first {A}, then {B}', '{A} and then {B}', '{A} appears, then {B} appears', '{B} appears after {A}', '{A} appears before {B}',
              '{A} followed by {B}', 'first {A} shows up, then {B}'],
    'become': ['{A} turns into {B}', '{A} becomes {B}', '{A} changes into {B}', '{A} is replaced by {B}', '{A} transforms into {B}'],
    'one_left': one_words('left'), 'one_right': one_words('right'), 'one_up': one_words('up'), 'one_down': one_words('down'),
    'one_appears': ['{A} appears next to {B}', '{A} appears beside {B}', '{B} stays while {A} appears', '{A} pops up near {B}', '{A} joins {B}'],
    'one_vanishes': ['{A} vanishes next to {B}', '{A} disappears beside {B}', '{B} stays while {A} disappears', '{A} leaves {B}',
                     '{B} remains when {A} disappears'],
}


def true_of(claim_things, claim_facts, scene_things, scene_facts):
    """[claims, scenes] bool: which captions are true of which scenes. All arguments are integer arrays."""
    facts = ((claim_facts[:, None] == -1) | (claim_facts[:, None] == scene_facts[None])).all(-1)
    held = (claim_things[:, None, :, None] == scene_things[None, :, None, :]).any(-1)
    return facts & ((claim_things[:, None] == -1) | held).all(-1)


def canonical(text):
    """What the official code does to a text before the tokenizer."""
    import string
    text = text.translate(str.maketrans(string.punctuation, ' ' * len(string.punctuation))).lower()
    return ' '.join(text.split()) + '.'
