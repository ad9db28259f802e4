/* decoder_dolby.c - Dolby Vision profile 5, whose planes are IPT and nothing a YCbCr decoder
 * understands.
 *
 * Planes -> the frame's own reshaping curves (polynomials, or MMR over all three) -> L'M'S' by
 * the frame's matrix -> light by PQ -> LMS without crosstalk -> BT.2020 by Hunt, Pointer and
 * Estevez; from there on as any PQ (decoder_hdr.c). A frame without these data (its RPU) has the
 * profile's own matrices and no reshaping. Profiles 7 and 8 carry an ordinary HDR10, HLG or SDR
 * picture as their base layer, and that is what is shown of them. */
#include <libavutil/dovi_meta.h>
#include <libavutil/mem.h>
#include <string.h>

#include "decoder/decoder_pixels.h"

typedef struct {
    int pieces, mmr[AV_DOVI_MAX_PIECES], order[AV_DOVI_MAX_PIECES];
    float pivot[AV_DOVI_MAX_PIECES + 1];
    /* polynomial: constant, c[0][0], c[0][1] */
    float constant[AV_DOVI_MAX_PIECES], c[AV_DOVI_MAX_PIECES][3][7];
} curve;

typedef struct {
    int reshaped;
    curve curves[3];
    float to_lms[9], offset[3], to_rgb[9];
} recipe;

/* rgb_to_lms of the profile's own frames takes 2 % of crosstalk back. */
static const float own_lms[9] = {1,         0.097595f, 0.205200f, 1,         -0.113876f,
                                 0.133217f, 1,         0.032615f, -0.676887f};
static const float own_back[9] = {1.042542f,  -0.021301f, -0.021301f, -0.021301f, 1.042542f,
                                  -0.021301f, -0.021301f, -0.021301f, 1.042542f};
static const float hpe[9] = {3.06441879f,  -2.16597676f, 0.10155818f,  -0.65612108f, 1.78554118f,
                             -0.12943749f, 0.01736321f,  -0.04725154f, 1.03004253f};

static void multiply(float out[9], const float a[9], const float b[9])
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            out[3 * i + j] = a[3 * i] * b[j] + a[3 * i + 1] * b[3 + j] + a[3 * i + 2] * b[6 + j];
}

static void take_curve(curve *to, const AVDOVIReshapingCurve *from, float one, float top)
{
    to->pieces = from->num_pivots - 1;
    for (int i = 0; i <= to->pieces; i++) to->pivot[i] = (float)from->pivots[i] / top;
    for (int i = 0; i < to->pieces; i++) {
        to->mmr[i] = from->mapping_idc[i] == AV_DOVI_MAPPING_MMR;
        to->order[i] = to->mmr[i] ? from->mmr_order[i] : from->poly_order[i];
        to->constant[i] = (float)(to->mmr[i] ? from->mmr_constant[i] : from->poly_coef[i][0]) / one;
        for (int k = 0; k < 3; k++)
            for (int n = 0; n < 7; n++) to->c[i][k][n] = (float)from->mmr_coef[i][k][n] / one;
        if (to->mmr[i]) continue;
        to->c[i][0][0] = (float)from->poly_coef[i][1] / one;
        to->c[i][0][1] = from->poly_order[i] > 1 ? (float)from->poly_coef[i][2] / one : 0;
    }
}

static int curves_are_sound(const AVDOVIRpuDataHeader *h, const AVDOVIDataMapping *m)
{
    int good = h->coef_log2_denom < 31 && h->bl_bit_depth >= 8 && h->bl_bit_depth <= 16;
    for (int k = 0; k < 3; k++) {
        const AVDOVIReshapingCurve *c = &m->curves[k];
        if (c->num_pivots < 2 || c->num_pivots > AV_DOVI_MAX_PIECES + 1) return 0;
        for (int i = 0; i < c->num_pivots - 1; i++)
            good &= c->mapping_idc[i] == AV_DOVI_MAPPING_MMR
                        ? c->mmr_order[i] >= 1 && c->mmr_order[i] <= 3
                        : c->poly_order[i] <= 2;
    }
    return good;
}

static void take_recipe(recipe *to, const AVFrame *f)
{
    const AVFrameSideData *side = av_frame_get_side_data(f, AV_FRAME_DATA_DOVI_METADATA);
    memset(to, 0, sizeof *to);
    memcpy(to->to_lms, own_lms, sizeof own_lms);
    to->offset[1] = to->offset[2] = 0.5f;
    multiply(to->to_rgb, hpe, own_back);
    if (!side) return;
    const AVDOVIMetadata *d = (const AVDOVIMetadata *)(const void *)side->data;
    const AVDOVIRpuDataHeader *h = av_dovi_get_header(d);
    const AVDOVIDataMapping *m = av_dovi_get_mapping(d);
    const AVDOVIColorMetadata *color = av_dovi_get_color(d);
    float back[9];
    for (int i = 0; i < 9; i++) {
        to->to_lms[i] = (float)av_q2d(color->ycc_to_rgb_matrix[i]);
        back[i] = (float)av_q2d(color->rgb_to_lms_matrix[i]);
    }
    for (int i = 0; i < 3; i++) to->offset[i] = (float)av_q2d(color->ycc_to_rgb_offset[i]);
    multiply(to->to_rgb, hpe, back);
    to->reshaped = curves_are_sound(h, m);
    for (int k = 0; k < 3 && to->reshaped; k++)
        take_curve(&to->curves[k], &m->curves[k], (float)(1u << h->coef_log2_denom),
                   (float)((1u << h->bl_bit_depth) - 1));
}

static float reshape(const curve *c, const float s[3], int k)
{
    float v = s[k];
    int i = 0;
    while (i < c->pieces - 1 && v >= c->pivot[i + 1]) i++;
    if (v < c->pivot[0]) v = c->pivot[0];
    if (v > c->pivot[c->pieces]) v = c->pivot[c->pieces];
    if (!c->mmr[i]) return c->constant[i] + (c->c[i][0][0] + c->c[i][0][1] * v) * v;
    float term[7] = {s[0], s[1], s[2], s[0] * s[1], s[0] * s[2], s[1] * s[2], s[0] * s[1] * s[2]},
          sum = c->constant[i];
    for (int n = 0; n < 7; n++) {
        float p = term[n];
        for (int o = 0; o < c->order[i]; o++, p *= term[n]) sum += c->c[i][o][n] * p;
    }
    return sum;
}

static float unit(float v) { return v > 0 ? v < 1 ? v : 1 : 0; } /* a number that is none is 0 */

static void ipt_pixel(const recipe *r, const ks_tone *t, uint8_t *out, const uint16_t *ayuv)
{
    float s[3], v[3], light[3], rgb[3];
    for (int k = 0; k < 3; k++) s[k] = (float)ayuv[k + 1] / 65535;
    for (int k = 0; k < 3; k++)
        v[k] = (r->reshaped ? unit(reshape(&r->curves[k], s, k)) : s[k]) - r->offset[k];
    for (int k = 0; k < 3; k++)
        light[k] = ks_tone_light(t, unit(r->to_lms[3 * k] * v[0] + r->to_lms[3 * k + 1] * v[1] +
                                         r->to_lms[3 * k + 2] * v[2]));
    for (int k = 0; k < 3; k++)
        rgb[k] = r->to_rgb[3 * k] * light[0] + r->to_rgb[3 * k + 1] * light[1] +
                 r->to_rgb[3 * k + 2] * light[2];
    ks_tone_pixel(t, out, rgb);
}

int ks_dolby_map(ks_tone **tone, uint8_t *out, size_t stride, const uint16_t *ayuv, size_t row,
                 const AVFrame *f)
{
    recipe r;
    if (ks_tone_ready(tone, AVCOL_TRC_SMPTE2084)) return -1;
    take_recipe(&r, f);
    for (int y = 0; y < f->height; y++)
        for (int x = 0; x < f->width; x++)
            ipt_pixel(&r, *tone, out + (size_t)y * stride + 3 * (size_t)x,
                      ayuv + (size_t)y * row / 2 + 4 * (size_t)x);
    return 0;
}
