/* pack.h - the cache of packs: aligned weights in a file that a start only maps.
 *
 * A cache folder holds, for a model of hash H:
 *   H.f32      a pack: 4096 bytes of header, then the payload, written whole, then renamed into
 *              place
 *   H.f32.ok.files  device, inode, size, mtime, ctime of the pack as it was checked in full
 *   H.files    the same of each model file that was checked in full: only for those the pack
 *              vouches
 *   H.vectors  vectors kept between runs (kept.c)
 *   H.eval     those of films and texts that eval made (kept_log.c)
 * and for all models cpu.choice (dispatch.c).
 * A pack that its .ok.files does not know is checked against the CRC-32 in its header once more,
 * or made anew. Anything here may be deleted at any time. */
#ifndef KS_PACK_H
#define KS_PACK_H

#include "ks.h"

#include <sys/stat.h>

typedef struct ks_cache ks_cache;
typedef struct ks_pack_sink ks_pack_sink;

typedef struct {
    const uint8_t *data; /* payload, 64-byte aligned, read-only */
    size_t bytes;
    void *base;    /* what to unmap */
    size_t mapped; /* bytes at base */
    int in_memory; /* 1: there was no room for a file */
} ks_pack;

/* folder NULL: $XDG_CACHE_HOME/kinoseek, else $HOME/.cache/kinoseek; made when something is
 * written. Without any of them the cache is "nowhere" and every pack stays in memory. KS_ENOMEM
 * only. */
int ks_cache_open(ks_cache **c, const char *folder, void (*notice)(void *, const char *),
                  void *notice_arg, ks_error *e);
void ks_cache_close(ks_cache *c); /* NULL is fine */
/* malloc'ed "folder/hash.suffix", or NULL when there is no memory or no folder. */
char *ks_pack_path(const ks_cache *c, const char *hash, const char *suffix);
/* Replace a small file of the cache, all or nothing. Best effort: what cannot be written is
 * found out again. */
void ks_cache_put_text(const char *path, const char *text);

/* Write n bytes at `at` of the payload; offsets may come in any order, gaps read as zeros. */
int ks_pack_put(ks_pack_sink *s, size_t at, const void *data, size_t n, ks_error *e);
typedef int ks_pack_fill(void *arg, ks_pack_sink *s, ks_error *e);

/* Which pack: hash.suffix of a cache, with just this many bytes of payload. */
typedef struct {
    ks_cache *cache;
    const char *hash, *suffix; /* under 72 and 24 characters */
    size_t bytes;
} ks_pack_name;

/* Map a pack; where there is none (or a damaged one) make it with fill: into a file, or, where
 * that has no room or no permission, into memory, with one notice. Errors of fill come through;
 * a pack whose fill failed is never seen by anybody. */
int ks_pack_open(ks_pack *p, const ks_pack_name *name, ks_pack_fill *fill, void *arg, ks_error *e);
/* The same without making one: KS_ENOTFOUND. */
int ks_pack_find(ks_pack *p, const ks_pack_name *name, ks_error *e);
void ks_pack_close(ks_pack *p);

/* Has just this file (by device, inode, size, mtime, ctime) been checked in full? Best effort: a
 * failure to remember costs another check and nothing else. note: up to 80 characters kept with the
 * file (safetensors: its hash), "" = none. */
int ks_cache_vouches(ks_cache *c, const char *key, const struct stat *st, char note[96]);
void ks_cache_vouch(ks_cache *c, const char *key, const struct stat *st, const char *note);
/* Wait until a later change of this file must show in its ctime (at most 50 ms, just-written
 * files only). */
void ks_cache_settle(const struct stat *st);

#endif
