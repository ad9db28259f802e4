/* cut.c - a part of a film into its own file: the decoder program writes, we name and publish
 * it. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decoder/decoder.h"
#include "decoder/spawn.h"

/* Endings and the container that is meant; "m2ts": packets of 192 bytes. */
static const char *muxer_of(const char *path)
{
    static const char *const names[][2] = {
        {".mp4", "mp4"},    {".m4v", "mp4"},      {".lrv", "mp4"},    {".insv", "mp4"},
        {".mov", "mov"},    {".qt", "mov"},       {".3gp", "3gp"},    {".3g2", "3g2"},
        {".f4v", "f4v"},    {".mkv", "matroska"}, {".webm", "webm"},  {".ts", "mpegts"},
        {".m2t", "mpegts"}, {".tp", "mpegts"},    {".trp", "mpegts"}, {".tod", "mpegts"},
        {".mts", "m2ts"},   {".m2ts", "m2ts"},    {".mpg", "vob"},    {".mpeg", "vob"},
        {".vob", "vob"},    {".mod", "vob"},      {".m2p", "vob"},    {".avi", "avi"},
        {".divx", "avi"},   {".flv", "flv"},      {".wmv", "asf"},    {".asf", "asf"},
        {".ogv", "ogg"},    {".ogg", "ogg"},      {".ogm", "ogg"},    {".mxf", "mxf"},
        {".dv", "dv"},      {".dif", "dv"},       {".nut", "nut"},    {".gif", "gif"},
        {".wtv", "wtv"},    {NULL, NULL}};
    const char *dot = strrchr(path, '.');
    for (int i = 0; dot && names[i][0]; i++)
        if (!strcasecmp(dot, names[i][0])) return names[i][1];
    return NULL;
}

/* Until the job says END; a job that dies or hangs is an error here: nobody keeps verdicts of
 * cuts. */
static int wait_for_end(ks_piece *p, int sock, ks_decoder *d, ks_wire_watch *watch, ks_error *e)
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
        if (m.u.end.cut_from >= 0 && m.u.end.cut_to >= m.u.end.cut_from &&
            m.u.end.cut_to <= KS_CLOCK_MAX) {
            p->cut_from = m.u.end.cut_from;
            p->cut_to = m.u.end.cut_to;
        }
        p->unfit = m.u.end.cut_unfit != 0;
        p->sounds_left = m.u.end.cut_sounds_left > 0 && m.u.end.cut_sounds_left < 1000
                             ? m.u.end.cut_sounds_left
                             : 0;
        if (strncmp(words, KS_WIRE_UNWRITTEN, strlen(KS_WIRE_UNWRITTEN)) == 0)
            return ks_fail(e, KS_EIO, "%s: %s", p->to_file, words + strlen(KS_WIRE_UNWRITTEN));
        return m.u.end.verdict == KS_VERDICT_FAILED
                   ? ks_fail(e, KS_EFORMAT, "%s: %s", p->path, words)
                   : 0;
    }
    ks_job_end(&status, d);
    if (r == KS_ESTOP) return ks_fail(e, KS_ESTOP, "%s: nobody waits for this part", p->path);
    if (r == KS_ENOTFOUND) snprintf(words, sizeof words, "made no progress and was stopped");
    else if (r == 0) ks_job_died(words, sizeof words, status);
    else snprintf(words, sizeof words, "answered nonsense");
    return ks_fail(e, KS_EFORMAT, "%s: the decoder %s", p->path, words);
}

/* Where a piece grows: a file without a name, which nothing is left of however this ends (a
 * signal, kill -9, a power cut); beside it, under a name, only where the file system has no such
 * files. */
typedef struct {
    const char *to_file;
    char *name; /* TO_FILE.XXXXXX */
    int fd, named;
} growing;

/* A new file; *ending, seven characters at the end of name, becomes one that nobody has. The
 * umask says who may read it. */
static int open_named(char *ending, const char *name)
{
    static atomic_uint tries;
    for (int i = 0; i < 100; i++) {
        snprintf(ending, 8, ".%06x",
                 ((unsigned)getpid() * 2654435761u + atomic_fetch_add(&tries, 1) * 40503u) &
                     0xffffff);
        int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

static int open_piece(growing *p, const char *to_file)
{
    char *folder = strdup(to_file), *slash = folder ? strrchr(folder, '/') : NULL;

    *p = (growing){.to_file = to_file, .fd = -1};
    if (!folder || asprintf(&p->name, "%s.XXXXXX", to_file) < 0) {
        free(folder);
        p->name = NULL;
        errno = ENOMEM;
        return -1;
    }
    if (slash) slash[slash == folder] = 0;
    /* It gets its name through /proc, where there is one. */
    if (access("/proc/self/fd", X_OK) == 0)
        p->fd = open(slash ? folder : ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    free(folder);
    p->named = p->fd < 0;
    if (p->named) p->fd = open_named(p->name + strlen(to_file), p->name);
    return p->fd < 0 ? -1 : 0;
}

/* Over a file that is there only with force, and not before the piece is whole. */
static int publish(growing *p, int force)
{
    char self[40];

    if (fsync(p->fd)) return -1;
    if (!p->named) {
        snprintf(self, sizeof self, "/proc/self/fd/%d", p->fd);
        if (linkat(AT_FDCWD, self, AT_FDCWD, p->to_file, AT_SYMLINK_FOLLOW) == 0) return 0;
        if (errno != EEXIST || !force) return -1;
        snprintf(p->name + strlen(p->to_file), 8, ".%06x", (unsigned)getpid() & 0xffffff);
        if (linkat(AT_FDCWD, self, AT_FDCWD, p->name, AT_SYMLINK_FOLLOW)) return -1;
        p->named = 1;
    }
    if (force) return rename(p->name, p->to_file);
    if (renameat2(AT_FDCWD, p->name, AT_FDCWD, p->to_file, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL) return -1;
    errno = EEXIST; /* a file system that cannot say it in one step */
    return access(p->to_file, F_OK) == 0 ? -1 : rename(p->name, p->to_file);
}

static void close_piece(growing *p, int failed)
{
    if (failed && p->named && p->fd >= 0) unlink(p->name);
    if (p->fd >= 0) close(p->fd);
    free(p->name);
}

static int cut_into(ks_piece *p, int to, ks_decoder *d, ks_job *job, ks_error *e)
{
    ks_wire_watch watch;
    struct stat st;
    int fd, sock, r;

    if ((r = ks_media_open(&fd, &st, p->path, e))) return r;
    ks_wire_watch_start(&watch, d->patience, ks_media_bytes(&st));
    watch.viewer = p->viewer;
    r = ks_job_begin(&sock, d, job, fd, to, e);
    if (!r) {
        r = wait_for_end(p, sock, d, &watch, e);
        close(sock);
    }
    close(fd);
    return r;
}

static int is_way(const ks_key *k, ks_timebase tb, double from)
{
    return k->offset != KS_KEY_BREAK && k->ticks > 0 && ks_seconds(k->ticks, tb) <= from;
}

/* The key frame from which the part is decoded, where there is one that proves to be what it
 * was; else the film's start. */
static int find_way(ks_job *job, ks_decoder *d, const char *path, const ks_keys *keys, double from,
                    ks_error *e)
{
    ks_film_options o = {.hold = 1 << 20, .no_small = 1};
    ks_film *film;
    double begin = 0;
    int n = keys ? keys->n : 0, later = 0, r;

    while (later < n && !is_way(&keys->at[later], keys->tb, from)) later++;
    if (later == n) return 0; /* the start is the only way: nothing to prove */
    if ((r = ks_film_open_at(&film, &begin, d, path, &o, keys, from, job->to, e))) return r;
    ks_film_close(film);
    for (int i = 0; begin > 0 && i < keys->n; i++) {
        const ks_key *k = &keys->at[i];
        if (k->offset == KS_KEY_BREAK || ks_seconds(k->ticks, keys->tb) != begin) continue;
        job->seek_ticks = k->ticks;
        job->seek_shift = k->shift;
        job->seek_offset = k->offset;
    }
    return 0;
}

int ks_cut_to_watch(ks_piece *p, int to, int side, const ks_keys *keys, ks_decoder *d, ks_error *e)
{
    assert(p && p->path && to >= 0 && side >= 0 && d);
    ks_job job = {.kind = KS_JOB_CUT,
                  .reencode = side > 0,
                  .watch = 1,
                  .side = side,
                  .fragments = p->fragments,
                  .from = p->from,
                  .to = p->to,
                  .muxer = "mp4"};
    int r;

    p->cut_from = p->from;
    p->cut_to = p->to;
    p->unfit = p->sounds_left = 0;
    p->to_file = "the part";
    if (!(p->from >= 0 && p->to > p->from && p->to <= KS_CLOCK_MAX))
        return ks_fail(e, KS_EUSAGE, "%s: nothing lies there", p->path);
    if ((r = find_way(&job, d, p->path, keys, job.from, e))) return r;
    return cut_into(p, to, d, &job, e);
}

static int there_already(const char *file, ks_error *e)
{
    return ks_fail(e, KS_EUSAGE, "%s: it is there already (--force replaces it)", file);
}

/* Seconds before a piece from which it is looked for: packets of sound of one time may lie before
 * the pictures of that time. */
static const double SOUND = 2;

/* What is asked, checked, as a job. */
static int job_of(ks_job *job, ks_piece *p, ks_error *e)
{
    const char *muxer = muxer_of(p->to_file);

    *job = (ks_job){.kind = KS_JOB_CUT,
                    .reencode = p->reencode,
                    .from = p->from < 0 ? 0 : p->from,
                    .to = p->to};
    p->cut_from = job->from;
    p->cut_to = p->to;
    p->sounds_left = 0;
    p->unfit = !muxer;
    if (!muxer)
        return ks_fail(
            e, KS_EUSAGE,
            "%s: no container that a cut is written as (.mp4, .mov, .mkv, .ts, .avi ...)",
            p->to_file);
    if (!(p->from <= KS_CLOCK_MAX) || !(p->to <= KS_CLOCK_MAX))
        return ks_fail(e, KS_EUSAGE, "%s: no film is that long", p->path);
    if (p->to >= 0 && p->to <= p->from)
        return ks_fail(e, KS_EUSAGE, "%s: nothing lies between %.3f s and %.3f s", p->path, p->from,
                       p->to);
    snprintf(job->muxer, sizeof job->muxer, "%s", muxer);
    return 0;
}

int ks_cut_into(ks_piece *p, int to, ks_decoder *d, ks_error *e)
{
    assert(p && p->path && to >= 0 && d);
    ks_job job;
    int r = job_of(&job, p, e);

    return r ? r : cut_into(p, to, d, &job, e);
}

int ks_cut(ks_piece *p, const ks_keys *keys, ks_decoder *d, ks_error *e)
{
    assert(p && p->path && d);
    ks_job job;
    growing file;
    struct stat st;
    int r = job_of(&job, p, e);

    if (r) return r;
    if (!p->force && lstat(p->to_file, &st) == 0) return there_already(p->to_file, e);
    if (open_piece(&file, p->to_file))
        r = ks_fail(e, KS_EIO, "%s: %s", p->to_file, strerror(errno));
    /* A copy begins at the last key frame there is, and not all of them are in keys. */
    if (!r && p->reencode) r = find_way(&job, d, p->path, keys, job.from - SOUND, e);
    if (!r) r = cut_into(p, file.fd, d, &job, e);
    if (!r && publish(&file, p->force))
        r = errno == EEXIST ? there_already(p->to_file, e)
                            : ks_fail(e, KS_EIO, "%s: %s", p->to_file, strerror(errno));
    close_piece(&file, r);
    return r;
}
