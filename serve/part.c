/* part.c - a few seconds of a film for a browser that cannot play it as it is: by
 * kinoseek-decode, into memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve/server.h"

enum { LONGEST = 20, LEAST_SIDE = 120, MOST_SIDE = 1080 }; /* seconds; points */

typedef struct {
    int64_t video, side, fragments; /* side 0: as it is */
    double from, to;
} wanted;

/* "12/part" and from=, to=, side=. */
static int read_wanted(wanted *w, const ks_call *c, ks_error *e)
{
    char number[24] = "";
    size_t n = strcspn(c->tail, "/");
    int err;

    *w = (wanted){.from = -1, .to = -1};
    if (n < sizeof number) memcpy(number, c->tail, n);
    w->video = ks_id_read(number);
    if ((err = ks_param_int(&w->side, &c->params, "side", LEAST_SIDE, MOST_SIDE, e)) < 0 ||
        (err = ks_param_int(&w->fragments, &c->params, "fragments", 0, 1, e)) < 0 ||
        (err = ks_param_seconds(&w->from, &c->params, "from", e)) < 0 ||
        (err = ks_param_seconds(&w->to, &c->params, "to", e)) < 0)
        return err;
    if (w->video == 0) return ks_fail(e, KS_ENOTFOUND, "this is no number of a film");
    if (!(w->from >= 0 && w->to > w->from && w->to - w->from <= LONGEST))
        return ks_fail(e, KS_EUSAGE, "a part has from and to, and %d seconds at most", LONGEST);
    return 0;
}

static int make(int to, ks_piece *p, ks_session *s, const ks_video *v, int side, ks_error *e)
{
    ks_keys keys = {0};
    ks_decoder *d;
    int err = ks_film_keys(&keys, ks_session_index(s), v, e);

    for (int again = 0; err == 0 && again < 2; again++) { /* one that is being killed is followed */
        if ((err = ks_session_decoder(&d, s, e)) < 0) break;
        err = ks_cut_to_watch(p, to, side, &keys, d, e);
        if (err == 0 || err == KS_ESTOP || again || !ks_decoder_gone(d) || ftruncate(to, 0) < 0)
            break;
        err = lseek(to, 0, SEEK_SET) < 0 ? KS_EIO : 0;
    }
    free((void *)(uintptr_t)keys.at);
    return err;
}

static int send_part(ks_reply *out, const wanted *w, const ks_call *c, ks_session *s, ks_error *e)
{
    ks_piece p = {
        .from = w->from, .to = w->to, .fragments = w->fragments != 0, .viewer = c->viewer};
    struct stat st;
    ks_watched film;
    int fd = -1, err = ks_watched_open(&film, c->srv, s, w->video, e);

    p.path = film.path;
    if (err == 0 && (fd = memfd_create("part", MFD_CLOEXEC)) < 0)
        err = ks_fail(e, KS_EIO, "no room for a part: %s", strerror(errno));
    if (err == 0 && (err = make(fd, &p, s, &film.v, (int)w->side, e)) < 0)
        ks_lent_name(e, film.path, film.name);
    if (err == 0 && fstat(fd, &st) < 0)
        err = ks_fail(e, KS_EIO, "a part is lost: %s", strerror(errno));
    ks_watched_close(&film);
    if (err) {
        if (fd >= 0) close(fd);
        return err;
    }
    out->fd = fd;
    out->bytes = (size_t)st.st_size;
    out->type = "video/mp4";
    out->shows_from = p.cut_from;
    out->shows_to = p.cut_to;
    return 0;
}

/* At most two at once: the sessions for watching. */
void ks_film_part(ks_reply *out, ks_call *c)
{
    ks_session *s = NULL;
    wanted w;
    ks_error e;
    int err = read_wanted(&w, c, &e);

    if (err == 0 && (err = ks_sessions_take(&s, c->srv->sessions, KS_FOR_WATCHING, &e)) == 0)
        err = send_part(out, &w, c, s, &e);
    ks_sessions_give(c->srv->sessions, s);
    if (ks_param(&c->params, "of")) out->cache = "private, max-age=3600";
    if (err) ks_reply_problem(out, err, e.msg);
}
