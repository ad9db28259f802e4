/* decoder_origin.c - when a film says it was made, and by which timecode its maker finds it.
 *
 * Dates: the maker's own tag (with its zone, or in the camera's local time) comes before the
 * container's creation_time, which exports and copies set anew; a clock that was never set
 * (1904, 1970, 1980, a day to come) is none. Timecodes: of a track or a header (MOV, MXF, AVI,
 * DV), else of the first picture (SMPTE 12M in H.264 and HEVC, MPEG's groups of pictures). */
#include "decoder/decoder_origin.h"

#include <ctype.h>
#include <libavutil/timecode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char *tag(const AVDictionary *d, const char *key)
{
    const AVDictionaryEntry *e = av_dict_get(d, key, NULL, 0);
    return e && e->value[0] ? e->value : NULL;
}

/* --- dates --- */
typedef struct {
    int64_t when; /* seconds since 1970, UTC; of a local time: as if it were UTC */
    int local;
} moment;

/* "+0200", "+02:00", "-07", "Z" at s: 1 and its seconds east; 0: no zone. */
static int zone_of(int *east, const char *s)
{
    int h = 0, m = 0;
    while (*s == ' ') s++;
    *east = 0;
    if (*s == 'Z' || *s == 'z' || !strncasecmp(s, "UTC", 3)) return 1;
    if ((*s != '+' && *s != '-') || !isdigit((unsigned char)s[1]) || !isdigit((unsigned char)s[2]))
        return 0;
    h = 10 * (s[1] - '0') + s[2] - '0';
    const char *t = s + 3 + (s[3] == ':');
    if (isdigit((unsigned char)t[0]) && isdigit((unsigned char)t[1]))
        m = 10 * (t[0] - '0') + t[1] - '0';
    if (h > 14 || m > 59) return 0;
    *east = (*s == '-' ? -1 : 1) * (3600 * h + 60 * m);
    return 1;
}

static int month_of(const char *name)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12; i++)
        if (!strncasecmp(name, names + 3 * i, 3)) return i + 1;
    return 0;
}

static int in_range(const struct tm *t)
{
    return t->tm_year >= 1900 && t->tm_year <= 3000 && t->tm_mon >= 1 && t->tm_mon <= 12 &&
           t->tm_mday >= 1 && t->tm_mday <= 31 && t->tm_hour >= 0 && t->tm_hour < 24 &&
           t->tm_min >= 0 && t->tm_min < 60 && t->tm_sec >= 0 && t->tm_sec <= 60;
}

/* A day with its hour: "2019-07-12T23:30:00.000+0200", "2019:07:12 23:30:00", "Mon Mar 10
 * 15:04:43 2003". 1; 0: none. */
static int read_moment(moment *out, const char *s)
{
    struct tm t;
    char month[4] = "";
    int used = 0, east;
    if (!s) return 0;
    memset(&t, 0, sizeof t);
    if (sscanf(s, "%4d%*1[-:/]%2d%*1[-:/]%2d%*1[T ]%2d:%2d:%2d%n", &t.tm_year, &t.tm_mon,
               &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec, &used) != 6 ||
        !used) {
        memset(&t, 0, sizeof t);
        used = 0;
        if (sscanf(s, "%*3s %3s %2d %2d:%2d:%2d %4d%n", month, &t.tm_mday, &t.tm_hour, &t.tm_min,
                   &t.tm_sec, &t.tm_year, &used) != 6)
            return 0;
        t.tm_mon = month_of(month);
    }
    if (!in_range(&t)) return 0;
    t.tm_year -= 1900;
    t.tm_mon--;
    out->when = (int64_t)timegm(&t);
    s += used;
    if (*s == '.' || *s == ',') s += 1 + strspn(s + 1, "0123456789");
    out->local = !zone_of(&east, s);
    out->when -= east;
    return 1;
}

/* Clocks count from 1904, 1970 or 1980 until somebody sets them; none is ahead of ours (a day of
 * zones allowed). */
static int was_set(int64_t when)
{
    return when >= 315532800 + 3 * 86400 && when < (int64_t)time(NULL) + 2 * 86400;
}

/* MDPM of AVCHD: after its UUID and name, (tag, 4 bytes in BCD): 0x18 zone, century, year,
 * month; 0x19 day, h, min, s. */
static int read_mdpm(moment *out, const uint8_t *p, size_t n)
{
    static const uint8_t name[20] = {0x17, 0xee, 0x8c, 0x60, 0xf8, 0x4d, 0x11, 0xd9, 0x8c, 0xd6,
                                     0x08, 0x00, 0x20, 0x0c, 0x9a, 0x66, 'M',  'D',  'P',  'M'};
    const uint8_t *day = NULL, *hour = NULL;
    char text[48];
    if (n < 21 || memcmp(p, name, sizeof name)) return 0;
    for (size_t i = 0, at = 21; i < p[20] && at + 5 <= n; i++, at += 5) {
        if (p[at] == 0x18) day = p + at + 1;
        if (p[at] == 0x19) hour = p + at + 1;
    }
    if (!day || !hour) return 0;
    int z = day[0], known = z < 0x80 && (z >> 1 & 15) <= 14;
    snprintf(text, sizeof text, "%02x%02x-%02x-%02x %02x:%02x:%02x", day[1], day[2], day[3],
             hour[0], hour[1], hour[2], hour[3]);
    if (known)
        snprintf(text + 19, sizeof text - 19, "%c%02d:%s", z & 0x20 ? '-' : '+', z >> 1 & 15,
                 z & 1 ? "30" : "00");
    return read_moment(out, text);
}

/* What only the maker of the film writes: an exporting program leaves it as it was. */
static int from_maker(moment *out, const AVDictionary *d)
{
    static const char *const keys[] = {"com.apple.quicktime.creationdate",
                                       "DATE_RECORDED",
                                       "DATE_DIGITIZED",
                                       "DateTimeOriginal",
                                       "creationdate",
                                       "date",
                                       NULL};
    for (const char *const *k = keys; *k; k++)
        if (read_moment(out, tag(d, *k)) && was_set(out->when)) {
            int east;
            const char *offset = tag(d, "OffsetTimeOriginal"); /* Exif keeps the zone apart */
            if (out->local && offset && zone_of(&east, offset)) out->when -= east, out->local = 0;
            return 1;
        }
    return 0;
}

static int from_container(moment *out, const AVDictionary *d)
{
    return read_moment(out, tag(d, "creation_time")) && was_set(out->when);
}

static int from_frame(moment *out, const AVFrame *f)
{
    for (int i = 0; i < f->nb_side_data; i++) {
        const AVFrameSideData *s = f->side_data[i];
        if (s->type == AV_FRAME_DATA_SEI_UNREGISTERED && read_mdpm(out, s->data, s->size) &&
            was_set(out->when))
            return 1;
    }
    return from_maker(out, f->metadata);
}

static void set_date(ks_wire_media *m, const AVFormatContext *c, const AVStream *st,
                     const AVFrame *frame)
{
    moment at = {0, 0};
    int source = KS_CREATED_MAKER;
    int found = from_maker(&at, c->metadata) || from_maker(&at, st->metadata) ||
                from_frame(&at, frame);
    if (!found) {
        source = KS_CREATED_CONTAINER;
        found = from_container(&at, c->metadata) || from_container(&at, st->metadata);
        for (unsigned i = 0; i < c->nb_streams && !found; i++)
            found = from_container(&at, c->streams[i]->metadata);
    }
    m->created = found ? at.when : 0;
    m->created_local = found && at.local;
    m->created_source = found ? source : 0;
}

/* --- timecode --- */

/* Frames a second that the labels count by: a whole number of them. */
static AVRational label_rate(const AVStream *st)
{
    AVRational r = st->avg_frame_rate.num > 0 && st->avg_frame_rate.den > 0 ? st->avg_frame_rate
                                                                            : st->r_frame_rate;
    return r.num > 0 && r.den > 0 && av_q2d(r) < 1000 ? r : (AVRational){25, 1};
}

/* The label of time 0, where this one is of `frames` later. 0, or -1: no label at this rate. */
static int label_at_zero(char out[16], const char *label, AVRational rate, int64_t frames)
{
    AVTimecode tc;
    char words[AV_TIMECODE_STR_SIZE];
    int whole = (int)(av_q2d(rate) + 0.5), h, m, s, f;
    char colon;
    if (sscanf(label, "%2d:%2d:%2d%c%d", &h, &m, &s, &colon, &f) != 5 || whole < 1) return -1;
    if (h > 23 || m > 59 || s > 59 || f < 0 || f > 99) return -1;
    if (!strchr(":;.,", colon)) return -1;
    if (frames > 0 && whole > 100) return -1; /* a label has two digits for frames */
    if (frames > 0 && av_timecode_init_from_string(&tc, rate, label, NULL) >= 0) {
        int drop = (tc.flags & AV_TIMECODE_FLAG_DROPFRAME) != 0;
        int64_t day = (int64_t)whole * 86400 - (drop ? (int64_t)whole / 30 * 2 * 9 * 144 : 0),
                n = (tc.start - frames) % day;
        tc.start = 0;
        tc.flags |= AV_TIMECODE_FLAG_24HOURSMAX;
        av_timecode_make_string(&tc, words, (int)(n < 0 ? n + day : n));
        snprintf(out, 16, "%.15s", words);
        return 0;
    }
    snprintf(out, 16, "%02d:%02d:%02d%c%02d", h, m, s, strchr(";.,", colon) ? ';' : ':', f);
    return 0;
}

/* Of the picture itself. All zeros is what encoders write that know of no tape. */
static int label_of_frame(char out[AV_TIMECODE_STR_SIZE], const AVFrame *frame, AVRational rate)
{
    const AVFrameSideData *s = av_frame_get_side_data(frame, AV_FRAME_DATA_S12M_TIMECODE);
    const AVFrameSideData *g = av_frame_get_side_data(frame, AV_FRAME_DATA_GOP_TIMECODE);
    uint32_t packed[2];
    int64_t gop;
    out[0] = 0;
    if (s && s->size >= sizeof packed) {
        memcpy(packed, s->data, sizeof packed);
        if (packed[0] > 0) av_timecode_make_smpte_tc_string2(out, rate, packed[1], 0, 0);
    } else if (g && g->size >= sizeof gop) {
        memcpy(&gop, g->data, sizeof gop);
        av_timecode_make_mpeg_tc_string(out, (uint32_t)gop);
    }
    return out[0] && strspn(out, "0:;.") != strlen(out) ? 0 : -1;
}

/* The film's own stream, then the file, then a track of timecodes. */
static const char *stored(const AVFormatContext *c, const AVStream *st, const char *key)
{
    const char *t = tag(st->metadata, key);
    if (!t) t = tag(c->metadata, key);
    for (unsigned i = 0; i < c->nb_streams && !t; i++)
        if (c->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_DATA)
            t = tag(c->streams[i]->metadata, key);
    return t;
}

static void set_timecode(ks_wire_media *m, const AVFormatContext *c, const AVStream *st,
                         const AVFrame *frame, int64_t ticks)
{
    AVRational rate = label_rate(st);
    char own[AV_TIMECODE_STR_SIZE];
    const char *label = stored(c, st, "timecode"), *reel = stored(c, st, "reel_name");
    int64_t frames = av_rescale_q(ticks, st->time_base, av_inv_q(rate));
    if (!reel) reel = stored(c, st, "tape"); /* AVI's TAPE */
    if (!label || label_at_zero(m->timecode, label, rate, frames))
        if (label_of_frame(own, frame, rate) || label_at_zero(m->timecode, own, rate, frames))
            m->timecode[0] = 0;
    if (reel) ks_wire_text(m->reel, sizeof m->reel, reel, sizeof m->reel);
}

void ks_origin_of(ks_wire_media *m, const AVFormatContext *c, const AVStream *st,
                  const AVFrame *frame, int64_t ticks)
{
    set_date(m, c, st, frame);
    set_timecode(m, c, st, frame, ticks);
}
