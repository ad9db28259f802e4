/* decoder_targets.c - see decoder_targets.h. */
#include "decoder/decoder_targets.h"

#include <math.h>
#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* from[n]: where shots begin -> how many. gap[n] to work with. A key frame is early that comes
 * after less than nine tenths of the distance that only one in twenty exceeds: clocks of phones
 * swing by a few percent. */
static int find_shots(double *from, double *gap, const double *key, int n)
{
    int m = 1;
    from[0] = 0;
    if (n < 3) return 1;
    for (int i = 1; i < n; i++) gap[i - 1] = key[i] - key[i - 1];
    qsort(gap, (size_t)n - 1, sizeof *gap, by_size);
    double usual = gap[(n - 2) * 19 / 20];
    for (int i = 1; i < n; i++)
        if (key[i] - key[i - 1] < 0.9 * usual && key[i] > from[m - 1]) from[m++] = key[i];
    return m;
}

typedef struct {
    const double *from; /* [shots + 1], the last is the film's end */
    int shots, least;
} shot_list;

/* of one shot, a picture every so many seconds */
static double pictures_of(const shot_list *l, int i, double step)
{
    return fmax(l->least, floor((l->from[i + 1] - l->from[i]) / step + 0.5));
}

static double pictures_in_all(const shot_list *l, double step)
{
    double n = 0;
    for (int i = 0; i < l->shots; i++) n += pictures_of(l, i, step);
    return n;
}

/* The shortest step that takes no more than `most`. */
static double find_step(const shot_list *l, int most)
{
    double low = 0, high = l->from[l->shots];
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (pictures_in_all(l, middle) <= most) high = middle;
        else low = middle;
    }
    return high;
}

static int fill(ks_survey_target *out, const shot_list *l, double step, int most)
{
    int k = 0;
    for (int i = 0; i < l->shots; i++) {
        double length = l->from[i + 1] - l->from[i], n = pictures_of(l, i, step);
        for (int j = 0; j < n && k < most; j++)
            out[k++] = (ks_survey_target){l->from[i] + (j + 0.5) * length / n,
                                          l->from[i] + j * length / n};
    }
    return k;
}

int ks_survey_targets(ks_survey_target *out, int most, const double *key, int n, double length)
{
    double *from = malloc(2 * ((size_t)n + 2) * sizeof *from);
    if (!from) return -1;
    shot_list l = {.from = from, .shots = find_shots(from, from + n + 2, key, n), .least = 1};
    while (l.shots > 1 && from[l.shots - 1] >= length) l.shots--;
    from[l.shots] = length;
    if (l.shots > most) l.least = 0;
    int k = fill(out, &l, find_step(&l, most), most);
    if (2 * k < most) { /* shots that are all alike: none, or all of them */
        l = (shot_list){(const double[]){0, length}, 1, 1};
        k = fill(out, &l, find_step(&l, most), most);
    }
    free(from);
    return k;
}
