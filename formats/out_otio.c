/* out_otio.c - OpenTimelineIO: Timeline.1 / Stack.1 / Track.1 / Clip.2, the versions of OTIO 0.15 to 0.18.
 *
 * Each clip's times are at its own film's rate; target_url is a file URL. */
#include "formats/formats.h"

#include <string.h>

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

static void file_url(char *out, size_t room, const char *path)
{
    size_t n = (size_t)snprintf(out, room, "file://");

    for (; *path && n + 4 < room; path++) {
        unsigned char c = (unsigned char)*path;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("/-._~", c))
            out[n++] = (char)c;
        else
            n += (size_t)snprintf(out + n, room - n, "%%%02X", c);
    }
    out[n] = 0;
}

static void otio_begin(ks_out *o)
{
    ks_json *j = &o->json;

    ks_json_open(j, NULL, '{');
    ks_json_text(j, "OTIO_SCHEMA", "Timeline.1");
    ks_json_text(j, "name", o->options->command ? o->options->command : "kinoseek");
    ks_json_open(j, "tracks", '{');
    ks_json_text(j, "OTIO_SCHEMA", "Stack.1");
    ks_json_text(j, "name", "tracks");
    ks_json_open(j, "children", '[');
    ks_json_open(j, NULL, '{');
    ks_json_text(j, "OTIO_SCHEMA", "Track.1");
    ks_json_text(j, "name", "moments");
    ks_json_text(j, "kind", "Video");
    ks_json_open(j, "children", '[');
}

static void otio_entry(ks_out *o, const ks_entry *k)
{
    ks_json *j = &o->json;
    ks_rate rate = ks_rate_of(k->fps);
    int64_t in = ks_frame_number(k->start, k->tb, rate), out = ks_frame_number(k->end, k->tb, rate);
    char url[3 * 4096 + 16];

    file_url(url, sizeof url, k->path);
    ks_json_open(j, NULL, '{');
    ks_json_text(j, "OTIO_SCHEMA", "Clip.2");
    ks_json_text(j, "name", ks_base_name(k->path));
    range(j, "source_range", in, out > in ? out - in : 1, rate);
    ks_json_open(j, "media_references", '{');
    ks_json_open(j, "DEFAULT_MEDIA", '{');
    ks_json_text(j, "OTIO_SCHEMA", "ExternalReference.1");
    ks_json_text(j, "target_url", url);
    if (k->duration > 0)
        range(j, "available_range", 0, ks_frame_number((int64_t)(k->duration * 1000), (ks_timebase){1, 1000}, rate), rate);
    ks_json_close(j);
    ks_json_close(j);
    ks_json_text(j, "active_media_reference_key", "DEFAULT_MEDIA");
    ks_json_open(j, "metadata", '{');
    ks_json_open(j, "kinoseek", '{');
    ks_json_text(j, k->is_label ? "label" : "query", k->title);
    ks_json_number(j, "score", k->score);
    ks_json_number(j, "cosine", k->cosine);
    ks_json_int(j, "rank", k->rank);
    ks_json_close(j);
    ks_json_close(j);
    ks_json_close(j);
}

static void otio_end(ks_out *o)
{
    while (o->json.depth > 0)
        ks_json_close(&o->json);
}

const ks_out_format ks_format_otio = {"otio", 0, 1, otio_begin, otio_entry, otio_end};
