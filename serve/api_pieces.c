/* api_pieces.c - the selection as pieces of its films in one archive, made while it is sent. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve/api_selection.h"
#include "serve/zip.h"

enum { PIECES = 100, LONGEST = 600 /* seconds */ };

typedef struct {
    int64_t video;
    double from, to;
} wanted;

typedef struct {
    ks_server *srv;
    wanted at[PIECES];
    int n, next; /* of at; then of the directory */
    int listing; /* the members are sent */
    uint64_t directory;
    ks_zip zip;
    uint8_t part[KS_ZIP_PART]; /* what is sent before fd */
    char said[sizeof((ks_error *)0)->msg + 8];
    size_t part_bytes, part_at, said_bytes, said_at;
    int viewer;
    int fd; /* the piece; -1: none */
    int64_t left;
} pieces;

static int stopping(ks_server *srv)
{
    int stop;

    pthread_mutex_lock(&srv->lock);
    stop = srv->stopping;
    pthread_mutex_unlock(&srv->lock);
    return stop;
}

/* A file without a name in the cache; in memory where there is no cache. */
static int room_for_piece(const ks_server *srv)
{
    int fd = srv->cache ? open(srv->cache, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;

    return fd >= 0 ? fd : memfd_create("piece", MFD_CLOEXEC);
}

/* In the film's own container; what that does not take goes into Matroska, which takes anything. */
static int cut(char ending[16], const pieces *q, ks_session *s, const ks_watched *film,
               const wanted *w, ks_error *e)
{
    ks_piece p = {.path = film->path, .from = w->from, .to = w->to, .viewer = q->viewer};
    const char *const dot = strrchr(film->name, '.'), *const endings[] = {dot ? dot : ".mkv",
                                                                          ".mkv"};
    ks_decoder *d;
    char name[24];
    int err = 0;

    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "piece%.15s", endings[i]);
        p.to_file = name;
        if ((err = ks_session_decoder(&d, s, e)) < 0) break;
        err = ks_cut_into(&p, q->fd, d, e);
        snprintf(ending, 16, "%.15s", endings[i]);
        if (err == 0 || !p.unfit) break;
        if (ftruncate(q->fd, 0) < 0 || lseek(q->fd, 0, SEEK_SET) < 0) break;
    }
    if (err < 0) ks_lent_name(e, film->path, film->name);
    return err;
}

static int crc_of(uint32_t *crc, int fd, ks_error *e)
{
    uint8_t block[65536];
    int64_t at = 0;
    ssize_t n;

    *crc = 0;
    while ((n = pread(fd, block, sizeof block, at)) > 0) {
        *crc = ks_zip_crc(*crc, block, (size_t)n);
        at += n;
    }
    return n < 0 ? ks_fail(e, KS_EIO, "a piece cannot be read: %s", strerror(errno)) : 0;
}

/* "03 lake 0.04.12.mp4": in the order of the selection, and harmless in any file system. */
static void name_of(char name[KS_ZIP_NAME], int i, const char *film, double from,
                    const char *ending)
{
    const char *dot = strrchr(film, '.');
    const long s = (long)from;

    snprintf(name, KS_ZIP_NAME, "%02d %.*s %ld.%02ld.%02ld%s", i + 1,
             (int)(dot && dot - film < 120 ? dot - film : 120), film, s / 3600, s / 60 % 60, s % 60,
             ending);
    for (char *c = name; *c; c++)
        if ((unsigned char)*c < 0x20 || strchr("/\\:*?\"<>|", *c)) *c = '_';
}

static int make(pieces *p, ks_session *s, const wanted *w, int i, ks_error *e)
{
    char name[KS_ZIP_NAME], ending[16];
    ks_watched film;
    struct stat st;
    uint32_t crc;
    int err = ks_watched_open(&film, p->srv, s, w->video, e);

    if (err == 0 && (p->fd = room_for_piece(p->srv)) < 0)
        err = ks_fail(e, KS_EIO, "no room for a piece: %s", strerror(errno));
    if (err == 0) err = cut(ending, p, s, &film, w, e);
    if (err == 0) err = crc_of(&crc, p->fd, e);
    if (err == 0 && fstat(p->fd, &st) < 0) err = ks_fail(e, KS_EIO, "%s", strerror(errno));
    if (err == 0) {
        name_of(name, i, film.name, w->from, ending);
        p->left = st.st_size;
        p->part_bytes = ks_zip_head(p->part, &p->zip, name, crc, (uint64_t)st.st_size);
        if (p->part_bytes == 0 || lseek(p->fd, 0, SEEK_SET) < 0)
            err = ks_fail(e, KS_EUSAGE, "%s: the archive would be larger than 4 GiB", film.name);
    }
    ks_watched_close(&film);
    return err;
}

/* What went wrong is a member, too: an archive that lacks a piece says so. */
static void say_why(pieces *p, int i, const char *why)
{
    char name[32];

    if (p->fd >= 0) close(p->fd);
    p->fd = -1;
    p->left = 0;
    snprintf(name, sizeof name, "%02d missing.txt", i + 1);
    snprintf(p->said, sizeof p->said, "%s\n", why);
    p->said_at = 0;
    p->said_bytes = strlen(p->said);
    p->part_bytes = ks_zip_head(p->part, &p->zip, name, ks_zip_crc(0, p->said, p->said_bytes),
                                p->said_bytes);
    if (p->part_bytes == 0) p->said_bytes = 0;
}

/* The next bytes are ready. 0: the archive is whole. */
static int prepare(pieces *p)
{
    ks_session *s = NULL;
    ks_error e;
    int i = p->next++, err;

    p->part_at = p->part_bytes = 0;
    if (p->listing) {
        if (i > p->zip.n) return 0;
        p->part_bytes = ks_zip_entry(p->part, &p->zip, i, p->directory);
        return 1;
    }
    if (i == p->n) {
        p->listing = 1;
        p->next = 0;
        p->directory = p->zip.size;
        return prepare(p);
    }
    err = ks_sessions_take(&s, p->srv->sessions, KS_FOR_WATCHING, &e);
    if (err == 0) err = make(p, s, &p->at[i], i, &e);
    ks_sessions_give(p->srv->sessions, s);
    if (err) say_why(p, i, e.msg);
    return 1;
}

static int take(char *to, size_t most, const void *from, size_t *at, size_t bytes)
{
    const size_t n = bytes - *at < most ? bytes - *at : most;

    memcpy(to, (const char *)from + *at, n);
    *at += n;
    return (int)n;
}

static int read_pieces(void *arg, char *to, size_t most)
{
    pieces *p = arg;
    ssize_t n;

    for (;;) {
        if (p->part_at < p->part_bytes) return take(to, most, p->part, &p->part_at, p->part_bytes);
        if (p->said_at < p->said_bytes) return take(to, most, p->said, &p->said_at, p->said_bytes);
        if (p->left > 0) {
            n = read(p->fd, to, (int64_t)most < p->left ? most : (size_t)p->left);
            p->left -= n > 0 ? n : 0;
            return n > 0 ? (int)n : -1;
        }
        if (p->fd >= 0) close(p->fd);
        p->fd = -1;
        if (stopping(p->srv) || !prepare(p)) return -1;
    }
}

static void close_pieces(void *arg)
{
    pieces *p = arg;

    if (p->fd >= 0) close(p->fd);
    free(p);
}

int ks_pieces(ks_reply *out, const ks_call *c, const ks_selection *s, ks_error *e)
{
    assert(out && c && s && s->n >= 0);
    pieces *p;

    if (s->n > PIECES) return ks_fail(e, KS_EUSAGE, "an archive has at most %d pieces", PIECES);
    for (int i = 0; i < s->n; i++)
        if (ks_seconds(s->at[i].end - s->at[i].start, s->at[i].tb) > LONGEST)
            return ks_fail(e, KS_EUSAGE, "a piece has at most %d seconds", LONGEST);
    if (!(p = calloc(1, sizeof *p))) return ks_fail(e, KS_ENOMEM, "no memory");
    *p = (pieces){.srv = c->srv, .viewer = c->viewer, .fd = -1, .n = s->n};
    for (int i = 0; i < s->n; i++)
        p->at[i] = (wanted){s->at[i].video, ks_seconds(s->at[i].start, s->at[i].tb),
                            ks_seconds(s->at[i].end, s->at[i].tb)};
    out->type = "application/zip";
    snprintf(out->attachment, sizeof out->attachment, "attachment; filename=\"kinoseek.zip\"");
    out->flow = (ks_flow){read_pieces, close_pieces, p};
    return 0;
}
