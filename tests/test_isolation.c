/* Decoders that were taken over: whatever they do is a verdict, and the program serves the next
 * film. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "decoder/decoder.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZER = 1 }; /* address space is not limited there */
#else
enum { SANITIZER = 0 };
#endif

static char program[4096], film_path[64];
static ks_decoder *decoder;

static void start(double patience)
{
    const char *build = getenv("BUILD");
    ks_decoder_how how = {.patience = patience};
    ks_error e;
    snprintf(program, sizeof program, "%s/tests/prog_hostile_decoder", build ? build : "build");
    snprintf(film_path, sizeof film_path, "/tmp/kinoseek-test-%d", (int)getpid());
    ck_assert_msg(ks_decoder_start(&decoder, program, &how, &e) == 0, "%s", e.msg);
}

static void setup(void) { start(SANITIZER ? 5 : 1); }

static void teardown(void)
{
    ks_decoder_stop(decoder);
    unlink(film_path);
}

/* The outcome of a film whose decoder does `what`; asks for the pixels of every frame. */
static ks_outcome run(const char *what)
{
    ks_film *film;
    ks_film_frame f;
    ks_image image;
    ks_error e = {0, ""};
    ks_outcome o;
    FILE *file = fopen(film_path, "w");
    int n = 0;
    fprintf(file, "hostile %s", what);
    fclose(file);
    ck_assert_msg(ks_film_open(&film, decoder, film_path, NULL, &e) == 0, "%s: %s", what, e.msg);
    while (ks_film_next(&f, film, &e) == 1 && n++ < 1000)
        if (!strcmp(what, "long_picture") || !strcmp(what, "wide_rows") || !strcmp(what, "flood"))
            ks_film_pixels(&image, film, f.number, &e);
    o = *ks_film_outcome(film);
    ks_film_close(film);
    return o;
}

static const struct {
    const char *what, *reason;
} deaths[] = {{"crash", "decoder crashed (signal 11) at 00:00:00"},
              {"abort", "decoder crashed (signal 6) at 00:00:00"},
              {"leave", "decoder stopped (exit 0) at 00:00:00"},
              {"leave_3", "decoder stopped (exit 7) at 00:00:00"},
              {"sleep", "decoder made no progress for 1 s and was stopped at 00:00:00"},
              {"tick", "decoder made no progress for 1 s and was stopped at 00:00:00"},
              {"tick_more", "decoder made no progress for 1 s and was stopped at 00:00:00"},
              {"spin", "decoder made no progress for 1 s and was stopped at 00:00:00"},
              {"memory", "decoder ran out of memory at 00:00:00"},
              {"crash_late", "at 00:00:02"}};

START_TEST(test_deaths)
{
    /* the sanitizer reports in its own way */
    if (SANITIZER && (!strcmp(deaths[_i].what, "memory") || _i < 2)) return;
    if (!strcmp(deaths[_i].what, "memory")) { /* filling 2.5 GiB takes longer than a second */
        ks_decoder_stop(decoder);
        start(30);
    }
    ks_outcome o = run(deaths[_i].what);
    ck_assert_int_eq(o.verdict, KS_VERDICT_FAILED);
    if (!SANITIZER)
        ck_assert_msg(strstr(o.reason, deaths[_i].reason) != NULL, "%s: %s", deaths[_i].what,
                      o.reason);
    ck_assert_int_eq(run("good").verdict, KS_VERDICT_INDEXED);
}
END_TEST

static const char *const calls[] = {
    "socket",        "socket_unix", "connect",          "socketpair",
    "execve",        "execveat",    "read_passwd",      "create_file",
    "openat2",       "write",       "pwrite",           "ftruncate",
    "unlink",        "mkdir",       "rename",           "symlink",
    "chmod",         "ptrace",      "kill_parent",      "kill_all",
    "tgkill_parent", "pidfd_open",  "process_vm_readv", "io_uring",
    "memfd",         "mmap_code",   "mprotect_code",    "mount",
    "keyctl",        "bpf",         "userfaultfd",      "perf",
    "unshare",       "fork",        "setuid",           "prctl",
    "ioctl",         "dup",         "shmget",           "sched"};

/* 40 calls a decoder has no business with: each is refused, or is the job's end. */
START_TEST(test_calls)
{
    if (SANITIZER && !strcmp(calls[_i], "write")) return; /* its reports need it */
    ks_outcome o = run(calls[_i]);
    int refused = o.verdict == KS_VERDICT_SKIPPED && !strcmp(o.reason, "refused");
    int stopped = o.verdict == KS_VERDICT_FAILED && strstr(o.reason, "stopped by the sandbox");
    ck_assert_msg(refused || stopped, "%s: verdict %d, %s", calls[_i], o.verdict, o.reason);
    ck_assert(access("/tmp/kinoseek-escaped", F_OK) != 0);
    ck_assert_int_eq(run("good").verdict, KS_VERDICT_INDEXED);
}
END_TEST

static const char *const nonsense[] = {
    "garbage",     "long_garbage", "one_byte",        "frame_first",       "no_frame_indexed",
    "no_reason",   "two_headers",  "jumping_numbers", "time_stands_still", "negative_time",
    "wrong_count", "huge_picture", "no_time_base",    "unasked_picture",   "descriptors",
    "far_time",    "long_frame",   "no_rate",         "backward_ticks",    "long_picture",
    "wide_rows",   "flood"};

static int open_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

START_TEST(test_nonsense)
{
    int before = open_descriptors();
    ks_outcome o = run(nonsense[_i]);
    ck_assert_msg(o.verdict == KS_VERDICT_FAILED && strstr(o.reason, "answered nonsense"),
                  "%s: verdict %d, %s", nonsense[_i], o.verdict, o.reason);
    ck_assert_int_eq(open_descriptors(), before);
    ck_assert_int_eq(run("good").verdict, KS_VERDICT_INDEXED);
}
END_TEST

/* Ctrl-Z for longer than the watchdog's patience, then on: the decoder answered meanwhile. */
START_TEST(test_stopped_and_continued)
{
    pid_t us = getpid(), helper = fork();
    if (helper == 0) {
        const struct timespec soon = {0, 150000000}, later = {SANITIZER ? 6 : 2, 0};
        nanosleep(&soon, NULL);
        kill(us, SIGSTOP);
        nanosleep(&later, NULL);
        kill(us, SIGCONT);
        _exit(0);
    }
    ks_outcome o = run("slow");
    waitpid(helper, NULL, 0);
    ck_assert_msg(o.verdict == KS_VERDICT_INDEXED, "%s", o.reason);
}
END_TEST

/* From inside: three times /dev/null, the film, the socket, and nothing else. */
START_TEST(test_descriptors)
{
    int logs[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, logs), 0);
    int stderr_was = dup(2);
    ks_decoder_stop(decoder);
    dup2(logs[0], 2); /* a log's socket, for the program */
    start(10);
    dup2(stderr_was, 2);
    close(stderr_was);
    ks_outcome listed = run("list"), used = run("stderr");
    const char *first = SANITIZER ? "null null socket " : "null null null ";
    ck_assert_msg(!strncmp(listed.reason, first, strlen(first)), "%s", listed.reason);
    const char *rest = listed.reason + strlen(first);
    ck_assert_msg(!strcmp(rest, "film socket") || !strcmp(rest, "socket film"), "%s",
                  listed.reason);
    char heard[16];
    /* no socket; nothing to be read from /dev/null */
    if (!SANITIZER) ck_assert_str_eq(used.reason, "sent -1, got 0");
    if (!SANITIZER) ck_assert_int_le(recv(logs[1], heard, sizeof heard, MSG_DONTWAIT), 0);
    close(logs[0]);
    close(logs[1]);
}
END_TEST

START_TEST(test_threads_are_counted)
{
    int n = -1;
    ks_outcome o = run("threads");
    ck_assert_msg(sscanf(o.reason, "%d threads", &n) == 1 && n >= 128 && n <= 256, "%s", o.reason);
    ck_assert_int_eq(run("good").verdict, KS_VERDICT_INDEXED);
}
END_TEST

/* Every call by its number, with arguments that do nothing: what is not the end of the job is on
 * this list. */
START_TEST(test_every_call)
{
    static const int lives[] = {SYS_read,
                                SYS_pread64,
                                SYS_lseek,
                                SYS_close,
                                SYS_fstat,
                                SYS_sendmsg,
                                SYS_recvmsg,
                                SYS_poll,
                                SYS_ppoll,
                                SYS_brk,
                                SYS_munmap,
                                SYS_mremap,
                                SYS_madvise,
                                SYS_futex,
                                SYS_rt_sigprocmask,
                                SYS_rt_sigaction,
                                SYS_sigaltstack,
                                SYS_set_robust_list,
                                SYS_rseq,
                                SYS_getrusage,
                                SYS_clock_gettime,
                                SYS_gettimeofday,
                                SYS_sched_getaffinity,
                                SYS_sched_yield,
                                SYS_getpid,
                                SYS_gettid,
                                SYS_getrandom,
                                SYS_restart_syscall,
                                SYS_open,
                                SYS_openat,
                                SYS_access,
                                SYS_faccessat,
                                SYS_faccessat2,
                                SYS_readlink,
                                SYS_stat,
                                SYS_ioctl,
                                SYS_sysinfo,
                                SYS_uname,
                                SYS_newfstatat,
                                SYS_clone,
                                SYS_clone3,
                                SYS_exit,
                                SYS_exit_group,
                                SYS_rt_sigreturn};
    if (SANITIZER) return; /* its own calls are allowed too */
    for (long n = 0; n < 560; n++) {
        char what[32];
        long number = n < 520 ? n : 0x40000000 + (n - 520) * 13; /* and some of the other ABI */
        /* uretprobe, uprobe: where the kernel has them no filter is asked */
        int may = number == 335 || number == 336;
        for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) may |= lives[i] == number;
        snprintf(what, sizeof what, "call %ld", number);
        ks_outcome o = run(what);
        int dead = o.verdict == KS_VERDICT_FAILED &&
                   strstr(o.reason, "stopped by the sandbox") != NULL;
        ck_assert_msg(may || dead, "call %ld: %s", number, o.reason);
        if (!may || dead) continue;
        const char *code = strstr(o.reason, "errno ");
        int refused = number == SYS_open || number == SYS_openat || number == SYS_ioctl ||
                      number == SYS_access || number == SYS_stat;
        if (refused)
            ck_assert_msg(code && atoi(code + 6) == EACCES, "call %ld: %s", number, o.reason);
    }
    ck_assert_int_eq(run("good").verdict, KS_VERDICT_INDEXED);
}
END_TEST

START_TEST(test_isolation_is_in_force)
{
    ck_assert_str_eq(ks_decoder_sandbox(decoder), "seccomp, landlock");
}
END_TEST

START_TEST(test_program_that_is_none)
{
    ks_decoder *d;
    ks_error e;
    ck_assert_int_eq(ks_decoder_start(&d, "/nonexistent/kinoseek-decode", NULL, &e), KS_ENOTFOUND);
    ck_assert_int_eq(ks_decoder_start(&d, "/bin/true", NULL, &e), KS_EIO);
    ck_assert_ptr_null(d);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("isolation");
    TCase *t = tcase_create("hostile decoders");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, test_deaths, 0, (int)(sizeof deaths / sizeof *deaths));
    tcase_add_loop_test(t, test_calls, 0, (int)(sizeof calls / sizeof *calls));
    tcase_add_loop_test(t, test_nonsense, 0, (int)(sizeof nonsense / sizeof *nonsense));
    tcase_add_test(t, test_stopped_and_continued);
    tcase_add_test(t, test_descriptors);
    tcase_add_test(t, test_threads_are_counted);
    tcase_add_test(t, test_every_call);
    tcase_add_test(t, test_isolation_is_in_force);
    tcase_add_test(t, test_program_that_is_none);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
