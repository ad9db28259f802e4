/* cut.c - a part of a film into its own file: the decoder program writes, we name and publish it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ingest/film.h"
#include "ingest/spawn.h"

static const char *muxer_of(const char *path)
{
    static const char *const names[][2] = {{".mp4", "mp4"}, {".m4v", "mp4"}, {".mov", "mov"}, {".mkv", "matroska"}, {".webm", "webm"},
                                           {".ts", "mpegts"}, {".avi", "avi"}, {NULL, NULL}};
    const char *dot = strrchr(path, '.');
    for (int i = 0; dot && names[i][0]; i++)
        if (!strcasecmp(dot, names[i][0])) return names[i][1];
    return NULL;
}

/* Until the job says END; a job that dies or hangs is an error here: nobody keeps verdicts of cuts. */
static int wait_for_end(int sock, ks_decoder *d, const char *path, ks_error *e)
{
    ks_wire_state state;
    ks_message m;
    ks_error why;
    char words[200];
    int status, r;

    ks_wire_start(&state);
    do r = ks_wire_wait(sock, &m, (int64_t)(d->patience * 1000));
    while (r == 1 && ks_wire_accept(&state, &m, &why) == 0 && m.type == KS_MSG_TICK);
    if (r == 1 && m.type == KS_MSG_END && state.ended) {
        ks_wire_text(words, sizeof words, m.u.end.reason, sizeof m.u.end.reason);
        ks_job_end(&status, d);
        return m.u.end.verdict == KS_VERDICT_FAILED ? ks_fail(e, KS_EFORMAT, "%s: %s", path, words) : 0;
    }
    ks_job_end(&status, d);
    if (r == KS_ENOTFOUND) snprintf(words, sizeof words, "made no progress and was stopped");
    else if (r == 0) ks_job_died(words, sizeof words, status);
    else snprintf(words, sizeof words, "answered nonsense");
    return ks_fail(e, KS_EFORMAT, "%s: the decoder %s", path, words);
}

static int cut_into(int out, ks_decoder *d, const char *path, const char *muxer, double from, double to, int reencode, ks_error *e)
{
    struct stat st;
    ks_job job = {.kind = KS_JOB_CUT, .reencode = reencode, .from = from < 0 ? 0 : from, .to = to};
    int fd, sock, r;

    snprintf(job.muxer, sizeof job.muxer, "%s", muxer);
    if ((r = ks_media_open(&fd, &st, path, e))) return r;
    r = ks_job_begin(&sock, d, &job, fd, out, e);
    if (!r) {
        r = wait_for_end(sock, d, path, e);
        close(sock);
    }
    close(fd);
    return r;
}

int ks_cut(const char *decoder, const char *path, const char *to_file, double from, double to, int reencode, ks_error *e)
{
    const char *muxer = muxer_of(to_file);
    ks_decoder *d = NULL;
    char *part = NULL;
    int out = -1, r;

    if (!muxer) return ks_fail(e, KS_EUSAGE, "%s: a cut is .mp4, .mov, .mkv, .webm, .ts or .avi", to_file);
    if (to >= 0 && to <= from) return ks_fail(e, KS_EUSAGE, "%s: nothing lies between %.3f s and %.3f s", path, from, to);
    if (asprintf(&part, "%s.XXXXXX", to_file) < 0) return ks_fail(e, KS_ENOMEM, "no memory for a path");
    if ((r = ks_decoder_start(&d, decoder, NULL, e))) goto out;
    out = mkostemp(part, O_CLOEXEC);
    if (out < 0 || fchmod(out, 0644)) {
        r = ks_fail(e, KS_EIO, "%s: %s", to_file, strerror(errno));
        goto out;
    }
    r = cut_into(out, d, path, muxer, from, to, reencode, e);
    if (!r && (fsync(out) || rename(part, to_file))) r = ks_fail(e, KS_EIO, "%s: %s", to_file, strerror(errno));
out:
    if (r && out >= 0) unlink(part);
    if (out >= 0) close(out);
    ks_decoder_stop(d);
    free(part);
    return r;
}
