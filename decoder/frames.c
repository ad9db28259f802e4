/* frames.c - whole tasks over one film: visit frames, one picture, a thumbnail's pixels. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "decoder/decoder.h"
#include "decoder/spawn.h"

static int file_error(const char *path, const ks_outcome *o, ks_error *e)
{
    return ks_fail(e, KS_EFORMAT, "%s: %s", path, o->reason[0] ? o->reason : "no frames");
}

static int is_wanted(const ks_range *r, int64_t number, int *at)
{
    if (!r->wanted) return 1;
    while (*at < r->n_wanted && r->wanted[*at] < number) (*at)++;
    return *at < r->n_wanted && r->wanted[*at] == number;
}

/* Frames of the range go to visit; *n counts them. 1: stopped by visit or by the range's end. */
static int walk(int64_t *n, ks_film *film, const ks_range *range, ks_visit_frame *visit, void *arg,
                ks_error *e)
{
    ks_film_frame f;
    ks_image image;
    const ks_media *media = ks_film_media(film);
    int r, at = 0;

    *n = 0;
    while ((r = ks_film_next(&f, film, e)) == 1) {
        double t = ks_seconds(f.ticks, media->tb);
        ks_film_keep(film, f.number);
        if (t < range->from) continue;
        if (range->to >= 0 && t >= range->to) return 1;
        if (visit && is_wanted(range, *n, &at)) {
            r = ks_film_pixels(&image, film, f.number, e);
            if (r < 0) return r;
            if (visit(arg, media, &image, f.ticks)) return 1;
        }
        if (++*n == range->max_frames) return 1;
        if (range->wanted && visit &&
            (range->n_wanted == 0 || *n > range->wanted[range->n_wanted - 1]))
            return 1;
    }
    return r;
}

int ks_frames(ks_media *media, ks_outcome *outcome, ks_decoder *d, const char *path,
              const ks_range *range, ks_visit_frame *visit, void *arg, ks_error *e)
{
    assert(d && path);
    static const ks_range all = {.to = -1};
    ks_range bounds = range ? *range : all;
    ks_film_options o = {.stills = 1, .no_small = 1, .hold = (size_t)64 << 20};
    ks_film *film = NULL;
    int64_t n = 0;
    int r;

    double begins;
    if ((r = ks_film_open_at(&film, &begins, d, path, &o, bounds.keys, bounds.from, bounds.to, e)))
        return r;
    r = walk(&n, film, &bounds, visit, arg, e);
    if (media) *media = *ks_film_media(film);
    if (media) media->frames = n;
    if (outcome) *outcome = *ks_film_outcome(film);
    if (outcome && r == 1) { /* we stopped: what was seen was good */
        memset(outcome, 0, sizeof *outcome);
        outcome->verdict = KS_VERDICT_INDEXED;
        outcome->frames = n;
    }
    if (r >= 0) r = 0;
    if (r == 0 && n == 0 && ks_film_outcome(film)->verdict >= KS_VERDICT_SKIPPED)
        r = file_error(path, ks_film_outcome(film), e);
    ks_film_close(film);
    return r;
}

static int copy_image(ks_image *out, uint8_t **pixels, const ks_image *image, ks_error *e)
{
    size_t row = 3 * (size_t)image->width;
    *pixels = malloc(row * (size_t)image->height);
    if (!*pixels)
        return ks_fail(e, KS_ENOMEM, "no memory for a picture of %dx%d", image->width,
                       image->height);
    for (int y = 0; y < image->height; y++)
        memcpy(*pixels + (size_t)y * row, image->rgb + (size_t)y * image->stride, row);
    *out = (ks_image){*pixels, image->width, image->height, row};
    return 0;
}

/* The last frame at or before `at` seconds, or the first. */
static int frame_at(ks_image *out, uint8_t **pixels, ks_film *film, const char *path, double at,
                    ks_error *e)
{
    ks_film_frame f;
    ks_image image;
    int64_t found = -1;
    int r;
    while ((r = ks_film_next(&f, film, e)) == 1) {
        if (found >= 0 && ks_seconds(f.ticks, ks_film_media(film)->tb) > at) break;
        found = f.number;
        ks_film_keep(film, found);
        if (ks_seconds(f.ticks, ks_film_media(film)->tb) >= at) break;
    }
    if (r < 0) return r;
    if (found < 0) return file_error(path, ks_film_outcome(film), e);
    if ((r = ks_film_pixels(&image, film, found, e))) return r;
    return copy_image(out, pixels, &image, e);
}

int ks_picture(ks_image *out, uint8_t **pixels, ks_decoder *d, const char *path, double at,
               const ks_keys *keys, ks_error *e)
{
    assert(out && pixels && d && path);
    ks_film_options o = {.stills = 1, .no_small = 1};
    ks_film *film = NULL;
    double begins;
    *pixels = NULL;
    int r = ks_film_open_at(&film, &begins, d, path, &o, keys, at, at, e);
    if (!r) r = frame_at(out, pixels, film, path, at, e);
    ks_film_close(film);
    return r;
}

/* The decoder reads it as the picture file it is: from memory that has a descriptor. */
int ks_thumbnail_rgb(ks_image *out, uint8_t **pixels, ks_decoder *d, const uint8_t *jpeg,
                     size_t bytes, ks_error *e)
{
    assert(out && pixels && d && jpeg);
    char path[64];
    int fd = memfd_create("thumbnail", MFD_CLOEXEC), r;
    *pixels = NULL;
    if (fd < 0 || write(fd, jpeg, bytes) != (ssize_t)bytes) {
        if (fd >= 0) close(fd);
        return ks_fail(e, KS_EIO, "no memory for a thumbnail: %s", strerror(errno));
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    r = ks_picture(out, pixels, d, path, 0, NULL, e);
    close(fd);
    return r;
}

int ks_decoder_about(const char *decoder, ks_fact *facts, int max)
{
    static const char *const names[] = {"libavcodec", "libavformat", "libswscale", "libheif",
                                        "hwaccels"};
    ks_decoder *d = NULL;
    ks_job job = {.kind = KS_JOB_ABOUT};
    ks_message m;
    ks_error e;
    int n = 0, sock = -1, status;

    if (max < 1) return 0;
    facts[n].name = "decoder";
    if (ks_decoder_start(&d, decoder, NULL, &e)) {
        snprintf(facts[n++].value, sizeof facts->value, "%.150s", e.msg);
        return n;
    }
    snprintf(facts[n++].value, sizeof facts->value, "%.150s", decoder);
    if (n < max) {
        facts[n].name = "sandbox";
        snprintf(facts[n++].value, sizeof facts->value, "%s", ks_decoder_sandbox(d));
    }
    if (ks_job_begin(&sock, d, &job, -1, -1, &e) == 0) {
        while (n < max && ks_wire_recv(sock, &m, NULL, 5000) == 1 && m.type == KS_MSG_FACT) {
            char text[160];
            ks_wire_text(text, sizeof text, m.u.text, sizeof m.u.text);
            for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
                size_t k = strlen(names[i]);
                if (strncmp(text, names[i], k) || text[k] != '=') continue;
                facts[n].name = names[i];
                snprintf(facts[n++].value, sizeof facts->value, "%s", text + k + 1);
                break;
            }
        }
        ks_job_end(&status, d);
        close(sock);
    }
    ks_decoder_stop(d);
    return n;
}
