/* prog_hostile_decoder - kinoseek-decode after a film took it over: the real program loop, the real
 * sandbox, and a job that does what the film's text says ("hostile NAME"). A job whose forbidden
 * call
 * *worked* says so with the verdict INDEXED and a frame, which is what the tests look for. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "decoder/decoder_job.h"

int ks_task_warm(const char *hwaccel) { return hwaccel[0] == '?' ? -1 : 0; }

static void media(int socket)
{
    ks_message m;
    ks_wire_begin(&m, KS_MSG_MEDIA);
    m.u.media = (ks_wire_media){
        .tb_num = 1, .tb_den = 25, .width = 64, .height = 36, .sar_num = 1, .sar_den = 1};
    ks_wire_send(socket, &m, NULL, 0, 0);
}

static void frame(int socket, int64_t number, int64_t ticks)
{
    ks_message m;
    ks_wire_begin(&m, KS_MSG_FRAME);
    m.u.frame.number = number;
    m.u.frame.ticks = ticks;
    m.u.frame.duration = 1;
    m.u.frame.width = 64;
    m.u.frame.height = 36;
    ks_wire_send(socket, &m, NULL, 0, 0);
}

static void end(int socket, int verdict, int64_t frames, const char *reason)
{
    ks_message m;
    ks_wire_begin(&m, KS_MSG_END);
    m.u.end.verdict = verdict;
    m.u.end.frames = frames;
    snprintf(m.u.end.reason, sizeof m.u.end.reason, "%s", reason);
    ks_wire_send(socket, &m, NULL, 0, 0);
    for (;;)
        if (ks_wire_recv(socket, &m, NULL, -1) != 1) _exit(0);
}

static void pause_in_receive(int socket)
{
    ks_message m;
    if (ks_wire_recv(socket, &m, NULL, -1) != 1) _exit(0);
}

/* --- calls that must not work --- */
typedef struct {
    const char *name;
    long number, a, b, c, d;
} call;

static char passwd[] = "/etc/passwd", shell[] = "/bin/sh", made[] = "/tmp/kinoseek-escaped",
            empty[] = "";
static char *const args[] = {shell, NULL};
static uint8_t scratch[4096];
#define P(x) ((long)(intptr_t)(x))

static long attempt(const char *name, ks_task *task)
{
    const call calls[] = {
        {"socket", SYS_socket, AF_INET, SOCK_STREAM, 0, 0},
        {"socket_unix", SYS_socket, AF_UNIX, SOCK_STREAM, 0, 0},
        {"connect", SYS_connect, task->socket, P(scratch), 16, 0},
        {"socketpair", SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, P(scratch)},
        {"execve", SYS_execve, P(shell), P(args), 0, 0},
        {"execveat", SYS_execveat, AT_FDCWD, P(shell), P(args), 0},
        {"read_passwd", SYS_openat, AT_FDCWD, P(passwd), O_RDONLY, 0},
        {"create_file", SYS_openat, AT_FDCWD, P(made), O_WRONLY | O_CREAT, 0600},
        {"openat2", SYS_openat2, AT_FDCWD, P(passwd), P(scratch), 24},
        {"write", SYS_write, 2, P(scratch), 1, 0},
        {"pwrite", SYS_pwrite64, task->file, P(scratch), 1, 0},
        {"ftruncate", SYS_ftruncate, task->file, 0, 0, 0},
        {"unlink", SYS_unlinkat, AT_FDCWD, P(made), 0, 0},
        {"mkdir", SYS_mkdirat, AT_FDCWD, P(made), 0700, 0},
        {"rename", SYS_renameat2, AT_FDCWD, P(made), AT_FDCWD, P(made)},
        {"symlink", SYS_symlinkat, P(passwd), AT_FDCWD, P(made), 0},
        {"chmod", SYS_fchmod, task->file, 0777, 0, 0},
        {"ptrace", SYS_ptrace, 16, getppid(), 0, 0},
        {"kill_parent", SYS_kill, getppid(), SIGKILL, 0, 0},
        {"kill_all", SYS_kill, -1, SIGKILL, 0, 0},
        {"tgkill_parent", SYS_tgkill, getppid(), getppid(), SIGKILL, 0},
        {"pidfd_open", SYS_pidfd_open, getppid(), 0, 0, 0},
        {"process_vm_readv", SYS_process_vm_readv, getppid(), 0, 0, 0},
        {"io_uring", SYS_io_uring_setup, 4, P(scratch), 0, 0},
        {"memfd", SYS_memfd_create, P(empty), 0, 0, 0},
        {"mmap_code", SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS},
        {"mprotect_code", SYS_mprotect, P(scratch) & ~4095L, 4096, PROT_READ | PROT_EXEC, 0},
        {"mount", SYS_mount, P(made), P(made), P(empty), 0},
        {"keyctl", SYS_keyctl, 0, -3, 1, 0},
        {"bpf", SYS_bpf, 0, P(scratch), 64, 0},
        {"userfaultfd", SYS_userfaultfd, 0, 0, 0, 0},
        {"perf", SYS_perf_event_open, P(scratch), 0, -1, -1},
        {"unshare", SYS_unshare, CLONE_NEWUSER, 0, 0, 0},
        {"fork", SYS_clone, SIGCHLD, 0, 0, 0},
        {"setuid", SYS_setuid, 0, 0, 0, 0},
        {"prctl", SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0},
        {"ioctl", SYS_ioctl, 2, 0x5412, P(scratch), 0},
        {"dup", SYS_dup, 2, 0, 0, 0},
        {"shmget", SYS_shmget, 1, 4096, 01600, 0},
        {"sched", SYS_setpriority, 0, 0, -20, 0},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (!strcmp(calls[i].name, name))
            return syscall(calls[i].number, calls[i].a, calls[i].b, calls[i].c, calls[i].d, -1L,
                           0L) < 0
                       ? -1
                       : 1;
    return 0;
}

/* --- nonsense over the protocol --- */
static void say(int socket, const void *p, size_t n)
{
    struct iovec iov = {(void *)(uintptr_t)p, n};
    struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
    sendmsg(socket, &h, 0);
    for (;;) pause_in_receive(socket);
}

static int speak(const char *name, int socket)
{
    ks_message m;
    memset(&m, 0x5a, sizeof m);
    if (!strcmp(name, "garbage")) say(socket, &m, 100);
    else if (!strcmp(name, "long_garbage")) say(socket, &m, sizeof m);
    else if (!strcmp(name, "one_byte")) say(socket, &m, 1);
    else if (!strcmp(name, "frame_first")) frame(socket, 0, 0);
    else if (!strcmp(name, "no_frame_indexed")) end(socket, KS_VERDICT_INDEXED, 0, "");
    else if (!strcmp(name, "no_reason")) end(socket, KS_VERDICT_SKIPPED, 0, "");
    else if (!strcmp(name, "two_headers")) media(socket), media(socket);
    else if (!strcmp(name, "jumping_numbers"))
        media(socket), frame(socket, 0, 0), frame(socket, 7, 1);
    else if (!strcmp(name, "time_stands_still"))
        media(socket), frame(socket, 0, 5), frame(socket, 1, 5);
    else if (!strcmp(name, "negative_time")) media(socket), frame(socket, 0, -5);
    else if (!strcmp(name, "wrong_count"))
        media(socket), frame(socket, 0, 0), end(socket, KS_VERDICT_INDEXED, 2, "");
    else if (!strcmp(name, "huge_picture")) {
        ks_wire_begin(&m, KS_MSG_MEDIA);
        m.u.media = (ks_wire_media){
            .tb_num = 1, .tb_den = 25, .width = 65535, .height = 65535, .sar_num = 1, .sar_den = 1};
        ks_wire_send(socket, &m, NULL, 0, 0);
    } else if (!strcmp(name, "no_time_base")) {
        ks_wire_begin(&m, KS_MSG_MEDIA);
        m.u.media = (ks_wire_media){
            .tb_num = 1, .tb_den = 0, .width = 64, .height = 36, .sar_num = 1, .sar_den = 1};
        ks_wire_send(socket, &m, NULL, 0, 0);
    } else if (!strcmp(name, "unasked_picture")) {
        media(socket);
        ks_wire_begin(&m, KS_MSG_PICTURE);
        m.u.picture = (ks_wire_picture){.width = 64, .height = 36, .stride = 192};
        ks_wire_send(socket, &m, NULL, 0, 0);
    } else if (!strcmp(name, "descriptors")) {
        int fds[2] = {0, 0};
        ks_wire_begin(&m, KS_MSG_END); /* descriptors come along; kinoseek must close them */
        m.u.end.verdict = 99;
        ks_wire_send(socket, &m, fds, 2, 0);
    } else if (!strcmp(name, "far_time") || !strcmp(name, "long_frame")) { /* of 2^61 seconds */
        media(socket);
        ks_wire_begin(&m, KS_MSG_FRAME);
        m.u.frame = (ks_wire_frame){.ticks = name[0] == 'f' ? INT64_MAX / 4 : 0,
                                    .duration = name[0] == 'l' ? INT64_MAX / 4 : 1,
                                    .width = 64,
                                    .height = 36};
        ks_wire_send(socket, &m, NULL, 0, 0);
    } else if (!strcmp(name, "no_rate")) {
        ks_wire_begin(&m, KS_MSG_MEDIA);
        m.u.media = (ks_wire_media){.tb_num = 1,
                                    .tb_den = 25,
                                    .width = 64,
                                    .height = 36,
                                    .sar_num = 1,
                                    .sar_den = 1,
                                    .fps = 1e-310};
        ks_wire_send(socket, &m, NULL, 0, 0);
    } else if (!strcmp(name, "backward_ticks")) {
        ks_wire_begin(&m, KS_MSG_TICK);
        m.u.number = 10;
        ks_wire_send(socket, &m, NULL, 0, 0);
        ks_wire_send(socket, &m, NULL, 0, 0);
    } else if (!strcmp(name, "long_picture") || !strcmp(name, "wide_rows") ||
               !strcmp(name, "flood")) {
        media(socket);
        frame(socket, 0, 0);
        while (ks_wire_recv(socket, &m, NULL, -1) == 1 && m.type != KS_MSG_PIXELS) {}
        if (!strcmp(name, "flood"))
            for (int i = 1; i < 200; i++) frame(socket, i, i);
        ks_wire_begin(&m, KS_MSG_PICTURE);
        m.u.picture = (ks_wire_picture){.width = 1,
                                        .height = name[0] == 'l' ? 1 << 30 : 1,
                                        .stride = name[0] == 'w' ? INT64_MAX : 64};
        ks_wire_send(socket, &m, NULL, 0, 0);
    } else return 0;
    return 1;
}

/* --- what is there: every descriptor, every call by its number --- */
static char seen[200];

static void list_descriptors(void)
{
    struct stat st;
    for (int fd = 0; fd < 1024; fd++) {
        size_t n = strlen(seen);
        if (fstat(fd, &st) == 0 && n < sizeof seen - 12)
            snprintf(seen + n, sizeof seen - n, "%s%s", n ? " " : "",
                     S_ISCHR(st.st_mode)    ? st.st_rdev == 0x103 ? "null" : "device"
                     : S_ISREG(st.st_mode)  ? "film"
                     : S_ISSOCK(st.st_mode) ? "socket"
                                            : "other");
    }
}

static void call_number(long n)
{
    long r = syscall(n, -1L, -1L, -1L, -1L, -1L, -1L);
    snprintf(seen, sizeof seen, "call %ld gave %ld, errno %d", n, r, r < 0 ? errno : 0);
}

static _Noreturn int waits(void *lock)
{
    for (;;) syscall(SYS_futex, lock, 0, 0, NULL, NULL, 0);
}

static void start_threads(void)
{
    static int lock;
    static char stack[8192][512];
    int n = 0;
    while (n < 8192 &&
           clone(waits, stack[n] + 512,
                 CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
                 &lock) > 0)
        n++;
    snprintf(seen, sizeof seen, "%d threads", n);
}

/* Whatever stands behind 2: is it written to, is it read? */
static void use_stderr(void)
{
    char typed[16];
    struct iovec iov = {typed, 6};
    struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
    memcpy(typed, "FORGED", 6);
    ssize_t sent = sendmsg(2, &h, 0), got = read(2, typed, sizeof typed);
    snprintf(seen, sizeof seen, "sent %ld, got %ld", (long)sent, (long)got);
}

static int look(const char *name)
{
    if (!strcmp(name, "list")) list_descriptors();
    else if (!strcmp(name, "threads")) start_threads();
    else if (!strcmp(name, "stderr")) use_stderr();
    else if (!strncmp(name, "call ", 5)) call_number(atol(name + 5));
    else return 0;
    return 1;
}

static void eat(void)
{
    for (;;) {
        volatile char *p = malloc(16 << 20);
        if (!p) _exit(4);
        /* all of it takes half a minute on a busy machine */
        for (size_t i = 0; i < 16 << 20; i += 256 << 10) p[i] = 1;
    }
}

static void crash(void)
{
    volatile int *p = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *p = 1;
}

static void spin(void)
{
    for (volatile unsigned i = 0;; i++) {}
}

void ks_task_run(ks_task *task)
{
    char text[64] = "";
    ssize_t n = pread(task->file, text, sizeof text - 1, 0);
    const char *name = n > 8 && !strncmp(text, "hostile ", 8) ? text + 8 : "";

    if (!strcmp(name, "crash")) crash();
    else if (!strcmp(name, "abort")) abort();
    else if (!strcmp(name, "leave")) _exit(0);
    else if (!strcmp(name, "leave_3")) _exit(7);
    else if (!strcmp(name, "sleep"))
        for (;;) {
            ks_message m;
            ks_wire_recv(task->socket, &m, NULL, 1000);
        }
    /* a sign of life ten times a second, and no work */
    else if (!strcmp(name, "tick") || !strcmp(name, "tick_more"))
        for (int64_t n_tick = 1;; n_tick++) {
            ks_message m, in;
            ks_wire_begin(&m, KS_MSG_TICK);
            m.u.number = name[4] ? n_tick << 24 : n_tick;
            ks_wire_send(task->socket, &m, NULL, 0, 0);
            ks_wire_recv(task->socket, &in, NULL, 100);
        }
    else if (!strcmp(name, "spin")) spin();
    else if (!strcmp(name, "memory")) eat();
    else if (!strcmp(name, "good"))
        media(task->socket), frame(task->socket, 0, 0),
            end(task->socket, KS_VERDICT_INDEXED, 1, "");
    else if (!strcmp(name, "slow")) {
        ks_message m;
        ks_wire_recv(task->socket, &m, NULL, 500); /* half a second in which nothing comes */
        media(task->socket), frame(task->socket, 0, 0),
            end(task->socket, KS_VERDICT_INDEXED, 1, "");
    } else if (!strcmp(name, "crash_late")) {
        media(task->socket);
        frame(task->socket, 0, 0);
        frame(task->socket, 1, 50);
        crash();
    } else if (look(name)) {
        end(task->socket, KS_VERDICT_SKIPPED, 0, seen);
    } else if (!speak(name, task->socket)) {
        long r = attempt(name, task);
        if (r > 0)
            media(task->socket), frame(task->socket, 0, 0),
                end(task->socket, KS_VERDICT_INDEXED, 1, "");
        end(task->socket, KS_VERDICT_SKIPPED, 0, r < 0 ? "refused" : "no such attack");
    }
}
