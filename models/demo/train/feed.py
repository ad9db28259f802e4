"""Draws in a process of its own. What step N gets depends on the seed and N alone, so that a run can go on anywhere."""
import multiprocessing
import signal

import numpy as np

from crops import Crops
from data import World


class Artist:
    def __init__(self, sprites, tokenizer, seed, easy=False):
        import sentencepiece as spm
        tokenizer = spm.SentencePieceProcessor(model_file=tokenizer)
        self.world = World(np.load(sprites, mmap_mode='r')[:, :4], tokenizer, seed, pool_seed=seed)
        self.crops = Crops(self.world.drawer, self.world.images, self.world.conditions, None)
        self.seed = seed
        if easy:
            self.world.chooser.easy()

    def reseed(self, step):
        world = self.world
        world.rng, world.chooser.rng, world.writer.rng, world.conditions.rng, self.crops.rng = \
            (np.random.default_rng([self.seed, step, k]) for k in range(5))

    def draw(self, step, plan):
        self.reseed(step)
        clips = self.world.batch(plan.batch_of(step), plan.frames_of(step), plan.keep)
        return clips, self.crops.batch(plan.crops, 3 + step % 2) if plan.crops else None


def fill(queue, sprites, tokenizer, seed, plans, first, easy):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    artist = Artist(sprites, tokenizer, seed, easy)
    for step, plan in plans:
        if step >= first:
            queue.put(artist.draw(step, plan))


class Feed:
    def __init__(self, sprites, tokenizer, seed, plans, first, easy=False, ahead=6):
        context = multiprocessing.get_context('fork')
        self.queue = context.Queue(ahead)
        self.process = context.Process(target=fill, args=(self.queue, sprites, tokenizer, seed, plans, first, easy), daemon=True)
        self.process.start()

    def next(self):
        return self.queue.get()

    def stop(self):
        self.process.terminate()


