/* spawn.h - a running kinoseek-decode and its jobs; film.c and cut.c talk through this. */
#ifndef KS_SPAWN_H
#define KS_SPAWN_H

#include <sys/types.h>

#include "decoder/wire.h"

struct ks_decoder {
    pid_t pid;
    int control; /* socket to the program */
    int memory_fd;
    uint8_t *memory; /* KS_WIRE_MEMORY bytes: what the job answers with */
    int busy;        /* a job is running */
    int broken;      /* no use any more */
    char sandbox[160];
    char hwaccel[32];
    char *program;
    ks_decoder_how how; /* for a second one; hwaccel points into this struct */
    double patience;
};

/* Fork a job: `file` and `output` (-1: none) are lent. *socket is the caller's to close after
 * ks_job_end. */
int ks_job_begin(int *socket, ks_decoder *d, const ks_job *job, int file, int output, ks_error *e);
/* Kill it if it still runs; *status as waitpid gives it. The decoder is ready for the next job,
 * or broken. */
void ks_job_end(int *status, ks_decoder *d);
/* How a job ended that did not say END: "crashed (signal 11)", ... */
void ks_job_died(char *words, size_t n, int status);
/* A regular file for reading, never blocking on a pipe; "/proc/self/fd/N" is the open descriptor N
 * itself. Its size and times go into *st. */
struct stat;
int ks_media_open(int *fd, struct stat *st, const char *path, ks_error *e);
/* that lie on the disk: what reading it may take goes by them */
int64_t ks_media_bytes(const struct stat *st);

#endif
