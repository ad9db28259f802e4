/* token.h - the tokenizer of the text tower. Private.
 *
 *   ks_tokenizer_open(&t, "sentencepiece.model", info.vocabulary, &e);
 *   ks_tokenizer_encode(&sentence, t, "A dog, jumping!", &e);      canonical form, ids, cut at 64
 *   ks_tokenizer_close(t); */
#ifndef KS_TOKEN_H
#define KS_TOKEN_H

#include "encoder/encoder.h"

typedef struct ks_tokenizer ks_tokenizer;

/* Read and judge a sentencepiece file: the released one by its SHA-256, any other by
 * ks_spm_walk. Its pieces must be `vocabulary` (0: any number). KS_ENOTFOUND, KS_EIO,
 * KS_EFORMAT, KS_ESHAPE. The library itself loads it at the first sentence. */
int ks_tokenizer_open(ks_tokenizer **out, const char *path, int vocabulary, ks_error *e);
void ks_tokenizer_close(ks_tokenizer *t);             /* NULL is fine */
const char *ks_tokenizer_hash(const ks_tokenizer *t); /* SHA-256 of the file, hex */

/* Canonicalise, tokenize, BOS first where the model has one, cut at KS_TEXT_MAX; what was cut is in
 * out->cut and out->lost. One thread at a time. KS_EUSAGE: not UTF-8 or too long; KS_EFORMAT: the
 * library does not take the file after all. */
int ks_tokenizer_encode(ks_sentence *out, ks_tokenizer *t, const char *words, ks_error *e);

/* The tokenizer of a model: `named`, else STEM.spm or tokenizer.model beside the model. *out
 * stays NULL if none is named and none is there. malloc'ed. */
int ks_tokenizer_find(char **out, const char *named, const char *model, ks_error *e);

#endif
