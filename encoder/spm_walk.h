/* spm_walk.h - a bounded look at a sentencepiece model before the library sees it. Private. */
#ifndef KS_SPM_WALK_H
#define KS_SPM_WALK_H

#include "ks.h"

enum {
    KS_SPM_BYTES_MAX = 32 << 20, /* a vocabulary of 262,144 pieces needs 5 MB */
    KS_SPM_PIECES_MAX = 1 << 20,
    /* bytes; the library builds its trie by recursion, a level a byte */
    KS_SPM_PIECE_MAX = 512,
    /* pieces or rules that begin each other; the library keeps 32 (rules), 64 (user-defined) */
    KS_SPM_NESTED_MAX = 32,
    /* bytes that one rule of the character map may write; NFKC's longest is 33 */
    KS_SPM_RULE_MAX = 255,
    KS_SPM_TRIE_MAX = 1 << 20,     /* units of the character map's trie; NFKC has 60,000 */
    KS_SPM_SELF_TEST_MAX = 1 << 20 /* bytes of samples, which the library encodes when it loads */
};

typedef struct {
    const uint8_t *at;
    size_t n;
} ks_bytes;

/* A unigram model of sound pieces and character maps, or KS_EFORMAT with a sentence that begins
 * with path. *pieces: how many. Reads each byte a bounded number of times; memory of a few times
 * the file. */
int ks_spm_walk(int *pieces, ks_bytes model, const char *path, ks_error *e);

/* The character map alone (spm_charsmap.c): every walk of its double-array trie, whatever the
 * text, stays inside it, ends, meets at most KS_SPM_NESTED_MAX rules, and each rule is a short
 * UTF-8 string. Returns NULL or what is wrong with it; "memory" if there is none. */
const char *ks_spm_charsmap(ks_bytes map);

#endif
