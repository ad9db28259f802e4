/* decoder_hdr.c - PQ and HLG to what an ordinary screen shows (the model was trained on such
 * pictures).
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
    float light[CODES]; /* of a code value, 1.0 = diffuse white; HLG: of the scene */
    /* HLG: of scene luminance 0..1; 75 % of the signal becomes diffuse white */
    float gain[LEVELS + 1];
    uint8_t code[LEVELS + 1]; /* of light 0..1 */
};

int ks_is_hdr(const AVFrame *f)
{
    return f->color_trc == AVCOL_TRC_SMPTE2084 || f->color_trc == AVCOL_TRC_ARIB_STD_B67;
}

static double pq(double v)
{
    const double m1 = 2610.0 / 16384, m2 = 2523.0 / 32, c1 = 3424.0 / 4096, c2 = 2413.0 / 128,
                 c3 = 2392.0 / 128;
    double p = pow(v, 1 / m2), n = p - c1;
    return 10000.0 / 203 * pow((n > 0 ? n : 0) / (c2 - c3 * p), 1 / m1);
}

/* Scene light 0..1 of HLG. What a display of 1000 nits makes of it depends on the pixel's
 * luminance: see displayed(). */
static double hlg(double v)
{
    const double a = 0.17883277, b = 1 - 4 * a, c = 0.5 - a * log(4 * a);
    return v <= 0.5 ? v * v / 3 : (exp((v - c) / a) + b) / 12;
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
    for (int i = 0; i <= LEVELS; i++)
        t->gain[i] = (float)(1000.0 / 203 * pow(i / (double)LEVELS, 0.2));
    for (int i = 0; i <= LEVELS; i++)
        t->code[i] = (uint8_t)lrint(255 * pow(i / (double)LEVELS, 1 / 2.2));
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

int ks_tone_ready(ks_tone **tone, int transfer)
{
    if (*tone && (*tone)->transfer != transfer) {
        ks_tone_free(*tone);
        *tone = NULL;
    }
    if (!*tone) *tone = tone_new(transfer);
    return *tone ? 0 : -1;
}

float ks_tone_light(const ks_tone *t, float v) { return t->light[(int)(v * (CODES - 1) + 0.5f)]; }

void ks_tone_pixel(const ks_tone *t, uint8_t out[3], const float rgb[3])
{
    float r = rgb[0], g = rgb[1], b = rgb[2];
    float c[3] = {1.6605f * r - 0.5876f * g - 0.0728f * b, -0.1246f * r + 1.1329f * g - 0.0083f * b,
                  -0.0182f * r - 0.1006f * g + 1.1187f * b};
    float top = fmaxf(c[0], fmaxf(c[1], c[2])), k = top > 0.75f ? rolled(top) / top : 1.0f;
    for (int i = 0; i < 3; i++) {
        float v = c[i] * k * LEVELS + 0.5f;
        out[i] = t->code[v <= 0 ? 0 : v >= LEVELS ? LEVELS : (int)v];
    }
}

/* BT.2100's OOTF: each channel by the luminance of the scene, not by itself, or colours pale and
 * hues move. */
static void displayed(const ks_tone *t, float rgb[3])
{
    float y = 0.2627f * rgb[0] + 0.6780f * rgb[1] + 0.0593f * rgb[2];
    float gain = t->gain[y >= 1 ? LEVELS : (int)(y * LEVELS + 0.5f)];
    for (int i = 0; i < 3; i++) rgb[i] *= gain;
}

int ks_tone_map(ks_tone **tone, uint8_t *out, size_t stride, const uint16_t *wide, const AVFrame *f)
{
    const int w = f->width, h = f->height;
    if (ks_tone_ready(tone, (int)f->color_trc)) return -1;
    const ks_tone *t = *tone;
    for (int y = 0; y < h; y++) {
        const uint16_t *s = wide + 3 * (size_t)w * (size_t)y;
        uint8_t *d = out + (size_t)y * stride;
        for (int x = 0; x < w; x++, s += 3, d += 3) {
            float rgb[3] = {t->light[s[0] >> 4], t->light[s[1] >> 4], t->light[s[2] >> 4]};
            if (t->transfer == AVCOL_TRC_ARIB_STD_B67) displayed(t, rgb);
            ks_tone_pixel(t, d, rgb);
        }
    }
    return 0;
}

void ks_tone_free(ks_tone *tone) { av_free(tone); }
