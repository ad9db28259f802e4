/* spawn.c - starting kinoseek-decode, its jobs, and their ends. */
#include "decoder/spawn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
enum { START_MS = 20000, END_MS = 10000, HIGH_FD = 10 };

/* Descriptors that must not be where the program's own ones will be put. */
static int high(int fd)
{
    if (fd < 0 || fd >= HIGH_FD) return fd;
    int up = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
    close(fd);
    return up;
}

/* Memory that neither side can shrink under the other. */
static int shared_memory(ks_decoder *d)
{
    d->memory_fd = high(memfd_create("kinoseek", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (d->memory_fd < 0 || ftruncate(d->memory_fd, (off_t)KS_WIRE_MEMORY)) return -1;
    if (fcntl(d->memory_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) return -1;
    void *map = mmap(NULL, KS_WIRE_MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, d->memory_fd, 0);
    if (map == MAP_FAILED) return -1;
    d->memory = map;
    return 0;
}

/* The program sees no more of our environment than a loader and a sanitizer need. */
static void small_environment(char *env[64])
{
    static char lang[] = "LC_ALL=C";
    int n = 0;
    env[n++] = lang;
    for (char **v = environ; *v && n < 63; v++)
        if (!strncmp(*v, "LD_", 3) || !strncmp(*v, "ASAN_", 5) || !strncmp(*v, "UBSAN_", 6) ||
            !strncmp(*v, "TSAN_", 5))
            env[n++] = *v;
    env[n] = NULL;
}

static int spawn(ks_decoder *d, int theirs)
{
    posix_spawn_file_actions_t a;
    posix_spawnattr_t attr;
    sigset_t none, standard;
    char *env[64], serve[] = "--serve", hardware[] = "--hwaccel", open_box[] = "--no-sandbox";
    char *args[] = {d->program,
                    serve,
                    d->how.hwaccel      ? hardware
                    : d->how.no_sandbox ? open_box
                                        : NULL,
                    d->how.hwaccel ? d->hwaccel : NULL,
                    d->how.no_sandbox ? open_box : NULL,
                    NULL};
    int r;

    small_environment(env);
    sigemptyset(&none);
    sigemptyset(&standard);
    sigaddset(&standard, SIGPIPE);
    sigaddset(&standard, SIGCHLD);
    sigaddset(&standard, SIGTERM);
    sigaddset(&standard, SIGXFSZ); /* how it is known that the decoder tried to write */
    posix_spawn_file_actions_init(&a);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &standard);
    posix_spawn_file_actions_addopen(&a, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&a, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&a, theirs, KS_WIRE_FD);
    posix_spawn_file_actions_adddup2(&a, d->memory_fd, KS_WIRE_MEMORY_FD);
    posix_spawn_file_actions_addclosefrom_np(&a, KS_WIRE_MEMORY_FD + 1);
    r = posix_spawn(&d->pid, d->program, &a, &attr, args, env);
    posix_spawn_file_actions_destroy(&a);
    posix_spawnattr_destroy(&attr);
    if (r) d->pid = 0;
    return r;
}

static int check_ready(ks_decoder *d, ks_error *e)
{
    ks_message m;
    if (ks_wire_recv(d->control, &m, NULL, START_MS) != 1 || m.type != KS_MSG_READY)
        return ks_fail(e, KS_EIO, "%s did not start", d->program);
    ks_wire_text(d->sandbox, sizeof d->sandbox, m.u.text, sizeof m.u.text);
    if (!strcmp(d->sandbox, KS_WIRE_NO_HWACCEL))
        return ks_fail(
            e, KS_EUSAGE,
            "--hwaccel %s: this libav knows no such hardware (kinoseek doctor lists what it knows)",
            d->hwaccel);
    if (!strcmp(d->sandbox, KS_WIRE_NO_DEVICE))
        return ks_fail(e, KS_EUSAGE,
                       "--hwaccel %s: this machine has no such device, or not its driver; "
                       "--hwaccel auto does without",
                       d->hwaccel);
    if (d->how.require_sandbox &&
        !(strstr(d->sandbox, "seccomp") && strstr(d->sandbox, "landlock")))
        return ks_fail(e, KS_EIO,
                       "decoding cannot be isolated here as --require-sandbox asks (in force: %s)",
                       d->sandbox);
    return 0;
}

int ks_decoder_start(ks_decoder **out, const char *program, const ks_decoder_how *how, ks_error *e)
{
    assert(out && program);
    static const ks_decoder_how plain;
    int pair[2] = {-1, -1}, r = 0;
    ks_decoder *d = calloc(1, sizeof *d);

    *out = NULL;
    if (!d) return ks_fail(e, KS_ENOMEM, "no memory for a decoder");
    d->how = how ? *how : plain;
    d->control = d->memory_fd = -1;
    d->patience = d->how.patience > 0 ? d->how.patience : 30;
    if (d->how.hwaccel && (!strcmp(d->how.hwaccel, "none") || !d->how.hwaccel[0]))
        d->how.hwaccel = NULL;
    if (d->how.hwaccel) snprintf(d->hwaccel, sizeof d->hwaccel, "%s", d->how.hwaccel);
    if (d->how.hwaccel) d->how.hwaccel = d->hwaccel;
    d->program = strdup(program);
    if (!d->program) r = ks_fail(e, KS_ENOMEM, "no memory for a decoder");
    else if (access(program, X_OK))
        r = ks_fail(e, KS_ENOTFOUND, "%s: %s", program, strerror(errno));
    else if (shared_memory(d))
        r = ks_fail(e, KS_EIO, "no shared memory for pictures: %s", strerror(errno));
    else if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        r = ks_fail(e, KS_EIO, "no socket for the decoder: %s", strerror(errno));
    if (!r) {
        d->control = high(pair[0]);
        pair[1] = high(pair[1]);
        int why = spawn(d, pair[1]);
        if (why) r = ks_fail(e, KS_EIO, "%s: %s", program, strerror(why));
    }
    if (pair[1] >= 0) close(pair[1]);
    if (!r) r = check_ready(d, e);
    if (r) {
        ks_decoder_stop(d);
        return r;
    }
    *out = d;
    return 0;
}

static void nap(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

void ks_decoder_stop(ks_decoder *d)
{
    int status;
    if (!d) return;
    if (d->control >= 0) close(d->control); /* the program ends, and its job with it */
    if (d->pid > 0) {
        int tries = 0;
        while (waitpid(d->pid, &status, WNOHANG) == 0) {
            if (tries++ == 200) kill(d->pid, SIGKILL);
            nap(tries < 20 ? 1 : 10);
        }
    }
    if (d->memory) munmap(d->memory, KS_WIRE_MEMORY);
    if (d->memory_fd >= 0) close(d->memory_fd);
    free(d->program);
    free(d);
}

/* Killed while nobody asked anything of it: the next film should not be the one to find out. */
int ks_decoder_gone(const ks_decoder *d)
{
    struct pollfd p = {.fd = d->control};
    return d->broken || (!d->busy && poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR)));
}

const char *ks_decoder_sandbox(const ks_decoder *d) { return d->sandbox; }

int ks_job_begin(int *sock, ks_decoder *d, const ks_job *job, int file, int output, ks_error *e)
{
    int pair[2], fds[KS_WIRE_FDS] = {file, -1, output}, r;
    ks_message m;

    assert(!d->busy);
    *sock = -1;
    if (d->broken) return ks_fail(e, KS_EIO, "the decoder program is gone");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return ks_fail(e, KS_EIO, "no socket for the decoder: %s", strerror(errno));
    fds[1] = pair[1];
    ks_wire_begin(&m, KS_MSG_JOB);
    m.u.job = *job;
    if (d->how.hwaccel) snprintf(m.u.job.hwaccel, sizeof m.u.job.hwaccel, "%s", d->how.hwaccel);
    /* a descriptor must be something: the job's own socket stands in where there is no file */
    if (fds[0] < 0) fds[0] = pair[1];
    r = ks_wire_send(d->control, &m, fds, output >= 0 ? 3 : 2, 0);
    close(pair[1]);
    if (r != 1) {
        close(pair[0]);
        d->broken = 1;
        return ks_fail(e, KS_EIO, "the decoder program is gone");
    }
    d->busy = 1;
    *sock = pair[0];
    return 0;
}

void ks_job_end(int *status, ks_decoder *d)
{
    ks_message m;
    int r;
    *status = 0;
    if (!d->busy) return;
    d->busy = 0;
    ks_wire_begin(&m, KS_MSG_KILL);
    ks_wire_send(d->control, &m, NULL, 0, 1);
    do r = ks_wire_recv(d->control, &m, NULL, END_MS);
    while (r == 1 && m.type != KS_MSG_ENDED);
    if (r == 1) *status = m.u.status;
    else d->broken = 1;
    if (d->broken && d->pid > 0) kill(d->pid, SIGKILL);
}

void ks_job_died(char *words, size_t n, int status)
{
    int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
        code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    if (sig == SIGSYS) snprintf(words, n, "tried what it may not and was stopped by the sandbox");
    else if (sig == SIGXCPU) snprintf(words, n, "used up its processor time");
    else if (sig == SIGXFSZ) snprintf(words, n, "tried to write a file");
    else if (sig == SIGKILL) snprintf(words, n, "was killed");
    else if (sig) snprintf(words, n, "crashed (signal %d)", sig);
    else if (code == 4) snprintf(words, n, "ran out of memory");
    else if (code == 3) snprintf(words, n, "could not be isolated");
    else snprintf(words, n, "stopped (exit %d)", code);
}

/* "/proc/self/fd/7": a descriptor that somebody opened for us, whose walls may let no path be
 * opened; -1: another path. */
static int lent(const char *path)
{
    static const char before[] = "/proc/self/fd/";
    const char *number = path + sizeof before - 1;
    if (strncmp(path, before, sizeof before - 1)) return -1;
    if (!*number || strlen(number) > 6 || number[strspn(number, "0123456789")]) return -1;
    return atoi(number);
}

int ks_media_open(int *fd, struct stat *st, const char *path, ks_error *e)
{
    *fd = -1;
    if (lent(path) >= 0) {
        if (fstat(lent(path), st) || !S_ISREG(st->st_mode) ||
            (*fd = fcntl(lent(path), F_DUPFD_CLOEXEC, 0)) < 0)
            return ks_fail(e, KS_EFORMAT, "%s: no open regular file", path);
        return 0;
    }
    if (stat(path, st))
        return ks_fail(e, errno == ENOENT || errno == ENOTDIR ? KS_ENOTFOUND : KS_EIO, "%s: %s",
                       path, strerror(errno));
    if (!S_ISREG(st->st_mode)) return ks_fail(e, KS_EFORMAT, "%s: not a regular file", path);
    *fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (*fd < 0)
        return ks_fail(e, errno == ENOENT ? KS_ENOTFOUND : KS_EIO, "%s: %s", path, strerror(errno));
    if (fstat(*fd, st) || !S_ISREG(st->st_mode)) {
        close(*fd);
        *fd = -1;
        return ks_fail(e, KS_EFORMAT, "%s: not a regular file", path);
    }
    return 0;
}

/* Not the length: a hole of a terabyte costs nothing to make and two hours to read. */
int64_t ks_media_bytes(const struct stat *st)
{
    int64_t there = (int64_t)st->st_blocks * 512;
    return there < (int64_t)st->st_size ? there : (int64_t)st->st_size;
}
