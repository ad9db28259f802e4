/* cut.c - a part of a film into its own file: the decoder program writes, we name and publish it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decoder/decoder.h"
#include "decoder/spawn.h"

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
static int wait_for_end(int sock, ks_decoder *d, ks_wire_watch *watch, const char *path, const char *to_file, ks_error *e)
{
    ks_wire_state state;
    ks_message m;
    ks_error why;
    char words[200];
    int status, r;

    ks_wire_start(&state);
    do r = ks_wire_wait(sock, &m, watch);
    while (r == 1 && ks_wire_accept(&state, &m, &why) == 0 && m.type == KS_MSG_TICK);
    if (r == 1 && m.type == KS_MSG_END && state.ended) {
        ks_wire_text(words, sizeof words, m.u.end.reason, sizeof m.u.end.reason);
        ks_job_end(&status, d);
        if (strncmp(words, KS_WIRE_UNWRITTEN, strlen(KS_WIRE_UNWRITTEN)) == 0)
            return ks_fail(e, KS_EIO, "%s: %s", to_file, words + strlen(KS_WIRE_UNWRITTEN));
        return m.u.end.verdict == KS_VERDICT_FAILED ? ks_fail(e, KS_EFORMAT, "%s: %s", path, words) : 0;
    }
    ks_job_end(&status, d);
    if (r == KS_ENOTFOUND) snprintf(words, sizeof words, "made no progress and was stopped");
    else if (r == 0) ks_job_died(words, sizeof words, status);
    else snprintf(words, sizeof words, "answered nonsense");
    return ks_fail(e, KS_EFORMAT, "%s: the decoder %s", path, words);
}

/* Where a piece grows: a file without a name, which nothing is left of however this ends (a signal, kill -9, a power
 * cut); beside it, under a name, only where the file system has no such files. */
typedef struct {
    const char *to_file;
    char *name;              /* TO_FILE.XXXXXX */
    int fd, named;
} piece;

static int open_piece(piece *p, const char *to_file)
{
    char *folder = strdup(to_file), *slash = folder ? strrchr(folder, '/') : NULL;

    *p = (piece){.to_file = to_file, .fd = -1};
    if (!folder || asprintf(&p->name, "%s.XXXXXX", to_file) < 0) {
        free(folder);
        p->name = NULL;
        errno = ENOMEM;
        return -1;
    }
    if (slash) slash[slash == folder] = 0;
    p->fd = open(slash ? folder : ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    free(folder);
    p->named = p->fd < 0;
    if (p->named) p->fd = mkostemp(p->name, O_CLOEXEC);
    return p->fd < 0 ? -1 : fchmod(p->fd, 0644);
}

/* A file that is there already is replaced, and not before the piece is whole. */
static int publish(piece *p)
{
    char self[40];

    if (fsync(p->fd)) return -1;
    if (!p->named) {
        snprintf(self, sizeof self, "/proc/self/fd/%d", p->fd);
        if (linkat(AT_FDCWD, self, AT_FDCWD, p->to_file, AT_SYMLINK_FOLLOW) == 0) return 0;
        snprintf(p->name + strlen(p->to_file), 8, ".%06x", (unsigned)getpid() & 0xffffff);
        if (errno != EEXIST || linkat(AT_FDCWD, self, AT_FDCWD, p->name, AT_SYMLINK_FOLLOW)) return -1;
        p->named = 1;
    }
    return rename(p->name, p->to_file);
}

static void close_piece(piece *p, int failed)
{
    if (failed && p->named && p->fd >= 0) unlink(p->name);
    if (p->fd >= 0) close(p->fd);
    free(p->name);
}

static int cut_into(const piece *p, ks_decoder *d, const char *path, ks_job *job, ks_error *e)
{
    ks_wire_watch watch;
    struct stat st;
    int fd, sock, r;

    if ((r = ks_media_open(&fd, &st, path, e))) return r;
    ks_wire_watch_start(&watch, d->patience, ks_media_bytes(&st));
    r = ks_job_begin(&sock, d, job, fd, p->fd, e);
    if (!r) {
        r = wait_for_end(sock, d, &watch, path, p->to_file, e);
        close(sock);
    }
    close(fd);
    return r;
}

int ks_cut(ks_decoder *d, const char *path, const char *to_file, double from, double to, int reencode, ks_error *e)
{
    const char *muxer = muxer_of(to_file);
    ks_job job = {.kind = KS_JOB_CUT, .reencode = reencode, .from = from < 0 ? 0 : from, .to = to};
    piece p;
    int r = 0;

    if (!muxer) return ks_fail(e, KS_EUSAGE, "%s: a cut is .mp4, .mov, .mkv, .webm, .ts or .avi", to_file);
    if (!(from <= KS_CLOCK_MAX) || !(to <= KS_CLOCK_MAX)) return ks_fail(e, KS_EUSAGE, "%s: no film is that long", path);
    if (to >= 0 && to <= from) return ks_fail(e, KS_EUSAGE, "%s: nothing lies between %.3f s and %.3f s", path, from, to);
    snprintf(job.muxer, sizeof job.muxer, "%s", muxer);
    if (open_piece(&p, to_file)) r = ks_fail(e, KS_EIO, "%s: %s", to_file, strerror(errno));
    if (!r) r = cut_into(&p, d, path, &job, e);
    if (!r && publish(&p)) r = ks_fail(e, KS_EIO, "%s: %s", to_file, strerror(errno));
    close_piece(&p, r);
    return r;
}
