/* decoder_job.h - inside kinoseek-decode: what its parts know of each other.
 *
 *   decoder_main.c     control socket, one forked process a job
 *   decoder_sandbox.c  what such a process may still do
 *   decoder_source.c   probe, allow-lists, streams, the opened codec      (decoder_io.c: bytes
 *                      from a descriptor)
 *   decoder_film.c     packets -> frames -> messages                      (decoder_times.c: the
 *                      clock; decoder_hold.c: kept frames)
 *   decoder_pixels.c   frame -> RGB as displayed                          (decoder_hdr.c,
 *                      decoder_small.c, decoder_thumb.c)
 *   decoder_clock.c    one clock for frames and packets; decoder_even.c: the exact rate;
 *                      decoder_origin.c: date, timecode, reel
 *   decoder_cut.c      a part of a film into its own file                 (decoder_cut_out.c,
 *                      decoder_cut_encode.c)
 *   decoder_text.c     subtitles, in a film and beside it
 *   decoder_about.c    versions */
#ifndef KS_DECODER_JOB_H
#define KS_DECODER_JOB_H

#include "decoder/wire.h"

/* Everything a job's process was given. */
typedef struct {
    ks_job job;
    int file;   /* the film, or -1 */
    int output; /* of a cut, or -1 */
    int socket;
    uint8_t *memory; /* KS_WIRE_MEMORY bytes shared with kinoseek */
    int weak;        /* hardware decoding: the weaker sandbox */
} ks_task;

/* Runs in the job's own process, inside the sandbox; its answer goes through the socket. The
 * hostile stand-ins of the tests are this function with other intentions. */
void ks_task_run(ks_task *task);

/* For the program, before the first job: touch what every film needs, so that a fork has it.
 * -1: hwaccel ("" none) is no kind of hardware that this libav knows; -2: there is none here. */
int ks_task_warm(const char *hwaccel);

/* --- decoder_sandbox.c --- */
typedef enum { KS_BOX_FULL, KS_BOX_WEAK, KS_BOX_NONE } ks_box;
/* Once in the program: no path can be opened any more (landlock). Writes into `words` what is in
 * force. */
void ks_sandbox_program(ks_box box, char *words, size_t n);
/* In the job's process, after which nothing but reading, computing and answering works. bytes:
 * of the file. *threads: the program answers there whether one more may be started
 * (ks_sandbox_thread); -1 where the kernel cannot ask it. NULL: nobody counts. */
int ks_sandbox_job(int *threads, ks_box box, int64_t bytes, int may_write, size_t memory);
enum { KS_JOB_THREADS = 256 }; /* in a job's life; libav takes 17, libx264 of a cut 128 and some */
/* In the program: the job wants a thread; *n are started so far. 0, or -1: it is gone. */
int ks_sandbox_thread(int threads, int *n);

#endif
