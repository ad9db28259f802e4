/* moment_arg.c - see moment_arg.h. */
#include "cli/moment_arg.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int take_film(ks_typed_moment *m, ks_index *x, int64_t id, ks_error *e)
{
    int err = ks_index_video(&m->film, x, id, e);

    if (err == 0 && m->film.finished == 0)
        err = ks_fail(e, KS_ENOTFOUND, "%s: it is not wholly in the library", m->film.path);
    m->film.path = m->film.reason = "";
    return err;
}

int ks_take_span(ks_typed_moment *m, ks_index *x, int64_t video, const char *film, double from,
                 double to, ks_error *e)
{
    assert(m && x && film);
    double length;
    int err = take_film(m, x, video, e);

    if (err < 0) return err;
    length = ks_seconds(m->film.duration, m->film.tb);
    if (to < 0 || to > length) to = length;
    if (!(from >= 0 && from < to))
        return ks_fail(e, KS_EUSAGE, "%s: from %.3f to %.3f s is no part of its %.3f s", film, from,
                       to, length);
    m->start = (int64_t)llround(from * m->film.tb.den / m->film.tb.num);
    m->end = (int64_t)llround(to * m->film.tb.den / m->film.tb.num);
    return m->start < m->end
               ? 0
               : ks_fail(e, KS_EUSAGE, "%s: from %.6f to %.6f s is shorter than its clock can tell",
                         film, from, to);
}

static int named_span(ks_typed_moment *m, ks_index *x, const char *film, double from, double to,
                      ks_error *e)
{
    int64_t id = 0;
    int err = ks_find_video(&id, x, film, e);

    return err < 0 ? err : ks_take_span(m, x, id, film, from, to, e);
}

static int take_clip(ks_typed_moment *m, ks_index *x, const char *text, ks_error *e)
{
    char *end;
    long long number = strtoll(text + 1, &end, 10);
    ks_clip clip;
    int err;

    if (*end || end == text + 1 || number < 1)
        return ks_fail(e, KS_EUSAGE, "%s: a clip is #NUMBER (kinoseek clips lists them)", text);
    if ((err = ks_index_clip(&clip, x, number, e)) < 0 ||
        (err = take_film(m, x, clip.video, e)) < 0)
        return err;
    m->start = clip.start;
    m->end = clip.end;
    return 0;
}

static int nearest_clip(ks_typed_moment *m, ks_index *x, const char *film, double at, ks_error *e)
{
    ks_filter f = {0};
    ks_cursor *c = NULL;
    ks_clip clip;
    double least = HUGE_VAL;
    int err = ks_find_video(&f.video, x, film, e);

    if (err < 0 || (err = take_film(m, x, f.video, e)) < 0 ||
        (err = ks_index_clips(&c, x, &f, e)) < 0)
        return err;
    if (at > ks_seconds(m->film.duration, m->film.tb))
        err = ks_fail(e, KS_EUSAGE, "%s: second %.3f lies behind its end", film, at);
    while (err >= 0 && (err = ks_clips_next(&clip, c, e)) > 0) {
        double off = fabs(
            (ks_seconds(clip.start, m->film.tb) + ks_seconds(clip.end, m->film.tb)) / 2 - at);
        if (off < least) {
            least = off;
            m->start = clip.start;
            m->end = clip.end;
        }
    }
    ks_cursor_close(c);
    if (err == 0 && least == HUGE_VAL)
        err = ks_fail(e, KS_ENOTFOUND, "%s: no clip of it is in the library", film);
    return err;
}

/* "4:12" or "4:12-4:19"; *to < 0: no end. 0, or -1: neither. */
static int take_times(double *from, double *to, char *text)
{
    char *dash = strchr(text, '-');

    *to = -1;
    if (dash) *dash = 0;
    if (ks_parse_seconds(from, text) < 0 || (dash && ks_parse_seconds(to, dash + 1) < 0)) return -1;
    return 0;
}

int ks_read_moment(ks_typed_moment *m, ks_index *x, const char *text, ks_error *e)
{
    assert(m && x && text);
    char *film, *at, *times;
    double from, to;
    int err;

    *m = (ks_typed_moment){0};
    if (*text == '#') return take_clip(m, x, text, e);
    if (!(film = strdup(text))) return ks_fail(e, KS_ENOMEM, "no memory for a moment");
    at = strrchr(film, '@');
    times = at ? at + 1 : NULL;
    if (!at || at == film || take_times(&from, &to, times) < 0) {
        err = ks_fail(e, KS_EUSAGE, "%s: a moment is FILE@START-END, FILE@AT or #CLIP", text);
    } else {
        *at = 0;
        err = strchr(strrchr(text, '@'), '-') ? named_span(m, x, film, from, to, e)
                                              : nearest_clip(m, x, film, from, e);
    }
    free(film);
    return err;
}
