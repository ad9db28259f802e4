/* out_elan.c - ELAN's EAF 3.0: a tier a label, another where spans of one label overlap (a tier
 * holds no overlap), whole milliseconds, nothing shorter than one. */
#include "formats/out.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

typedef struct {
    long long at; /* milliseconds */
    int slot;     /* its number, from 1: 2 * entry + 1 begins, + 2 ends */
} slot;

typedef struct {
    int of;        /* the entry whose label it bears */
    int number;    /* of the tiers with that label, from 1 */
    long long end; /* of what lies in it */
} tier;

typedef struct {
    slot *slots;  /* [2 n] in order of time */
    tier *tiers;  /* [n_tiers] */
    int *tier_of; /* [n] */
    int n_tiers;
} elan;

static long long begin_of(const ks_moment *k)
{
    return llround(fmax(ks_seconds(k->start, k->tb), 0) * 1000);
}

static long long end_of(const ks_moment *k)
{
    long long begin = begin_of(k), end = llround(fmax(ks_seconds(k->end, k->tb), 0) * 1000);

    return end > begin ? end : begin + 1;
}

static int by_time(const void *a, const void *b)
{
    const slot *x = a, *y = b;

    return x->at != y->at ? (x->at < y->at ? -1 : 1) : x->slot - y->slot;
}

static int tier_for(elan *l, const ks_writer *w, int i)
{
    int number = 0;

    for (int t = 0; t < l->n_tiers; t++) {
        if (strcmp(w->at[l->tiers[t].of].title, w->at[i].title) != 0) continue;
        number++;
        if (l->tiers[t].end <= begin_of(&w->at[i])) return t;
    }
    l->tiers[l->n_tiers] = (tier){.of = i, .number = number + 1};
    return l->n_tiers++;
}

static void put_head(ks_writer *w)
{
    static const char *const types[][2] = {{".mp4", "video/mp4"},       {".m4v", "video/mp4"},
                                           {".mov", "video/quicktime"}, {".mpg", "video/mpeg"},
                                           {".mpeg", "video/mpeg"},     {".webm", "video/webm"},
                                           {".mkv", "video/x-matroska"}};
    const char *path = w->n ? w->at[0].path : "", *dot = strrchr(path, '.'), *type = "unknown";
    time_t now = time(NULL);
    struct tm tm;
    char date[40] = "1970-01-01T00:00:00Z";
    ks_xml *x = &w->xml;

    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(dot, types[i][0]) == 0) type = types[i][1];
    if (gmtime_r(&now, &tm)) strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &tm);
    ks_xml_start(x, w->f);
    ks_xml_open(x, "ANNOTATION_DOCUMENT");
    ks_xml_attribute(x, "AUTHOR", "kinoseek");
    ks_xml_attribute(x, "DATE", date);
    ks_xml_attribute(x, "FORMAT", "3.0");
    ks_xml_attribute(x, "VERSION", "3.0");
    ks_xml_attribute(x, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
    ks_xml_attribute(x, "xsi:noNamespaceSchemaLocation",
                     "http://www.mpi.nl/tools/elan/EAFv3.0.xsd");
    ks_xml_open(x, "HEADER");
    ks_xml_attribute(x, "MEDIA_FILE", "");
    ks_xml_attribute(x, "TIME_UNITS", "milliseconds");
    if (w->n) {
        char *url = ks_url_of_path(path);
        ks_xml_open(x, "MEDIA_DESCRIPTOR");
        ks_xml_attribute(x, "MEDIA_URL", url ? url : "");
        ks_xml_attribute(x, "MIME_TYPE", type);
        ks_xml_close(x);
        free(url);
    }
    ks_xml_close(x);
}

static void put_slots(ks_xml *x, const slot *s, int n)
{
    char id[24];

    ks_xml_open(x, "TIME_ORDER");
    for (int i = 0; i < n; i++) {
        snprintf(id, sizeof id, "ts%d", s[i].slot);
        ks_xml_open(x, "TIME_SLOT");
        ks_xml_attribute(x, "TIME_SLOT_ID", id);
        ks_xml_number(x, "TIME_VALUE", s[i].at);
        ks_xml_close(x);
    }
    ks_xml_close(x);
}

static void put_annotation(ks_xml *x, const ks_moment *k, int i)
{
    char id[24];

    ks_xml_open(x, "ANNOTATION");
    ks_xml_open(x, "ALIGNABLE_ANNOTATION");
    snprintf(id, sizeof id, "a%d", i + 1);
    ks_xml_attribute(x, "ANNOTATION_ID", id);
    snprintf(id, sizeof id, "ts%d", 2 * i + 1);
    ks_xml_attribute(x, "TIME_SLOT_REF1", id);
    snprintf(id, sizeof id, "ts%d", 2 * i + 2);
    ks_xml_attribute(x, "TIME_SLOT_REF2", id);
    ks_xml_leaf(x, "ANNOTATION_VALUE", k->title);
    ks_xml_close(x);
    ks_xml_close(x);
}

/* "dog", "dog (2)": a name that no tier bears before it. */
static char *tier_name(const elan *l, const ks_writer *w, int t, char *const *names)
{
    const char *label = w->at[l->tiers[t].of].title;
    char *name = NULL;

    for (int number = l->tiers[t].number;; number++) {
        int taken = 0, err = number > 1 ? asprintf(&name, "%s (%d)", label, number)
                                        : asprintf(&name, "%s", *label ? label : "kinoseek");
        if (err < 0) return NULL;
        for (int i = 0; i < t; i++) taken |= strcmp(names[i], name) == 0;
        if (!taken) return name;
        free(name);
    }
}

static int put_tiers(ks_writer *w, const elan *l)
{
    char **names = calloc((size_t)l->n_tiers + 1, sizeof *names);
    ks_xml *x = &w->xml;
    int err = names ? 0 : -1;

    for (int t = 0; t < l->n_tiers && err == 0; t++) {
        if (!(names[t] = tier_name(l, w, t, names))) {
            err = -1;
            break;
        }
        ks_xml_open(x, "TIER");
        ks_xml_attribute(x, "LINGUISTIC_TYPE_REF", "default-lt");
        ks_xml_attribute(x, "TIER_ID", names[t]);
        for (int i = 0; i < w->n; i++)
            if (l->tier_of[i] == t) put_annotation(x, &w->at[i], i);
        ks_xml_close(x);
    }
    for (int t = 0; names && t < l->n_tiers; t++) free(names[t]);
    free(names);
    return err;
}

static int elan_begin(ks_writer *w)
{
    elan l = {calloc((size_t)w->n * 2 + 1, sizeof(slot)), calloc((size_t)w->n + 1, sizeof(tier)),
              calloc((size_t)w->n + 1, sizeof(int)), 0};
    ks_xml *x = &w->xml;
    int err = -1;

    if (!l.slots || !l.tiers || !l.tier_of) goto out;
    for (int i = 0; i < w->n; i++) {
        l.slots[2 * i] = (slot){begin_of(&w->at[i]), 2 * i + 1};
        l.slots[2 * i + 1] = (slot){end_of(&w->at[i]), 2 * i + 2};
        l.tier_of[i] = tier_for(&l, w, i);
        l.tiers[l.tier_of[i]].end = end_of(&w->at[i]);
    }
    qsort(l.slots, (size_t)w->n * 2, sizeof *l.slots, by_time);
    put_head(w);
    put_slots(x, l.slots, 2 * w->n);
    if ((err = put_tiers(w, &l)) < 0) goto out;
    ks_xml_open(x, "LINGUISTIC_TYPE");
    ks_xml_attribute(x, "GRAPHIC_REFERENCES", "false");
    ks_xml_attribute(x, "LINGUISTIC_TYPE_ID", "default-lt");
    ks_xml_attribute(x, "TIME_ALIGNABLE", "true");
    ks_xml_close(x);
    ks_xml_close(x);
out:
    free(l.slots);
    free(l.tiers);
    free(l.tier_of);
    return err < 0 ? ks_fail(w->e, KS_ENOMEM, "no memory for tiers") : 0;
}

const ks_format ks_format_elan = {
    .name = "elan",
    .ending = ".eaf",
    .brief = "ELAN annotations, a tier a label",
    .flags = KS_KEEPS | KS_ONE_FILM,
    .begin = elan_begin,
};
