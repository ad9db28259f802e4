/* settings.c - reads the environment and the configuration file. */
#include "cli/settings.h"

#include "cli/opts.h"
#include "index/index.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 64 << 10 }; /* bytes of the file */

const char *const ks_setting_keys[KS_SETTINGS] = {"library", "model", "translate", "player"};
const char *const ks_setting_variables[KS_SETTINGS] = {"KINOSEEK_LIBRARY", NULL,
                                                       "KINOSEEK_TRANSLATE", "KINOSEEK_PLAYER"};

/* A folder that is not absolute is none (XDG Base Directory Specification). */
static int file_path(ks_settings *s, ks_error *e)
{
    const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int n = 0;

    if (xdg && *xdg == '/') n = asprintf(&s->path, "%s/kinoseek/config", xdg);
    else if (home && *home == '/') n = asprintf(&s->path, "%s/.config/kinoseek/config", home);
    if (n >= 0) return 0;
    s->path = NULL;
    return ks_fail(e, KS_ENOMEM, "no memory for paths");
}

/* The whole file with a zero behind it -> s->text; *bytes. */
static int read_text(ks_settings *s, size_t *bytes, ks_error *e)
{
    int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    ssize_t n = 0;

    *bytes = 0;
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return 0;
    if (fd < 0 || fstat(fd, &st) != 0) goto unread;
    if (!S_ISREG(st.st_mode) || st.st_size > MOST) {
        close(fd);
        return ks_fail(e, KS_EUSAGE, "%s: %s", s->path,
                       S_ISREG(st.st_mode) ? "a configuration of more than 64 KiB"
                                           : "the configuration is no file");
    }
    s->is_there = 1;
    if (!(s->text = calloc(1, MOST + 1))) {
        close(fd);
        return ks_fail(e, KS_ENOMEM, "no memory for the configuration");
    }
    while (*bytes < MOST && (n = read(fd, s->text + *bytes, MOST - *bytes)) != 0) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) goto unread;
        *bytes += (size_t)n;
    }
    close(fd);
    return 0;
unread:
    ks_fail(e, KS_EIO, "%s: %s", s->path, strerror(errno));
    if (fd >= 0) close(fd);
    return KS_EIO;
}

static char *trimmed(char *text)
{
    size_t n;

    text += strspn(text, " \t\r");
    for (n = strlen(text); n > 0 && strchr(" \t\r", text[n - 1]); n--) text[n - 1] = 0;
    return text;
}

static int is_path(ks_setting_key key, const char *value)
{
    const char *dot = strrchr(value, '.');

    return (key == KS_SET_LIBRARY && !ks_hub_is(value)) ||
           (key == KS_SET_MODEL && (strchr(value, '/') || (dot && (!strcmp(dot, ".npz") ||
                                                                   !strcmp(dot, ".safetensors")))));
}

/* ~/ is the home; a path from nowhere would be another one in each folder that one stands in. */
static int place(ks_settings *s, ks_setting_key key, char *value, int line, ks_error *e)
{
    const char *home = getenv("HOME");

    s->at[key] = (ks_setting){value, KS_FROM_FILE, line};
    if (!is_path(key, value)) return 0;
    if (*value == '/') return 0;
    if (strncmp(value, "~/", 2) != 0)
        return ks_fail(e, KS_EUSAGE, "%s:%d: %s wants a path from / or ~/ on, not \"%.200s\"",
                       s->path, line, ks_setting_keys[key], value);
    if (!home || *home != '/')
        return ks_fail(e, KS_EUSAGE, "%s:%d: ~/ leads nowhere: HOME is no absolute path", s->path,
                       line);
    if (asprintf(&s->own[key], "%s%s", home, value + 1) < 0) {
        s->own[key] = NULL;
        return ks_fail(e, KS_ENOMEM, "no memory for paths");
    }
    s->at[key].value = s->own[key];
    return 0;
}

static int take_line(ks_settings *s, char *text, int line, ks_error *e)
{
    char *equals, *value;
    const char *meant;
    int key = 0;

    text = trimmed(text);
    if (!*text || *text == '#') return 0;
    if (!(equals = strchr(text, '=')))
        return ks_fail(e, KS_EUSAGE, "%s:%d: a line is key = value, not \"%.200s\"", s->path, line,
                       text);
    *equals = 0;
    text = trimmed(text);
    value = trimmed(equals + 1);
    while (key < KS_SETTINGS && strcmp(text, ks_setting_keys[key]) != 0) key++;
    if (key == KS_SETTINGS) {
        meant = ks_nearest_name(text, ks_setting_keys, KS_SETTINGS);
        return ks_fail(e, KS_EUSAGE,
                       meant ? "%s:%d: there is no setting %.60s (did you mean %s?)"
                             : "%s:%d: there is no setting %.60s",
                       s->path, line, text, meant);
    }
    if (!*value) return ks_fail(e, KS_EUSAGE, "%s:%d: %s has no value", s->path, line, text);
    if (s->at[key].value)
        return ks_fail(e, KS_EUSAGE, "%s:%d: %s was said in line %d", s->path, line, text,
                       s->at[key].line);
    return place(s, (ks_setting_key)key, value, line, e);
}

static int take_file(ks_settings *s, ks_error *e)
{
    size_t bytes;
    int line = 1, err = read_text(s, &bytes, e);

    for (char *at = s->text, *next; err == 0 && at; at = next, line++) {
        size_t n = strcspn(at, "\n");
        next = at[n] ? at + n + 1 : NULL;
        if (!next && at + n != s->text + bytes)
            return ks_fail(e, KS_EUSAGE, "%s:%d: a zero byte", s->path, line);
        at[n] = 0;
        err = take_line(s, at, line, e);
    }
    return err;
}

int ks_settings_read(ks_settings *s, ks_error *e)
{
    assert(s);
    int err;

    *s = (ks_settings){0};
    if ((err = file_path(s, e)) < 0) return err;
    if (s->path && (err = take_file(s, e)) < 0) return err;
    for (int i = 0; i < KS_SETTINGS; i++) {
        const char *v = ks_setting_variables[i] ? getenv(ks_setting_variables[i]) : NULL;
        if (v && *v) s->at[i] = (ks_setting){v, KS_FROM_ENVIRONMENT, 0};
    }
    return 0;
}

void ks_settings_free(ks_settings *s)
{
    for (int i = 0; i < KS_SETTINGS; i++) free(s->own[i]);
    free(s->path);
    free(s->text);
    *s = (ks_settings){0};
}
