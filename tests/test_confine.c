/* What is left to a confined process; each case in a process of its own. Where the kernel has no
 * landlock, files are free. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve/confine.h"
#include "tests/suite.h"

static char folder[64], own[80], other[80], shown[80];

static void begin(void)
{
    strcpy(folder, "/tmp/confine.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(own, sizeof own, "%s/own", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    snprintf(shown, sizeof shown, "%s/shown", folder);
    ck_assert_int_eq(mkdir(shown, 0700), 0);
    ck_assert_int_eq(mkdir(own, 0700), 0);
    ck_assert_int_eq(mkdir(other, 0700), 0);
}

static void end(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

/* errno of a file made there; 0: it could be. */
static int make(const char *where)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "%s/file", where);
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) return errno;
    close(fd);
    return 0;
}

/* errno of reading it; 0: it could be. */
static int look(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) return errno;
    close(fd);
    return 0;
}

static int run(const char *program)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        execl(program, program, (char *)NULL);
        _exit(errno == EACCES ? 77 : 78);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* In the confined process: the number of the first thing that is not as it should be. */
static int judge(void)
{
    char words[64];
    int landlock, seccomp, fd;
    const ks_walls walls = {.write = {own}, .read = {NULL, shown}, .program = "/bin/true"};
    ks_confine(words, sizeof words, &walls);
    landlock = strstr(words, "landlock") != NULL;
    seccomp = strstr(words, "seccomp") != NULL;
    if (make(own) != 0) return 1;
    if (make(other) != (landlock ? EACCES : 0)) return 2;
    if (look("/etc/passwd") != (landlock ? EACCES : 0)) return 3;
    if (look(shown) != 0 || look("/dev/null") != 0) return 9;
    if (make(shown) != (landlock ? EACCES : 0)) return 10;
    if (run("/bin/true") != 0) return 4;
    if (run("/bin/false") != (landlock ? 77 : 1)) return 5;
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (seccomp ? fd >= 0 || errno != EACCES : fd < 0) return 6;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return 7;
    if (landlock && unlink("/etc/nobody-has-this") == 0) return 8;
    return 0;
}

/* Of one that starts nothing: neither its own program nor another. */
static int judge_without(void)
{
    const ks_walls walls = {.write = {own}, .read = {"/"}};
    char words[64];

    ks_confine(words, sizeof words, &walls);
    if (look("/etc/passwd") != 0) return 1;
    if (make(other) != (strstr(words, "landlock") ? EACCES : 0)) return 2;
    if (run("/bin/true") != (strcmp(words, "none") ? 77 : 0)) return 3;
    return 0;
}

static int answer_of(int (*judged)(void))
{
    pid_t pid = fork();
    int status;

    ck_assert_int_ge(pid, 0);
    if (pid == 0) _exit(judged());
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(only_its_own_folders_and_program)
{
    ck_assert_int_eq(answer_of(judge), 0);
}
END_TEST

START_TEST(one_that_reads_everything_starts_nothing)
{
    ck_assert_int_eq(answer_of(judge_without), 0);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("confine");

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, only_its_own_folders_and_program);
    tcase_add_test(c, one_that_reads_everything_starts_nothing);
    return ks_run_case("confine", c);
}
