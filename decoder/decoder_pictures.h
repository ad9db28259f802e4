/* decoder_pictures.h - what libav cannot read of pictures, and pictures of more points than travel.
 *
 * A picture reader gives frames as libav's decoders do; clock, damage, pixels and verdict are
 * those of every film. */
#ifndef KS_DECODER_PICTURES_H
#define KS_DECODER_PICTURES_H

#include <libavcodec/avcodec.h>
#include <libavutil/frame.h>

#include "decoder/decoder_source.h"

struct ks_picture_reader {
    const char *container; /* "..._pipe": a still picture */
    int still;
    int (*is)(const uint8_t *head, size_t n);
    /* bytes[n] stay until close. NULL, or a sentence why not (static storage). */
    const char *(*open)(void **state, enum AVCodecID *codec, const uint8_t *bytes, size_t n);
    /* A frame with its pts and duration in milliseconds. 1; 0: the end; -1: what follows is
     * damaged, *why says how. */
    int (*next)(AVFrame *out, const char **why, void *state);
    void (*close)(void *state);
};
enum { KS_PICTURE_HEAD = 64 };

extern const ks_picture_reader ks_heif_reader, ks_webp_reader; /* decoder_heif.c, decoder_webp.c */
const ks_picture_reader *ks_picture_reader_of(const ks_bytes *b); /* NULL: libav's business */

/* most of a decoded picture that is scaled down afterwards, and of its file */
enum { KS_PICTURE_BYTES = 1 << 30 };
/* A frame of more points than travel becomes 1/k as wide and high, by means of areas. 0, or -1:
 * no memory. */
int ks_scale_down(AVFrame *frame);

/* The dates in a block of Exif ("II*" or "MM" first; hostile bytes) by the names that libav gives
 * those of a JPEG. */
void ks_exif_dates(AVDictionary **to, const uint8_t *bytes, size_t n);

#endif
