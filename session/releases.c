/* releases.c - reads models/released.tsv. */
#include "session/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int take_line(ks_release *row, char *line)
{
    char *field[6], *save = NULL;
    int n = 0;
    for (char *f = strtok_r(line, "\t\n", &save); f && n < 6; f = strtok_r(NULL, "\t\n", &save))
        field[n++] = f;
    if (n != 6) return -1;
    snprintf(row->name, sizeof row->name, "%s", field[0]);
    snprintf(row->part, sizeof row->part, "%s", field[1]);
    snprintf(row->file, sizeof row->file, "%s", field[2]);
    row->bytes = strtoll(field[3], NULL, 10);
    snprintf(row->sha256, sizeof row->sha256, "%s", strcmp(field[4], "-") == 0 ? "" : field[4]);
    snprintf(row->url, sizeof row->url, "%s", field[5]);
    return 0;
}

int ks_releases_read(ks_releases *r, const ks_setup *setup, ks_error *e)
{
    char line[1024], *path = NULL;
    *r = (ks_releases){0};
    int err = ks_locate_data(&path, setup, "models/released.tsv", e);
    if (err) return err;
    FILE *f = fopen(path, "r");
    if (!f) err = ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno));
    while (!err && fgets(line, sizeof line, f)) {
        if (line[0] == '#' || line[0] == '\n') continue;
        ks_release *more = realloc(r->at, (size_t)(r->n + 1) * sizeof *more);
        if (!more) {
            err = ks_fail(e, KS_ENOMEM, "%s: no memory to read it", path);
            break;
        }
        r->at = more;
        if (take_line(&more[r->n], line) == 0) r->n++;
        else err = ks_fail(e, KS_EFORMAT, "%s: a line has not six fields", path);
    }
    if (f) fclose(f);
    free(path);
    if (err) ks_releases_free(r);
    return err;
}

void ks_releases_free(ks_releases *r)
{
    free(r->at);
    *r = (ks_releases){0};
}

const ks_release *ks_release_find(const ks_releases *r, const char *name, const char *part)
{
    for (int i = 0; i < r->n; i++)
        if (strcmp(r->at[i].name, name) == 0 && strcmp(r->at[i].part, part) == 0) return &r->at[i];
    return NULL;
}
