"""Trains the sentencepiece model: unigram, byte fallback, ids as the official tokenizer has them."""
import argparse
import io
import unicodedata

import sentencepiece as spm

import ground
from captions import Writer, canonical
from scenes import Chooser
from things import THINGS


def corpus(n, seed):
    """Captions, every name on its own, and ordinary words: those of the Unicode character names."""
    grounds, _ = ground.pool(seed, 300, 8)
    chooser, writer = Chooser(seed, grounds), Writer(seed)
    for _ in range(n):
        yield canonical(writer.natural(chooser.scene())[0])
        yield canonical(writer.full(chooser.scene())[0])
    for thing in THINGS:
        for name in thing.names + thing.plurals:
            for _ in range(30):
                yield canonical(name)
    for code in list(range(0x2000, 0x3000)) + list(range(0x1f300, 0x1fa00)):
        name = unicodedata.name(chr(code), '')
        if name and 'BRAILLE' not in name and 'IDEOGRAPH' not in name:
            yield canonical(name.replace('-', ' '))


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out')
    parser.add_argument('--vocabulary', type=int, default=2500)
    parser.add_argument('--captions', type=int, default=15000)
    args = parser.parse_args()
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(list(corpus(args.captions, 11))), model_writer=model, vocab_size=args.vocabulary,
        model_type='unigram', byte_fallback=True, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, character_coverage=1.0,
        normalization_rule_name='nmt_nfkc', num_threads=1, minloglevel=2)
    with open(args.out, 'wb') as f:
        f.write(model.getvalue())
