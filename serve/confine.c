/* confine.c - see confine.h. Two walls, as around the decoder: landlock for files, seccomp for
 * calls. Films lie anywhere: another process opens them (opener.c). */
#include "serve/confine.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR };
/* In its folders files come and go: locks and logs of SQLite, prepared weights; and, in a folder
 * of its own, the copy of a library that cannot be written. */
static const uint64_t write_too = READ | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                  LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                  LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR;

/* Of a file only what a file has. */
static const uint64_t of_files = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                 LANDLOCK_ACCESS_FS_EXECUTE | 1ull << 14 /* truncate */;

static int allow(int rules, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr a = {.allowed_access = access, .parent_fd = -1};
    struct stat st;
    long r;

    if (!path || (a.parent_fd = open(path, O_PATH | O_CLOEXEC)) < 0) return 0;
    if (fstat(a.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode)) a.allowed_access &= of_files;
    r = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &a, 0u);
    close(a.parent_fd);
    return r == 0;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZER = 1 }; /* the search for leaks stops the process' own threads by ptrace */
#else
enum { SANITIZER = 0 };
#endif

/* Where the system's program loader lies: starting any program starts it. */
static void allow_loader(int rules)
{
    static const char *const folders[] = {"/lib", "/lib64", "/usr/lib", "/usr/lib64",
                                          "/usr/local/lib"};
    char path[4096];

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        allow(rules, folders[i], READ | LANDLOCK_ACCESS_FS_EXECUTE);
    for (const char *at = getenv("LD_LIBRARY_PATH"); at && *at;) {
        size_t n = strcspn(at, ":");
        if (n > 0 && n < sizeof path) {
            memcpy(path, at, n);
            path[n] = 0;
            allow(rules, path, READ | LANDLOCK_ACCESS_FS_EXECUTE);
        }
        at += n + (at[n] == ':');
    }
}

/* What any program asks of its system: the loader's list of libraries, the zone, the processor. */
static void allow_system(int rules)
{
    static const char *const paths[] = {"/etc/ld.so.cache",
                                        "/etc/ld.so.preload",
                                        "/etc/localtime",
                                        "/etc/gnutls",
                                        "/usr/share/zoneinfo",
                                        "/sys/devices/system/cpu",
                                        "/sys/devices/system/node",
                                        "/proc/cpuinfo",
                                        "/proc/meminfo",
                                        "/dev/urandom"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) allow(rules, paths[i], READ);
    allow(rules, SANITIZER ? "/proc" : "/proc/self", READ);
    if (SANITIZER) allow(rules, "tests/tsan.supp", READ); /* its runtime reads it in each program */
    allow(rules, "/dev/null", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
}

static int landlock(const ks_walls *w)
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
    allow_system((int)fd);
    if (w->program) allow_loader((int)fd);
    allow((int)fd, w->program, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE);
    for (int i = 0; i < KS_WALLS_PATHS; i++) {
        allow((int)fd, w->read[i], READ);
        allow((int)fd, w->write[i], write_too | more);
    }
    r = syscall(SYS_landlock_restrict_self, (int)fd, 0u);
    close((int)fd);
    return r == 0;
}

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

static int seccomp(int starts)
{
    scmp_filter_ctx c = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0 ? NULL : seccomp_init(SCMP_ACT_ALLOW);
    int bad = c == NULL;

    for (size_t i = 0; c && i < sizeof refused / sizeof *refused; i++) /* some are not everywhere */
        if (!SANITIZER || refused[i] != SCMP_SYS(ptrace))
            bad |= seccomp_rule_add(c, SCMP_ACT_ERRNO(EACCES), refused[i], 0) == -EFAULT;
    static const int starting[] = {SCMP_SYS(execve), SCMP_SYS(execveat)};
    for (size_t i = 0; c && !starts && i < sizeof starting / sizeof *starting; i++)
        bad |= seccomp_rule_add(c, SCMP_ACT_ERRNO(EACCES), starting[i], 0) == -EFAULT;
    /* pairs of this machine's own, no way to anybody else */
    if (c) bad |= seccomp_rule_add(c, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 0) < 0;
    if (c && !bad) {
        seccomp_attr_set(c, SCMP_FLTATR_CTL_TSYNC, 1);
        bad = seccomp_load(c) != 0;
    }
    if (c) seccomp_release(c);
    return !bad;
}

void ks_confine(char *words, size_t room, const ks_walls *w)
{
    assert(words && room > 0 && w);
    int locked, filtered;

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    locked = landlock(w);
    filtered = seccomp(w->program != NULL);
    snprintf(words, room, "%s%s%s", filtered ? "seccomp" : "", filtered && locked ? ", " : "",
             locked     ? "landlock"
             : filtered ? ""
                        : "none");
}
