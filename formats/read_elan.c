/* read_elan.c - ELAN's EAF: the aligned annotations of every tier. A span's label is the
 * annotation's text, or the tier's name where it has none. */
#include "formats/read.h"

#include "formats/text_out.h"

#include <libxml/parser.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is(const xmlNode *n, const char *name)
{
    return n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0;
}

/* malloc'ed; NULL: no such attribute. */
static char *attribute(const xmlNode *n, const char *name)
{
    xmlChar *value = xmlGetProp(n, (const xmlChar *)name);
    char *out = value ? strdup((char *)value) : NULL;

    xmlFree(value);
    return out;
}

static const xmlNode *child(const xmlNode *n, const char *name)
{
    for (const xmlNode *c = n ? n->children : NULL; c; c = c->next)
        if (is(c, name)) return c;
    return NULL;
}

/* --- time slots --- */
typedef struct {
    char *id;
    double at; /* ms; -1: without a time */
    int place; /* in TIME_ORDER */
} slot;

typedef struct {
    slot *at; /* [n] by id */
    int n;
    double origin; /* ms of the film where the annotations' time begins */
} slots;

static int by_id(const void *a, const void *b)
{
    return strcmp(((const slot *)a)->id, ((const slot *)b)->id);
}

static int read_slots(slots *s, const xmlNode *order)
{
    int room = 0;

    for (const xmlNode *c = order->children; c; c = c->next) {
        char *value;
        if (!is(c, "TIME_SLOT")) continue;
        if (s->n == room) {
            slot *more = realloc(s->at, (size_t)(room = room * 2 + 64) * sizeof *more);
            if (!more) return -1;
            s->at = more;
        }
        value = attribute(c, "TIME_VALUE");
        s->at[s->n].at = value ? (double)atoll(value) : -1;
        s->at[s->n].place = s->n;
        s->at[s->n].id = attribute(c, "TIME_SLOT_ID");
        free(value);
        if (!s->at[s->n].id) return -1;
        s->n++;
    }
    if (s->n) qsort(s->at, (size_t)s->n, sizeof *s->at, by_id);
    return 0;
}

static slot *slot_of(const slots *s, const xmlNode *annotation, const char *which)
{
    slot key = {.id = attribute(annotation, which)};
    slot *found = key.id && s->n ? bsearch(&key, s->at, (size_t)s->n, sizeof *s->at, by_id) : NULL;

    free(key.id);
    return found;
}

static double time_of(const slots *s, const xmlNode *annotation, const char *which)
{
    const slot *found = slot_of(s, annotation, which);

    return found ? found->at : -1;
}

static const xmlNode *aligned(const xmlNode *c)
{
    return is(c, "ANNOTATION") ? child(c, "ALIGNABLE_ANNOTATION") : NULL;
}

static int by_place(const void *a, const void *b)
{
    return (*(slot *const *)a)->place - (*(slot *const *)b)->place;
}

/* Slots without a time that lie between two with one: evenly between them. */
static void spread(slot **of, int n)
{
    for (int i = 0, last = -1; i < n; i++) {
        if (of[i]->at < 0) continue;
        for (int k = last + 1; last >= 0 && k < i; k++)
            of[k]->at = of[last]->at + (of[i]->at - of[last]->at) * (k - last) / (i - last);
        last = i;
    }
}

/* Parts of a parent's annotation have no time where nobody gave them one; ELAN shows them spread
 * over it. 0, or -1: no memory. */
static int spread_tier(slots *s, const xmlNode *tier)
{
    static const char *const ends[] = {"TIME_SLOT_REF1", "TIME_SLOT_REF2"};
    slot **of;
    int n = 0, kept = 0;

    for (const xmlNode *c = tier->children; c; c = c->next) n += aligned(c) != NULL;
    if (!(of = calloc((size_t)n * 2 + 1, sizeof(slot *)))) return -1;
    n = 0;
    for (const xmlNode *c = tier->children; c; c = c->next)
        for (int end = 0; end < 2 && aligned(c); end++)
            if ((of[n] = slot_of(s, aligned(c), ends[end]))) n++;
    if (n) qsort(of, (size_t)n, sizeof(slot *), by_place);
    for (int i = 0; i < n; i++)
        if (i == 0 || of[i] != of[i - 1]) of[kept++] = of[i];
    spread(of, kept);
    free(of);
    return 0;
}

/* How many tiers it hangs below; 16 at most. */
static int depth_of(const xmlNode *root, const xmlNode *tier)
{
    int depth = 0;
    char *parent = attribute(tier, "PARENT_REF");

    while (parent && depth < 16) {
        char *up = NULL;
        for (const xmlNode *c = root->children; c && !up; c = c->next) {
            char *name = is(c, "TIER") ? attribute(c, "TIER_ID") : NULL;
            if (name && strcmp(name, parent) == 0) up = attribute(c, "PARENT_REF");
            free(name);
        }
        free(parent);
        parent = up;
        depth++;
    }
    free(parent);
    return depth;
}

/* Tier by tier, parents first: their parts are parts of what they say. */
static int spread_all(slots *s, const xmlNode *root)
{
    int without = 0, err = 0;

    for (int i = 0; i < s->n; i++) without += s->at[i].at < 0;
    for (int depth = 0; depth <= 16 && without && err == 0; depth++)
        for (const xmlNode *c = root->children; c && err == 0; c = c->next)
            if (is(c, "TIER") && depth_of(root, c) == depth) err = spread_tier(s, c);
    return err;
}

/* --- annotations --- */

static int read_annotation(ks_reader *r, const slots *s, const xmlNode *a, const char *film,
                           const char *tier)
{
    const xmlNode *value = child(a, "ANNOTATION_VALUE");
    xmlChar *text = value ? xmlNodeGetContent(value) : NULL;
    double from = time_of(s, a, "TIME_SLOT_REF1"), to = time_of(s, a, "TIME_SLOT_REF2");
    int err;

    if (from < 0 || to < from)
        err = ks_fail(r->e, KS_EFORMAT, "%s: an annotation of tier %s has no times", r->file, tier);
    else
        err = ks_add_span(r, film, text && *text ? (const char *)text : tier,
                          (from + s->origin) / 1000, (to + s->origin) / 1000, (double)NAN, 1);
    xmlFree(text);
    return err;
}

static int read_tier(ks_reader *r, const slots *s, const xmlNode *tier, const char *film)
{
    char *name = attribute(tier, "TIER_ID");
    int err = 0;

    for (const xmlNode *c = tier->children; c && err == 0; c = c->next) {
        const xmlNode *a = aligned(c);
        if (a) err = read_annotation(r, s, a, film, name ? name : "");
    }
    free(name);
    return err;
}

static char *path_in(const xmlNode *media, const char *name)
{
    char *url = media ? attribute(media, name) : NULL, *path = url ? ks_path_of_url(url) : NULL;

    free(url);
    return path;
}

/* ELAN keeps where the film was, and where that is from the file; the second holds where both
 * were moved. malloc'ed; NULL: it names none. */
static char *film_of(const ks_reader *r, const xmlNode *media)
{
    char *film = path_in(media, "MEDIA_URL"), *beside = path_in(media, "RELATIVE_MEDIA_URL"),
         *moved = NULL;

    if (beside && *beside && !(film && *film && access(film, F_OK) == 0)) {
        moved = ks_beside_list(r->file, beside);
        if (moved && film && *film && access(moved, F_OK) != 0) {
            free(moved);
            moved = NULL;
        }
    }
    free(beside);
    if (!moved) return film;
    free(film);
    return moved;
}

/* Where the media is synchronised with another by leaving out its beginning. */
static double origin_of(const xmlNode *media)
{
    char *origin = media ? attribute(media, "TIME_ORIGIN") : NULL;
    double ms = origin ? (double)atoll(origin) : 0;

    free(origin);
    return ms;
}

static int read_document(ks_reader *r, const xmlNode *root)
{
    const xmlNode *media = child(child(root, "HEADER"), "MEDIA_DESCRIPTOR"),
                  *order = child(root, "TIME_ORDER");
    char *film = film_of(r, media);
    slots s = {0};
    int err = 0;

    if (!is(root, "ANNOTATION_DOCUMENT"))
        err = ks_bad_file(r, "XML, but no ANNOTATION_DOCUMENT of ELAN");
    else if (order && read_slots(&s, order) < 0) err = ks_bad_file(r, "a time slot without an id");
    else if (spread_all(&s, root) < 0)
        err = ks_fail(r->e, KS_ENOMEM, "%s: no memory for its labels", r->file);
    s.origin = origin_of(media);
    for (const xmlNode *c = root->children; c && err == 0; c = c->next)
        if (is(c, "TIER")) {
            err = film ? read_tier(r, &s, c, film)
                       : ks_bad_file(r, "its header names no film (MEDIA_DESCRIPTOR)");
        }
    if (film && err == 0) err = ks_name_film(r, film);
    for (int i = 0; i < s.n; i++) free(s.at[i].id);
    free(s.at);
    free(film);
    return err;
}

int ks_read_elan(ks_reader *r, const char *text, size_t n)
{
    xmlDoc *doc = xmlReadMemory(text, (int)n, NULL, NULL,
                                XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    int err;

    if (!doc) return ks_bad_file(r, "XML that is not well-formed");
    if (doc->intSubset || !xmlDocGetRootElement(doc)) /* entities are nobody's labels */
        err = ks_bad_file(r, "XML with a document type of its own is not read");
    else err = read_document(r, xmlDocGetRootElement(doc));
    xmlFreeDoc(doc);
    return err;
}
