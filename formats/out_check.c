/* out_check.c - what a format cannot hold is said before its first byte, with the way out. */
#include "formats/out.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int ks_json_url(ks_json *j, const char *key, const char *path, ks_error *e)
{
    char *url = ks_url_of_path(path);

    ks_json_text(j, key, url);
    free(url);
    return url ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a path");
}

ks_rate ks_entry_rate(const ks_moment *k)
{
    return k->rate_num > 0 ? (ks_rate){k->rate_num, k->rate_den} : ks_rate_of(k->fps);
}

int64_t ks_frames_of(const ks_moment *k, ks_rate rate)
{
    double seconds = k->duration - ks_seconds(k->first, k->tb);

    return seconds > 0 ? llround(fmax(fmin(seconds * rate.num / rate.den, 1e15), 1)) : 0;
}

static int64_t frame_of(const ks_moment *k, int64_t ticks, ks_rate rate)
{
    int64_t frame = ks_frame_number(ticks - k->first, k->tb, rate);

    return frame > 0 ? frame : 0;
}

int64_t ks_shown_frame(const ks_moment *k, int64_t ticks, ks_rate rate)
{
    int64_t frame = frame_of(k, ticks, rate), frames = ks_frames_of(k, rate);

    return frames && frame >= frames ? frames - 1 : frame;
}

void ks_entry_frames(int64_t *in, int64_t *out, const ks_moment *k, ks_rate rate)
{
    int64_t frames = ks_frames_of(k, rate);

    *in = ks_shown_frame(k, k->start, rate);
    *out = frame_of(k, k->end, rate);
    if (frames && *out > frames) *out = frames;
    if (*out <= *in) *out = *in + 1;
}

int64_t ks_best_frame(const ks_moment *k, ks_rate rate)
{
    int64_t in, out, best = ks_shown_frame(k, k->best, rate);

    ks_entry_frames(&in, &out, k, rate);
    return best >= in && best < out ? best : in;
}

int64_t ks_start_frame(int *drop, const ks_moment *k, ks_rate rate)
{
    ks_rate own = ks_entry_rate(k);
    char label[24];
    int64_t frame;

    if (!*k->timecode || ks_timecode_read(&frame, drop, k->timecode, own) < 0) {
        *drop = ks_drops(rate);
        return 0;
    }
    /* the label is of time 0: over midnight it begins anew */
    ks_timecode(label, frame + ks_frame_number(k->first, k->tb, own), own, *drop);
    ks_timecode_read(&frame, drop, label, own);
    if (own.num == rate.num && own.den == rate.den) return frame;
    *drop = ks_drops(rate);
    return llround(ks_frame_seconds(frame, own) * rate.num / rate.den);
}

static int same_rate(ks_rate a, ks_rate b)
{
    return (int64_t)a.num * b.den == (int64_t)b.num * a.den;
}

/* Whole, or the 1000/1001 of it, and two digits: what hh:mm:ss:ff can count without leaving the
 * clock. */
static int counts(ks_rate r)
{
    return (r.num % r.den == 0 || (r.den == 1001 && r.num % 1000 == 0)) && r.num <= 100 * r.den;
}

ks_rate ks_clip_rate(const ks_writer *w, const ks_moment *k, int flags)
{
    ks_rate own = ks_entry_rate(k);
    int even = !k->variable && (k->rate_num > 0 || k->fps > 0) &&
               (counts(own) || !(flags & KS_TIMECODE_RATE));

    return even || !w->options->fps.num ? own : w->options->fps;
}

int64_t ks_sequence_frames(const ks_writer *w, const ks_moment *k, int flags)
{
    ks_rate rate = ks_clip_rate(w, k, flags);
    int64_t in, out, n;

    ks_entry_frames(&in, &out, k, rate);
    n = llround(ks_frame_seconds(out - in, rate) * w->rate.num / w->rate.den);
    return n > 0 ? n : 1;
}

static int check_film(const ks_format *f, ks_writer *w, const ks_moment *k)
{
    const char *name = ks_base_name(k->path);
    ks_rate rate = w->options->fps.num ? w->options->fps : ks_entry_rate(k);
    double end = ks_seconds(k->end, k->tb);

    if (f->longest > 0 && end > f->longest)
        return ks_fail(w->e, KS_EUSAGE, "%s: %s counts to %.0f hours, a moment ends at %.1f", name,
                       f->name, f->longest / 3600, end / 3600);
    if (!(f->flags & KS_NEEDS_RATE) || w->options->fps.num) return 0;
    if (k->variable || !(k->rate_num > 0 || k->fps > 0))
        return ks_fail(
            w->e, KS_EUSAGE,
            "%s: its frames come at %s rate, and %s counts frames: say at which with --fps", name,
            k->variable ? "no even" : "an unknown", f->name);
    if (f->flags & KS_TIMECODE_RATE && !counts(rate))
        return ks_fail(
            w->e, KS_EUSAGE,
            "%s: timecode does not count %.6g frames a second: say another rate for %s with --fps",
            name, (double)rate.num / rate.den, f->name);
    if (f->flags & KS_ONE_RATE && !same_rate(rate, w->rate))
        return ks_fail(w->e, KS_EUSAGE,
                       "%s runs at %.6g frames a second, %s at %.6g, and %s has one rate: say "
                       "which with --fps",
                       ks_base_name(w->at[0].path), (double)w->rate.num / w->rate.den, name,
                       (double)rate.num / rate.den, f->name);
    return 0;
}

int ks_check_format(const ks_format *f, ks_writer *w)
{
    const ks_out_options *o = w->options;
    int err = 0, drop;

    w->rate = o->fps.num ? o->fps : w->n ? ks_entry_rate(&w->at[0]) : (ks_rate){25, 1};
    w->drop = ks_drops(w->rate);
    if (w->n && !o->fps.num) {
        ks_start_frame(&drop, &w->at[0], w->rate);
        w->drop = drop;
    }
    if (o->drop) w->drop = o->drop > 0 && ks_drops(w->rate);
    if (f->flags & KS_TIMECODE_RATE && !counts(w->rate) && o->fps.num)
        return ks_fail(w->e, KS_EUSAGE, "--fps: timecode does not count %.6g frames a second",
                       (double)o->fps.num / o->fps.den);
    if (f->most && w->n > f->most)
        return ks_fail(w->e, KS_EUSAGE, "%s holds %d events, these are %d: narrow it%s%s", f->name,
                       f->most, w->n, o->narrow ? " with " : "", o->narrow ? o->narrow : "");
    for (int i = 0; i < w->n && err == 0; i++) {
        if (f->flags & KS_ONE_FILM && !ks_same_film(&w->at[0], &w->at[i]))
            err = ks_fail(w->e, KS_EUSAGE,
                          "%s describes one film, these are several: name it with --in, or a "
                          "folder with -o FOLDER/",
                          f->name);
        else err = check_film(f, w, &w->at[i]);
    }
    return err < 0 || !f->check ? err : f->check(w);
}
