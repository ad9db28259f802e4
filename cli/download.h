/* download.h - one file from the network or the disk into place, resumable.
 *
 * While it grows it is PATH.part (a copy: PATH.copy); PATH.part.from holds the address and what
 * the server calls this version (ETag, else Last-Modified), sent as If-Range when resuming:
 * another version starts over, in PATH.part.new. Only a whole and right file gets the name PATH,
 * and until it does nothing that was there becomes less. libcurl is loaded here (dlopen) and
 * nowhere else. */
#ifndef KS_DOWNLOAD_H
#define KS_DOWNLOAD_H

#include "ks.h"

typedef struct {
    const char *from;   /* http://, https:// or file:// address, or a path */
    const char *path;   /* where it shall be; its folder is there */
    int64_t bytes;      /* 0: not known */
    const char *sha256; /* "": not known */
    int quiet;          /* no progress on stderr */
    const char *option; /* which one names a copy of one's own: said where there is no network */
    /* A last check of the whole file, before it gets its name; may be NULL. */
    int (*check)(void *arg, const char *part, ks_error *e);
    void *check_arg;
} ks_download;

/* KS_ENET: no network, or the server does not answer as it should; the sentence says so where
 * what came is kept for the next try. KS_EIO: the disk. KS_EFORMAT: what came is not the file.
 * KS_EBUSY: another kinoseek is at it. KS_ENOTFOUND: no such path. */
int ks_download_file(const ks_download *d, ks_error *e);
/* Is what lies at d->path the file, looked at in full? 0; KS_EFORMAT, KS_ESHAPE (no), KS_EIO. */
int ks_download_is_right(const ks_download *d, ks_error *e);

int ks_is_address(const char *from); /* has "://" */

#endif
