/* writer.c - see writer.h. One process: a library has one writer at a time. */
#include "serve/writer.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "index/index.h"
#include "ingest/ingest.h"
#include "formats/formats.h"
#include "query/query.h"
#include "serve/confine.h"

struct ks_writer {
    const char *library, *cache;
    ks_aide_how how;
    ks_aide *aide;
};

/* --- in the process --- */
/* A name that is one line for people, at most 100 bytes, as on the command line. */
static int check_name(const char *name, size_t room, const char *what, ks_error *e)
{
    const size_t n = strnlen(name, room);
    int bad = n == 0 || n > 100 || n == room;

    for (size_t i = 0; i < n && !bad; i++) bad = (unsigned char)name[i] < 0x20 || name[i] == 0x7f;
    return bad || !ks_is_utf8(name)
               ? ks_fail(e, KS_EUSAGE, "%s is text of 1 to 100 bytes on one line", what)
               : 0;
}

typedef struct {
    ks_video film;
    int64_t start, end; /* ticks */
} span;

static int read_span(span *s, ks_index *x, const ks_wish *w, ks_error *e)
{
    int err = w->film > 0 ? ks_index_video(&s->film, x, w->film, e)
                          : ks_fail(e, KS_ENOTFOUND, "there is no film of this number");
    double most;

    if (err < 0) return err;
    s->film.path = s->film.reason = "";
    most = ks_seconds(s->film.duration, s->film.tb);
    if (!(w->start >= 0 && w->end > w->start && w->start < most && w->end < most + 1))
        return ks_fail(e, KS_EUSAGE, "film %lld has no moment from %.3f to %.3f s",
                       (long long)w->film, w->start, w->end);
    s->start = (int64_t)llround(w->start * s->film.tb.den / s->film.tb.num);
    s->end = (int64_t)llround(fmin(w->end, most) * s->film.tb.den / s->film.tb.num);
    return s->start < s->end ? 0 : ks_fail(e, KS_EUSAGE, "the moment is empty");
}

static int say(ks_index *x, const ks_wish *w, const span *s, ks_error *e)
{
    const ks_stored_set fresh = {.name = w->set, .how = "said"};
    uint64_t hash;
    int64_t set;
    int err = ks_index_begin(x, e);

    if (err < 0) return err;
    err = ks_index_find_set(&set, &hash, x, w->set, e);
    if (err == 0) err = ks_index_put_set(&set, NULL, x, &fresh, e);
    if (err >= 0)
        err = ks_index_say(x, w->set, w->label, &s->film, s->start, s->end, w->yes != 0, e);
    return ks_index_end(x, err < 0 ? err : 0, e);
}

static int teach(ks_granted *g, ks_index *x, const char *label, ks_error *e)
{
    ks_learnt_row row;
    ks_teaching how;
    int err = ks_index_begin(x, e);

    if (err < 0) return err;
    err = ks_index_end(x, ks_teach_kept(&row, &how, x, label, e), e);
    g->yes = row.yes, g->no = row.no, g->films = row.films;
    g->ap = row.ap, g->ap_low = row.ap_low, g->ap_high = row.ap_high;
    g->stood_in = how.stood_in, g->lost = how.lost;
    return err;
}

/* Another process labels: a film that changed since is left for the next time. */
static int put_marks(ks_index *x, const ks_wish *w, ks_error *e)
{
    const char *const label = w->label, *const parent = "";
    const ks_stored_set set = {
        .name = w->set, .how = "intervals", .labels = &label, .parents = &parent, .n = 1};
    ks_label_mark *m = calloc(KS_WISH_MARKS_MOST, sizeof *m);
    ks_wish_marks head;
    ks_wish_mark k;
    ks_stored_set fresh = set;
    ks_video v;
    int64_t id, of;
    int err = m ? ks_index_video(&v, x, w->film, e) : ks_fail(e, KS_ENOMEM, "no memory for labels");

    memcpy(&head, w->text, sizeof head);
    fresh.hash = head.hash;
    if (err == 0 && (head.n < 0 || head.n > KS_WISH_MARKS_MOST))
        err = ks_fail(e, KS_EUSAGE, "too many spans for one film");
    for (int64_t i = 0; err == 0 && i < head.n; i++) {
        memcpy(&k, w->text + sizeof head + (size_t)i * sizeof k, sizeof k);
        if (!(k.start >= 0 && k.start < k.end && k.end <= v.duration && k.score >= 0 &&
              k.score <= 1 && isfinite(k.cosine)))
            err = ks_fail(e, KS_EUSAGE, "a span that is none");
        m[i] = (ks_label_mark){
            .start = k.start, .end = k.end, .rank = 1, .score = k.score, .cosine = k.cosine};
    }
    v.path = v.reason = "";
    if (err == 0 && v.finished == head.finished && (err = ks_index_begin(x, e)) == 0) {
        err = ks_index_put_set(&of, &id, x, &fresh, e);
        for (int64_t i = 0; i < head.n; i++) m[i].id = id;
        if (err == 0) err = ks_index_put_marks(x, of, head.hash, &v, m, (int)head.n, e);
        err = ks_index_end(x, err, e);
    }
    free(m);
    return err;
}

static int do_it(ks_granted *g, ks_index *x, const ks_wish *w, ks_error *e)
{
    span s;
    int err;

    switch ((ks_wish_kind)w->kind) {
    case KS_WISH_SAY: return (err = read_span(&s, x, w, e)) < 0 ? err : say(x, w, &s, e);
    case KS_WISH_EXAMPLE:
        return (err = read_span(&s, x, w, e)) < 0
                   ? err
                   : ks_index_put_example(x, w->label, &s.film, s.start, s.end, w->yes != 0, e);
    case KS_WISH_TEACH: return teach(g, x, w->label, e);
    case KS_WISH_MARKS: return put_marks(x, w, e);
    case KS_WISH_SAVE: return ks_index_save(x, w->label, w->text, e);
    case KS_WISH_FORGET_SAVED:
        if ((err = ks_index_forget_saved(x, w->label, e)) == 0)
            return ks_fail(e, KS_ENOTFOUND, "no query of that name is kept");
        g->n = err;
        return err < 0 ? err : 0;
    case KS_WISH_RETRY: return ks_ingest_retry(&g->n, x, e);
    }
    return ks_fail(e, KS_EUSAGE, "nothing like that is done here");
}

static int check(const ks_wish *w, ks_error *e)
{
    int err = 0;

    if (w->kind == KS_WISH_SAY || w->kind == KS_WISH_MARKS)
        err = check_name(w->set, sizeof w->set, "a set's name", e);
    if (err == 0 && w->kind != KS_WISH_RETRY)
        err = check_name(w->label, sizeof w->label, "a name", e);
    if (err == 0 && w->kind == KS_WISH_SAVE &&
        (strnlen(w->text, sizeof w->text) == sizeof w->text || !ks_is_utf8(w->text)))
        err = ks_fail(e, KS_EUSAGE, "the query is too long to be kept");
    return err;
}

static void grant(void *out, int *fd, const void *in, void *arg)
{
    const ks_writer *writer = arg;
    const ks_wish *w = in;
    ks_granted *g = out;
    ks_index *x = NULL;
    ks_error e = {0};

    (void)fd;
    g->status = check(w, &e);
    if (g->status == 0 && access(writer->library, W_OK) < 0 && errno != ENOENT)
        ks_fail(&e, g->status = 403, "%s: %s: nothing can be changed in it", writer->library,
                strerror(errno));
    if (g->status == 0)
        g->status = ks_index_open(&x, writer->library,
                                  w->kind == KS_WISH_RETRY ? KS_WRITE : KS_KEEP, &e);
    if (g->status == 0) g->status = do_it(g, x, w, &e);
    ks_index_close(x);
    if (g->status) memcpy(g->why, e.msg, sizeof g->why);
}

static void begin(void *arg)
{
    const ks_writer *w = arg;
    const ks_walls walls = {.write = {w->library, w->cache}};
    char words[64];

    ks_confine(words, sizeof words, &walls);
}

/* --- in the server --- */
int ks_writer_start(ks_writer **out, const char *library, const char *cache, ks_error *e)
{
    assert(out && library);
    ks_writer *w = *out = calloc(1, sizeof *w);
    int err;

    if (!w) return ks_fail(e, KS_ENOMEM, "no memory");
    w->library = library;
    w->cache = cache;
    w->how = (ks_aide_how){.name = "kinoseek-write",
                           .in = sizeof(ks_wish),
                           .out = sizeof(ks_granted),
                           .begin = begin,
                           .answer = grant,
                           .arg = w};
    if ((err = ks_aide_start(&w->aide, &w->how, 1, e)) == 0) return 0;
    free(w);
    *out = NULL;
    return err;
}

void ks_writer_stop(ks_writer *w)
{
    if (!w) return;
    ks_aide_stop(w->aide);
    free(w);
}

int ks_writer_ask(ks_granted *g, ks_writer *w, const ks_wish *wish, ks_error *e)
{
    assert(g && w && wish && wish->kind >= KS_WISH_SAY && wish->kind <= KS_WISH_RETRY);
    int err = ks_aide_ask(w->aide, g, NULL, wish, e);

    if (err < 0) return err;
    return g->status ? (ks_fail(e, g->status, "%.500s", g->why), g->status) : 0;
}
