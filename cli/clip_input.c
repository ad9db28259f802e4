/* clip_input.c - see clip_input.h. */
#include "cli/clip_input.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(ks_error *e) { return ks_fail(e, KS_ENOMEM, "no memory for frames"); }

ks_fit ks_fit_named(const char *name)
{
    if (name && strcmp(name, "crop") == 0) return KS_CROP;
    return name && strcmp(name, "pad") == 0 ? KS_PAD : KS_SQUASH;
}

int ks_clip_video(ks_clip_pixels *clip, const ks_clip_how *how, const char *file_at, ks_error *e)
{
    assert(clip && how && file_at);
    char *file = malloc(strlen(file_at) + 1);
    double from, to;
    int err = file ? ks_split_times(file, &from, &to, file_at, e) : no_memory(e);
    if (!err) err = ks_clip_film(clip, how, file, from, to, e);
    free(file);
    return err;
}

/* --- arrays --- */

/* "0,0,1" -> paddings[T], malloc'ed. */
static int read_paddings(const float **paddings, const char *list, int T, ks_error *e)
{
    float *p = malloc((size_t)T * sizeof *p);
    const char *at = list;
    int n = 0;
    if (!p) return no_memory(e);
    for (; *at == '0' || *at == '1'; n++) {
        if (n < T) p[n] = (float)(*at - '0');
        if (*++at != ',') {
            n++;
            break;
        }
        at++;
    }
    if (*at == 0 && n == T) {
        *paddings = p;
        return 0;
    }
    free(p);
    if (*at) return ks_fail(e, KS_EUSAGE, "--frame-paddings %s: zeros and ones, as in 0,0,1", list);
    return ks_fail(e, KS_EUSAGE, "--frame-paddings names %d frames, the clip has %d", n, T);
}

int ks_clip_npy(ks_clip_pixels *clip, const char *paddings, const char *path, ks_error *e)
{
    assert(clip && path);
    int err = ks_npy_frames(clip, path, e);
    if (err) return err;
    if (paddings) err = read_paddings(&clip->paddings, paddings, clip->T, e);
    if (err) ks_clip_free(clip);
    return err;
}
