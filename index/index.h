/* index.h - rows, vectors and neighbours: the catalog (SQLite, the truth) and its search copies.
 *
 *   ks_index_open(&x, dir, KS_READ, &e);
 *   ks_index_search(&found, x, q, D, 10, NULL, KS_SEARCH_AUTO, &e);   q[D] -> neighbours
 *   ks_index_close(x);
 *
 * A library is one folder: catalog.db and vectors.*; the invariants are numbered in catalog.c
 * (DESIGN 3). One writer at a time (lock file, dies with the process: KS_EBUSY); readers are
 * read-only and never write anything. A handle belongs to one thread at a time. */
#ifndef KS_INDEX_H
#define KS_INDEX_H

#include "index/bounds.h"
#include "ks.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ks_index ks_index;
/* KS_CREATE: write, made if absent */
typedef enum { KS_READ = 0, KS_WRITE = 1, KS_CREATE = 2 } ks_mode;

/* KS_ENOLIBRARY, KS_EBUSY, KS_EDAMAGED, KS_EIO. */
int ks_index_open(ks_index **x, const char *dir, ks_mode mode, ks_error *e);
void ks_index_close(ks_index *x);                /* NULL is fine */
void ks_index_threads(ks_index *x, int threads); /* of a scan; 0: as many as cores (default) */

/* --- the library itself --- */
typedef struct {
    char id[33];    /* random, hex */
    ks_space space; /* of the stored vectors; dim 0 while none is fixed */
    char model_path[4096], tokenizer_path[4096]; /* last path each was seen at */
    int64_t videos, clips;                       /* searchable ones */
    int64_t generation; /* grows with every commit that changes what a search sees */
    int64_t space_id;   /* of `space`, as in ks_video.space; 0 while none is fixed */
    int switching;      /* 1: another space is being filled beside it */
    ks_space next;      /* the space a writer fills; equals `space` when not switching */
    char next_model_path[4096], next_tokenizer_path[4096];
    int64_t next_id;
} ks_library;
int ks_index_library(ks_library *out, ks_index *x, ks_error *e);
/* Fix the space (first ingest), or check it: KS_ESPACE names both. `paths` are remembered. */
int ks_index_set_space(ks_index *x, const ks_space *space, const char *model_path,
                       const char *tokenizer_path, ks_error *e);
/* --switch: fill `space` beside the old one (the old one again: call the switch off). Searches
 * go on in the old. */
int ks_index_switch_space(ks_index *x, const ks_space *space, const char *model_path,
                          const char *tokenizer_path, ks_error *e);
/* When every searchable video is finished in the new space (ks_video.space == next_id): *done 1,
 * the new replaces the old. */
int ks_index_finish_switch(int *done, ks_index *x, ks_error *e);
/* Small settings of a library (folders named before, excludes, calibration ...): key -> bytes. */
/* data NULL: away with it */
int ks_index_put(ks_index *x, const char *key, const void *data, size_t bytes, ks_error *e);
/* *data NULL if absent; caller frees */
int ks_index_get(void **data, size_t *bytes, ks_index *x, const char *key, ks_error *e);

/* --- files and their verdicts (writer) --- */
typedef struct {
    int64_t id;             /* video id; one per content, several paths may share it */
    const char *path;       /* bytes, absolute, NUL-terminated; borrowed */
    int64_t size, mtime_ns; /* as stat says */
    uint64_t device, inode;
    /* size, xxh64 of first/middle/last part; one of two files that differ elsewhere has its hash
     * of all bytes mixed in (ingest/identity.h) */
    uint8_t content[24];
    ks_verdict verdict;
    const char *reason; /* "" where there is none */
    int attempts;       /* failed ones */
    ks_timebase tb;     /* of all its clips */
    int64_t duration;   /* ticks, from decoded frames: where the last picture ends */
    /* out: ticks, where the first picture begins: sound may come before it. Known once the film
     * is wholly in; 0 until then */
    int64_t first;
    double seconds_missing;
    int64_t film_date; /* seconds since 1970 UTC; what it came from is date_source */
    int date_source;   /* KS_DATE_* */
    int width, height; /* as shown */
    double fps;
    int flags; /* KS_VIDEO_* */
    /* label at time 0: "14:03:22:05", drop-frame "14:03:22;05"; "" none */
    char timecode[16];
    char reel[64]; /* "" none */
    /* frames a second, exactly; 0: not known, or they vary (KS_VIDEO_VFR) */
    int rate_num, rate_den;
    /* in: of all bytes, for ks_index_end_video to keep; 0: not known */
    uint64_t full_hash;
    /* out: finished in this one (ks_library.space_id, next_id); 0 = unfinished */
    int64_t space;
    int64_t finished; /* out: > 0 = searches see it */
} ks_video;
enum {
    KS_DATE_MTIME = 0,
    KS_DATE_NAME = 1,
    KS_DATE_CONTAINER = 2,
    KS_DATE_MAKER = 3 /* the maker's own tag in it */
};
enum {
    KS_VIDEO_INTERLACED = 1,
    KS_VIDEO_INFERRED_TIMES = 2,
    KS_VIDEO_HDR = 4,
    KS_VIDEO_HWACCEL = 8,
    KS_VIDEO_VFR = 32,
    KS_VIDEO_SURVEY = 64 /* searched by its survey: the whole pass is to come */,
    KS_VIDEO_LOST =
        /* rotten clips were dropped: encode what is missing again, then end it without this flag */
    16
};

/* Stored with a clip. vector[D] is fp32 of unit length and is kept as fp16; frames[T,D] (may be
 * NULL) is kept as int8 with one scale a frame; jpeg (may be NULL) is the thumbnail. All
 * borrowed. */
typedef struct {
    ks_clip clip;
    const float *vector;        /* [D] */
    const float *frame_vectors; /* [clip.frames, D] */
    const uint8_t *jpeg;
    size_t jpeg_bytes;
} ks_clip_data;

/* The video with this content, made (verdict NONE) if there is none; its path is set. Clips may
 * follow. A path that named another content before leaves that video; one without paths is
 * dropped with all its clips. */
int ks_index_add_video(int64_t *id, ks_index *x, const ks_video *video, ks_error *e);
/* One durable transaction, in the space a writer fills; a clip that is in already (same start
 * and end) is left as it is. KS_EFORMAT: a vector is not finite or not of unit length. */
int ks_index_add_clips(ks_index *x, int64_t video, const ks_clip_data *clips, int n, ks_error *e);
/* The verdict (INDEXED, PARTLY: searches see it now; SKIPPED, FAILED: its clips go) and all
 * fields; path may be NULL. */
int ks_index_end_video(ks_index *x, const ks_video *video, ks_error *e);
/* renamed, moved, copied: a path of video->id */
int ks_index_set_path(ks_index *x, const ks_video *video, ks_error *e);
int ks_index_put_full_hash(ks_index *x, int64_t video, uint64_t hash, ks_error *e);
/* Where a film's key frames lie, a second apart at least (keys->tb is the film's); n 0: away
 * with them. Read: *at[*n], the caller frees; none where the library is older, or the row is
 * rotten. */
int ks_index_put_keys(ks_index *x, int64_t video, const ks_keys *keys, ks_error *e);
int ks_index_keys(ks_key **at, int *n, ks_index *x, int64_t video, ks_error *e);
/* 1, 0 = not known */
int ks_index_full_hash(uint64_t *hash, ks_index *x, int64_t video, ks_error *e);
/* the last path of a video drops it */
int ks_index_drop_path(ks_index *x, const char *path, ks_error *e);
/* a file or all below a folder */
int ks_index_relocate(int64_t *changed, ks_index *x, const char *from, const char *to, ks_error *e);
/* Several of the calls above as one transaction: ks_index_begin ... ks_index_end(x, code, e),
 * which returns code
 * (negative: nothing of it is kept) or the commit's own error. */
int ks_index_begin(ks_index *x, ks_error *e);
int ks_index_end(ks_index *x, int code, ks_error *e);

/* From here to ks_index_release all calls on x read one state, whatever a writer does meanwhile:
 * one a command, or one a question where questions come one by one (the writer's log cannot
 * shrink past the oldest). They nest by counting. */
int ks_index_snapshot(ks_index *x, ks_error *e);
void ks_index_release(ks_index *x);

/* Patterns on names that are any bytes, whatever the locale: '*' and '?' stay within a folder
 * name (any_folder: they do not), '**' crosses '/', [a-z] and [!a-z] are sets of bytes, '\'
 * takes the next byte as it is. 1: all of text matches. */
int ks_glob(const char *pattern, const char *text, int any_folder);

/* --- reading rows --- each returns 1 = a row, 0 = end, < 0 = error; pointers valid until the
 * next call. A rotten row is left out by a reader's cursor and counted (ks_index_damaged); a
 * writer's says KS_EDAMAGED, for it has to act, and goes on with the next one. */
typedef struct ks_cursor ks_cursor;
typedef struct ks_filter {
    /* without '/': on the file name; else on the whole path or its end; * matches '/' too; NULL:
     * all */
    const char *path_glob;
    /* after <= film date < before, seconds since 1970; 0 = no bound */
    int64_t after, before;
    double longer, shorter; /* clip seconds, exclusive; 0 = no bound */
    int64_t video;          /* 0 = all */
    /* filters nothing: of a film's paths, which one it is shown under, where a file is; NULL */
    const char *shown;
    /* only films that searches see since after this generation; 0 = no bound */
    int64_t newer;
    double film_longer, film_shorter; /* seconds of the film, exclusive; 0 = no bound */
    int min_height;                   /* pixels of the film as shown, at least; 0 = no bound */
    /* 1 wider than high, 2 higher than wide, 3 as wide as high; 0 = all */
    int orientation;
    int bad_only; /* files: verdict not indexed */
    /* clips: of unfinished videos too, in the space a writer fills (to resume) */
    int unfinished_too;
    /* stored label, or one above it: clips half of which, or of whose span, bear it; NULL: all */
    const char *label;
    /* of ks_match_read: clips near a line of subtitles that matches; NULL: all */
    const char *said;
} ks_filter;
int ks_index_files(ks_cursor **c, ks_index *x, const ks_filter *f, ks_error *e);
int ks_files_next(ks_video *out, ks_cursor *c, ks_error *e); /* one row a path */
int ks_index_clips(ks_cursor **c, ks_index *x, const ks_filter *f, ks_error *e);
/* by video, start; a reader's KS_EDAMAGED is a page: the next call is 0 */
int ks_clips_next(ks_clip *out, ks_cursor *c, ks_error *e);
void ks_cursor_close(ks_cursor *c);
/* first path; KS_ENOTFOUND */
int ks_index_video(ks_video *out, ks_index *x, int64_t id, ks_error *e);
int ks_index_find(ks_video *out, ks_index *x, const char *path, ks_error *e); /* 1 found, 0 not */
/* 1, 0 */
int ks_index_find_content(ks_video *out, ks_index *x, const uint8_t content[24], ks_error *e);
int ks_index_clip(ks_clip *out, ks_index *x, int64_t id, ks_error *e);
/* Up to max searchable clips, spread evenly over the ids, in their order; as many look-ups,
 * however large the library. */
int ks_index_sample(ks_clip *out, int *n, int max, ks_index *x, ks_error *e);
/* [dim] of the searched space, else KS_ESPACE */
int ks_index_clip_vector(float *v, int dim, ks_index *x, int64_t id, ks_error *e);
/* caller frees; *jpeg NULL if none */
int ks_index_thumbnail(uint8_t **jpeg, size_t *bytes, ks_index *x, int64_t id, ks_error *e);
/* [T,dim], caller frees; *v NULL if none */
int ks_index_frame_vectors(float **v, int *frames, int dim, ks_index *x, int64_t id, ks_error *e);
/* rows that this handle met and left out, each once: say so, and name kinoseek repair */
int64_t ks_index_damaged(const ks_index *x);
/* counts a film that was left out because no path of it is to be had */
void ks_index_nameless(ks_index *x, int64_t video);

/* --- nearest neighbours --- exact means: score of the stored fp16 vector in one fixed order of
 * operations with fp32 accumulation, ties by clip id; every path gives the same (DESIGN 3.2). */
typedef struct {
    int64_t clip;
    float cosine;
} ks_neighbour;
typedef struct {
    ks_neighbour *at; /* [count], best first; ks_found_free */
    ks_clip *clips;   /* [count] the row of each, read once, with its vector's check */
    int count;
    int all;          /* 1: a larger k gives no more */
    int64_t searched; /* vectors in the result set that was searched */
    /* of them, those that no search copy holds: read from the catalog, a hundred times slower */
    int64_t uncopied;
    /* rotten rows that were left out: say so, and name kinoseek repair */
    int64_t damaged;
    int approximate; /* 1: FAISS chose the candidates */
} ks_found;
typedef enum { KS_SEARCH_AUTO = 0, KS_SEARCH_EXACT = 1, KS_SEARCH_ANN = 2 } ks_search;
/* q[dim] finite, dim of the library's space. k nearest of what the filter lets through (NULL:
 * all). */
int ks_index_search(ks_found *out, ks_index *x, const float *q, int dim, int k, const ks_filter *f,
                    ks_search how, ks_error *e);
void ks_found_free(ks_found *found);
/* Scores of n queries against every searchable clip, in blocks: visit(arg, clips[m],
 * scores[n,m], m); non-zero stops. */
typedef int ks_scores(void *arg, const ks_clip *clips, const float *scores, int m);
int ks_index_scores(ks_index *x, const float *q, int n, int dim, const ks_filter *f,
                    ks_scores *visit, void *arg, ks_error *e);
/* writer: bring the search copies up to date; final merges segments */
int ks_index_publish(ks_index *x, int final, ks_error *e);

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

/* --- care --- */
typedef struct {
    int64_t videos, paths, clips, unfinished, bad;
    int64_t surveyed; /* of videos: by their survey alone */
    double seconds;   /* of video indexed */
    int64_t bytes_catalog, bytes_copies, bytes_clips, bytes_frames, bytes_thumbnails;
    double recall;      /* measured recall@10 of the FAISS copy; < 0 if there is none */
    char copy[64];      /* "exact", "IVF1024" ...; "" if none */
    int64_t writer_pid; /* 0 = nobody writes now */
} ks_index_state;
/* of video that searches see; counted along */
int ks_index_seconds(double *out, ks_index *x, ks_error *e);
/* of videos: by their survey alone */
int ks_index_surveyed(int64_t *out, ks_index *x, ks_error *e);
int ks_index_status(ks_index_state *out, ks_index *x, ks_error *e);
/* Each finding: number of the invariant and one sentence; returns the count of findings or < 0. */
typedef void ks_finding(void *arg, int invariant, int64_t clip, const char *sentence);
int ks_index_check(ks_index *x, ks_finding *found, void *arg, ks_error *e);
/* repair: rotten ones, to be encoded again */
int ks_index_drop_clips(ks_index *x, const int64_t *clips, int n, ks_error *e);
/* rebuild what can be rebuilt; saves every readable row */
int ks_index_repair(const char *dir, ks_finding *did, void *arg, ks_error *e);
/* consistent while others write */
int ks_index_backup(ks_index *x, const char *to, ks_error *e);
int ks_index_compact(ks_index *x, ks_error *e);
/* Speed of the exact scan over made vectors in memory; out fields below `seconds`. */
typedef struct {
    int64_t rows;
    int dim, k, threads, clustered, rounds;
    /* best of rounds, one query: the scan; every row scored from fp16 */
    double seconds, seconds_plain;
    double bytes, bytes_plain; /* read by each */
    /* bytes a second that the same threads only read, in the same run */
    double limit;
    int64_t rescored; /* rows a query that the codes could not leave out */
    int same;         /* 1: both gave the same neighbours and bits */
    char cpu[24];
} ks_scan_bench;
int ks_index_bench_scan(ks_scan_bench *b, ks_error *e);
const char *ks_reason_name(ks_reason reason);
const char *ks_verdict_name(ks_verdict verdict);
/* IEEE binary16, to nearest even; a stored vector's own bits */
uint16_t ks_half_from_float(float f);
const char *ks_date_source_name(int source); /* "mtime", "name", "container", "maker" */
int ks_index_about(ks_fact *facts, int max);

#include "index/hub.h"    /* several machines */
#include "index/labels.h" /* labels that stay */
#include "index/texts.h"  /* names, subtitles */

#ifdef __cplusplus
}
#endif
#endif
