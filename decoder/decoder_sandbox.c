/* decoder_sandbox.c - what a decoding process may do: read its one file, compute, answer.
 *
 * Three walls. landlock: no path can be opened, made or removed (set once in the program; processes
 * inherit it). rlimits: address space, processor time, file size, descriptors. seccomp: an
 * allow-list; opening a path is answered EACCES, because iconv (MPEG-TS) tries gconv files and
 * lives without; everything else is the end of the process. */
#include "decoder/decoder_job.h"

#include <errno.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZER = 1 }; /* they map terabytes and make calls of their own */
#else
enum { SANITIZER = 0 };
#endif

/* ABI 1 to 3 of landlock; the kernel says how much of it it knows. */
static int landlock(void)
{
    struct landlock_ruleset_attr attr = {0};
    uint64_t fs = (1ull << 13) - 1; /* ABI 1: execute ... make_sym */
    long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
                       LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) return 0;
    if (abi >= 2) fs |= 1ull << 13; /* refer */
    if (abi >= 3) fs |= 1ull << 14; /* truncate */
    attr.handled_access_fs = fs;
    long fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0u);
    if (fd < 0) return 0;
    long r = syscall(SYS_landlock_restrict_self, (int)fd, 0u);
    close((int)fd);
    return r == 0;
}

static int seccomp_known(void) { return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0; }

void ks_sandbox_program(ks_box box, char *words, size_t n)
{
    int locked = 0;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (box == KS_BOX_FULL) locked = landlock();
    if (box == KS_BOX_NONE) snprintf(words, n, "none");
    else if (box == KS_BOX_WEAK)
        snprintf(words, n, seccomp_known() ? "seccomp (weak: hardware decoding)" : "none");
    else
        snprintf(words, n, "%s%s%s", seccomp_known() ? "seccomp" : "",
                 seccomp_known() && locked ? ", " : "",
                 locked            ? "landlock"
                 : seccomp_known() ? ""
                                   : "none");
}

static void limit(int what, rlim_t most)
{
    struct rlimit r = {most, most};
    setrlimit((__rlimit_resource_t)what, &r);
}

static void limits(int64_t bytes, int may_write, size_t memory)
{
    /* At least a second for each that is played: a still screen of 1080p30 has 1,300 bytes a
     * second (x264), of 4K30 3,800, which take 0.03 and 0.15 s on a Zen 5 and many times that
     * elsewhere. 300 s for the smallest file. */
    limit(RLIMIT_CPU, (rlim_t)(300 + bytes / 512));
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, 32);
    if (!may_write) limit(RLIMIT_FSIZE, 0);
    if (!SANITIZER) limit(RLIMIT_AS, (rlim_t)memory);
}

/* Allowed with no condition. */
/* clang-format off */
static const int allowed[] = {
    SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat),
    SCMP_SYS(sendmsg), SCMP_SYS(recvmsg),
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap),
    SCMP_SYS(madvise), SCMP_SYS(futex),
    SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(sigaltstack), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(getrusage),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday), SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_yield), SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getrandom), SCMP_SYS(restart_syscall)};
/* clang-format on */
/* Answered EACCES: libraries try these and live without. */
static const int refused[] = {SCMP_SYS(open),      SCMP_SYS(openat),     SCMP_SYS(access),
                              SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
                              SCMP_SYS(stat),      SCMP_SYS(ioctl),      SCMP_SYS(sysinfo),
                              SCMP_SYS(uname)};
/* Deadly even where hardware decoding needs a door open. */
static const int deadly[] = {
    SCMP_SYS(execve),      SCMP_SYS(execveat),         SCMP_SYS(ptrace),
    SCMP_SYS(bind),        SCMP_SYS(listen),           SCMP_SYS(accept),
    SCMP_SYS(accept4),     SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(mount),       SCMP_SYS(umount2),          SCMP_SYS(bpf),
    SCMP_SYS(unlink),      SCMP_SYS(unlinkat),         SCMP_SYS(rename),
    SCMP_SYS(renameat),    SCMP_SYS(renameat2),        SCMP_SYS(symlink),
    SCMP_SYS(link),        SCMP_SYS(keyctl),           SCMP_SYS(kexec_load),
    SCMP_SYS(init_module), SCMP_SYS(setuid),           SCMP_SYS(fork),
    SCMP_SYS(vfork),       SCMP_SYS(io_uring_setup),   SCMP_SYS(userfaultfd)};

static int rules_full(scmp_filter_ctx c, int may_write, uint32_t thread)
{
    int bad = 0;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        bad |= seccomp_rule_add(c, SCMP_ACT_ALLOW, allowed[i], 0);
    /* some do not exist on every architecture */
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        bad |= seccomp_rule_add(c, SCMP_ACT_ERRNO(EACCES), refused[i], 0) == -EFAULT;
    /* memory that is never code; fstat as newer libc calls it; threads, not processes; own
     * signals */
    bad |= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                            SCMP_A2(SCMP_CMP_MASKED_EQ, 4, 0));
    bad |= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                            SCMP_A2(SCMP_CMP_MASKED_EQ, 4, 0));
    bad |= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
                            SCMP_A3(SCMP_CMP_MASKED_EQ, 0x1000, 0x1000));
    bad |= seccomp_rule_add(c, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(newfstatat), 1,
                            SCMP_A3(SCMP_CMP_MASKED_EQ, 0x1000, 0));
    bad |= seccomp_rule_add(c, thread, SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    /* its flags are out of sight: libc falls back to clone */
    bad |= seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    bad |= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                            SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
    bad |= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                            SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
    if (may_write) {
        bad |= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(write), 0);
        bad |= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(pwrite64), 0);
        /* dav1d says there what is wrong with a picture; it lives without an answer */
    } else if (!SANITIZER) {
        bad |= seccomp_rule_add(c, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(write), 1,
                                SCMP_A0(SCMP_CMP_EQ, 2));
    }
    /* reports go to stderr; its threads sleep while they wait; its allocator asks for more */
    if (SANITIZER) {
        bad |= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(write), 0);
        bad |= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(nanosleep), 0);
        bad |= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(clock_nanosleep), 0);
        seccomp_rule_add(c, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(prlimit64), 0);
    }
    return bad;
}

static int rules_weak(scmp_filter_ctx c)
{
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        seccomp_rule_add(c, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
    /* nothing of a terminal, which may be open under any number; a local socket for a display
     * server's driver, never the network */
    seccomp_rule_add(c, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(ioctl), 1,
                     SCMP_A1(SCMP_CMP_MASKED_EQ, 0xff00, 0x5400));
    return seccomp_rule_add(c, SCMP_ACT_KILL_PROCESS, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_NE, 1));
}

/* The filter in force, and where the program is asked for threads; -1: it cannot be loaded. */
static int load(int *threads, ks_box box, int may_write, uint32_t thread)
{
    scmp_filter_ctx c = seccomp_init(box == KS_BOX_WEAK ? SCMP_ACT_ALLOW : SCMP_ACT_KILL_PROCESS);
    *threads = -1;
    if (!c) return -1;
    int bad = (box == KS_BOX_WEAK ? rules_weak(c) : rules_full(c, may_write, thread)) != 0;
    if (!bad) bad = seccomp_load(c) != 0;
    if (!bad && box == KS_BOX_FULL && thread == SCMP_ACT_NOTIFY) *threads = seccomp_notify_fd(c);
    seccomp_release(c);
    return bad ? -1 : 0;
}

int ks_sandbox_job(int *threads, ks_box box, int64_t bytes, int may_write, size_t memory)
{
    int nobody;
    if (threads) *threads = -1;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    limits(bytes, may_write, box == KS_BOX_WEAK ? (size_t)1 << 40 : memory);
    if (box == KS_BOX_NONE || !seccomp_known()) return 0;
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    /* RLIMIT_NPROC counts all that the user has running, and nothing where the user is root: the
     * program counts instead. A kernel before 5.5, or somebody who listens already (a
     * container's manager), leaves threads uncounted. */
    if (threads && box == KS_BOX_FULL && load(threads, box, may_write, SCMP_ACT_NOTIFY) == 0)
        return 0;
    return load(&nobody, box, may_write, SCMP_ACT_ALLOW);
}

int ks_sandbox_thread(int threads, int *n)
{
    union { /* as large as the kernel has them, which may be larger than we know */
        struct seccomp_notif asked;
        char room[512];
    } in;
    union {
        struct seccomp_notif_resp answer;
        char room[512];
    } out;
    memset(&in, 0, sizeof in);
    memset(&out, 0, sizeof out);
    if (ioctl(threads, SECCOMP_IOCTL_NOTIF_RECV, &in.asked) != 0)
        return errno == EINTR || errno == ENOENT ? 0 : -1;
    out.answer.id = in.asked.id;
    /* what was asked lies in registers: it stays what it was */
    if (*n < KS_JOB_THREADS) ++*n, out.answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    else out.answer.error = -EAGAIN;
    return ioctl(threads, SECCOMP_IOCTL_NOTIF_SEND, &out.answer) != 0 && errno != ENOENT ? -1 : 0;
}
