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

static char folder[64], own[80], other[80];

static void begin(void)
{
    strcpy(folder, "/tmp/confine.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(own, sizeof own, "%s/own", folder);
    snprintf(other, sizeof other, "%s/other", folder);
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

    ks_confine(words, sizeof words, (const char *const[]){own, NULL}, 2, "/bin/true");
    landlock = strstr(words, "landlock") != NULL;
    seccomp = strstr(words, "seccomp") != NULL;
    if (make(own) != 0) return 1;
    if (make(other) != (landlock ? EACCES : 0)) return 2;
    if ((fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC)) < 0) return 3; /* films lie anywhere */
    close(fd);
    if (run("/bin/true") != 0) return 4;
    if (run("/bin/false") != (landlock ? 77 : 1)) return 5;
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (seccomp ? fd >= 0 || errno != EACCES : fd < 0) return 6;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return 7;
    if (landlock && unlink("/etc/nobody-has-this") == 0) return 8;
    return 0;
}

START_TEST(only_its_own_folders_and_program)
{
    pid_t pid = fork();
    int status;

    ck_assert_int_ge(pid, 0);
    if (pid == 0) _exit(judge());
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("confine");

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, only_its_own_folders_and_program);
    return ks_run_case("confine", c);
}
