/* lines_file.c - see lines_file.h. */
#include "eval/lines_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1 << 20 };

int ks_lines_open(ks_lines *f, const char *path, ks_error *e)
{
    struct stat st;
    *f = (ks_lines){.path = path};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return ks_fail(e, errno == ENOENT || errno == ENOTDIR ? KS_ENOTFOUND : KS_EIO, "%s: %s",
                       path, strerror(errno));
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        return ks_fail(e, KS_EFORMAT, "%s: is a folder", path);
    }
    f->in = fdopen(fd, "r");
    if (f->in) return 0;
    close(fd);
    return ks_fail(e, KS_ENOMEM, "%s: no memory to read it", path);
}

void ks_lines_close(ks_lines *f)
{
    if (f->in) fclose(f->in);
    free(f->text);
    *f = (ks_lines){0};
}

/* Length of the UTF-8 sequence at s, 0 where it is none. */
static int sequence(const unsigned char *s)
{
    if (s[0] < 0x80) return 1;
    int n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4) return 0;
    for (int i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

static int is_utf8(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    for (int n; *s; s += n)
        if ((n = sequence(s)) == 0) return 0;
    return 1;
}

static int wrong(const ks_lines *f, const char *what, ks_error *e)
{
    return ks_fail(e, KS_EFORMAT, "%s:%lld: %s", f->path, (long long)f->line, what);
}

int ks_lines_next(char **line, ks_lines *f, ks_error *e)
{
    errno = 0;
    ssize_t n = getline(&f->text, &f->room, f->in);
    f->line++;
    if (n < 0)
        return ferror(f->in)
                   ? ks_fail(e, KS_EIO, "%s: cannot be read: %s", f->path, strerror(errno))
                   : 0;
    if (n > LINE_MAX_BYTES) return wrong(f, "a line of more than a mebibyte", e);
    if (memchr(f->text, 0, (size_t)n))
        return wrong(f, "a NUL byte: this is no UTF-8 text (UTF-16?)", e);
    if (!is_utf8(f->text)) return wrong(f, "not UTF-8", e);
    if (n > 0 && f->text[n - 1] == '\n') f->text[--n] = 0;
    if (n > 0 && f->text[n - 1] == '\r') f->text[--n] = 0;
    *line = f->text;
    if (f->line == 1 && strncmp(f->text, "\xef\xbb\xbf", 3) == 0) *line += 3;
    return 1;
}
