"""The named things: read from things.txt."""
import collections
import pathlib

Thing = collections.namedtuple('Thing', 'char names plurals category')


def plural_of(name):
    if name.endswith(('s', 'x', 'ch', 'sh')):
        return name + 'es'
    if name.endswith('y') and name[-2] not in 'aeiou':
        return name[:-1] + 'ies'
    return name + 's'


def load(path=None):
    """All things in the order of the file: the index is the class."""
    path = path or pathlib.Path(__file__).with_name('things.txt')
    things = []
    for line in path.read_text(encoding='utf8').splitlines():
        if line.startswith('#') or not line.strip():
            continue
        category, rest = line.split(':', 1)
        for item in rest.split(','):
            char, spec = item.strip().split(' ', 1)
            names, plurals = [], []
            for form in spec.split('|'):
                name, _, plural = form.partition('/')
                names.append(name.strip())
                plurals.append(plural.strip() or plural_of(name.strip()))
            things.append(Thing(char, names, plurals, category.strip()))
    return things


THINGS = load()
CATEGORIES = sorted({t.category for t in THINGS})
