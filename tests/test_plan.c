/* test_plan.c - the streaming planner against the rule written down plainly, over random films.
 * Invariants of DESIGN 2: no clip spans a cut, gap or jump; the tail is never dropped; frames
 * lie on one grid; memory is bounded: a clip never needs a frame that was said to be free. */
#include "ingest/plan.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4000, CLIPS = 20000 };

typedef struct {
    int64_t start, end;
    ks_reason reason;
    int64_t frame[KS_PLAN_FRAMES];
} clip;

typedef struct {
    clip *at;
    int n, T;
    int few;              /* frames of a short shot; 0: T */
    unsigned char *freed; /* [MOST] 1: needs() said no */
} made;

static const ks_plan_blend NONE = {0, 0};
static unsigned long long state;
static unsigned rnd(unsigned n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)((state >> 11) % n);
}

static int collect(void *arg, const ks_planned *c, ks_error *e)
{
    made *m = arg;
    (void)e;
    ck_assert_int_lt(m->n, CLIPS);
    clip *to = &m->at[m->n++];
    to->start = c->start;
    to->end = c->end;
    to->reason = c->reason;
    int n = m->few && c->reason == KS_REASON_SHOT && c->own > 1 ? m->few : m->T;
    ck_assert_int_eq(c->n, n);
    for (int i = c->n; i < m->T; i++) to->frame[i] = 0;
    for (int i = 0; i < c->n; i++) {
        to->frame[i] = c->frame[i];
        if (m->freed)
            ck_assert_msg(!m->freed[c->frame[i]], "clip %d needs frame %lld, which was free",
                          m->n - 1, (long long)c->frame[i]);
    }
    return 0;
}

/* The rule of plan.h over one shot whose frames [a,b) and end are known; step = W/T in `unit`s
 * of 1/den us. */
static int plainly(clip *out, const int64_t *pts, int a, int b, int64_t end, const ks_plan_rule *r)
{
    int64_t s = pts[a], U = (int64_t)r->tb.num * 1000000 * r->frames, G = r->window_us * r->tb.den;
    int n = 0, T = r->frames;
    if ((end - s) * U <= G * T) {
        out->start = s;
        out->end = end;
        out->reason = KS_REASON_SHOT;
        if (r->short_frames && b - a > 1) T = r->short_frames;
        for (int i = 0; i < T; i++) out->frame[i] = a + (int64_t)i * (b - a) / T;
        for (int i = T; i < r->frames; i++) out->frame[i] = 0;
        return 1;
    }
    int64_t tail = 0, hop = (r->hop_us * T + r->window_us / 2) / r->window_us;
    if (hop < 1) hop = 1;
    while ((end - s) * U > G * (tail + T)) tail++;
    for (int64_t k = 0;; k += hop) {
        int last = k >= tail;
        if (last) k = tail;
        clip *c = &out[n++];
        c->start = s + k * G / U;
        c->end = last ? end : s + (k + T) * G / U;
        c->reason = last ? KS_REASON_TAIL : KS_REASON_WINDOW;
        for (int i = 0; i < T; i++) {
            int f = a;
            while (f + 1 < b && (pts[f + 1] - s) * U <= G * (k + i)) f++;
            c->frame[i] = f;
        }
        if (last) return n;
    }
}

typedef struct {
    int64_t pts[MOST];
    int cut[MOST], n;
    int64_t end;
} film;

/* A film at a rate of its own with jitter and cuts; returns its clips by the rule. */
static int make_film(film *f, clip *out, const ks_plan_rule *r, int64_t dt, int jitter)
{
    int first = 0, clips = 0;
    int64_t t = (int64_t)rnd(1000) - 500;
    f->n = 1 + (int)rnd(MOST / 4);
    for (int n = 0; n < f->n; n++) {
        f->cut[n] = n > 0 && rnd(60) == 0;
        if (f->cut[n]) clips += plainly(out + clips, f->pts, first, n, t, r);
        if (f->cut[n]) first = n;
        f->pts[n] = t;
        t += dt + (jitter ? (int64_t)rnd((unsigned)jitter) : 0);
    }
    f->end = t;
    return clips + plainly(out + clips, f->pts, first, f->n, t, r);
}

START_TEST(streaming_equals_the_rule)
{
    static film f;
    static clip want[CLIPS];
    static unsigned char taken[MOST]; /* 1: on the grid when it came */
    made got = {calloc(CLIPS, sizeof(clip)), 0, 0, 0, calloc(MOST, 1)};
    static const ks_timebase bases[] = {{1, 12800}, {1001, 30000}, {1, 1000}, {1, 90000}, {1, 25}};
    unsigned long long seed = 20240517;
    for (int round = 0; round < 400; round++) {
        state = seed + (unsigned long long)round * 7919;
        rnd(2);
        ks_plan_rule r = {bases[rnd(5)], 8000000, 4000000, 16, 0, 0};
        if (rnd(3) == 0) r.frames = 1 + (int)rnd(20);
        if (rnd(3) == 0) r.window_us = 500000 + rnd(9000000);
        if (rnd(3) == 0) r.short_frames = 1 + (int)rnd((unsigned)r.frames);
        if (rnd(3) == 0) r.hop_us = 100000 + rnd(20000000);
        static const int rates[] = {5, 10, 24, 25, 30, 50, 60};
        int64_t dt = r.tb.den / ((int64_t)r.tb.num * rates[rnd(7)]);
        if (dt < 1) dt = 1;
        if (dt * r.tb.num * 2000000LL * r.frames > r.window_us * r.tb.den * 60 ||
            r.window_us < 2000000)
            r.window_us = 8000000;
        int jitter = rnd(2) && dt > 4 ? (int)(dt / 2) : 0;
        int clips = make_film(&f, want, &r, dt, jitter);
        ks_plan *p;
        ks_error e = {0};
        got.n = 0;
        got.T = r.frames;
        got.few = r.short_frames;
        memset(got.freed, 0, MOST);
        ck_assert_int_eq(ks_plan_open(&p, &r, collect, &got, &e), 0);
        for (int i = 0; i < f.n; i++) {
            if (i + 1 < f.n && !f.cut[i] && !ks_plan_wants(p, f.pts[i], f.pts[i + 1]))
                got.freed[i] = 1;
            ck_assert_int_eq(
                ks_plan_frame(p, i, f.pts[i], f.cut[i] ? KS_PLAN_CUT : KS_PLAN_ON, NONE, &e), 0);
            for (int j = i < 700 ? 0 : i - 700; j <= i; j++)
                got.freed[j] |= (unsigned char)!ks_plan_needs(p, j);
            /* What the decoder may let go of: all before the oldest, or all but the frames taken
             * as they passed. */
            taken[i] = (unsigned char)ks_plan_on_grid(p, f.pts[i],
                                                      i + 1 < f.n ? f.pts[i + 1] : f.end);
            int64_t oldest = ks_plan_oldest(p, 1), untaken = ks_plan_oldest(p, 0);
            ck_assert_int_le(oldest, untaken);
            for (int64_t j = i < 700 ? 0 : i - 700; j < untaken; j++)
                got.freed[j] |= (unsigned char)(j < oldest || !taken[j]);
        }
        ck_assert_int_eq(ks_plan_end(p, f.end, &e), 0);
        ks_plan_close(p);
        ck_assert_msg(got.n == clips, "seed %llu round %d: %d clips, %d by the rule", seed, round,
                      got.n, clips);
        for (int i = 0; i < clips; i++) {
            ck_assert_msg(got.at[i].start == want[i].start && got.at[i].end == want[i].end &&
                              got.at[i].reason == want[i].reason,
                          "seed %llu round %d clip %d: [%lld,%lld) %d, by the rule [%lld,%lld) %d",
                          seed, round, i, (long long)got.at[i].start, (long long)got.at[i].end,
                          (int)got.at[i].reason, (long long)want[i].start, (long long)want[i].end,
                          (int)want[i].reason);
            ck_assert_msg(
                memcmp(got.at[i].frame, want[i].frame, (size_t)r.frames * sizeof(int64_t)) == 0,
                "seed %llu round %d clip %d: other frames", seed, round, i);
        }
    }
    free(got.at);
    free(got.freed);
}
END_TEST

/* Begun in the middle of its first shot: the clips from there on are those of the whole film. */
START_TEST(a_shot_goes_on_from_its_middle)
{
    static film f;
    static clip want[CLIPS];
    made got = {calloc(CLIPS, sizeof(clip)), 0, 0, 0, NULL};
    static const ks_timebase bases[] = {{1, 12800}, {1001, 30000}, {1, 1000}, {1, 90000}, {1, 25}};
    int rounds = 0, compared = 0;
    state = 20261129;
    while (rounds < 300) {
        ks_plan_rule r = {bases[rnd(5)], 8000000, 4000000, 16, 0, 0};
        if (rnd(3) == 0) r.frames = 1 + (int)rnd(20);
        if (rnd(3) == 0) r.hop_us = 100000 + rnd(20000000);
        int64_t dt = r.tb.den / ((int64_t)r.tb.num * 10), s;
        if (dt < 1) dt = 1;
        int clips = make_film(&f, want, &r, dt, rnd(2) && dt > 4 ? (int)(dt / 2) : 0), first = 1;
        ks_plan *p;
        ks_error e = {0};
        while (first < f.n && !f.cut[first]) first++;
        int at = (int)rnd((unsigned)first);
        s = f.pts[0];
        if ((f.pts[at] - s) * r.tb.num * 1000000 < (r.window_us + 1000) * r.tb.den) continue;
        rounds++;
        got.n = 0;
        got.T = r.frames;
        ck_assert_int_eq(ks_plan_open(&p, &r, collect, &got, &e), 0);
        ck_assert_int_eq(ks_plan_resume(p, s, at, f.pts[at], &e), 0);
        for (int i = at + 1; i < f.n; i++)
            ck_assert_int_eq(
                ks_plan_frame(p, i, f.pts[i], f.cut[i] ? KS_PLAN_CUT : KS_PLAN_ON, NONE, &e), 0);
        ck_assert_int_eq(ks_plan_end(p, f.end, &e), 0);
        ks_plan_close(p);
        int k = 0; /* whole windows from the first at or after the frame, else the tail */
        int64_t end_of_first = first < f.n ? f.pts[first] : f.end;
        for (int i = 0; i < clips; i++) {
            if (want[i].start < f.pts[at]) continue;
            /* the tail may begin before the first window that is known, less than a hop on */
            if (want[i].reason == KS_REASON_TAIL && want[i].end == end_of_first &&
                (want[i].start - f.pts[at]) * r.tb.num * 1000000 <
                    (r.hop_us + r.window_us) * r.tb.den &&
                (k == got.n || got.at[k].start != want[i].start))
                continue;
            ck_assert_msg(
                k < got.n && got.at[k].start == want[i].start && got.at[k].end == want[i].end &&
                    got.at[k].reason == want[i].reason &&
                    memcmp(got.at[k].frame, want[i].frame, (size_t)r.frames * sizeof(int64_t)) == 0,
                "round %d: clip %d of %d [%lld,%lld) is not that of the film", rounds, k, got.n,
                (long long)want[i].start, (long long)want[i].end);
            k++;
            compared++;
        }
        ck_assert_int_eq(k, got.n);
    }
    ck_assert_int_gt(compared, 1000);
    free(got.at);
}
END_TEST

static int plan_of(made *got, const ks_plan_rule *r, const int64_t *pts, int n, int64_t end)
{
    ks_plan *p;
    ks_error e = {0};
    got->n = 0;
    got->T = r->frames;
    ck_assert_int_eq(ks_plan_open(&p, r, collect, got, &e), 0);
    for (int i = 0; i < n; i++)
        ck_assert_int_eq(ks_plan_frame(p, i, pts[i], KS_PLAN_ON, NONE, &e), 0);
    ck_assert_int_eq(ks_plan_end(p, end, &e), 0);
    ks_plan_close(p);
    return got->n;
}

START_TEST(gaps_and_jumps_part_clips)
{
    clip room[64];
    made got = {room, 0, 16, 0, NULL};
    ks_plan_rule r = {{1, 1000}, 8000000, 4000000, 16, 0, 0};
    /* 35_gap_59s.mkv: frames at 0, 1 and 60 s */
    int64_t gap[] = {0, 1000, 60000};
    ck_assert_int_eq(plan_of(&got, &r, gap, 3, 61000), 2);
    ck_assert_int_eq(room[0].start, 0);
    ck_assert_int_eq(room[0].end, 2000);
    ck_assert_int_eq(room[1].start, 60000);
    ck_assert_int_eq(room[1].end, 61000);
    /* 39_timelapse_0.2fps.mp4: twelve frames 5 s apart are no gaps, the tail ends with the film */
    int64_t slow[12];
    for (int i = 0; i < 12; i++) slow[i] = 5000 * i;
    int n = plan_of(&got, &r, slow, 12, 60000);
    ck_assert_int_eq(room[n - 1].end, 60000);
    for (int i = 1; i < n; i++) ck_assert_int_le(room[i].start, room[i - 1].end);
    /* 33_pts_jump_back: the time goes back: two shots */
    int64_t back[100];
    for (int i = 0; i < 100; i++) back[i] = i < 50 ? 9000 + 40 * i : 40 * (i - 50);
    ck_assert_int_eq(plan_of(&got, &r, back, 100, 2000), 2);
    ck_assert_int_eq(room[0].start, 9000);
    ck_assert_int_eq(room[0].end, 11000);
    ck_assert_int_eq(room[1].start, 0);
    ck_assert_int_eq(room[1].end, 2000);
    /* a 2 s hole in 25 frames a second parts, a hole of 0.9 s does not */
    int64_t hole[100];
    for (int i = 0; i < 100; i++) hole[i] = 40 * i + (i >= 50 ? 2000 : 0);
    ck_assert_int_eq(plan_of(&got, &r, hole, 100, 6000), 2);
    ck_assert_int_eq(room[0].end, 2000);
    for (int i = 0; i < 100; i++) hole[i] = 40 * i + (i >= 50 ? 860 : 0);
    ck_assert_int_eq(plan_of(&got, &r, hole, 100, 4860), 1);
}
END_TEST

START_TEST(one_frame_and_many_a_second)
{
    clip room[64];
    made got = {room, 0, 16, 0, NULL};
    ks_plan_rule r = {{1, 1000}, 8000000, 4000000, 16, 40, 0};
    int64_t one[] = {0};
    ck_assert_int_eq(plan_of(&got, &r, one, 1, 40), 1);
    ck_assert_int_eq(room[0].end, 40);
    for (int i = 0; i < 16; i++) ck_assert_int_eq(room[0].frame[i], 0);
    /* 20,000 frames in 20 s: bounded, and no clip's frame is later than its grid time */
    static int64_t many[20000];
    for (int i = 0; i < 20000; i++) many[i] = i;
    int n = plan_of(&got, &r, many, 20000, 20000);
    ck_assert_int_eq(n, 4);
    for (int c = 0; c < n; c++)
        for (int i = 0; i < 16; i++) ck_assert_int_eq(room[c].frame[i], room[c].start + 500 * i);
    /* 7 s at 1000 a second: a short shot, thinned; within 16 frames of the exact rule */
    n = plan_of(&got, &r, many, 7000, 7000);
    ck_assert_int_eq(n, 1);
    for (int i = 0; i < 16; i++) {
        int64_t exact = ks_reference_frame(i, 7000, 16);
        ck_assert_int_le(room[0].frame[i], exact);
        ck_assert_int_gt(room[0].frame[i], exact - 16);
    }
}
END_TEST

/* Films of short shots, half of the borders in dissolves of up to 1 s on either side that do not
 * meet. Of each shot one clip, in the shot; its middle a quarter of the pure pictures away from
 * any dissolve; what it leaves out is dissolve, and nothing if the middle of the shot is such a
 * middle; its frames are the reference's over its own span. */
START_TEST(no_middle_in_a_dissolve)
{
    clip room[128];
    made got = {room, 0, 16, 0, NULL};
    ks_plan_rule r = {{1, 1000}, 8000000, 4000000, 16, 40, 0};
    int trimmed = 0;
    for (unsigned seed = 1; seed <= 300; seed++) {
        int64_t border[64], t = 0;
        ks_plan_blend blend[64];
        ks_plan *p;
        ks_error e = {0};
        state = 88172645463325252ULL + seed;
        for (int i = 0; i < 60; i++) { /* the shot before border i is pure for at least 40 ms */
            int dissolve = i < 59 && i > 0 && rnd(2);
            blend[i] = dissolve ? (ks_plan_blend){40 * (1 + (int64_t)rnd(25)),
                                                  40 * (1 + (int64_t)rnd(25))}
                                : NONE;
            t += i ? blend[i - 1].after + blend[i].before + 40 * (1 + (int64_t)rnd(30)) : 0;
            border[i] = t;
        }
        got.n = 0;
        got.T = r.frames;
        ck_assert_int_eq(ks_plan_open(&p, &r, collect, &got, &e), 0);
        for (int64_t i = 0, b = 1; 40 * i < border[59]; i++) {
            int on = 40 * i == border[b];
            ck_assert_int_eq(ks_plan_frame(p, i, 40 * i,
                                           !on               ? KS_PLAN_ON
                                           : blend[b].before ? KS_PLAN_SOFT
                                                             : KS_PLAN_CUT,
                                           on ? blend[b] : NONE, &e),
                             0);
            b += on;
        }
        ck_assert_int_eq(ks_plan_end(p, border[59], &e), 0);
        ks_plan_close(p);
        ck_assert_int_eq(got.n, 59);
        for (int i = 0; i < 59; i++) {
            int64_t s = border[i], end = border[i + 1], a = room[i].start, b = room[i].end,
                    n = (b - a + 39) / 40;
            int64_t pure = s + blend[i].after, past = end - blend[i + 1].before,
                    low = pure + (past - pure) / 4, high = past - (past - pure) / 4;
            ck_assert_msg(a >= s && b <= end && a + b >= 2 * low && a + b <= 2 * high,
                          "seed %u: clip [%lld,%lld) of the shot [%lld,%lld), pure in [%lld,%lld)",
                          seed, (long long)a, (long long)b, (long long)s, (long long)end,
                          (long long)pure, (long long)past);
            ck_assert(a <= pure && b >= past);
            if (s + end >= 2 * low && s + end <= 2 * high) ck_assert(a == s && b == end);
            for (int j = 0; j < 16; j++)
                ck_assert_int_eq(room[i].frame[j], (a + 39) / 40 + j * n / 16);
            trimmed += a > s || b < end;
        }
    }
    ck_assert_int_gt(trimmed, 1000);
}
END_TEST

/* A dissolve is said to be longer than its shot, which has a cut at its other side: the clip is
 * about that end. */
START_TEST(a_shot_is_never_all_dissolve)
{
    static const struct {
        int64_t before, after, start, end; /* ticks that the dissolves are said to last; the clip */
    } cases[] = {{1096, 0, 880, 1100}, {3000, 0, 880, 1100}, {0, 1100, 0, 220}};
    clip room[8];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        made got = {room, 0, 4, 0, NULL};
        ks_plan_rule r = {{1, 1000}, 8000000, 4000000, 4, 20, 0};
        ks_plan *p;
        ks_error e = {0};
        ck_assert_int_eq(ks_plan_open(&p, &r, collect, &got, &e), 0);
        ck_assert_int_eq(ks_plan_frame(p, 0, -1000, KS_PLAN_ON, NONE, &e), 0);
        for (int64_t k = 0; k <= 56; k++) {
            ks_plan_border b = k == 0    ? (cases[i].before ? KS_PLAN_SOFT : KS_PLAN_CUT)
                               : k == 55 ? (cases[i].after ? KS_PLAN_SOFT : KS_PLAN_CUT)
                                         : KS_PLAN_ON;
            int64_t lasts = k == 0 ? cases[i].before : k == 55 ? cases[i].after : 0;
            ck_assert_int_eq(ks_plan_frame(p, 1 + k, 20 * k, b, (ks_plan_blend){lasts, lasts}, &e),
                             0);
        }
        ck_assert_int_eq(ks_plan_end(p, 2000, &e), 0);
        ks_plan_close(p);
        ck_assert_int_ge(got.n, 2);
        ck_assert_msg(llabs(room[1].start - cases[i].start) <= 20 &&
                          llabs(room[1].end - cases[i].end) <= 20,
                      "case %zu: [%lld,%lld)", i, (long long)room[1].start, (long long)room[1].end);
    }
}
END_TEST

/* Between two dissolves nothing is pure: the scene is only passed on the way from the one before
 * to the one after. A short shot after it has its clip as ever; the windows of a long one begin
 * with the pictures passed, so that none is lost. */
START_TEST(a_scene_may_be_only_passed)
{
    for (int length = 2; length <= 12; length += 10) { /* seconds of the shot after it */
        clip room[8];
        made got = {room, 0, 4, 0, NULL};
        ks_plan_rule r = {{1, 1000}, 8000000, 4000000, 4, 20, 0};
        ks_plan *p;
        ks_error e = {0};
        ck_assert_int_eq(ks_plan_open(&p, &r, collect, &got, &e), 0);
        /* borders at 3 s and 4 s; 600 ms after one, 500 before the other */
        for (int64_t k = 0; k < 50 * (4 + length); k++)
            ck_assert_int_eq(ks_plan_frame(p, k, 20 * k,
                                           k == 150 || k == 200 ? KS_PLAN_SOFT : KS_PLAN_ON,
                                           k == 150   ? (ks_plan_blend){500, 600}
                                           : k == 200 ? (ks_plan_blend){500, 400}
                                                      : NONE,
                                           &e),
                             0);
        ck_assert_int_eq(ks_plan_end(p, 1000 * (4 + length), &e), 0);
        ks_plan_close(p);
        ck_assert_int_eq(got.n, length < 8 ? 2 : 4);
        ck_assert(room[0].start == 0 && room[0].end == 3000);
        ck_assert_int_eq(room[1].start, length < 8 ? 4000 : 3000);
        ck_assert_int_eq(room[got.n - 1].end, 1000 * (4 + length));
    }
}
END_TEST

/* What a film or a library of somebody else may hold: any time base, any times, any lengths that
 * ingest lets through. */
START_TEST(hostile_times)
{
    static const int32_t nums[] = {1, 1, 1, 7, 1001, 3600, 86400, INT32_MAX},
                         dens[] = {1, 1, 25, 1000, 90000, 1000000000, INT32_MAX};
    static const double lengths[] = {0.1, 0.3, 1, 8, 8, 8, 20, 3600, 86400};
    made got = {calloc(CLIPS, sizeof(clip)), 0, 0, 0, NULL};
    unsigned long long seed = 20261129;
    for (int round = 0; round < 2000; round++) {
        state = seed + (unsigned long long)round * 7919;
        rnd(2);
        ks_plan_rule r = {{nums[rnd(8)], dens[rnd(7)]},
                          (int64_t)(lengths[rnd(9)] * 1e6),
                          1000 + rnd(1 << (1 + rnd(30))),
                          1 + (int)rnd(rnd(2) ? 16 : KS_PLAN_FRAMES),
                          0,
                          0};
        double tick = (double)r.tb.num / r.tb.den, most = 4294967296.0 / tick;
        int64_t limit = most < (double)(INT64_MAX / 4) ? (int64_t)most : INT64_MAX / 4, t = 0,
                window = (int64_t)((double)r.window_us / 1e6 / tick) + 1;
        r.nominal = rnd(2) ? (int64_t)rnd(1u << 30) : 0;
        ks_plan *p;
        ks_error e = {0, ""};
        got.n = 0;
        got.T = r.frames;
        ck_assert_int_eq(ks_plan_open(&p, &r, collect, &got, &e), 0);
        int frames = 1 + (int)rnd(60), last = 0;
        for (int i = 0; i < frames && t < limit; i++) {
            ks_plan_border border = rnd(9) ? KS_PLAN_ON : (ks_plan_border)rnd(4);
            ks_plan_blend blend = border == KS_PLAN_SOFT
                                      ? (ks_plan_blend){rnd(1u << 20), rnd(1u << 20)}
                                      : NONE;
            ck_assert_msg(ks_plan_frame(p, i, t, border, blend, &e) == 0, "seed %llu round %d: %s",
                          seed, round, e.msg);
            int64_t step = rnd(4)   ? window / (1 + (int64_t)rnd(40))
                           : rnd(3) ? window * (1 + (int64_t)rnd(9))
                                    : limit / (1 + (int64_t)rnd(20));
            t += step > 0 ? step : 1;
            last = i;
        }
        ck_assert_msg(ks_plan_end(p, t, &e) == 0, "seed %llu round %d: %s", seed, round, e.msg);
        ks_plan_close(p);
        ck_assert_int_ge(got.n, 1);
        for (int i = 0; i < got.n; i++) {
            ck_assert_msg(got.at[i].start < got.at[i].end,
                          "seed %llu round %d clip %d: [%lld,%lld)", seed, round, i,
                          (long long)got.at[i].start, (long long)got.at[i].end);
            ck_assert_msg(i == 0 || got.at[i].start != got.at[i - 1].start ||
                              got.at[i].end != got.at[i - 1].end,
                          "seed %llu round %d clip %d is there twice", seed, round, i);
            for (int k = 0; k < r.frames; k++)
                ck_assert(got.at[i].frame[k] >= 0 && got.at[i].frame[k] <= last);
        }
    }
    free(got.at);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("plan");
    TCase *t = tcase_create("plan");
    tcase_add_test(t, streaming_equals_the_rule);
    tcase_add_test(t, a_shot_goes_on_from_its_middle);
    tcase_add_test(t, gaps_and_jumps_part_clips);
    tcase_add_test(t, no_middle_in_a_dissolve);
    tcase_add_test(t, a_shot_is_never_all_dissolve);
    tcase_add_test(t, a_scene_may_be_only_passed);
    tcase_add_test(t, one_frame_and_many_a_second);
    tcase_add_test(t, hostile_times);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int bad = srunner_ntests_failed(r);
    srunner_free(r);
    return bad != 0;
}
