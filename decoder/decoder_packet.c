/* decoder_packet.c - packets that hold no picture. */
#include "decoder/decoder_source.h"

/* Bytes of a unit's length before it, 0: start codes. */
static int length_bytes(const AVCodecParameters *of)
{
    const uint8_t *x = of->extradata;
    if (of->codec_id == AV_CODEC_ID_H264)
        return of->extradata_size >= 7 && x[0] == 1 ? (x[4] & 3) + 1 : 0;
    return of->extradata_size >= 23 && (x[0] || x[1] || x[2] > 1) ? (x[21] & 3) + 1 : 0;
}

/* Units that a picture may be left without: supplements, parameters, delimiters, ends, filler. */
static int is_beside(enum AVCodecID id, uint8_t head)
{
    int type = id == AV_CODEC_ID_H264 ? head & 31 : head >> 1 & 63;
    return id == AV_CODEC_ID_H264 ? type >= 6 && type <= 12 : type >= 32 && type <= 40;
}

/* 1: every unit is known to be beside the picture. */
static int all_beside_by_length(const AVPacket *p, enum AVCodecID id, int bytes)
{
    int at = 0;
    while (at + bytes < p->size) {
        int64_t n = 0;
        for (int i = 0; i < bytes; i++) n = n << 8 | p->data[at + i];
        at += bytes;
        if (n < 1 || n > p->size - at || !is_beside(id, p->data[at])) return 0;
        at += (int)n;
    }
    return at == p->size;
}

static int all_beside_by_code(const AVPacket *p, enum AVCodecID id)
{
    int units = 0;
    for (int at = 0; at + 3 < p->size; at++) {
        if (p->data[at] || p->data[at + 1] || p->data[at + 2] != 1) continue;
        if (!is_beside(id, p->data[at + 3])) return 0;
        units++;
        at += 3;
    }
    return units > 0;
}

int ks_packet_has_picture(const AVPacket *p, const AVCodecParameters *of)
{
    enum AVCodecID id = of->codec_id;
    if (p->size == 0) return 0;
    if (id != AV_CODEC_ID_H264 && id != AV_CODEC_ID_HEVC) return 1;
    int bytes = length_bytes(of);
    return !(bytes ? all_beside_by_length(p, id, bytes) : all_beside_by_code(p, id));
}
