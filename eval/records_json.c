/* records_json.c - an array or an object of objects; a record is known by the line that it
 * begins on. */
#include "eval/records_make.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 30 };

static int no_memory(const char *file, ks_error *e)
{
    return ks_fail(e, KS_ENOMEM, "%s: no memory to read it", file);
}

static int read_whole(char **text, size_t *bytes, const char *file, ks_error *e)
{
    struct stat st;
    size_t got = 0;
    ssize_t n = 1;
    *text = NULL;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return ks_fail(e, errno == ENOENT || errno == ENOTDIR ? KS_ENOTFOUND : KS_EIO, "%s: %s",
                       file, strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > MOST_BYTES) {
        close(fd);
        return ks_fail(e, KS_EFORMAT, "%s: is no file, or one of more than a gibibyte", file);
    }
    *text = malloc((size_t)st.st_size + 1);
    while (*text && got < (size_t)st.st_size &&
           (n = read(fd, *text + got, (size_t)st.st_size - got)) > 0)
        got += (size_t)n;
    int err = !*text  ? no_memory(file, e)
              : n < 0 ? ks_fail(e, KS_EIO, "%s: cannot be read: %s", file, strerror(errno))
                      : 0;
    close(fd);
    *bytes = got;
    if (!err) (*text)[got] = 0;
    return err;
}

/* Where the records of a text that is JSON begin: what lies directly in the outermost bracket. */
typedef struct {
    const char *at;
    int64_t line;
    int depth;
} place;

/* The next value within the outermost bracket that is an object: leaves p behind its brace; the
 * line it begins on. */
static int64_t next_object(place *p)
{
    for (; *p->at; p->at++) {
        char c = *p->at;
        p->line += c == '\n';
        if (c == '"') {
            for (p->at++; *p->at && *p->at != '"'; p->at++) p->at += *p->at == '\\' && p->at[1];
            if (*p->at == 0) break;
        } else if (c == ']' || c == '}') p->depth--;
        else if ((c == '[' || c == '{') && ++p->depth == 2 && c == '{') {
            p->at++;
            return p->line;
        }
    }
    return p->line;
}

static int put_value(ks_record_field *f, const json_t *v)
{
    char number[32];
    if (json_is_string(v)) return ks_record_value(f, json_string_value(v), json_string_length(v));
    if (json_is_integer(v))
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v)) snprintf(number, sizeof number, "%.17g", json_real_value(v));
    else return 0;
    return ks_record_value(f, number, strlen(number));
}

static int fill(ks_record *r, const char *key, json_t *object)
{
    const char *name;
    json_t *v, *one;
    size_t i;
    ks_record_field *f = key ? ks_record_field_add(r, "@key", 4) : NULL;
    if (key && (!f || ks_record_value(f, key, strlen(key)) < 0)) return -1;
    json_object_foreach(object, name, v) {
        if (!(f = ks_record_field_add(r, name, strlen(name)))) return -1;
        if (!json_is_array(v)) {
            if (put_value(f, v) < 0) return -1;
            continue;
        }
        json_array_foreach(v, i, one)
            if (put_value(f, one) < 0) return -1;
    }
    return 0;
}

static int one_record(ks_record *r, const char *key, json_t *v, place *p, ks_on_record *each,
                      void *arg, ks_error *e)
{
    if (!json_is_object(v))
        return ks_fail(e, KS_EFORMAT, "%s:%lld: record %lld is no object", r->at.file,
                       (long long)p->line, (long long)r->number + 1);
    r->at.line = next_object(p);
    return fill(r, key, v) < 0 ? no_memory(r->at.file, e) : ks_record_give(r, each, arg, e);
}

int ks_records_json(const char *file, ks_on_record *each, void *arg, ks_error *e)
{
    char *text = NULL;
    size_t bytes = 0, i;
    const char *key;
    json_t *root = NULL, *v;
    json_error_t wrong;
    ks_record r = {.at = {file, 1}};
    int err = read_whole(&text, &bytes, file, e);
    const char *from = !err && strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3
                                                                     : text; /* a byte order mark */
    if (!err &&
        !(root = json_loadb(from, bytes - (size_t)(from - text), JSON_REJECT_DUPLICATES, &wrong)))
        err = ks_fail(e, KS_EFORMAT, "%s:%d: %s", file, wrong.line, wrong.text);
    if (!err && strlen(text) != bytes) err = ks_fail(e, KS_EFORMAT, "%s: a NUL byte", file);
    place p = {from, 1, 0};
    if (!err && json_is_array(root)) {
        json_array_foreach(root, i, v)
            if ((err = one_record(&r, NULL, v, &p, each, arg, e)) != 0) break;
    } else if (!err && json_is_object(root)) {
        json_object_foreach(root, key, v)
            if ((err = one_record(&r, key, v, &p, each, arg, e)) != 0) break;
    }
    json_decref(root);
    ks_record_free(&r);
    free(text);
    return err;
}
