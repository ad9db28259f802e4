/* hub_pull.h - a pull under way, for the files of index/ that are one: hub_pull.c (the whole),
 * hub_pull_films.c, hub_pull_clips.c, hub_pull_paths.c. */
#ifndef KS_HUB_PULL_H
#define KS_HUB_PULL_H

#include "index/hub_rows.h"

enum { KS_PULL_SPACES = 16 }; /* of `what`: no film, both spaces of a hub that is being switched */

typedef struct {
    ks_index *x;
    ks_hub *h;
    const ks_hub_roots *roots;
    int what;
    ks_hub_pulled *out;
    ks_library_row library; /* writing: the hub's; space: another one until a switch is pulled */
    ks_space space;         /* of the hub */
    int64_t had, kept;      /* the revision that x held before; and of what people keep */
    int64_t unwritten;      /* clips of the transaction under way */
    const char *path;       /* UNFINISHED: where the film lies here */
    const ks_hub_job *job;
    /* the film at work */
    ks_video_row row;
    int64_t finished, made, revision, hash, top;
} ks_pull;

/* A row of the hub is left out: counted, and the first of them named. */
void ks_pull_refuse(ks_pull *p, const char *what, int64_t id, const char *why);
/* A number from `least` to INT32_MAX; a text without a NUL that fits `room`. 1, 0: it is none */
int ks_pull_is_int(const ks_pq_rows *r, int i, int column, int64_t least);
int ks_pull_text(char *to, size_t room, const ks_pq_rows *r, int i, int column);

/* --- hub_pull_clips.c --- */
int ks_pull_clips(ks_pull *p, ks_error *e); /* of the film at work */

/* --- hub_pull_paths.c --- */
/* Where rel[n] of a root lies here; else a place that no film can have. malloc'ed */
char *ks_pull_here(const ks_pull *p, const char *root, const char *rel, size_t n);
int ks_pull_paths(ks_pull *p, ks_error *e); /* of the film at work */
int ks_pull_all_paths(ks_pull *p, ks_error *e);
/* With other roots than the last time every path is another: 1, and what they are. */
int ks_pull_other_roots(ks_pull *p, char **now, ks_error *e);
int ks_pull_note_roots(ks_pull *p, ks_error *e);   /* 1: they are others */
int ks_pull_note_folders(ks_pull *p, ks_error *e); /* a film's name begins below its root */

/* --- hub_kept.c --- */
int ks_pull_kept(ks_pull *p, int roots_changed, ks_error *e);

/* --- hub_pull_films.c --- */
#define KS_PULL_FILM                                                                               \
    "SELECT id, content, space, finished, verdict, reason, attempts, tb_num, tb_den, duration, "   \
    "seconds_missing, film_date, date_source, width, height, fps, flags, clips, sum, "             \
    "coalesce(hash, 0), timecode, reel, rate_num, rate_den, keys, made, revision, top FROM "
int ks_pull_film(ks_pull *p, const ks_pq_rows *r, int i, ks_error *e);
int ks_pull_drop_film(ks_pull *p, int64_t video, ks_error *e);

#endif
