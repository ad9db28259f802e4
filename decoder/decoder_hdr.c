/* decoder_hdr.c - PQ and HLG to what an ordinary screen shows (the model was trained on such pictures).
 *
 * Code value -> light (SMPTE ST 2084, ITU-R BT.2100), scaled so that 203 nits is diffuse white
 * (ITU-R BT.2408) -> primaries of BT.709 -> highlights rolled off on the largest channel, which
 * keeps the hue -> BT.709's inverse by a plain 2.2 curve as screens have it. */
#include <libavutil/mem.h>
#include <math.h>
#include <string.h>

#include "decoder/decoder_pixels.h"

enum { CODES = 4096, LEVELS = 4096 };

struct ks_tone {
    int transfer;
    float light[CODES];       /* of a code value, 1.0 = diffuse white */
    uint8_t code[LEVELS + 1]; /* of light 0..1 */
};

int ks_is_hdr(const AVFrame *f) { return f->color_trc == AVCOL_TRC_SMPTE2084 || f->color_trc == AVCOL_TRC_ARIB_STD_B67; }

static double pq(double v)
{
    const double m1 = 2610.0 / 16384, m2 = 2523.0 / 32, c1 = 3424.0 / 4096, c2 = 2413.0 / 128, c3 = 2392.0 / 128;
    double p = pow(v, 1 / m2), n = p - c1;
    return 10000.0 / 203 * pow((n > 0 ? n : 0) / (c2 - c3 * p), 1 / m1);
}

/* Scene light 0..1 of HLG, display of 1000 nits: 75 % of the signal is diffuse white. */
static double hlg(double v)
{
    const double a = 0.17883277, b = 1 - 4 * a, c = 0.5 - a * log(4 * a);
    double scene = v <= 0.5 ? v * v / 3 : (exp((v - c) / a) + b) / 12;
    return 1000.0 / 203 * pow(scene, 1.2);
}

static ks_tone *tone_new(int transfer)
{
    ks_tone *t = av_malloc(sizeof *t);
    if (!t) return NULL;
    t->transfer = transfer;
    for (int i = 0; i < CODES; i++) {
        double v = i / (double)(CODES - 1);
        t->light[i] = (float)(transfer == AVCOL_TRC_SMPTE2084 ? pq(v) : hlg(v));
    }
    for (int i = 0; i <= LEVELS; i++) t->code[i] = (uint8_t)lrint(255 * pow(i / (double)LEVELS, 1 / 2.2));
    return t;
}

/* Straight up to 0.75, then towards 1 without ever reaching it. */
static float rolled(float x)
{
    const float knee = 0.75f;
    if (x <= knee) return x;
    float over = (x - knee) / (1 - knee);
    return knee + (1 - knee) * (over / (1 + over));
}

int ks_tone_map(ks_tone **tone, uint8_t *out, size_t stride, const uint16_t *wide, const AVFrame *f)
{
    const int w = f->width, h = f->height, transfer = (int)f->color_trc;
    if (*tone && (*tone)->transfer != transfer) {
        ks_tone_free(*tone);
        *tone = NULL;
    }
    if (!*tone) *tone = tone_new(transfer);
    const ks_tone *t = *tone;
    if (!t) return -1;
    for (int y = 0; y < h; y++) {
        const uint16_t *s = wide + 3 * (size_t)w * (size_t)y;
        uint8_t *d = out + (size_t)y * stride;
        for (int x = 0; x < w; x++, s += 3, d += 3) {
            float r = t->light[s[0] >> 4], g = t->light[s[1] >> 4], b = t->light[s[2] >> 4];
            float c[3] = {1.6605f * r - 0.5876f * g - 0.0728f * b, -0.1246f * r + 1.1329f * g - 0.0083f * b,
                          -0.0182f * r - 0.1006f * g + 1.1187f * b};
            float top = fmaxf(c[0], fmaxf(c[1], c[2])), k = top > 0.75f ? rolled(top) / top : 1.0f;
            for (int i = 0; i < 3; i++) {
                float v = c[i] * k * LEVELS + 0.5f;
                d[i] = t->code[v <= 0 ? 0 : v >= LEVELS ? LEVELS : (int)v];
            }
        }
    }
    return 0;
}

void ks_tone_free(ks_tone *tone) { av_free(tone); }
