/* hub_rows.h - the open hub, for the files of index/ only. */
#ifndef KS_HUB_ROWS_H
#define KS_HUB_ROWS_H

#include "index/catalog.h"
#include "index/hub.h"
#include "index/pq.h"

enum { KS_HUB_SCHEMA = 6 };
#define KS_HUB_REVISION_KEY "hub.revision" /* settings of a mirror: what it holds, */
#define KS_HUB_WHERE_KEY    "hub.where"    /* and of which hub, for what it does not keep */
#define KS_HUB_ROOTS_KEY    "hub.roots"    /* and where its roots were mounted */

struct ks_hub {
    ks_pq *pq;
    char *where; /* as -L had it; owned */
};

int ks_hub_connect(ks_hub **h, const char *where, double patience, ks_error *e);
int ks_hub_version(int64_t *version, ks_hub *h, ks_error *e); /* 0: there is none */
int ks_hub_begin(ks_hub *h, ks_error *e);
int ks_hub_end(ks_hub *h, int code, ks_error *e); /* as ks_end */
/* Holds the library row until the commit: the next revision. Whoever changes what a mirror sees. */
int ks_hub_next_revision(int64_t *revision, ks_hub *h, ks_error *e);
/* The space that mirrors have; the one that workers fill: another one during a switch. 0: none */
int ks_hub_space(int64_t *id, ks_space *space, ks_hub *h, ks_error *e);
int ks_hub_writing(int64_t *id, ks_space *space, ks_hub *h, ks_error *e);
/* Absolute, `..`, empty: nothing of a hub's names a file so. */
int ks_hub_is_rel(const char *rel, size_t n);
int ks_hub_is_root_name(const char *name, size_t n);

/* --- hub_roles.c: inside the transaction that makes a hub --- */
/* *there: how many of the two roles there are now; an owner who may not make roles makes none. */
int ks_hub_make_roles(int *there, ks_hub *h, ks_error *e);
int ks_hub_make_functions(ks_hub *h, ks_error *e);
int ks_hub_grant(ks_hub *h, ks_error *e); /* to those roles that there are */

/* --- hub_films.c: inside a transaction of the hub --- */
/* Takes the path from whoever has it: who is left without any goes, and leaves a tombstone. */
int ks_hub_put_path(ks_hub *h, int64_t video, int64_t revision, const char *root, const char *rel,
                    const ks_stat *stat, ks_error *e);
/* Of a row, from columns size and mtime_ns on. */
static inline ks_stat ks_hub_stat(const ks_pq_rows *r, int row, int column)
{
    return (ks_stat){.size = ks_pq_int(r, row, column), .mtime_ns = ks_pq_int(r, row, column + 1)};
}

#endif
