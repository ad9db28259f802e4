/* figures.c - see figures.h. One line a figure: model, input, stage, row, tolerance, values;
 * tabs. */
#include "cli/figures.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int take_line(ks_figure *f, char *line)
{
    char *field[6], *save = NULL, *end;
    int n = 0;
    *f = (ks_figure){0};
    for (char *s = strtok_r(line, "\t\n", &save); s && n < 6; s = strtok_r(NULL, "\t\n", &save))
        field[n++] = s;
    if (n != 6 || strlen(field[0]) >= sizeof f->model || strlen(field[1]) >= sizeof f->input ||
        strlen(field[2]) >= sizeof f->stage)
        return -1;
    strcpy(f->model, field[0]);
    strcpy(f->input, field[1]);
    strcpy(f->stage, field[2]);
    f->row = strcmp(field[3], "first") == 0  ? 0
             : strcmp(field[3], "last") == 0 ? 1
                                             : strtoll(field[3], &end, 10);
    f->tolerance = strtod(field[4], NULL);
    for (char *s = field[5]; f->n < KS_FIGURE_VALUES; s = end) {
        double v = strtod(s, &end);
        if (end == s) break;
        f->v[f->n++] = v;
    }
    return f->n > 0 && f->tolerance > 0 && f->row >= 0 ? 0 : -1;
}

int ks_figures_read(ks_figures *figures, const char *path, const char *model, ks_error *e)
{
    assert(figures && path);
    char line[2048];
    int err = 0, number = 0, room = 0;
    *figures = (ks_figures){0};
    FILE *f = fopen(path, "r");
    if (!f)
        return ks_fail(e, errno == ENOENT ? KS_ENOTFOUND : KS_EIO, "%s: %s", path, strerror(errno));
    while (!err && fgets(line, sizeof line, f)) {
        number++;
        if (line[0] == '#' || line[0] == '\n') continue;
        if (figures->n == room) {
            ks_figure *more = realloc(figures->at, (size_t)(room = 2 * room + 64) * sizeof *more);
            if (!more) {
                err = ks_fail(e, KS_ENOMEM, "%s: no memory to read it", path);
                break;
            }
            figures->at = more;
        }
        if (take_line(&figures->at[figures->n], line) != 0)
            err = ks_fail(e, KS_EFORMAT, "%s: line %d is no figure", path, number);
        else if (strcmp(figures->at[figures->n].model, model) == 0) figures->n++;
    }
    fclose(f);
    if (err) ks_figures_free(figures);
    return err;
}

void ks_figures_free(ks_figures *f)
{
    free(f->at);
    *f = (ks_figures){0};
}

static void hold_one(ks_figure *f, const float *x, int64_t rows, int64_t cols)
{
    f->seen = 1;
    if (f->row >= rows || f->n > cols) {
        f->wrong = 1;
        f->got = NAN;
        return;
    }
    for (int i = 0; i < f->n; i++) {
        double got = x[f->row * cols + i], far = fabs(got - f->v[i]);
        if (i > 0 && far <= f->far) continue; /* a NaN is worst and stays so */
        f->at = i, f->got = got, f->far = far;
        if (!(far <= f->tolerance)) f->wrong = 1;
        if (isnan(far)) break;
    }
}

void ks_figures_hold(ks_figures *f, const char *input, const char *stage, const float *x,
                     int64_t rows, int64_t cols)
{
    for (int i = 0; i < f->n; i++)
        if (!f->at[i].seen && strcmp(f->at[i].stage, stage) == 0 &&
            strcmp(f->at[i].input, input) == 0)
            hold_one(&f->at[i], x, rows, cols);
}

const ks_figure *ks_figures_first_wrong(const ks_figures *f, const char *input)
{
    for (int i = 0; i < f->n; i++)
        if ((!input || strcmp(f->at[i].input, input) == 0) && (f->at[i].wrong || !f->at[i].seen))
            return &f->at[i];
    return NULL;
}
