/* rows.h - a row and the struct it stands for, each with its checksum: a part of catalog.h, which
 * includes it. */
#ifndef KS_INDEX_ROWS_H
#define KS_INDEX_ROWS_H

#ifndef KS_CATALOG_H
#error "include index/catalog.h"
#endif

/* --- clip_rows.c, video_rows.c --- */
/* rows of a video; space 0: all */
int ks_clips_delete(ks_index *x, int64_t video, int64_t space, ks_error *e);
int ks_clip_delete(ks_index *x, int64_t clip, ks_error *e);
typedef struct {      /* a row of `video` as stored */
    ks_video v;       /* path, size, mtime_ns, device, inode are of table path: zero here */
    int64_t space;    /* finished in this one; 0 = unfinished */
    int64_t finished; /* generation at which searches began to see it; 0 = they do not */
    /* in its space when it was finished: how repair knows that some are lost */
    int64_t clips;
    char reason[256];
} ks_video_row;
int ks_video_read(ks_video_row *out, ks_index *x, int64_t id, ks_error *e); /* 1, 0 = not there */
int ks_video_write(const ks_video_row *row, ks_index *x, ks_error *e);
/* all rows of it; inside a transaction */
int ks_video_drop(ks_index *x, int64_t id, ks_error *e);
/* --- source_rows.c: the fields of ks_video from `timecode` to `rate_den`, by v->id --- */
int ks_source_read(ks_video *v, ks_index *x, ks_error *e); /* cleared where there is no row */
int ks_source_write(const ks_video *v, ks_index *x, ks_error *e);
/* --- name_rows.c: what a film is called, by its paths as they stand --- */
int ks_name_keep(ks_index *x, int64_t video, ks_error *e);
int ks_name_drop(ks_index *x, int64_t video, ks_error *e);
int ks_names_make(ks_index *x, ks_error *e); /* of all films, anew */
/* --- hub_blob.c --- */
/* of a clip of a mirror, from its hub: 1 (the caller frees), 0 there is none or no hub */
int ks_hub_blob(void **data, size_t *bytes, int64_t *frames, ks_index *x, ks_table_tag table,
                int64_t clip, ks_error *e);
/* --- subtitle_rows.c --- */
int ks_subtitles_drop_film(ks_index *x, int64_t video, ks_error *e);
/* --- label_rows.c --- */
/* what was said of it stays, for the day it comes back */
int ks_labels_drop_film(ks_index *x, int64_t video, ks_error *e);
/* 18 columns and sum from `at`; 0 = rotten */
int ks_video_from_row(ks_video_row *out, sqlite3_stmt *s, int at);
/* 7 columns and sum; 0 = rotten */
int ks_clip_from_row(ks_clip *out, int64_t *space, sqlite3_stmt *s, int at);
/* half[KS_MAX_DIM] */
int ks_clip_half(uint16_t *half, int *dim, ks_clip *clip, ks_index *x, int64_t id, ks_error *e);
/* Its clips as searches see them change: what search copies hold of it is dead from the next
 * generation on. ks_video_show then makes it visible again at that generation. Both keep the
 * library's counts. */
int ks_video_hide(ks_index *x, ks_library_row *library, ks_video_row *row, ks_error *e);
int ks_video_show(ks_index *x, ks_library_row *library, ks_video_row *row, ks_error *e);

#endif
