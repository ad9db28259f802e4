/* prog_mutants [survey] DECODER SEED FIRST COUNT FILE... - damaged copies of small films through
 * the decoder's code.
 *
 * A process a film costs 5 to 8 ms, most of it fork's; a million would take hours. So hundreds
 * of mutants go, one after the other, through one child: the decoder's own parts (all but main),
 * inside its sandbox, with the film in memory and both ends of the conversation here. Each
 * message is doubted by ks_wire_accept as kinoseek does; pixels and a thumbnail are asked for.
 * Every SAMPLEth mutant, and every one that ended or stopped a child, also goes alone through
 * the real program (DECODER) and must end there as a verdict - the sampled ones as the same.
 *
 * survey: each mutant is read in order and then surveyed. A picture of the survey must be in the
 * mutant in order (told, or not as its clock runs back), in the film that it was made of, or in
 * that with one of its damages, at most five seconds from its time but for one in a thousand (a
 * damaged index has times of its own).
 *
 * Mutant i depends on SEED and i alone: `FIRST i COUNT 1` is it again, KS_KEEP=FOLDER writes it
 * there. */
#undef _FORTIFY_SOURCE
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "decoder/decoder.h"
#include "decoder/decoder_film.h"

enum { FILES = 64, LARGEST = 1 << 18, BATCH = 500, SAMPLE = 100, FILM_FD = 1000, TALK_FD = 1001 };
/* Processor seconds on one mutant of a few frames, and seconds without any: a hang, however busy
 * the machine is. */
enum { SPIN = 20, STUCK = 300 };
enum { THEN, NEAR, FAR, NOWHERE, PLACES };
enum {
    SHOWN = 40,
    LOOKS = 512,
    FAR_ONE_IN = 1000
}; /* frames of a mutant in order that a survey is held against */

typedef struct {
    int64_t ticks;
    uint32_t look;
} shown;
typedef struct {
    const char *name;
    uint8_t *bytes;
    size_t n;
    shown whole[LOOKS]; /* [n_whole] for surveys: the film in order, undamaged */
    int n_whole;
} seed_file;

typedef struct {
    int verdict;
    int64_t frames;
    char why[200];
} answer;

/* Shared with the child. */
typedef struct {
    volatile int64_t at; /* the mutant it is busy with */
    int64_t verdicts[5], silent;
    answer sample[BATCH / SAMPLE + 1];
    int64_t wrong; /* answers that kinoseek would have called nonsense; the first of them: */
    int64_t wrong_at;
    char nonsense[200];
    int64_t pictures[PLACES]; /* of surveys, by where they are in the film */
    struct {
        int64_t mutant, ticks;
        int where;
    } bad[SHOWN]; /* the first that are FAR or NOWHERE */
} page;

static seed_file files[FILES];
static int n_files;
static uint64_t seed;
static int surveys;

/* --- mutants --- */
static uint64_t state;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static size_t below(size_t n) { return n ? (size_t)(draw() % n) : 0; }

/* A third of the damage goes to the first 256 bytes, where the structure is. */
static size_t place(size_t n) { return below(draw() % 3 == 0 && n > 256 ? 256 : n); }

static size_t damage(uint8_t *p, size_t n)
{
    size_t at, len, to;
    for (size_t k = 1 + below(6); k > 0 && n > 1; k--) {
        at = place(n);
        switch (draw() % 8) {
        case 0:
        case 1:
        case 2: p[at] ^= (uint8_t)(1u << below(8)); break;
        case 3: p[at] = (uint8_t)draw(); break;
        case 4: p[at] = draw() & 1 ? 0xff : 0; break;
        case 5: /* a run of zeros, or of something else of the file */
            len = below(n - at < 64 ? n - at : 64);
            to = below(n - len);
            if (draw() & 1) memset(p + at, 0, len);
            else memmove(p + at, p + to, len);
            break;
        case 6: /* a large number where a size may be */
            for (size_t i = at; i < at + 4 && i < n; i++) p[i] = i == at ? 0x7f : 0xff;
            break;
        default: /* cut */
            if (draw() % 4 == 0) n = 1 + below(n);
        }
    }
    return n;
}

/* Mutant i into p[LARGEST]; its length. */
static size_t make(uint8_t *p, int64_t i, const seed_file **of)
{
    state = (seed * 0x9e3779b97f4a7c15ull ^ ((uint64_t)i + 1) * 0xbf58476d1ce4e5b9ull) | 1;
    for (int k = 0; k < 4; k++) draw();
    const seed_file *s = &files[below((size_t)n_files)];
    if (of) *of = s;
    memcpy(p, s->bytes, s->n);
    return damage(p, s->n);
}

/* --- one process, many films: what the decoder sees of the world (see -Wl,--wrap in the
 * Makefile) --- */
static struct {
    uint8_t film[LARGEST];
    size_t bytes;
    ks_wire_state state;
    int64_t ask_pixels, ask_thumb, seen; /* number, -1 none */
    int ended, tell;                     /* tell: an acknowledgement is due */
    answer answer;
    ks_film_job *job;
    const seed_file *of;
    shown in_order[LOOKS]; /* [n_in_order] */
    int n_in_order, surveying;
    shown odd[SHOWN]; /* [n_odd] pictures of the survey that were in neither */
    int n_odd;
    double tick; /* seconds */
    jmp_buf over;
    page *page;
} world;

int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st)
{
    if (fd != FILM_FD) return __real_fstat(fd, st);
    memset(st, 0, sizeof *st);
    st->st_mode = S_IFREG | 0400;
    st->st_size = (off_t)world.bytes;
    return 0;
}

ssize_t __real_pread(int fd, void *to, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *to, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *to, size_t n, off_t at)
{
    if (fd != FILM_FD) return __real_pread(fd, to, n, at);
    if (at < 0 || (size_t)at >= world.bytes) return 0;
    if (n > world.bytes - (size_t)at) n = world.bytes - (size_t)at;
    memcpy(to, world.film + at, n);
    return (ssize_t)n;
}

/* Where the film shows it: THEN, NEAR (at most a part of the survey away), FAR or NOWHERE. */
static int where_shown(const shown *film, int n, int64_t ticks, uint32_t look)
{
    int best = NOWHERE;
    for (int i = 0; i < n; i++) {
        double off = fabs((double)(film[i].ticks - ticks)) * world.tick;
        int at = off == 0 ? THEN : off <= 60.0 / KS_SURVEY_PICTURES ? NEAR : FAR;
        if (film[i].look == look && at < best) best = at;
    }
    return best;
}

static void count_picture(int64_t ticks, int where)
{
    page *p = world.page;
    int64_t n = p->pictures[FAR] + p->pictures[NOWHERE];
    p->pictures[where]++;
    if (where < FAR || n >= SHOWN) return;
    p->bad[n].mutant = p->at;
    p->bad[n].ticks = ticks;
    p->bad[n].where = where;
}

/* In order: remembered. Surveyed: looked for in the mutant in order and, as that may have lost
 * it, in the film itself. */
static void judge_picture(const ks_wire_frame *f)
{
    uint32_t look = f->has_small ? ks_look(f->small) : 0;
    if (!world.surveying) {
        if (world.n_in_order < LOOKS && f->has_small)
            world.in_order[world.n_in_order++] = (shown){f->ticks, look};
        return;
    }
    int mutant = where_shown(world.in_order, world.n_in_order, f->ticks, look),
        film = where_shown(world.of->whole, world.of->n_whole, f->ticks, look),
        best = mutant < film ? mutant : film;
    if (best == NOWHERE && world.n_odd < SHOWN) world.odd[world.n_odd++] = (shown){f->ticks, look};
    else count_picture(f->ticks, best);
}

static void hear(const ks_message *m)
{
    ks_error e = {0, ""};
    if (ks_wire_accept(&world.state, m, &e)) {
        if (world.page->wrong++ == 0) {
            world.page->wrong_at = world.page->at;
            snprintf(world.page->nonsense, sizeof world.page->nonsense, "mutant %lld: %.150s",
                     (long long)world.page->at, e.msg);
        }
    }
    if (m->type == KS_MSG_MEDIA) world.tick = (double)m->u.media.tb_num / m->u.media.tb_den;
    if (m->type == KS_MSG_FRAME) {
        int64_t n = m->u.frame.number;
        if (n % 8 == 0) world.ask_pixels = n;
        if (n == 0) world.ask_thumb = n;
        world.tell = 1;
        world.seen = n + 1;
        if (surveys) judge_picture(&m->u.frame);
    }
    if (m->type == KS_MSG_END) {
        world.ended = 1;
        world.answer.verdict = m->u.end.verdict;
        world.answer.frames = m->u.end.frames;
        ks_wire_text(world.answer.why, sizeof world.answer.why, m->u.end.reason,
                     sizeof m->u.end.reason);
    }
}

/* A trusted picture that a clock set back keeps from being told: the film has it all the same. */
__typeof__(ks_times_next) __real_ks_times_next, __wrap_ks_times_next;
int __wrap_ks_times_next(ks_moment *m, ks_times *t, int64_t pts, int64_t duration)
{
    int told = __real_ks_times_next(m, t, pts, duration);
    if (told || !surveys || world.surveying || pts == KS_NO_TIME || world.n_in_order == LOOKS)
        return told;
    ks_film_job *f = (ks_film_job *)(void *)((char *)t - offsetof(ks_film_job, times));
    uint8_t small[KS_SMALL];
    ks_small_of(&f->converter, small, f->frame);
    world.in_order[world.n_in_order++] = (shown){pts - t->start, ks_look(small)};
    return told;
}

__typeof__(ks_wire_send) __real_ks_wire_send, __wrap_ks_wire_send;
int __wrap_ks_wire_send(int fd, const ks_message *m, const int *fds, int n, int dont_wait)
{
    if (fd != TALK_FD) return __real_ks_wire_send(fd, m, fds, n, dont_wait);
    if (m->type == KS_MSG_FRAME && !world.job)
        world.job = (ks_film_job *)(void *)((char *)(uintptr_t)m - offsetof(ks_film_job, out));
    if (m->type == KS_MSG_END && !world.job)
        world.job = (ks_film_job *)(void *)((char *)(uintptr_t)m - offsetof(ks_film_job, out));
    hear(m);
    return 1;
}

static int request(ks_message *m, ks_msg_type type, int64_t number)
{
    ks_wire_begin(m, type);
    m->u.number = world.state.asked = number;
    return 1;
}

__typeof__(ks_wire_recv) __real_ks_wire_recv, __wrap_ks_wire_recv;
int __wrap_ks_wire_recv(int fd, ks_message *m, int fds[KS_WIRE_FDS], int ms)
{
    int64_t n = world.ask_pixels, t = world.ask_thumb;
    if (fd != TALK_FD) return __real_ks_wire_recv(fd, m, fds, ms);
    /* a frame is kept just after it was told */
    int held = world.job && world.seen > 0 && world.job->hold.next >= world.seen;
    if (held && n >= 0) return world.ask_pixels = -1, request(m, KS_MSG_PIXELS, n);
    if (held && t >= 0) return world.ask_thumb = -1, request(m, KS_MSG_THUMB, t);
    if (held && world.tell) {
        world.tell = 0;
        ks_wire_begin(m, KS_MSG_ACK);
        m->u.ack.seen = m->u.ack.keep = world.seen;
        return 1;
    }
    if (ms == 0) return KS_ENOTFOUND;
    if (world.ended) longjmp(world.over, 1);
    abort(); /* it waits for what will not come: the child's end is looked into */
}

static void sweep_up(void)
{
    ks_film_job *f = world.job;
    ks_source_close(&f->source);
    ks_hold_close(&f->hold);
    ks_converter_free(&f->converter);
    av_packet_free(&f->packet);
    av_frame_free(&f->frame);
    av_frame_free(&f->host);
    memset(f, 0, sizeof *f); /* static storage of its process: as it was at the fork */
}

static void decode(uint8_t *memory)
{
    ks_task task = {.job = {.kind = KS_JOB_FILM, .survey = world.surveying},
                    .file = FILM_FD,
                    .socket = TALK_FD,
                    .output = -1,
                    .memory = memory};
    ks_wire_start(&world.state);
    world.ask_pixels = world.ask_thumb = -1;
    world.ended = world.tell = 0;
    world.seen = 0;
    world.job = NULL;
    memset(&world.answer, 0, sizeof world.answer);
    if (!setjmp(world.over)) ks_task_run(&task);
    sweep_up();
}

/* The next run of damaged bytes from *at on, [*at, *end): 1. */
static int next_damage(size_t *at, size_t *end, const uint8_t *mutant, size_t n)
{
    enum { APART = 64 };
    const seed_file *of = world.of;
    while (*at < n && *at < of->n && mutant[*at] == of->bytes[*at]) ++*at;
    if (*at >= n || *at >= of->n) return 0;
    *end = *at + 1;
    for (size_t k = *end; k < n && k < of->n && k < *end + APART; k++)
        if (mutant[k] != of->bytes[k]) *end = k + 1;
    return 1;
}

/* What one damage makes of a picture beyond another one, where reading in order does not come:
 * looked for in the film with each of its damages alone. */
static void judge_odd(uint8_t *memory)
{
    static uint8_t mutant[LARGEST];
    size_t n = world.bytes, end = 0;
    answer was = world.answer;
    if (world.n_odd == 0) return;
    memcpy(mutant, world.film, n);
    world.surveying = world.n_in_order = 0;
    for (size_t at = 0; next_damage(&at, &end, mutant, n); at = end) {
        memcpy(world.film, world.of->bytes, world.of->n);
        memcpy(world.film + at, mutant + at, end - at);
        world.bytes = world.of->n;
        world.n_in_order = 0;
        decode(memory);
        for (int i = 0; i < world.n_odd; i++) {
            shown s = world.odd[i];
            int where = where_shown(world.in_order, world.n_in_order, s.ticks, s.look);
            if (where == NOWHERE) continue;
            count_picture(s.ticks, where);
            world.odd[i--] = world.odd[--world.n_odd];
        }
    }
    for (int i = 0; i < world.n_odd; i++) count_picture(world.odd[i].ticks, NOWHERE);
    world.answer = was;
}

static _Noreturn void child(page *p, int64_t first, int64_t end)
{
    char words[160];
    uint8_t *memory = mmap(NULL, KS_WIRE_MEMORY, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) _exit(90);
    ks_sandbox_program(KS_BOX_FULL, words, sizeof words);
    if (ks_sandbox_job(NULL, KS_BOX_FULL, 0, 0, (size_t)6 << 29)) _exit(91);
    world.page = p;
    for (p->at = first; p->at < end; p->at++) {
        world.bytes = make(world.film, p->at, &world.of);
        world.n_in_order = world.n_odd = world.surveying = 0;
        if (surveys) decode(memory);
        world.surveying = surveys;
        decode(memory);
        judge_odd(memory);
        p->verdicts[world.answer.verdict]++;
        if (world.answer.verdict != KS_VERDICT_INDEXED && !world.answer.why[0]) p->silent++;
        if (p->at % SAMPLE == 0) p->sample[p->at % BATCH / SAMPLE] = world.answer;
    }
    _exit(0);
}

/* --- the parent --- */
static struct {
    ks_decoder *d;
    const char *program;
    int64_t deaths, spins, stuck, alone, other, no_verdict, failed;
} real;

/* Mutant i through the real program. */
static void alone(answer *out, int64_t i)
{
    static uint8_t mutant[LARGEST];
    ks_decoder_how how = {.patience = 120};
    ks_film *film;
    ks_film_frame f;
    ks_image image;
    char path[64];
    ks_error e = {0, ""};
    size_t n = make(mutant, i, NULL);
    int fd = memfd_create("mutant", MFD_CLOEXEC);
    memset(out, 0, sizeof *out);
    if (fd < 0 || pwrite(fd, mutant, n, 0) != (ssize_t)n) exit(2);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (!real.d && ks_decoder_start(&real.d, real.program, &how, &e)) {
        printf("not ok - the decoder does not start: %s\n", e.msg);
        exit(1);
    }
    real.alone++;
    if (ks_film_open(&film, real.d, path, &(ks_film_options){.survey = surveys},
                     &e)) { /* the program itself is gone */
        snprintf(out->why, sizeof out->why, "%.190s", e.msg);
        ks_decoder_stop(real.d);
        real.d = NULL;
        close(fd);
        return;
    }
    while (ks_film_next(&f, film, &e) == 1) {
        if (f.number % 8 == 0) ks_film_pixels(&image, film, f.number, &e);
        ks_film_keep(film, f.number);
    }
    out->verdict = (int)ks_film_outcome(film)->verdict;
    out->frames = ks_film_outcome(film)->frames;
    snprintf(out->why, sizeof out->why, "%.190s", ks_film_outcome(film)->reason);
    ks_film_close(film);
    close(fd);
}

/* The film itself, in order. */
static void read_whole(seed_file *s)
{
    ks_decoder_how how = {.patience = 120};
    ks_film *film;
    ks_film_frame f;
    ks_error e = {0, ""};
    if ((!real.d && ks_decoder_start(&real.d, real.program, &how, &e)) ||
        ks_film_open(&film, real.d, s->name, NULL, &e)) {
        printf("not ok - %s: %s\n", s->name, e.msg);
        exit(1);
    }
    while (ks_film_next(&f, film, &e) == 1) {
        if (s->n_whole < LOOKS && f.small)
            s->whole[s->n_whole++] = (shown){f.ticks, ks_look(f.small)};
        ks_film_keep(film, f.number);
    }
    ks_film_close(film);
}

static void keep_mutant(int64_t i)
{
    static uint8_t mutant[LARGEST];
    char name[200];
    const char *dir = getenv("KS_KEEP");
    size_t n = make(mutant, i, NULL);
    if (!dir) return;
    snprintf(name, sizeof name, "%.150s/mutant-%lld", dir, (long long)i);
    FILE *f = fopen(name, "w");
    if (!f) return;
    fwrite(mutant, 1, n, f);
    fclose(f);
}

/* A mutant that ended or stopped its child: alone it must be a verdict with a cause. */
static void look_at(int64_t i, const char *what)
{
    answer a;
    const seed_file *of;
    static uint8_t mutant[LARGEST];
    make(mutant, i, &of);
    alone(&a, i);
    keep_mutant(i);
    if (a.verdict == KS_VERDICT_NONE || (a.verdict != KS_VERDICT_INDEXED && !a.why[0]))
        real.no_verdict++;
    if (a.verdict == KS_VERDICT_FAILED) real.failed++;
    const char *slash = strrchr(of->name, '/');
    printf("# mutant %lld of %s: %s; alone: verdict %d, %lld frames, %s\n", (long long)i,
           slash ? slash + 1 : of->name, what, a.verdict, (long long)a.frames, a.why);
    fflush(stdout);
}

static double cpu_seconds(clockid_t clock)
{
    struct timespec t;
    return clock_gettime(clock, &t) ? 0 : (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Until the child is gone; 1: it had to be killed because it spun or was stuck. */
static int watch(pid_t pid, const page *p, int *status)
{
    int64_t at = -1;
    clockid_t clock;
    double cpu = 0, wall = 0;
    int known = clock_getcpuclockid(pid, &clock) == 0;
    for (;;) {
        if (waitpid(pid, status, WNOHANG) == pid) return 0;
        double c = known ? cpu_seconds(clock) : 0, w = cpu_seconds(CLOCK_MONOTONIC);
        if (p->at != at) at = p->at, cpu = c, wall = w;
        int spins = c - cpu > SPIN, stuck = w - wall > STUCK && c - cpu < 0.1 * (w - wall);
        if (spins || stuck) {
            kill(pid, SIGKILL);
            waitpid(pid, status, 0);
            real.spins += spins;
            real.stuck += !spins;
            return 1;
        }
        nanosleep(&(struct timespec){0, 20000000}, NULL);
    }
}

/* Mutants first..end of one batch; returns the first that is still to be done. */
static int64_t batch(page *p, int64_t first, int64_t end)
{
    int status = 0;
    char what[80];
    pid_t pid = fork();
    if (pid < 0) exit(2);
    if (pid == 0) child(p, first, end);
    int killed = watch(pid, p, &status);
    int64_t at = p->at;
    if (!killed && WIFEXITED(status) && WEXITSTATUS(status) == 0) return end;
    if (WIFEXITED(status) && WEXITSTATUS(status) >= 90) {
        printf("not ok - the batch could not be isolated (exit %d)\n", WEXITSTATUS(status));
        exit(1);
    }
    if (killed) snprintf(what, sizeof what, "made no progress");
    else if (WIFSIGNALED(status)) snprintf(what, sizeof what, "signal %d", WTERMSIG(status));
    else snprintf(what, sizeof what, "exit %d", WEXITSTATUS(status));
    real.deaths++;
    look_at(at, what);
    if (at % SAMPLE == 0) p->sample[at % BATCH / SAMPLE].verdict = -1;
    return at + 1;
}

static void compare(const page *p, int64_t first, int64_t end)
{
    for (int64_t i = (first + SAMPLE - 1) / SAMPLE * SAMPLE; i < end; i += SAMPLE) {
        const answer *a = &p->sample[i % BATCH / SAMPLE];
        answer b;
        if (a->verdict < 0) continue;
        alone(&b, i);
        if (a->verdict == b.verdict && a->frames == b.frames && !strcmp(a->why, b.why)) continue;
        real.other++;
        keep_mutant(i);
        printf("# mutant %lld: in a batch verdict %d, %lld frames, %s; alone %d, %lld, %s\n",
               (long long)i, a->verdict, (long long)a->frames, a->why, b.verdict,
               (long long)b.frames, b.why);
    }
}

static void read_seeds(char **names, int n)
{
    for (n_files = 0; n_files < n && n_files < FILES; n_files++) {
        seed_file *s = &files[n_files];
        FILE *f = fopen(names[n_files], "r");
        s->name = names[n_files];
        s->bytes = malloc(LARGEST);
        if (!f || !s->bytes) exit(2);
        s->n = fread(s->bytes, 1, LARGEST, f);
        fclose(f);
    }
}

/* 1: none is wrong. */
static int say_surveys(const page *p)
{
    const int64_t *n = p->pictures;
    int64_t all = n[THEN] + n[NEAR] + n[FAR] + n[NOWHERE], bad = n[FAR] + n[NOWHERE];
    printf(
        "# %lld pictures of surveys: %lld of another time near, %lld far, %lld of no time of the "
        "film\n",
        (long long)all, (long long)n[NEAR], (long long)n[FAR], (long long)n[NOWHERE]);
    for (int64_t i = 0; i < bad && i < SHOWN; i++) {
        static uint8_t mutant[LARGEST];
        const seed_file *of;
        make(mutant, p->bad[i].mutant, &of);
        printf("# mutant %lld of %s: a picture at %lld is %s\n", (long long)p->bad[i].mutant,
               of->name, (long long)p->bad[i].ticks, p->bad[i].where == FAR ? "far" : "nowhere");
        keep_mutant(p->bad[i].mutant);
    }
    return n[THEN] > 0 && n[NOWHERE] == 0 && n[FAR] * FAR_ONE_IN <= all;
}

int main(int argc, char **argv)
{
    surveys = argc > 1 && strcmp(argv[1], "survey") == 0;
    argc -= surveys;
    argv += surveys;
    if (argc < 6) return 2;
    real.program = argv[1];
    seed = strtoull(argv[2], NULL, 10);
    int64_t first = atoll(argv[3]), count = atoll(argv[4]), end = first + count;
    read_seeds(argv + 5, argc - 5);
    page *p = mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return 2;
    for (int i = 0; i < n_files && surveys; i++) read_whole(&files[i]);
    ks_task_warm("");
    double begin = cpu_seconds(CLOCK_MONOTONIC);
    for (int64_t i = first; i < end;) {
        int64_t stop = i / BATCH * BATCH + BATCH < end ? i / BATCH * BATCH + BATCH : end, from = i;
        while (i < stop) i = batch(p, i, stop);
        compare(p, from, stop);
    }
    ks_decoder_stop(real.d);
    int bad = real.spins || real.stuck || real.other || real.no_verdict || p->silent || p->wrong;
    if (surveys) bad |= !say_surveys(p);
    if (p->wrong) {
        printf("# %s\n", p->nonsense);
        keep_mutant(p->wrong_at);
    }
    printf("%s - %lld mutants of %d films, seed %llu from %lld: %lld indexed, %lld partly, %lld "
           "skipped, %lld failed; %lld ended a batch "
           "(alone %lld failed, %lld without a verdict), %lld spun, %lld stuck, %lld without a "
           "cause, %lld nonsense; %lld alone, %lld otherwise than "
           "in a batch; %.0f s\n",
           bad ? "not ok" : "ok", (long long)count, n_files, (unsigned long long)seed,
           (long long)first, (long long)p->verdicts[1], (long long)p->verdicts[2],
           (long long)p->verdicts[3], (long long)p->verdicts[4], (long long)real.deaths,
           (long long)real.failed, (long long)real.no_verdict, (long long)real.spins,
           (long long)real.stuck, (long long)p->silent, (long long)p->wrong, (long long)real.alone,
           (long long)real.other, cpu_seconds(CLOCK_MONOTONIC) - begin);
    return bad;
}
