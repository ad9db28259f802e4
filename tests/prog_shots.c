/* prog_shots.c - prog_shots DECODER FILM...: a line a border: film, frame, seconds, cut|soft|break,
 * seconds that a dissolve lasts before and after it, as B/A. */
#include <stdlib.h>

#include "decoder/decoder.h"
#include "ingest/shots.h"

typedef struct {
    const char *path;
    double *seconds;
    int64_t room;
} film;

static int decided(void *arg, int64_t number, ks_plan_border border, ks_shots_blend blend,
                   ks_error *e)
{
    const film *f = arg;
    (void)e;
    if (border != KS_PLAN_ON)
        printf("%s\t%lld\t%.4f\t%s\t%.3f/%.3f\n", f->path, (long long)number, f->seconds[number],
               border == KS_PLAN_CUT    ? "cut"
               : border == KS_PLAN_SOFT ? "soft"
                                        : "break",
               blend.before, blend.after);
    return 0;
}

static int one(ks_decoder *d, const char *path, ks_error *e)
{
    film f = {path, NULL, 0};
    ks_film *in = NULL;
    ks_shots *s = NULL;
    ks_film_frame frame;
    int r = ks_film_open(&in, d, path, &(ks_film_options){0}, e);
    if (r == 0) r = ks_shots_open(&s, decided, &f, e);
    while (r >= 0 && (r = ks_film_next(&frame, in, e)) == 1) {
        if (frame.number >= f.room)
            f.seconds = realloc(f.seconds, sizeof(double) * (size_t)(f.room = 2 * f.room + 4096));
        f.seconds[frame.number] = ks_seconds(frame.ticks, ks_film_media(in)->tb);
        r = ks_shots_frame(s, frame.number, f.seconds[frame.number], frame.small,
                           (frame.flags & KS_FRAME_BREAK) != 0, e);
    }
    if (r == 0) r = ks_shots_end(s, e);
    ks_shots_close(s);
    ks_film_close(in);
    free(f.seconds);
    return r;
}

int main(int argc, char **argv)
{
    ks_error e = {0, ""};
    ks_decoder *d = NULL;
    int r = argc < 3 ? -1 : ks_decoder_start(&d, argv[1], &(ks_decoder_how){0}, &e);
    for (int i = 2; i < argc && r == 0; i++) r = one(d, argv[i], &e);
    ks_decoder_stop(d);
    if (r < 0) fprintf(stderr, "prog_shots: %s\n", e.msg);
    return r < 0;
}
