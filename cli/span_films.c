/* span_films.c - see span_films.h. */
#include "cli/span_films.h"

#include "cli/terminal.h"

#include <assert.h>
#include <stdlib.h>

int ks_span_films(int64_t **id, ks_index *x, const ks_spans *s, const char *list, ks_error *e)
{
    assert(id && x && s && list);
    ks_film_names *names = NULL;
    int err = ks_film_names_open(&names, x, list, e);

    *id = calloc((size_t)s->n_films + 1, sizeof **id);
    if (!*id && err == 0) err = ks_fail(e, KS_ENOMEM, "no memory for the films of %s", list);
    for (int i = 0; i < s->n_films && err == 0; i++) {
        err = ks_film_names_find(&(*id)[i], names, s->films[i], e);
        if (err == KS_ENOTFOUND) (*id)[i] = err = 0;
    }
    ks_film_names_close(names);
    return err;
}

int ks_list_rate(double *fps, const char *text, ks_error *e)
{
    assert(fps);
    ks_rate rate;
    int drop;

    *fps = 0;
    if (!text) return 0;
    if (ks_rate_read(&rate, &drop, text) < 0)
        return ks_fail(e, KS_EUSAGE, "--fps %s: a rate is 25, 29.97, 30000/1001", text);
    *fps = (double)rate.num / rate.den;
    return 0;
}

int ks_say_lost_spans(const char *list, const ks_spans *s, const int64_t *id)
{
    char film[320];
    int lost = 0, first = 0;

    for (int i = s->n - 1; i >= 0; i--)
        if (!id[s->at[i].of]) lost++, first = i;
    if (!lost) return 0;
    snprintf(film, sizeof film, "%s", s->at[first].film);
    ks_harmless(film);
    fprintf(stderr, "kinoseek: %s: %d of %d spans name films that are not in the library, as %s\n",
            list, lost, s->n, film);
    return lost;
}
