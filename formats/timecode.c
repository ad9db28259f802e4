/* timecode.c - see formats.h; other exporters erred exactly here, so there is one of each
 * function. */
#include "formats/formats.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

ks_rate ks_rate_of(double fps)
{
    static const int ntsc[] = {24, 30, 48, 60, 120};
    double whole = round(fps);

    if (!(fps > 0) || fps > 1000) return (ks_rate){25, 1};
    for (int i = 0; i < 5; i++)
        if (fabs(fps - ntsc[i] * 1000 / 1001.0) < 0.0005 * fps)
            return (ks_rate){ntsc[i] * 1000, 1001};
    if (whole > 0 && fabs(fps - whole) < 0.001 * fps) return (ks_rate){(int)whole, 1};
    return (ks_rate){(int)fmax(round(fps * 1000), 1), 1000};
}

int ks_rate_read(ks_rate *rate, int *drop, const char *text)
{
    char *end;
    double num = strtod(text, &end), den = 1;

    if (end == text || *text == ' ' || *text == '+') return -1;
    if (*end == '/') {
        text = end + 1;
        den = strtod(text, &end);
        if (end == text) return -1;
    }
    *drop = strcmp(end, "ndf") == 0 ? -1 : strcmp(end, "df") == 0 ? 1 : 0;
    if ((*end && !*drop) || !(num > 0) || !(den > 0) || !(num / den >= 1) || num / den > 1000)
        return -1;
    *rate = ks_rate_of(num / den);
    return *drop == 1 && !ks_drops(*rate) ? -1 : 0;
}

int64_t ks_frame_number(int64_t ticks, ks_timebase tb, ks_rate rate)
{
    assert(tb.den > 0 && rate.num > 0 && rate.den > 0);
    /* 2^53: a film of 1.2 million years at 240 a second */
    static const double most = 9007199254740992.0;

    return llround(fmax(fmin((double)ticks * tb.num / tb.den * rate.num / rate.den, most), -most));
}

double ks_frame_seconds(int64_t frame, ks_rate rate) { return (double)frame * rate.den / rate.num; }

/* Frames that one second of labels counts: 24 for 23.976. */
static int64_t nominal(ks_rate rate) { return (rate.num + rate.den - 1) / rate.den; }

int ks_drops(ks_rate rate) { return rate.den == 1001 && (rate.num == 30000 || rate.num == 60000); }

/* Labels left out at a minute that is no tenth one. */
static int64_t dropped(ks_rate rate, int drop)
{
    return drop > 0 && ks_drops(rate) ? nominal(rate) / 15 : 0;
}

void ks_timecode(char out[24], int64_t frame, ks_rate rate, int drop)
{
    assert(rate.num > 0 && rate.den > 0);
    int64_t second = nominal(rate), out_of_minute = dropped(rate, drop);
    int64_t minute = 60 * second - out_of_minute, ten = 10 * minute + out_of_minute,
            day = 144 * ten;

    frame = (frame % day + day) % day;
    if (out_of_minute) {
        int64_t tens = frame / ten, rest = frame % ten;
        frame += 9 * out_of_minute * tens +
                 (rest >= 60 * second ? out_of_minute * ((rest - out_of_minute) / minute) : 0);
    }
    snprintf(out, 24, "%02d:%02d:%02d%c%02d", (uint8_t)(frame / (3600 * second)),
             (uint8_t)(frame / (60 * second) % 60), (uint8_t)(frame / second % 60),
             out_of_minute ? ';' : ':', (uint16_t)(frame % second));
}

int ks_timecode_read(int64_t *frame, int *drop, const char *text, ks_rate rate)
{
    int h, m, s, f, n = 0;
    char sign;
    int64_t second = nominal(rate), out_of_minute;

    if (sscanf(text, "%2d:%2d:%2d%c%4d%n", &h, &m, &s, &sign, &f, &n) != 5 || text[n] ||
        (sign != ':' && sign != ';'))
        return -1;
    if (h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 59 || f < 0 || f >= second) return -1;
    *drop = sign == ';' && ks_drops(rate);
    out_of_minute = dropped(rate, *drop);
    if (out_of_minute && m % 10 && s == 0 && f < out_of_minute) return -1;
    *frame = ((h * 60 + m) * 60LL + s) * second + f - out_of_minute * (h * 54 + m - m / 10);
    return 0;
}

void ks_clock(char out[24], double seconds)
{
    long long s = (long long)floor(fmin(fmax(seconds, 0), 1e15) + 1e-9);

    if (s >= 3600)
        snprintf(out, 24, "%u:%02d:%02d", (uint32_t)fmin((double)(s / 3600), UINT32_MAX),
                 (uint8_t)(s / 60 % 60), (uint8_t)(s % 60));
    else snprintf(out, 24, "%d:%02d", (int)(s / 60), (uint8_t)(s % 60));
}

void ks_clock_ms(char out[24], double seconds)
{
    long long ms = llround(fmin(fmax(seconds, 0), 1e12) * 1000);

    snprintf(out, 24, "%02u:%02d:%02d.%03d", (uint32_t)(ms / 3600000), (uint8_t)(ms / 60000 % 60),
             (uint8_t)(ms / 1000 % 60), (uint16_t)(ms % 1000));
}
