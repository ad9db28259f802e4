"""Prints the list of what the model is taught, for the README."""
from captions import CAMERA_WORDS, GROUND_WORDS, VERBS
from scenes import COLOUR_NAMES, PAIR, SHAPES
from things import CATEGORIES, THINGS

if __name__ == '__main__':
    for category in CATEGORIES:
        print(f'- {category}: ' + ', '.join(t.names[0] for t in THINGS if t.category == category))
    print('- shapes: ' + ', '.join(SHAPES) + '; colours: ' + ', '.join(COLOUR_NAMES))
    print('- one thing: ' + '; '.join(v[0][0] for v in VERBS.values()))
    print('- two things: ' + ', '.join(p.replace('_', ' ') for p in PAIR))
    print('- the camera: ' + '; '.join(v[0] for v in CAMERA_WORDS.values()))
    print('- the ground: ' + ', '.join(GROUND_WORDS))
