/* hub.h - several machines: rows and a queue on PostgreSQL, and the library folders that are
 * filled from it and fill it.
 *
 *   ks_hub_open(&h, "service=films", 8, &e);
 *   ks_hub_pull(&done, x, h, &roots, 0, &e);            hub -> a mirror: an ordinary library
 *   ks_hub_push(&new, h, x, video, &roots, NULL, &e);   a film of a library -> the hub
 *
 * One mechanism moves films either way, with the hub's ids, in the catalog's own bytes and sums.
 * So a mirror, a backup and an import are the same rows, and a worker is an ordinary ingest into
 * a folder of its own whose rows are sent on. What a film has is said by `revision`, a number of
 * the hub's one library row that whoever changes a film holds until the commit: no later number
 * can be seen before an earlier one. */
#ifndef KS_HUB_H
#define KS_HUB_H

#include "index/index.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ks_hub ks_hub;
enum { KS_HUB_NAME = 64, KS_HUB_TOKEN = 37, KS_HUB_ROOT_ID = 33 };

/* 1: -L names a server, not a folder */
int ks_hub_is(const char *where);
typedef struct {
    int made;  /* 1: something was */
    int roles; /* of KS_HUB_ROLES there are so many, with what they may do */
} ks_hub_made;
enum { KS_HUB_ROLES = 2 }; /* kinoseek_reader, kinoseek_worker */
/* store init, store migrate. KS_EUSAGE: init where there is a hub. */
int ks_hub_make(ks_hub_made *out, const char *where, int migrate, double patience, ks_error *e);
/* KS_ENOLIBRARY: no hub there; KS_EUSAGE: it is of another version, or no libpq is here. */
int ks_hub_open(ks_hub **h, const char *where, double patience, ks_error *e);
void ks_hub_close(ks_hub *h); /* NULL is fine */

/* --- roots: where a named folder of the hub's is mounted here --- kept in `folder`/roots; the
 * folder itself has a file .kinoseek-root with the root's id, so that an empty or wrong mount is
 * no root. */
typedef struct {
    char name[KS_HUB_NAME], id[KS_HUB_ROOT_ID];
    char *path; /* absolute, no trailing slash; owned */
} ks_hub_root;
typedef struct {
    ks_hub_root *at; /* [n] */
    int n;
} ks_hub_roots;
int ks_hub_roots_read(ks_hub_roots *out, const char *folder, ks_error *e); /* none: n 0 */
void ks_hub_roots_free(ks_hub_roots *roots);
/* Root `name` lies at `path` here. A name that the hub does not know yet is made. */
int ks_hub_name_root(ks_hub *h, const char *folder, const char *name, const char *path,
                     ks_error *e);
int ks_hub_root_there(const ks_hub_root *root); /* 1: mounted, and the right one */
/* The root that path is in (NULL: none) and what is left of it. */
const ks_hub_root *ks_hub_place(const char **rel, const ks_hub_roots *roots, const char *path);

/* --- hub -> library --- */
enum {
    KS_HUB_BLOBS = 1,     /* frame vectors and thumbnails too */
    KS_HUB_UNFINISHED = 2 /* of one film, for who goes on with it */
};
typedef struct {
    int64_t films, clips, gone; /* that came, and went */
    int64_t refused;            /* rows that do not hold what they should: left out */
    char first[200];            /* what is wrong with the first */
    int64_t revision;
} ks_hub_pulled;
/* The folder of a mirror as its one writer; made if absent. Errors of ks_index_open. */
int ks_hub_open_mirror(ks_index **x, const char *dir, ks_error *e);
/* The hub's space and the one it is being switched to, and how clips are made, into an empty
 * library: what another model's space is worked out in. */
int ks_hub_pull_spaces(ks_index *x, ks_hub *h, ks_error *e);
/* No mirror any more: what was pulled is a library of its own. */
int ks_hub_let_go(ks_index *x, ks_error *e);
/* DATA/hubs/HASH: what this machine keeps of that hub; malloc'ed, made. */
int ks_hub_folder(char **folder, const char *data, const char *where, ks_error *e);
/* Writer: brings x to what the hub holds now. KS_ESPACE: x is a library of its own. */
int ks_hub_pull(ks_hub_pulled *out, ks_index *x, ks_hub *h, const ks_hub_roots *roots, int what,
                ks_error *e);
/* 1: the hub has gone on, or the roots are others; 0: x is as the hub is */
int ks_hub_behind(ks_index *x, ks_hub *h, const ks_hub_roots *roots, ks_error *e);
/* The hub's id and the revision that x holds: 1, 0 = x is no mirror. */
int ks_hub_mirrored(char id[33], int64_t *revision, ks_index *x, ks_error *e);

/* Bytes of thumbnails and frame vectors that are kept beside that mirror, and how many at most. */
void ks_hub_cached(int64_t *bytes, int64_t *most, const char *mirror);
/* Those that somebody wants of this mirror who may not connect (`serve`). run: waits for as long
 * and gets what is wanted meanwhile; h NULL: nothing is to be had. KS_ENET: the hub does not
 * answer; KS_ENOTFOUND: begin anew. */
typedef struct ks_hub_errands ks_hub_errands;
int ks_hub_errands_begin(ks_hub_errands **w, const char *mirror, ks_error *e);
void ks_hub_errands_end(ks_hub_errands *w); /* NULL is fine */
int ks_hub_errands_run(ks_hub_errands *w, ks_hub *h, double seconds, ks_error *e);

/* --- library -> hub --- */
typedef struct {
    uint8_t content[24];
    char token[KS_HUB_TOKEN]; /* the fence: who has another one is refused */
    char root[KS_HUB_NAME];
    char *rel;    /* bytes; owned, ks_hub_job_free */
    ks_stat stat; /* device, inode: 0 */
    int survey;   /* 1: this time its survey */
} ks_hub_job;
void ks_hub_job_free(ks_hub_job *job);
/* The space and the way of making clips: the first that comes fixes them, else they must agree.
 * KS_ESPACE. */
int ks_hub_push_space(ks_hub *h, ks_index *x, const ks_hub_job *job, ks_error *e);
/* Clips of a film of x that the hub lacks, in batches; each is all or nothing, and a second one
 * of the same changes nothing. job NULL: nobody works on it. *clips: how many were new. KS_EBUSY:
 * the lease is somebody else's. */
int ks_hub_push_clips(int64_t *clips, ks_hub *h, ks_index *x, const ks_video *v,
                      const ks_hub_job *job, const char *maker, ks_error *e);
/* Then its row, its paths (of x; with a job the job's) and the verdict: searches see it. */
int ks_hub_push_end(ks_hub *h, ks_index *x, const ks_video *v, const ks_hub_roots *roots,
                    const ks_hub_job *job, const char *maker, ks_error *e);
/* 1: the hub has all of it in this space */
int ks_hub_has(ks_hub *h, ks_index *x, const ks_video *v, ks_error *e);

/* --- what people keep, and subtitles: label sets, their words, taught labels, kept queries ---
 * KS_EDENIED: only the hub's owner says so. */
int ks_hub_may_keep(ks_hub *h, ks_error *e);
/* What was kept in mirror x (KS_KEEP) and the hub has not had. Writer. */
int ks_hub_push_kept(ks_hub *h, ks_index *x, const ks_hub_roots *roots, ks_error *e);
int ks_hub_kept_waits(ks_index *x, ks_error *e); /* 1: there is some */
/* All that library x keeps; a second time nothing is new. */
int ks_hub_import_kept(ks_hub *h, ks_index *x, const ks_hub_roots *roots, ks_error *e);
/* All subtitles of a film, before its end; path: where the film lies here. */
int ks_hub_push_subtitles(ks_hub *h, ks_index *x, const ks_video *v, const ks_hub_job *job,
                          const char *path, ks_error *e);

/* --- another model --- ingest --switch: the space that x fills is filled in the hub from now on,
 * beside the one that mirrors have until all films of that are through; they are queued, and who
 * was at a film has lost it: 1. The space that mirrors have: the switch is called off: 2. 0: it was
 * being filled already. The owner's. */
int ks_hub_switch(ks_hub *h, ks_index *x, ks_error *e);
/* The same end where no worker is left that could find it, and away with clips of neither space.
 * The owner's. */
int ks_hub_tidy(ks_hub *h, ks_error *e);
/* *done of *all films are through: 1; 0: the hub is not being switched. model: of the new one */
int ks_hub_switching(int64_t *done, int64_t *all, char model[65], ks_hub *h, ks_error *e);

/* A derived table kinoseek.pgvector(clip, v halfvec) for other people's SQL; *clips came to it.
 * KS_EUSAGE: the server's database has no extension vector. */
int ks_hub_pgvector(int64_t *clips, ks_hub *h, ks_error *e);

/* --- paths --- */
typedef struct {
    int64_t video;          /* 0: this path is no more */
    const char *root, *rel; /* borrowed */
    ks_stat stat;
} ks_hub_move;
/* All in one transaction, so that two films that swapped names lose nothing; a film without paths
 * goes. What is so already changes nothing. */
int ks_hub_move_paths(ks_hub *h, const ks_hub_move *move, int n, ks_error *e);

/* A file or a folder: rel "" is the whole root. */
typedef struct {
    const char *root, *rel; /* borrowed */
} ks_hub_spot;
/* `forget` (to NULL) and `relocate`: a file or all below a folder, in one transaction, with the
 * queue's films there. *files: paths that were there. */
int ks_hub_place_anew(int64_t *files, ks_hub *h, const ks_hub_spot *from, const ks_hub_spot *to,
                      ks_error *e);

/* --- the queue --- */
/* Surveys are handed out before whole passes. The numbers stand in hubs. */
typedef enum { KS_HUB_WHOLE = 0, KS_HUB_SURVEY_FIRST = 1, KS_HUB_SURVEY_ONLY = 2 } ks_hub_pass;
/* 1 queued, 0: it is in the queue, or done. The path is the film's from now on. */
int ks_hub_queue(ks_hub *h, const uint8_t content[24], const char *root, const char *rel,
                 const ks_stat *stat, ks_hub_pass pass, ks_error *e);
/* 1: yours for `lease` seconds; 0: there is none for these roots now, and *left of theirs are
 * queued or at work. */
int ks_hub_claim(ks_hub_job *job, int64_t *left, ks_hub *h, const ks_hub_roots *roots,
                 const char *worker, double lease, ks_error *e);
int ks_hub_beat(ks_hub *h, const ks_hub_job *job, double lease, ks_error *e); /* KS_EBUSY: lost */
/* Given back: to be done again, or failed for this reason; of what a survey says nothing the whole
 * pass comes, where that was wanted. */
typedef enum { KS_HUB_AGAIN = 0, KS_HUB_FAILED = 2, KS_HUB_NO_SURVEY = 3 } ks_hub_back;
int ks_hub_give_back(ks_hub *h, const ks_hub_job *job, const char *reason, ks_hub_back how,
                     ks_error *e);
/* The film as far as it is in the hub, into an empty library: it goes on from there. */
int ks_hub_pull_film(ks_index *x, ks_hub *h, const ks_hub_job *job, const char *path, ks_error *e);
typedef struct {
    const char *root, *rel, *state, *worker, *reason; /* borrowed; state "queued" ... */
    int64_t tries, lost; /* begun; of them those whose worker was not heard of any more */
    double lease;        /* seconds left */
    int survey;          /* 1: a survey */
} ks_hub_queued;
typedef int ks_each_queued(void *arg, const ks_hub_queued *job, ks_error *e);
int ks_hub_list(ks_hub *h, ks_each_queued *each, void *arg, ks_error *e);
int ks_hub_retry(int64_t *jobs, ks_hub *h, ks_error *e); /* failed ones again */
/* What this worker made is dropped and queued anew. */
int ks_hub_drop_by(int64_t *films, ks_hub *h, const char *worker, ks_error *e);

#ifdef __cplusplus
}
#endif
#endif
