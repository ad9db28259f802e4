/* label_list.c - see label_list.h. */
#include "cli/label_list.h"

#include "formats/formats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_BYTES = 64 << 20 };

static int read_file(char **text, const char *file, ks_error *e)
{
    FILE *f = strcmp(file, "-") == 0 ? stdin : fopen(file, "rb");
    size_t n = 0, room = 0, got;
    int err = 0;

    *text = NULL;
    if (!f)
        return ks_fail(e, KS_ENOTFOUND, "%s: %s", file, strerror(errno));
    do {
        char *more = realloc(*text, (room = room * 2 + 65536) + 1);
        if (!more) {
            err = ks_fail(e, KS_ENOMEM, "%s: no memory for labels", file);
            break;
        }
        *text = more;
        n += got = fread(*text + n, 1, room - n, f);
        (*text)[n] = 0;
    } while (n == room && n < MOST_BYTES);
    if (err == 0 && ferror(f))
        err = ks_fail(e, KS_EIO, "%s: %s", file, strerror(errno));
    if (err == 0 && (n >= MOST_BYTES || strlen(*text) != n))
        err = ks_fail(e, KS_EFORMAT, "%s: not a text file of labels", file);
    if (f != stdin)
        fclose(f);
    return err;
}

/* The next cell of a CSV record (RFC 4180, blanks before it left out), unquoted in place; *rest NULL after the last one. */
static char *cell(char **rest)
{
    char *start = *rest + strspn(*rest, " \t"), *from = start, *to = start;

    if (*from != '"') {
        char *comma = strchr(start, ',');
        if (comma)
            *comma = 0;
        *rest = comma ? comma + 1 : NULL;
        return start;
    }
    for (from++; *from; from++) {
        if (*from == '"' && from[1] != '"')
            break;
        from += *from == '"';
        *to++ = *from;
    }
    from = *from ? from + 1 : from;
    *rest = *from == ',' ? from + 1 : NULL;
    *to = 0;
    return start;
}

static char *trimmed(char *s)
{
    size_t n;

    while (*s == ' ' || *s == '\t')
        s++;
    for (n = strlen(s); n > 0 && strchr(" \t\r", s[n - 1]); n--)
        s[n - 1] = 0;
    return s;
}

/* Column of the labels, -1: not a table. */
static int label_column(const char *first_line)
{
    char copy[256], *rest = copy;
    int column = 0, found = -1;

    snprintf(copy, sizeof copy, "%s", first_line);
    if (!strchr(copy, ','))
        return -1;
    for (; rest; column++) {
        char *c = trimmed(cell(&rest));
        if (found < 0 && (strcasecmp(c, "name") == 0 || strcasecmp(c, "label") == 0 || strcasecmp(c, "class") == 0))
            found = column;
    }
    return found;
}

/* "classes.csv" is a table whatever its first line says. */
static int is_table(const char *file)
{
    size_t n = strlen(file);
    return n > 4 && strcasecmp(file + n - 4, ".csv") == 0;
}

static int by_text(const void *a, const void *b)
{
    char *const *x = *(char *const *const *)a, *const *y = *(char *const *const *)b;
    int order = strcmp(*x, *y);

    return order ? order : (x > y) - (x < y);
}

/* A label that was there before is one label: twice it would be half as likely, and two of the best. */
static int drop_repeats(ks_label_list *list)
{
    char ***sorted = malloc(((size_t)list->n + 1) * sizeof *sorted);
    int kept = 0, same = 0;

    if (!sorted)
        return -1;
    for (int i = 0; i < list->n; i++)
        sorted[i] = &list->at[i];
    qsort(sorted, (size_t)list->n, sizeof *sorted, by_text);
    for (int i = 1; i < list->n; i++) {
        if (strcmp(*sorted[i], *sorted[same]) != 0)
            same = i;
        else
            *sorted[i] = NULL;
    }
    free(sorted);
    for (int i = 0; i < list->n; i++)
        if (list->at[i])
            list->at[kept++] = list->at[i];
    list->n = kept;
    return 0;
}

int ks_read_labels(ks_label_list *list, const char *file, ks_error *e)
{
    char *line, *next;
    int column = -1, first = 1, room = 0, err;

    memset(list, 0, sizeof *list);
    if ((err = read_file(&list->text, file, e)) < 0)
        return err;
    line = list->text;
    if (strncmp(line, "\xef\xbb\xbf", 3) == 0)
        line += 3;
    if (!ks_is_utf8(line))
        return ks_fail(e, KS_EFORMAT, "%s: not UTF-8", file);
    for (; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        line = trimmed(line);
        if (first && (column = label_column(line)) >= 0) {
            first = 0;
            continue;
        }
        if (first && is_table(file) && strchr(line, ',')) /* a comma may stand in a label, but not in a list of one column */
            return ks_fail(e, KS_EFORMAT, "%s: its first line names no column 'name', 'label' or 'class'", file);
        first = 0;
        for (int c = 0; c < column && line; c++)
            cell(&line);
        line = line && column >= 0 ? trimmed(cell(&line)) : line;
        if (!line || !*line)
            continue;
        if (list->n == room) {
            char **more = realloc(list->at, (size_t)(room = room * 2 + 64) * sizeof *more);
            if (!more)
                return ks_fail(e, KS_ENOMEM, "%s: no memory for labels", file);
            list->at = more;
        }
        list->at[list->n++] = line;
    }
    if (drop_repeats(list) < 0)
        return ks_fail(e, KS_ENOMEM, "%s: no memory for labels", file);
    return list->n ? 0 : ks_fail(e, KS_EFORMAT, "%s: no label in it", file);
}

void ks_free_labels(ks_label_list *list)
{
    free(list->at);
    free(list->text);
    memset(list, 0, sizeof *list);
}
