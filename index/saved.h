/* saved.h - kept queries: a part of index.h, which includes it. */
#ifndef KS_INDEX_SAVED_H
#define KS_INDEX_SAVED_H

#ifndef KS_INDEX_H
#error "include index/index.h"
#endif

/* --- kept queries --- (saved_rows.c) what `save` keeps, and its hits in films that came since:
 * each is told once */
typedef struct {
    char *name, *query;    /* query: as its keeper wrote it, UTF-8 */
    int64_t seen;          /* the generation up to which it was asked */
    int64_t told, waiting; /* hits */
} ks_saved;
typedef struct {
    ks_saved *at; /* [n] by name */
    int n;
} ks_saved_list;
typedef struct {
    int64_t video, start, end; /* ticks */
    const char *text;          /* what will be told, UTF-8 */
} ks_saved_hit;
int ks_index_saved(ks_saved_list *out, ks_index *x, ks_error *e);
void ks_saved_free(ks_saved_list *list); /* zeros are fine */
/* writer. KS_EUSAGE: there is one */
int ks_index_save(ks_index *x, const char *name, const char *query, ks_error *e);
int ks_index_forget_saved(ks_index *x, const char *name, ks_error *e); /* writer. 1, 0: no such */
/* Writer: what it found up to generation `seen`; what overlaps an earlier hit of the film is
 * known already. */
int ks_index_saved_add(ks_index *x, const char *name, int64_t seen, const ks_saved_hit *hits, int n,
                       ks_error *e);
/* What was found for `name`, told or not, the newest first, at most `most`. A hit that was told has
 * no text. Non-zero stops. */
typedef int ks_on_saved_hit(void *arg, const ks_saved_hit *hit, int told);
int ks_index_saved_hits(ks_index *x, const char *name, int most, ks_on_saved_hit *each, void *arg,
                        ks_error *e);
/* Writer: hands every hit that waits to tell(), which returns 0, or < 0: not handed over, which
 * stops. A process killed on the way has handed over exactly what is noted, but for the instant
 * between tell's last system call and the note. */
typedef int ks_tell(void *arg, const char *name, const ks_saved_hit *hit, ks_error *e);
int ks_index_saved_tell(ks_index *x, ks_tell *tell, void *arg, ks_error *e);

#endif
