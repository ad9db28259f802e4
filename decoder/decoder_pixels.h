/* decoder_pixels.h - a decoded frame as RGB the way it is displayed, as a small picture, as a
 * thumbnail. */
#ifndef KS_DECODER_PIXELS_H
#define KS_DECODER_PIXELS_H

#include <libavutil/frame.h>
#include <libswscale/swscale.h>

#include "decoder/decoder_job.h"

/* How samples are laid on the screen: quarter turns clockwise after an optional mirror
 * (left-right). */
typedef struct {
    int quarter, mirror;
} ks_turn;
/* matrix: 9 values of a display matrix, or NULL. Not a right angle within 1 degree (45 degrees,
 * zeros): no turn. */
ks_turn ks_turn_of(const int32_t *matrix);

typedef struct ks_tone ks_tone; /* tables of one transfer function; decoder_hdr.c */

typedef struct {
    struct SwsContext *sws, *small_sws, *thumb_sws;
    int ipt; /* the film's planes are IPT (Dolby Vision profile 5) */
    int sws_width, sws_height, sws_format, sws_to, sws_space, sws_range;
    uint8_t *plain; /* the frame before it is turned, [h, stride] */
    size_t plain_room;
    uint16_t *wide; /* 16 bits a sample, for HDR */
    size_t wide_room;
    ks_tone *tone;
} ks_converter;
void ks_converter_free(ks_converter *c);

/* RGB of f, turned, into out (room bytes), rows of *stride bytes (multiple of 64). 0, or -1: no
 * room or memory. */
int ks_rgb_of(ks_converter *c, uint8_t *out, size_t room, ks_wire_picture *made, const AVFrame *f,
              ks_turn turn);
/* Planes Y, U, V of means of cells; samples as stored. Costs a few per cent of decoding. */
void ks_small_of(ks_converter *c, uint8_t small[KS_SMALL], const AVFrame *f);
/* JPEG, long side 192, sample aspect applied; made->bytes of it in out. */
int ks_jpeg_of(ks_converter *c, uint8_t *out, size_t room, ks_wire_picture *made, const AVFrame *f,
               ks_turn turn);

/* --- decoder_hdr.c --- */
int ks_is_hdr(const AVFrame *f);
/* wide[h, w, 3]: f as 16 bits a sample, PQ or HLG in BT.2020 -> out[h, w, 3], rows of stride
 * bytes: SDR in BT.709. */
int ks_tone_map(ks_tone **tone, uint8_t *out, size_t stride, const uint16_t *wide,
                const AVFrame *f);
void ks_tone_free(ks_tone *tone);
int ks_tone_ready(ks_tone **tone, int transfer); /* tables of that transfer; -1: no memory */
/* of a code value 0..1; 1.0 = diffuse white */
float ks_tone_light(const ks_tone *t, float v);
/* light in BT.2020 -> SDR in BT.709 */
void ks_tone_pixel(const ks_tone *t, uint8_t out[3], const float rgb[3]);

/* --- decoder_dolby.c --- */
/* ayuv[h, row bytes]: planes of f as AYUV64, as they are stored -> out as ks_tone_map's. */
int ks_dolby_map(ks_tone **tone, uint8_t *out, size_t stride, const uint16_t *ayuv, size_t row,
                 const AVFrame *f);

#endif
