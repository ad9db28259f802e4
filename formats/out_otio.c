/* out_otio.c - OpenTimelineIO: Timeline.1 / Stack.1 / Track.1 / Clip.2, the versions of OTIO
 * 0.15 to 0.18.
 *
 * Each clip's times are at its own film's rate; target_url is a file URL. */
#include "formats/out.h"

static void rational(ks_json *j, const char *key, int64_t frame, ks_rate rate)
{
    ks_json_open(j, key, '{');
    ks_json_text(j, "OTIO_SCHEMA", "RationalTime.1");
    ks_json_rate(j, "rate", (double)rate.num / rate.den);
    ks_json_int(j, "value", frame);
    ks_json_close(j);
}

static void range(ks_json *j, const char *key, int64_t from, int64_t frames, ks_rate rate)
{
    ks_json_open(j, key, '{');
    ks_json_text(j, "OTIO_SCHEMA", "TimeRange.1");
    rational(j, "start_time", from, rate);
    rational(j, "duration", frames, rate);
    ks_json_close(j);
}

static int otio_begin(ks_writer *w)
{
    ks_json *j = &w->json;

    ks_json_open(j, NULL, '{');
    ks_json_text(j, "OTIO_SCHEMA", "Timeline.1");
    ks_json_text(j, "name", w->options->command ? w->options->command : "kinoseek");
    ks_json_open(j, "tracks", '{');
    ks_json_text(j, "OTIO_SCHEMA", "Stack.1");
    ks_json_text(j, "name", "tracks");
    ks_json_open(j, "children", '[');
    ks_json_open(j, NULL, '{');
    ks_json_text(j, "OTIO_SCHEMA", "Track.1");
    ks_json_text(j, "name", "moments");
    ks_json_text(j, "kind", "Video");
    ks_json_open(j, "children", '[');
    return 0;
}

static int media(ks_json *j, const ks_moment *k, int64_t first, ks_rate rate, ks_error *e)
{
    int err;

    ks_json_open(j, "media_references", '{');
    ks_json_open(j, "DEFAULT_MEDIA", '{');
    ks_json_text(j, "OTIO_SCHEMA", "ExternalReference.1");
    err = ks_json_url(j, "target_url", k->path, e);
    if (ks_frames_of(k, rate) > 0) range(j, "available_range", first, ks_frames_of(k, rate), rate);
    ks_json_close(j);
    ks_json_close(j);
    ks_json_text(j, "active_media_reference_key", "DEFAULT_MEDIA");
    return err;
}

/* Source ranges are counted as the film's own timecode counts: a camera file that starts at
 * 14:03:22:05 is found by it. */
static int otio_entry(ks_writer *w, const ks_moment *k)
{
    ks_json *j = &w->json;
    ks_rate rate = w->options->fps.num ? w->options->fps : ks_entry_rate(k);
    int drop;
    int64_t in, out, first = ks_start_frame(&drop, k, rate);
    int err;

    ks_entry_frames(&in, &out, k, rate);
    ks_json_open(j, NULL, '{');
    ks_json_text(j, "OTIO_SCHEMA", "Clip.2");
    ks_json_text(j, "name", ks_base_name(k->path));
    range(j, "source_range", first + in, out - in, rate);
    if ((err = media(j, k, first, rate, w->e)) < 0) return err;
    ks_json_open(j, "metadata", '{');
    ks_json_open(j, "kinoseek", '{');
    ks_json_text(j, k->is_label ? "label" : "query", k->title);
    ks_json_number(j, "score", k->score);
    ks_json_number(j, "cosine", k->cosine);
    ks_json_int(j, "rank", k->rank);
    ks_json_close(j);
    if (*k->reel) { /* where OTIO's CMX 3600 adapter looks for it */
        ks_json_open(j, "cmx_3600", '{');
        ks_json_text(j, "reel", k->reel);
        ks_json_close(j);
    }
    ks_json_close(j);
    ks_json_close(j);
    return 0;
}

const ks_format ks_format_otio = {
    .name = "otio",
    .ending = ".otio",
    .brief = "OpenTimelineIO: Resolve, Kdenlive, Nuke, RV",
    .flags = KS_KEEPS | KS_NEEDS_RATE,
    .begin = otio_begin,
    .entry = otio_entry,
    .end = ks_end_json,
};
