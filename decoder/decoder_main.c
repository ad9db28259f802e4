/* decoder_main.c - kinoseek-decode: waits loaded and idle, forks one sandboxed process a job.
 *
 * Loading 134 libraries costs tens of milliseconds, a fork one or two: a thousand short files would
 * otherwise spend their time in the dynamic linker. This process never reads a byte of a film, so
 * what a hostile film can take over is a process that dies with it. */
#include "decoder/decoder_job.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZER = 1 }; /* they report on stderr */
#else
enum { SANITIZER = 0 };
#endif

typedef struct {
    ks_box box;
    uint8_t *memory;
    /* /dev/null, for both directions: opened before no path can be opened any more */
    int null;
} server;

/* A job has its film, its socket and the piece it writes, and /dev/null; hardware keeps what its
 * driver opened. */
enum { KEPT = KS_WIRE_FDS + 1 };
static void close_all_but(const server *s, const int kept[KEPT])
{
    for (int fd = 0; fd <= STDERR_FILENO - SANITIZER; fd++) dup2(s->null, fd);
    for (int fd = STDERR_FILENO + 1; fd < 256; fd++) {
        int ours = fd == KS_WIRE_FD || fd == KS_WIRE_MEMORY_FD || fd == s->null, wanted = 0;
        for (int i = 0; i < KEPT; i++) wanted |= kept[i] == fd;
        if (ours || (!wanted && s->box == KS_BOX_FULL)) close(fd);
    }
}

/* The program answers from here on whether another thread may be started. */
static void hand_over(int threads, int ask)
{
    ks_message m;
    ks_wire_begin(&m, KS_MSG_READY);
    ks_wire_send(ask, &m, &threads, threads >= 0, 0);
    if (threads >= 0) close(threads);
    close(ask);
}

/* Never returns. ask: a socket to the program. */
static void child(const server *s, const ks_job *job, const int fds[KS_WIRE_FDS], int ask)
{
    struct stat st;
    ks_task task = {.job = *job,
                    .file = fds[0],
                    .socket = fds[1],
                    .output = fds[2],
                    .memory = s->memory,
                    .weak = s->box == KS_BOX_WEAK};
    /* holes are no work */
    int64_t bytes = task.file >= 0 && fstat(task.file, &st) == 0 ? (int64_t)st.st_blocks * 512 : 0;
    if (bytes > (int64_t)st.st_size) bytes = (int64_t)st.st_size;
    size_t memory = ((size_t)5 << 29) + (size_t)(job->hold > 0 ? job->hold : 0);

    int threads;
    close_all_but(s, (const int[KEPT]){fds[0], fds[1], fds[2], ask});
    task.job.hwaccel[sizeof task.job.hwaccel - 1] = 0;
    task.job.muxer[sizeof task.job.muxer - 1] = 0;
    if (ks_sandbox_job(&threads, s->box, bytes, job->kind == KS_JOB_CUT, memory)) _exit(3);
    hand_over(threads, ask);
    ks_task_run(&task);
    _exit(0);
}

/* Until the job's process is gone; KILL and the end of kinoseek end it. 0: go on; 1: kinoseek is
 * gone. */
static int attend(pid_t pid, int ask)
{
    int gone = 0, status = 0, started = 0, threads = -1, fds[KS_WIRE_FDS];
    long watch = syscall(SYS_pidfd_open, pid, 0u);
    ks_message m;

    while (watch >= 0) {
        struct pollfd p[4] = {{(int)watch, POLLIN, 0},
                              {gone ? -1 : KS_WIRE_FD, POLLIN, 0},
                              {ask, POLLIN, 0},
                              {threads, POLLIN, 0}};
        if (poll(p, 4, -1) < 0 && errno != EINTR) break;
        if (p[0].revents) break;
        if (p[2].revents) { /* once; the job may also end before it says anything */
            if (ks_wire_recv(ask, &m, fds, -1) == 1) threads = fds[0];
            close(ask);
            ask = -1;
        }
        if (p[3].revents &&
            (!(p[3].revents & POLLIN) || ks_sandbox_thread(threads, &started) < 0)) {
            close(threads);
            threads = -1;
        }
        if (p[1].revents) {
            int r = ks_wire_recv(KS_WIRE_FD, &m, NULL, -1);
            if (r != 1) gone = 1;
            if (r != 1 || m.type == KS_MSG_KILL) kill(pid, SIGKILL);
        }
    }
    if (ask >= 0) close(ask);
    if (threads >= 0) close(threads);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    if (watch >= 0) close((int)watch);
    if (gone) return 1;
    ks_wire_begin(&m, KS_MSG_ENDED);
    m.u.status = status;
    return ks_wire_send(KS_WIRE_FD, &m, NULL, 0, 0) == 1 ? 0 : 1;
}

static int serve(const server *s)
{
    ks_message m;
    int fds[KS_WIRE_FDS];

    for (;;) {
        int r = ks_wire_recv(KS_WIRE_FD, &m, fds, -1);
        if (r != 1) return r == 0 ? 0 : 1;
        if (m.type == KS_MSG_KILL) continue; /* for a job that ended by itself meanwhile */
        if (m.type != KS_MSG_JOB || fds[1] < 0) return 1;
        int ask[2] = {-1, -1};
        pid_t pid = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ask) == 0 ? fork() : -1;
        if (pid == 0) child(s, &m.u.job, fds, ask[1]);
        if (ask[1] >= 0) close(ask[1]);
        for (int i = 0; i < KS_WIRE_FDS; i++)
            if (fds[i] >= 0) close(fds[i]);
        if (pid < 0) {
            if (ask[0] >= 0) close(ask[0]);
            ks_wire_begin(&m, KS_MSG_ENDED);
            m.u.status = 127 << 8;
            if (ks_wire_send(KS_WIRE_FD, &m, NULL, 0, 0) != 1) return 1;
        } else if (attend(pid, ask[0])) {
            return 0;
        }
    }
}

int main(int argc, char **argv)
{
    server s = {KS_BOX_FULL, NULL, -1};
    ks_message m;
    struct stat st;
    const char *hwaccel = "";

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--version")) {
            puts("kinoseek-decode " KS_VERSION);
            return 0;
        }
        if (!strcmp(argv[i], "--hwaccel") && i + 1 < argc) {
            hwaccel = argv[++i];
            s.box = KS_BOX_WEAK;
        }
        if (!strcmp(argv[i], "--no-sandbox")) s.box = KS_BOX_NONE;
    }
    if (fstat(KS_WIRE_FD, &st) || !S_ISSOCK(st.st_mode)) {
        fputs("kinoseek-decode is started by kinoseek; it does nothing by itself\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* Ctrl-C is kinoseek's to answer; the control socket ends us */
    signal(SIGTSTP, SIG_DFL);
    void *map = mmap(NULL, KS_WIRE_MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, KS_WIRE_MEMORY_FD,
                     0);
    if (map == MAP_FAILED) return 3;
    s.memory = map;
    s.null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (s.null < 0) return 3;
    ks_wire_begin(&m, KS_MSG_READY);
    int warm = ks_task_warm(hwaccel);
    if (warm)
        snprintf(m.u.text, sizeof m.u.text, "%s",
                 warm == -1 ? KS_WIRE_NO_HWACCEL : KS_WIRE_NO_DEVICE);
    else ks_sandbox_program(s.box, m.u.text, sizeof m.u.text);
    if (ks_wire_send(KS_WIRE_FD, &m, NULL, 0, 0) != 1) return 3;
    /* nothing of ours is left to close, and a leak checker could not read /proc any more */
    _exit(serve(&s));
}
