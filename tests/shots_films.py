#!/usr/bin/env python3
"""shots_films.py CLIPS OUT [--cuts 500] [--dissolves 200] [--seed 1] [--not NAME,NAME...]

Cuts films together with ffmpeg out of the clips in a folder (clips that hold cuts of their own are named with --not):
hard cuts, dissolves of 0.3 to 2 s, fades through black, flashes of one or two frames, parts at two and three times
their speed. Beside each film.mp4 a film.tsv of what lies where: kind, first frame, end frame. Seeded."""
import argparse, os, random, subprocess, sys
a = argparse.ArgumentParser()
a.add_argument('clips'); a.add_argument('out')
a.add_argument('--cuts', type=int, default=500); a.add_argument('--dissolves', type=int, default=200)
a.add_argument('--seed', type=int, default=1); a.add_argument('--not', dest='no', default='')
A = a.parse_args()
rng = random.Random(A.seed)
os.makedirs(A.out, exist_ok=True)
RATE, SIZE = 25, '320:180'

def seconds(path):
    try:
        return float(subprocess.check_output(['ffprobe', '-v', 'error', '-select_streams', 'v', '-count_packets', '-show_entries',
                                              'format=duration', '-of', 'csv=p=0', path], text=True).split()[0])
    except Exception:
        return 0.0

no = [n for n in A.no.split(',') if n]
clips = []
for name in sorted(os.listdir(A.clips)):
    path = os.path.join(A.clips, name)
    if name.rsplit('.', 1)[-1] not in ('mp4', 'mkv', 'webm', 'mov', 'avi') or any(name.startswith(n) for n in no): continue
    s = seconds(path)
    if s >= 2.2: clips.append((path, s))
if len(clips) < 2: sys.exit('shots_films.py: fewer than two clips')

cuts = dissolves = films = 0
while cuts < A.cuts or dissolves < A.dissolves:
    parts, filters, truth, inputs = [], [], [], []
    length, last, tail = 0, None, 0           # frames so far; frames of the newest part that are its own
    acc = None
    for i in range(16):
        path, s = rng.choice([c for c in clips if c[0] != last]); last = path
        speed = rng.choice([1, 1, 1, 1, 2, 3])
        n = min(int((s - 0.3) / speed * RATE), rng.randint(28, 110))
        if n < 28: speed, n = 1, min(int((s - 0.3) * RATE), rng.randint(28, 110))
        begin = rng.uniform(0, s - 0.2 - n * speed / RATE)
        inputs += ['-i', path]
        f = f'[{i}:v]setpts=PTS-STARTPTS,trim=start={begin:.3f},setpts=(PTS-STARTPTS)/{speed},fps={RATE},scale={SIZE},setsar=1,format=yuv420p,tpad=stop_mode=clone:stop=5,trim=end_frame={n}'
        if rng.random() < 0.12:
            k = rng.randint(10, n - 12)
            f += f",drawbox=color=white@0.85:t=fill:enable='between(n,{k},{k + rng.randint(0, 1)})'"
        kind = rng.random()
        if acc is None: kind = None
        elif kind < 0.68 or tail < 20: kind = 'cut'
        elif kind < 0.95: kind = 'dissolve'
        else: kind = 'fade'
        if kind == 'fade': f += f',fade=in:0:12'
        filters.append(f + f',settb=1/{RATE},setpts=N[p{i}]')
        if acc is None:
            length = tail = n
            acc = f'p{i}'
            continue
        if kind == 'cut':
            filters.append(f'[{acc}][p{i}]concat=n=2:v=1:a=0,settb=1/{RATE},setpts=N[a{i}]')
            truth.append(('cut', length, length)); length += n; tail = n; cuts += 1
        elif kind == 'fade':
            filters.append(f'[{acc}]fade=out:{length - 12}:12,settb=1/{RATE},setpts=N[b{i}]')
            filters.append(f'[b{i}][p{i}]concat=n=2:v=1:a=0,settb=1/{RATE},setpts=N[a{i}]')
            truth.append(('fade', length - 12, length + 12)); length += n; tail = n
        else:
            d = min(rng.randint(8, 50), tail - 8, n - 8)
            filters.append(f'[{acc}][p{i}]xfade=transition=fade:duration={d / RATE}:offset={(length - d) / RATE},settb=1/{RATE},setpts=N[a{i}]')
            truth.append(('dissolve', length - d, length)); length += n - d; tail = n - d; dissolves += 1
        acc = f'a{i}'
    name = os.path.join(A.out, f'film_{films:03d}')
    subprocess.run(['ffmpeg', '-hide_banner', '-nostdin', '-v', 'error', '-y'] + inputs + ['-filter_complex', ';'.join(filters), '-map', f'[{acc}]',
                    '-r', str(RATE), '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '23', '-threads', '2', name + '.mp4'], check=True)
    frames = int(subprocess.check_output(['ffprobe', '-v', 'error', '-select_streams', 'v', '-count_packets', '-show_entries', 'stream=nb_read_packets',
                                          '-of', 'csv=p=0', name + '.mp4'], text=True).split()[0].strip(','))
    if frames != length:
        print(f'{name}: {frames} frames, {length} planned: left out', file=sys.stderr)
        os.unlink(name + '.mp4')
        cuts -= sum(t[0] == 'cut' for t in truth); dissolves -= sum(t[0] == 'dissolve' for t in truth)
        films += 1
        if films > 400: sys.exit('shots_films.py: too many films did not come out as planned')
        continue
    with open(name + '.tsv', 'w') as t:
        for row in truth: t.write('\t'.join(map(str, row)) + '\n')
    films += 1
print(f'{films} films, {cuts} cuts, {dissolves} dissolves, seed {A.seed}')
