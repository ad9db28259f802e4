/* fault.c - see fault.h. The handler does what a handler may: it writes one string that lies
 * ready and calls execve. Locks, sockets and threads go with the program that was (all
 * descriptors are close-on-exec; the catalog sees a crash). */
#include "cli/fault.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

#define NOTE "KINOSEEK_FAULT" /* SIGNAL:BEGAN:SAID:PATH, from one program to the next */
enum { ROOM = PATH_MAX + KS_FAULT_SAID + 64 };
static const int deadly[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
enum { DEADLY = sizeof deadly / sizeof *deadly };

static _Thread_local char in_hand[PATH_MAX]; /* the film this thread works on; "" none */
static struct {
    char program[PATH_MAX];
    char **argv, **env; /* env[0] is the note */
    char note[ROOM], last[PATH_MAX], began[32];
    /* the film at which a mapped file had become shorter: no fault of the film */
    char retried[PATH_MAX];
    char said[2][KS_FAULT_SAID]; /* the one that is whole is at `now` */
    atomic_int now;
    struct sigaction old[DEADLY];
    int caught[DEADLY];
} again;

static void digits(char *out, int n)
{
    if (n >= 10) *out++ = (char)('0' + n / 10);
    *out++ = (char)('0' + n % 10);
    *out = 0;
}

/* The program starts anew, or this comes back. */
static void start_anew(int number)
{
    char code[4];
    sigset_t one;
    int innocent = number == SIGBUS && strcmp(in_hand, again.retried) != 0;
    digits(code, innocent ? 0 : number);
    const char *parts[] = {
        NOTE "=", code, ":", again.began, ":", again.said[atomic_load(&again.now)], ":", in_hand};
    char *at = again.note;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) at = stpcpy(at, parts[i]);
    sigemptyset(&one);
    sigaddset(&one, number);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL); /* a mask outlives execve */
    execve(again.program, again.argv, again.env);
}

/* Another thread may run into a fault of its own meanwhile: the first one decides, and the
 * others end with it. */
static void on_fault(int number)
{
    static atomic_int first;
    /* the same film twice: its verdict did not help */
    int one_of_ours = in_hand[0] && strcmp(in_hand, again.last) != 0;
    if (one_of_ours && atomic_exchange(&first, 1))
        for (;;) pause();
    if (one_of_ours) start_anew(number);
    for (int i = 0; i < DEADLY; i++)
        if (deadly[i] == number) sigaction(number, &again.old[i], NULL);
    raise(number);
}

/* SIGNAL:BEGAN:SAID:PATH */
static int read_note(ks_fault *before, const char *note, ks_error *e)
{
    int used = 0;
    if (sscanf(note, "%d:%lf:%n", &before->signal, &before->began, &used) != 2 || used == 0)
        return 0;
    const char *said = note + used, *end = strchr(said, ':');
    if (!end || !end[1] || end - said >= KS_FAULT_SAID) return 0;
    memcpy(before->said, said, (size_t)(end - said)); /* zeros follow */
    ks_fault_keep(before->said);
    used += (int)(end - said) + 1;
    if (before->signal == 0) {
        snprintf(again.retried, sizeof again.retried, "%s", note + used);
        return 0;
    }
    before->path = strdup(note + used);
    if (!before->path) return ks_fail(e, KS_ENOMEM, "no memory");
    snprintf(again.last, sizeof again.last, "%s", before->path);
    return 0;
}

static int keep_environment(ks_error *e)
{
    size_t n = 0, kept = 1;
    while (environ[n]) n++;
    again.env = calloc(n + 2, sizeof *again.env);
    if (!again.env) return ks_fail(e, KS_ENOMEM, "no memory");
    again.env[0] = again.note;
    for (size_t i = 0; i < n; i++)
        if (strncmp(environ[i], NOTE "=", sizeof NOTE) != 0) again.env[kept++] = environ[i];
    return 0;
}

/* The file this program was started from: the link the kernel keeps, else the name it was called
 * by. */
static void find_program(const ks_globals *g)
{
    ssize_t n = readlink("/proc/self/exe", again.program, sizeof again.program - 1);
    const char *called = (const char *)(uintptr_t)getauxval(AT_EXECFN);
    if (n > 0) again.program[n] = 0;
    else snprintf(again.program, sizeof again.program, "%s", called ? called : g->setup.program);
}

int ks_fault_open(ks_fault *before, const ks_globals *g, ks_error *e)
{
    assert(before && g);
    const char *note = getenv(NOTE);
    struct timespec now;
    *before = (ks_fault){0};
    int err = note ? read_note(before, note, e) : 0;
    unsetenv(NOTE);
    if (err == 0) err = keep_environment(e);
    if (err < 0) return err;
    find_program(g);
    again.argv = g->argv;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (before->began > 0) before->spent = (double)now.tv_sec - before->began;
    snprintf(again.began, sizeof again.began, "%.0f",
             before->began > 0 ? before->began : (double)now.tv_sec);
    /* who watches already (a sanitizer) goes on watching; main's word for SIGBUS comes after
     * ours */
    for (int i = 0; i < DEADLY; i++) {
        struct sigaction ours = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
        sigemptyset(&ours.sa_mask);
        again.caught[i] = sigaction(deadly[i], NULL, &again.old[i]) == 0 &&
                          (again.old[i].sa_handler == SIG_DFL || deadly[i] == SIGBUS) &&
                          sigaction(deadly[i], &ours, NULL) == 0;
    }
    return 0;
}

void ks_fault_free(ks_fault *before)
{
    for (int i = 0; i < DEADLY; i++)
        if (again.caught[i]) sigaction(deadly[i], &again.old[i], NULL);
    free(again.env);
    free(before->path);
    again.env = NULL;
    *before = (ks_fault){0};
}

void ks_fault_at_work(void *unused, const char *path)
{
    (void)unused;
    if (path && strlen(path) < sizeof in_hand) strcpy(in_hand, path);
    else in_hand[0] = 0;
}

void ks_fault_keep(const char *said)
{
    int next = !atomic_load(&again.now);
    snprintf(again.said[next], KS_FAULT_SAID, "%s", said);
    atomic_store(&again.now, next);
}

void ks_fault_keep_stdin(const char *text, size_t bytes)
{
    int fd = memfd_create("kinoseek-list", MFD_CLOEXEC);
    if (fd < 0) return;
    while (bytes > 0) {
        ssize_t n = write(fd, text, bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        text += n;
        bytes -= (size_t)n;
    }
    if (bytes == 0 && lseek(fd, 0, SEEK_SET) == 0) dup2(fd, STDIN_FILENO);
    close(fd);
}
