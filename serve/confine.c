/* confine.c - see confine.h. Two walls, as around the decoder: landlock for files, seccomp for
 * calls. What the server reads is not bounded by them: films lie anywhere. */
#include "serve/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR };
/* In its folders files come and go: locks and logs of SQLite, prepared weights. */
static const uint64_t write_too = READ | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                  LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                  LANDLOCK_ACCESS_FS_REMOVE_FILE;

static int allow(int rules, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr a = {.allowed_access = access, .parent_fd = -1};
    long r;

    if (!path || (a.parent_fd = open(path, O_PATH | O_CLOEXEC)) < 0) return 0;
    r = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &a, 0u);
    close(a.parent_fd);
    return r == 0;
}

/* Where the system's program loader lies: starting any program starts it. */
static void allow_loader(int rules)
{
    static const char *const folders[] = {"/lib", "/lib64", "/usr/lib", "/usr/lib64"};

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        allow(rules, folders[i], READ | LANDLOCK_ACCESS_FS_EXECUTE);
}

static int landlock(const char *const *writable, int n, const char *program)
{
    struct landlock_ruleset_attr attr = {0};
    uint64_t more = 0; /* rights that later kernels know */
    long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
                       LANDLOCK_CREATE_RULESET_VERSION),
         fd, r;

    if (abi < 1) return 0;
    if (abi >= 2) more |= 1ull << 13; /* refer */
    if (abi >= 3) more |= 1ull << 14; /* truncate */
    attr.handled_access_fs = ((1ull << 13) - 1) | more;
    if ((fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0u)) < 0) return 0;
    allow((int)fd, "/", READ);
    allow((int)fd, "/dev/null", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
    allow_loader((int)fd);
    allow((int)fd, program, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE);
    for (int i = 0; i < n; i++) allow((int)fd, writable[i], write_too | more);
    r = syscall(SYS_landlock_restrict_self, (int)fd, 0u);
    close((int)fd);
    return r == 0;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZER = 1 }; /* the search for leaks stops the process' own threads by ptrace */
#else
enum { SANITIZER = 0 };
#endif

/* Refused with an error: a server asks for none of these, nor does a decoder that it starts. */
static const int refused[] = {SCMP_SYS(connect),
                              SCMP_SYS(bind),
                              SCMP_SYS(listen),
                              SCMP_SYS(ptrace),
                              SCMP_SYS(process_vm_readv),
                              SCMP_SYS(process_vm_writev),
                              SCMP_SYS(mount),
                              SCMP_SYS(umount2),
                              SCMP_SYS(pivot_root),
                              SCMP_SYS(chroot),
                              SCMP_SYS(setns),
                              SCMP_SYS(unshare),
                              SCMP_SYS(bpf),
                              SCMP_SYS(perf_event_open),
                              SCMP_SYS(keyctl),
                              SCMP_SYS(add_key),
                              SCMP_SYS(request_key),
                              SCMP_SYS(kexec_load),
                              SCMP_SYS(init_module),
                              SCMP_SYS(finit_module),
                              SCMP_SYS(delete_module),
                              SCMP_SYS(userfaultfd),
                              SCMP_SYS(io_uring_setup),
                              SCMP_SYS(swapon),
                              SCMP_SYS(reboot),
                              SCMP_SYS(symlink),
                              SCMP_SYS(symlinkat),
                              SCMP_SYS(mknod),
                              SCMP_SYS(mknodat),
                              SCMP_SYS(chmod),
                              SCMP_SYS(fchmodat),
                              SCMP_SYS(chown),
                              SCMP_SYS(fchownat)};

static int seccomp(void)
{
    scmp_filter_ctx c = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0 ? NULL : seccomp_init(SCMP_ACT_ALLOW);
    int bad = c == NULL;

    for (size_t i = 0; c && i < sizeof refused / sizeof *refused; i++) /* some are not everywhere */
        if (!SANITIZER || refused[i] != SCMP_SYS(ptrace))
            bad |= seccomp_rule_add(c, SCMP_ACT_ERRNO(EACCES), refused[i], 0) == -EFAULT;
    /* pairs of this machine's own, no way to anybody else */
    if (c) bad |= seccomp_rule_add(c, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 0) < 0;
    if (c && !bad) {
        seccomp_attr_set(c, SCMP_FLTATR_CTL_TSYNC, 1);
        bad = seccomp_load(c) != 0;
    }
    if (c) seccomp_release(c);
    return !bad;
}

void ks_confine(char *words, size_t room, const char *const *writable, int n, const char *program)
{
    int locked, filtered;

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    locked = landlock(writable, n, program);
    filtered = seccomp();
    snprintf(words, room, "%s%s%s", filtered ? "seccomp" : "", filtered && locked ? ", " : "",
             locked     ? "landlock"
             : filtered ? ""
                        : "none");
}
