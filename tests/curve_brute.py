"""The curve of a film from the catalog's own rows: python3 curve_brute.py LIBRARY VECTOR.json < CURVE.jsonl

VECTOR.json is a line of `embed --text`. Every kept frame (start + i * length / frames), the mean where several clips hold
one; prints the lines that differ from what is on stdin, then "same N".
"""
import json
import math
import sqlite3
import struct
import sys

db = sqlite3.connect(f'file:{sys.argv[1]}/catalog.db?mode=ro', uri=True)
q = json.load(open(sys.argv[2]))['vector']
points = {}
rows = db.execute('SELECT c.start, c.stop, f.frames, f.data, v.tb_num, v.tb_den FROM clip c JOIN frame_vectors f ON f.clip = c.id '
                  'JOIN video v ON v.id = c.video')
for start, stop, n, data, num, den in rows:
    d = len(data) // n - 4
    for i in range(n):
        values = struct.unpack_from(f'{d}b', data, 4 * n + i * d)
        dot = sum(a * b for a, b in zip(values, q)) / math.sqrt(sum(a * a for a in values))
        points.setdefault((start + (stop - start) * i // n) * num / den, []).append(dot)
want = [(t, sum(x) / len(x)) for t, x in sorted(points.items())]
got = [json.loads(line) for line in sys.stdin]
for (t, cosine), g in zip(want, got):
    if abs(t - g['t']) > 6e-4 or abs(cosine - g['cosine']) > 2e-5:
        print('differs:', t, cosine, g)
print('same' if len(want) == len(got) else 'other count', len(got))
