/* scan.h - walks folders and lists the files in them; decides nothing about what is new.
 *
 * Names are any bytes. Entries of a folder come sorted by bytes, so that a walk is the same
 * every time. Left out unless asked for: names that begin with '.', rubbish folders of systems
 * (lost+found, $RECYCLE.BIN, @eaDir ...), what .kinoseekignore files (lines as in a .gitignore)
 * or excludes name, the files of a library of kinoseek. */
#ifndef KS_SCAN_H
#define KS_SCAN_H

#include "index/index.h"

typedef enum {
    KS_MET_FILE,    /* a regular file */
    KS_MET_LINK,    /* a symbolic link that was not followed, dangles or loops */
    KS_MET_SPECIAL, /* a FIFO, socket or device */
    KS_MET_DENIED,  /* the system said no: `error` is its errno */
    KS_MET_LONG,    /* the path is longer than the system opens */
    KS_MET_REPEATED /* no file of its own: a path that came before in the list of a run */
} ks_met_kind;

typedef struct {
    char *path;
    ks_stat stat;
} ks_place;

typedef struct {
    char *path; /* absolute; owned by the list */
    ks_met_kind kind;
    int folder; /* DENIED: it is a folder, and nothing below it is known */
    int named;  /* given by name, not met in a folder */
    int error;
    ks_stat stat;
} ks_met;

typedef struct {
    ks_met *at; /* [n] */
    size_t n, room;
    int64_t folders, hidden; /* walked; names left out by rule, pattern or ignore file */
} ks_met_list;

typedef struct {
    /* NULL-terminated, may be NULL; includes are for files only */
    const char *const *excludes, *const *includes;
    int follow, hidden;
    const volatile int *stop; /* non-zero: KS_ESTOP; may be NULL */
} ks_scan_options;

/* *stop may be written by a signal handler on another thread. */
static inline int ks_asked_to_stop(const volatile int *stop)
{
    return stop && __atomic_load_n(stop, __ATOMIC_RELAXED);
}

enum { KS_ROOT_FOLDER = 0, KS_ROOT_FILE = 1, KS_ROOT_MISSING = 2, KS_ROOT_EMPTY = 3 };

/* Adds what is at `path` (absolute, see ks_scan_absolute). *root says what it was; a root that
 * is missing or empty is no error: a disk may not be mounted. */
int ks_scan(ks_met_list *list, int *root, const char *path, const ks_scan_options *o, ks_error *e);
void ks_met_list_free(ks_met_list *list);

/* The absolute path with links resolved as far as it exists: a disk may not be mounted.
 * malloc'ed. */
int ks_scan_absolute(char **out, const char *path, ks_error *e);

/* --- is it a video? --- */
enum { KS_SNIFF = 512 };
int ks_sniff_video(const uint8_t *head, size_t n); /* 1: first bytes of a film or a playlist */
int ks_sniff_still(const uint8_t *head, size_t n); /* 1: of a picture */
int ks_video_name(const char *path);               /* 1: an extension that films have */

#endif
