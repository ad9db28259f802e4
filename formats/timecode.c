/* timecode.c - see formats.h; other exporters erred exactly here, so there is one of each function. */
#include "formats/formats.h"

#include <assert.h>
#include <math.h>

ks_rate ks_rate_of(double fps)
{
    static const int ntsc[] = {24, 30, 60, 120};
    double whole = round(fps);

    if (!(fps > 0) || fps > 1000)
        return (ks_rate){25, 1};
    for (int i = 0; i < 4; i++)
        if (fabs(fps - ntsc[i] * 1000 / 1001.0) < 0.0005 * fps)
            return (ks_rate){ntsc[i] * 1000, 1001};
    if (whole > 0 && fabs(fps - whole) < 0.001 * fps)
        return (ks_rate){(int)whole, 1};
    return (ks_rate){(int)fmax(round(fps * 1000), 1), 1000};
}

int64_t ks_frame_number(int64_t ticks, ks_timebase tb, ks_rate rate)
{
    return llround((double)ticks * tb.num / tb.den * rate.num / rate.den);
}

double ks_frame_seconds(int64_t frame, ks_rate rate) { return (double)frame * rate.den / rate.num; }

/* Frames that one second of labels counts: 24 for 23.976. */
static int64_t nominal(ks_rate rate) { return (rate.num + rate.den - 1) / rate.den; }

int ks_drops(ks_rate rate) { return rate.den == 1001 && (rate.num == 30000 || rate.num == 60000); }

void ks_timecode(char out[24], int64_t frame, ks_rate rate)
{
    int64_t second = nominal(rate);

    assert(frame >= 0);
    if (ks_drops(rate)) {
        int64_t drop = second / 15, minute = 60 * second - drop, ten = 10 * minute + drop;
        int64_t tens = frame / ten, rest = frame % ten;
        frame += 9 * drop * tens + (rest >= 60 * second ? drop * ((rest - drop) / minute) : 0);
    }
    snprintf(out, 24, "%02d:%02d:%02d%c%02d", (uint8_t)(frame / (3600 * second) % 24), (uint8_t)(frame / (60 * second) % 60),
             (uint8_t)(frame / second % 60), ks_drops(rate) ? ';' : ':', (uint16_t)(frame % second));
}

void ks_clock(char out[24], double seconds)
{
    long long s = (long long)floor(fmax(seconds, 0) + 1e-9);

    if (s >= 3600)
        snprintf(out, 24, "%d:%02d:%02d", (int)(s / 3600), (uint8_t)(s / 60 % 60), (uint8_t)(s % 60));
    else
        snprintf(out, 24, "%d:%02d", (int)(s / 60), (uint8_t)(s % 60));
}

void ks_clock_ms(char out[24], double seconds)
{
    long long ms = llround(fmax(seconds, 0) * 1000);

    snprintf(out, 24, "%02d:%02d:%02d.%03d", (uint16_t)(ms / 3600000), (uint8_t)(ms / 60000 % 60), (uint8_t)(ms / 1000 % 60), (uint16_t)(ms % 1000));
}
