"""Two ways to vectors: the kinoseek program, and PyTorch with ffmpeg (for a model that is still in training)."""
import json
import pathlib
import subprocess
import tempfile

import numpy as np

import films                                    # noqa: F401  (makes ../train importable)


class Kinoseek:
    """Everything through the program that people run."""

    def __init__(self, program, model, precision='auto'):
        self.program, self.model, self.precision = program, model, precision

    def call(self, *words, ok=(0,)):
        done = subprocess.run([self.program, '--precision', self.precision, *map(str, words)], capture_output=True, text=True)
        if done.returncode not in ok:
            raise SystemExit(f'{words[:4]}: exit {done.returncode}: {done.stderr.strip()[-400:]}')
        return done.stdout

    def embed(self, option, inputs):
        rows = []
        for at in range(0, len(inputs), 100):
            with tempfile.NamedTemporaryFile(suffix='.npy') as f:
                self.call('embed', '-m', self.model, *[w for x in inputs[at:at + 100] for w in (option, x)], '-o', f.name)
                rows.append(np.load(f.name))
        return np.concatenate(rows)

    def videos(self, paths):
        return self.embed('--video', paths)

    def texts(self, texts):
        return self.embed('--text', texts)

    def ingest(self, library, *paths):
        self.call('-L', library, 'ingest', '-q', '-m', self.model, *paths, ok=(0, 3))

    def search(self, library, sentences, k=10, *more):
        """For each sentence its hits, best first."""
        hits = {x: [] for x in sentences}
        with tempfile.NamedTemporaryFile('w') as f:
            f.write('\n'.join(hits) + '\n')
            f.flush()
            out = self.call('-L', library, 'search', '--queries', f.name, '--json', '--all', '-k', k, *more, ok=(0, 1))
        for hit in map(json.loads, out.splitlines()):
            hits[hit['query']].append(hit)
        return [hits[x] for x in sentences]


class Torch:
    """The same vectors from train/model.py; ingest and search are the program's alone."""

    def __init__(self, model, tokenizer):
        import sentencepiece
        import torch
        from probe import model_of
        torch.set_num_threads(1)
        self.torch, self.lvt = torch, model_of(model).eval()
        self.tokenizer = sentencepiece.SentencePieceProcessor(model_file=tokenizer)

    def frames(self, path, start=None, end=None):
        """The reference's rule: frame floor(i N / T) of N, Lanczos on bytes."""
        from PIL import Image
        probe = subprocess.run(['ffprobe', '-v', 'error', '-select_streams', 'v', '-show_entries', 'stream=width,height,r_frame_rate', '-of',
                                'json', path], capture_output=True, text=True, check=True)
        stream = json.loads(probe.stdout)['streams'][0]
        w, h = stream['width'], stream['height']
        raw = subprocess.run(['ffmpeg', '-v', 'error', '-threads', '1', '-i', path, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
                             capture_output=True, check=True).stdout
        all_frames = np.frombuffer(raw, np.uint8).reshape(-1, h, w, 3)
        if start is not None:
            top, bottom = map(float, stream['r_frame_rate'].split('/'))
            all_frames = all_frames[int(start * top / bottom):int(end * top / bottom)]
        t, side = self.lvt.cfg.frames, self.lvt.cfg.grid * 18
        picked = [all_frames[i * len(all_frames) // t] for i in range(t)]
        return np.stack([np.asarray(Image.fromarray(f).resize((side, side), Image.LANCZOS)) for f in picked])

    def videos(self, paths):
        rows = []
        with self.torch.no_grad(), self.torch.autocast('cpu', self.torch.bfloat16):
            for at in range(0, len(paths), 32):
                clip = np.stack([self.frames(*cut(p)) for p in paths[at:at + 32]])
                rows.append(self.lvt.video(self.torch.from_numpy(clip)).numpy())
        return np.concatenate(rows)

    def texts(self, texts):
        from captions import canonical
        lists = [self.tokenizer.encode(canonical(x))[:64] for x in texts]
        ids = np.zeros((len(lists), max(map(len, lists))), np.int64)
        for row, x in zip(ids, lists):
            row[:len(x)] = x
        with self.torch.no_grad():
            return self.lvt.words(self.torch.from_numpy(ids)).numpy()


def cut(path):
    """FILE@START-END as kinoseek writes it."""
    name, at, times = str(path).partition('@')
    return (name, *map(float, times.split('-'))) if at else (name,)


def make(args):
    return Kinoseek(args.program, args.model) if args.backend == 'kinoseek' else \
        Torch(args.model, args.tokenizer or str(pathlib.Path(args.model).with_suffix('.spm')))
