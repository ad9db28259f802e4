/* spm_charsmap.c - the character map of a sentencepiece normalizer, checked for every possible
 * text.
 *
 * Layout: uint32 size of the trie in bytes, the trie (darts-clone units, uint32 each), then the
 * rules' outputs, NUL-terminated. A unit u at p: label u & 0x800000ff, offset (u >> 10) << ((u &
 * 0x200) >> 6), leaf u & 0x100. A state is a base b; byte c leads to p = b ^ c if the label
 * there is c, on to base p ^ offset, where a leaf keeps its value (place in the outputs).
 * sentencepiece 0.1.97 checks nothing. */
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "encoder/spm_walk.h"

enum { UNSEEN = 0, OPEN = 255 }; /* else: 1 + the most leaves that lie below */

typedef struct {
    uint32_t base;
    /* place to try next; 0: none (0 is the root's own place, no state leads there) */
    uint32_t next;
} level;

typedef struct {
    const uint8_t *units; /* unaligned */
    uint32_t n;
    ks_bytes outputs;
    /* [n] places that base b leads to: first[b], sibling[first[b]] ... 0 */
    uint32_t *first, *sibling;
    uint8_t *below; /* [n] by base */
    level *path;
    size_t depth;
} walk;

static uint32_t unit(const walk *w, uint32_t p)
{
    uint32_t u;
    memcpy(&u, w->units + 4 * (size_t)p, sizeof u);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    u = __builtin_bswap32(u);
#endif
    return u;
}

static uint32_t offset(uint32_t u) { return (u >> 10) << ((u & 0x200) >> 6); }

static const char *check_rule(const walk *w, uint32_t base)
{
    uint32_t at = unit(w, base) & 0x7fffffff;
    if (at >= w->outputs.n) return "a rule of its character map lies outside it";
    const uint8_t *rule = w->outputs.at + at;
    size_t most = w->outputs.n - at <= KS_SPM_RULE_MAX ? w->outputs.n - at : KS_SPM_RULE_MAX + 1;
    const uint8_t *end = memchr(rule, 0, most);
    if (!end) return "a rule of its character map is too long";
    return u8_check(rule, (size_t)(end - rule)) ? "a rule of its character map is not UTF-8" : NULL;
}

/* A state is entered; every byte from it must stay inside. */
static const char *enter(walk *w, uint32_t base)
{
    if (base == 0) return "the trie of its character map leads back to its start";
    if (base >= w->n || (base | 0xff) >= w->n)
        return "the trie of its character map leads outside itself";
    w->below[base] = OPEN;
    w->path[w->depth++] = (level){base, w->first[base]};
    return NULL;
}

/* A place p with label c can be led to from one base only, p ^ c: so all edges are found in one
 * pass. */
static void find_edges(walk *w)
{
    for (uint32_t p = 1; p < w->n; p++) {
        uint32_t u = unit(w, p), base = p ^ (u & 0xff);
        if (u & 0x80000000 || base >= w->n) continue;
        w->sibling[p] = w->first[base];
        w->first[base] = p;
    }
}

/* All states below are known: count the rules that a text can meet from here on. */
static const char *leave(walk *w, uint32_t base)
{
    int most = 0;
    for (uint32_t p = w->first[base]; p; p = w->sibling[p]) {
        uint32_t u = unit(w, p), to = p ^ offset(u);
        const char *wrong = u & 0x100 ? check_rule(w, to) : NULL;
        if (wrong) return wrong;
        int here = w->below[to] - 1 + (u & 0x100 ? 1 : 0);
        if (here > most) most = here;
    }
    if (most > KS_SPM_NESTED_MAX) return "too many rules of its character map begin each other";
    w->below[base] = (uint8_t)(most + 1);
    w->depth--;
    return NULL;
}

/* Depth first over all states, each once; the path is ours, not the machine's stack. */
static const char *run(walk *w)
{
    uint32_t root = unit(w, 0);
    /* With no label of its own, place 0 can be reached from base 0 alone, and enter() refuses
     * that. */
    const char *wrong = root & 0x800000ff ? "the trie of its character map has no root"
                                          : enter(w, offset(root));
    while (!wrong && w->depth) {
        level *top = &w->path[w->depth - 1];
        uint32_t p = top->next;
        if (p == 0) {
            wrong = leave(w, top->base);
            continue;
        }
        uint32_t to = p ^ offset(unit(w, p));
        top->next = w->sibling[p];
        if (to >= w->n) wrong = "the trie of its character map leads outside itself";
        else if (w->below[to] == OPEN) wrong = "the trie of its character map runs in a circle";
        else if (w->below[to] == UNSEEN) wrong = enter(w, to);
    }
    return wrong;
}

const char *ks_spm_charsmap(ks_bytes map)
{
    if (map.n < 4) return "its character map is cut short";
    uint64_t bytes = (uint64_t)map.at[0] | (uint64_t)map.at[1] << 8 | (uint64_t)map.at[2] << 16 |
                     (uint64_t)map.at[3] << 24;
    if (bytes % 4 || bytes < 4 || bytes >= map.n - 4)
        return "the trie of its character map has a wrong size";
    if (bytes / 4 > KS_SPM_TRIE_MAX) return "the trie of its character map is too large";
    walk w = {.units = map.at + 4,
              .n = (uint32_t)(bytes / 4),
              .outputs = {map.at + 4 + bytes, map.n - 4 - bytes}};
    const char *wrong = "memory";
    w.below = calloc(w.n, 1);
    w.first = calloc(w.n, sizeof *w.first);
    w.sibling = calloc(w.n, sizeof *w.sibling);
    w.path = malloc((size_t)w.n * sizeof *w.path);
    if (w.below && w.first && w.sibling && w.path) {
        find_edges(&w);
        wrong = run(&w);
    }
    free(w.first);
    free(w.sibling);
    free(w.below);
    free(w.path);
    return wrong;
}
