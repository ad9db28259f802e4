/* made.c - see made.h. The setting is text, "window 8 hop 4 shots 1 ...": what a later version
 * adds, an older one skips. */
#include "ingest/made.h"

#include <stdlib.h>
#include <string.h>

static const char made_key[] = "ingest.made";

typedef struct {
    double window, hop; /* seconds; 0: not said yet */
    int shots, stills, hidden, follow, fast;
} made;

static void take_word(made *m, const char *name, double value)
{
    struct {
        const char *name;
        int *flag;
    } flags[] = {{"shots", &m->shots},
                 {"stills", &m->stills},
                 {"hidden", &m->hidden},
                 {"follow", &m->follow},
                 {"fast", &m->fast}};
    if (strcmp(name, "window") == 0) m->window = value;
    if (strcmp(name, "hop") == 0) m->hop = value;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(name, flags[i].name) == 0) *flags[i].flag = value > 0;
}

static int recall(made *m, ks_index *x, ks_error *e)
{
    void *data = NULL;
    size_t bytes = 0;
    char text[256], name[16], *at = text;
    double value;
    int n = 0;
    *m = (made){.shots = 1};
    int err = ks_index_get(&data, &bytes, x, made_key, e);
    if (err < 0 || !data) return err;
    snprintf(text, sizeof text, "%.*s", (int)(bytes < sizeof text ? bytes : sizeof text - 1),
             (const char *)data);
    free(data);
    for (; sscanf(at, " %15s %lf%n", name, &value, &n) == 2; at += n) take_word(m, name, value);
    return 0;
}

/* Of another model than the library's spaces have, frames and fit are open: NULL. */
static const ks_space *space_of(const ks_library *l, const ks_ingest_options *o,
                                const ks_encoder *enc)
{
    const char *model = enc ? ks_encoder_info(enc)->hash : "clock";
    if (l->space.dim == 0) return NULL;
    if (!o->switch_space || strcmp(l->next.model, model) == 0) return &l->next;
    return strcmp(l->space.model, model) == 0 ? &l->space : NULL;
}

static int from_space(ks_ingest_options *o, ks_index *x, const ks_encoder *enc, ks_error *e)
{
    ks_library *l = malloc(sizeof *l);
    if (!l) return ks_fail(e, KS_ENOMEM, "no memory to ingest");
    int err = ks_index_library(l, x, e);
    const ks_space *space = err < 0 ? NULL : space_of(l, o, enc);
    if (err >= 0 && l->space.dim > 0 && (o->unsaid & KS_UNSAID_FIT))
        o->fit = (ks_fit)(l->next.resize % 10);
    if (space && o->frames == 0) o->frames = space->frames;
    if (space && o->short_shots == 0) o->short_shots = space->sampler / 10;
    if (space && (o->unsaid & KS_UNSAID_FIT)) o->fit = (ks_fit)(space->resize % 10);
    free(l);
    return err < 0 ? err : 0;
}

int ks_made_choose(ks_ingest_options *o, ks_index *x, ks_encoder *enc, ks_error *e)
{
    made m;
    int err = recall(&m, x, e);
    if (err >= 0) err = from_space(o, x, enc, e);
    if (err < 0) return err;
    if (o->unsaid & KS_UNSAID_SHOTS) o->shots = m.shots;
    if (o->unsaid & KS_UNSAID_STILLS) o->stills = m.stills;
    if (o->unsaid & KS_UNSAID_HIDDEN) o->hidden = m.hidden;
    if (o->unsaid & KS_UNSAID_FOLLOW) o->follow = m.follow;
    if (o->unsaid & KS_UNSAID_DECODE) o->fast_decode = m.fast;
    if (o->hop == 0 && o->window == 0) o->hop = m.hop; /* another window has its own half */
    if (o->window == 0) o->window = m.window > 0 ? m.window : 8;
    if (o->hop == 0) o->hop = o->window / 2;
    o->unsaid &= KS_UNSAID_SURVEY; /* of each run anew: by how much is new */
    return ks_ingest_check(o, e);
}

int ks_made_remember(const ks_ingest_options *o, ks_index *x, ks_error *e)
{
    char text[256];
    void *was = NULL;
    size_t bytes = 0;
    int n = snprintf(text, sizeof text,
                     "window %.17g hop %.17g shots %d stills %d hidden %d follow %d fast %d",
                     o->window, o->hop, o->shots, o->stills, o->hidden, o->follow, o->fast_decode);
    int err = ks_index_get(&was, &bytes, x, made_key, e);
    if (err < 0) return err;
    int same = was && bytes == (size_t)n && memcmp(was, text, bytes) == 0;
    free(was);
    return same ? 0 : ks_index_put(x, made_key, text, (size_t)n, e);
}
