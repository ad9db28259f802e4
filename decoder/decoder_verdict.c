/* decoder_verdict.c - one verdict for every film, with its cause and the seconds that are
 * missing. */
#include <math.h>
#include <string.h>

#include "decoder/decoder_film.h"

static double seconds(const ks_film_job *f, int64_t ticks) { return (double)ticks * f->times.tick; }

static void clock_words(char out[32], double t)
{
    long s = (long)(t > 0 && t < 3.5e6 ? t : 0);
    snprintf(out, 32, "%02ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

static void skipped(ks_wire_end *end, const char *why)
{
    end->verdict = KS_VERDICT_SKIPPED;
    snprintf(end->reason, sizeof end->reason, "%s", why);
}

/* A part of the film is missing; the first cause is the one that is told. */
static void partly(ks_wire_end *end, const char *why)
{
    end->verdict = KS_VERDICT_PARTLY;
    if (!end->reason[0]) snprintf(end->reason, sizeof end->reason, "%s", why);
}

static const char HOLES[] = "most of it was never written (a hole in the file)";

void ks_film_missing(ks_film_job *f, int64_t from, int64_t to)
{
    double a = seconds(f, from), b = seconds(f, to);
    f->missing += b - a;
    if (f->spans > 0 && f->spans <= KS_SPANS && a - f->span[f->spans - 1].to < 1)
        f->span[f->spans - 1].to = b;
    else if (f->spans++ < KS_SPANS) f->span[f->spans - 1].from = a, f->span[f->spans - 1].to = b;
}

/* "damaged at A-B, C-D and 3 more places": whole seconds, outwards. */
static void damage_words(char *out, size_t n, const ks_film_job *f, double otherwise)
{
    char from[32], to[32];
    int shown = f->spans < KS_SPANS ? f->spans : KS_SPANS;
    clock_words(from, otherwise);
    if (!shown) snprintf(out, n, "damaged from %s", from);
    for (int i = 0, at = 0; i < shown; i++) {
        clock_words(from, f->span[i].from);
        clock_words(to, ceil(f->span[i].to - 0.001));
        at += snprintf(out + at, n - (size_t)at, "%s%s-%s", i ? ", " : "damaged at ", from, to);
        if (i == shown - 1 && f->spans > shown)
            snprintf(out + at, n - (size_t)at, " and %d more places", f->spans - shown);
    }
}

static void no_frames(ks_wire_end *end, ks_film_job *f)
{
    ks_log_news news = ks_log_take();
    const AVCodecParameters *p = f->source.stream ? f->source.stream->codecpar : NULL;
    if (f->encrypted) skipped(end, "encrypted");
    else if (f->source.bytes.gave_up) skipped(end, HOLES);
    else if (f->source.reason[0]) skipped(end, f->source.reason);
    else if (f->too_large || news.too_large ||
             (p && p->width > 0 && p->height > 0 && !ks_wire_size_fits(p->width, p->height)))
        skipped(end, "picture too large");
    else skipped(end, "no decodable frames");
}

/* Where the film should end, in its own ticks; 0 where nothing reliable says so.
 * MP4's sample table is reliable, header durations (24.8 days in the corpus) are not. */
static int64_t expected_end(ks_film_job *f)
{
    AVStream *st = f->source.stream;
    const char *name = f->source.format->iformat->name;
    int n = avformat_index_get_entries_count(st);
    if (strstr(name, "mov") && n > 0) {
        const AVIndexEntry *last = avformat_index_get_entry(st, n - 1);
        int64_t start = f->times.start + f->times.shift;
        if (last && last->timestamp != AV_NOPTS_VALUE)
            return last->timestamp + ks_times_step(&f->times) - start;
    }
    if (!strcmp(name, "avi") && st->duration > 0) return st->duration;
    if ((f->source.cut || f->hole) && f->source.format->duration > 0)
        return av_rescale_q(f->source.format->duration, AV_TIME_BASE_Q, st->time_base);
    return 0;
}

/* 1: the sample table names bytes that are not there. */
static int samples_are_missing(ks_film_job *f)
{
    AVStream *st = f->source.stream;
    int n = avformat_index_get_entries_count(st);
    const AVIndexEntry *last = n > 0 && strstr(f->source.format->iformat->name, "mov")
                                   ? avformat_index_get_entry(st, n - 1)
                                   : NULL;
    return last && last->pos + last->size > f->source.bytes.size;
}

/* What is missing at the end is counted. 1: it is more than a header's rounding. */
static int tail_is_missing(ks_film_job *f)
{
    ks_times *t = &f->times;
    int64_t want = expected_end(f), step = ks_times_step(t), lost = f->lost_last * step;
    double tail = want > t->last_end ? seconds(f, want - t->last_end) : 0;
    double slack = seconds(f, 5 * step) > 0.25 ? seconds(f, 5 * step) : 0.25;
    int known = tail > slack || f->source.cut || f->lost_end || samples_are_missing(f);

    /* damaged until the end */
    if (f->hole && tail <= 0 && lost > 0) ks_film_missing(f, t->last_end, t->last_end + lost);
    if (known && tail > 0 && tail < 1e9) ks_film_missing(f, t->last_end, want);
    return known;
}

static void judge_end(ks_wire_end *end, ks_film_job *f, int missing)
{
    char at[32], why[200];
    if (!missing) return;
    clock_words(at, seconds(f, f->times.last_end));
    snprintf(why, sizeof why, "truncated at %s", at);
    if (!(f->source.cut || samples_are_missing(f)))
        damage_words(why, sizeof why, f, seconds(f, f->times.last_end));
    partly(end, why);
}

static void judge_damage(ks_wire_end *end, ks_film_job *f, double before)
{
    char at[32], why[200];
    ks_times *t = &f->times;
    if (t->leading_untimed > 0) {
        snprintf(why, sizeof why, "the first %lld frames have no time",
                 (long long)t->leading_untimed);
        f->missing += seconds(f, t->leading_untimed * ks_times_step(t));
        partly(end, why);
    }
    if (f->headless && seconds(f, t->first) > seconds(f, ks_times_step(t)))
        partly(end, "begins between two key frames");
    if (f->first_damage >= 0 && (f->lost > 0 || before > seconds(f, ks_times_step(t)))) {
        damage_words(why, sizeof why, f, seconds(f, f->first_damage));
        partly(end, why);
    }
    if (f->unread) {
        clock_words(at, seconds(f, f->first_followed));
        snprintf(why, sizeof why, "from %s on its picture cannot be read (%.100s)", at,
                 f->source.reason);
        partly(end, why);
    }
    if (t->jumps > 0) {
        clock_words(at, seconds(f, t->first_jump));
        snprintf(why, sizeof why, "its clock jumps at %s", at);
        partly(end, why);
    }
    if (ks_times_implausible(t, f->hold.next))
        partly(end, "its times cannot be true (too many frames a second)");
}

void ks_film_verdict(ks_wire_end *end, ks_film_job *f)
{
    end->frames = f->hold.next;
    if (f->hold.next == 0 || (!f->source.codec && !f->unread)) {
        no_frames(end, f);
        return;
    }
    end->verdict = KS_VERDICT_INDEXED;
    end->interlaced = f->interlaced;
    end->hdr = f->hdr;
    end->inferred_times = f->times.inferred > 0;
    end->variable = ks_even_rate_of(&end->rate_num, &end->rate_den, &f->even) == 0;
    end->last_end = f->times.last_end;
    if (f->source.bytes.gave_up) partly(end, HOLES);
    if (f->encrypted) partly(end, "encrypted in part");
    if (f->too_large) partly(end, "its picture grows too large");
    double before = f->missing;
    int tail = tail_is_missing(f);
    judge_damage(end, f, before);
    judge_end(end, f, tail);
    end->seconds_missing = f->missing < 1e9 ? f->missing : 0;
}
