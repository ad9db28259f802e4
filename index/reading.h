/* reading.h - rows as a reader walks them, and what it asks for: a part of index.h, which
 * includes it. */
#ifndef KS_INDEX_READING_H
#define KS_INDEX_READING_H

#ifndef KS_INDEX_H
#error "include index/index.h"
#endif

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
/* 1: it leaves something out; f may be NULL */
int ks_filter_bounded(const ks_filter *f);
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
/* 1: the library changed and this handle cannot see it, as it reads a copy (of a folder that may
 * not be written, or on a full disk): open it again. Else 0, whatever was written. */
int ks_index_outdated(const ks_index *x);
/* counts a film that was left out because no path of it is to be had */
void ks_index_nameless(ks_index *x, int64_t video);

#endif
