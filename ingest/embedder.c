/* embedder.c - see embedder.h. */
#include "ingest/embedder.h"

#include <string.h>

int ks_embedder_init(ks_embedder *c, ks_encoder *enc, int frames, int short_frames, ks_fit fit,
                     ks_error *e)
{
    const ks_info *info = enc ? ks_encoder_info(enc) : NULL;
    if (info && info->kind != KS_LVT)
        return ks_fail(
            e, KS_EUSAGE,
            "this model has no video vectors that words could find; lvt-base and lvt-large do");
    *c = (ks_embedder){.enc = enc,
                       .dim = info ? info->dim : KS_CLOCK_DIM,
                       .frames = frames ? frames
                                 : info ? info->frames
                                        : KS_CLOCK_FRAMES,
                       .side = info ? ks_side(info) : KS_CLOCK_SIDE,
                       .fit = fit};
    if (short_frames < c->frames) c->short_frames = short_frames;
    return 0;
}

ks_space ks_embedder_space(const ks_embedder *c)
{
    ks_space s = {.model = "clock",
                  .dim = c->dim,
                  .frames = c->frames,
                  .sampler = 10 * c->short_frames + KS_SAMPLER_VERSION};
    s.resize = 10 * KS_RESIZE_VERSION + (int)c->fit;
    if (!c->enc) return s;
    const ks_info *info = ks_encoder_info(c->enc);
    memcpy(s.model, info->hash, sizeof s.model);
    s.precision = info->precision == KS_INT8;
    return s;
}

int ks_clock_read(const uint8_t *px, int side)
{
    int bits = 0;
    for (int i = 0; i < 8; i++) {
        int x = (2 * i + 1) * side / 16, y = side / 4, sum = 0;
        for (int dy = -2; dy <= 2; dy++)
            for (int dx = -2; dx <= 2; dx++) {
                const uint8_t *p = px + 3 * ((size_t)(y + dy) * (size_t)side + (size_t)(x + dx));
                sum += p[0] + p[1] + p[2];
            }
        if (sum > 25 * 3 * 128) bits |= 1 << i;
    }
    return bits;
}

enum { AT_ONCE = 16 };

int ks_embedder_frames(ks_frame_code *out, const ks_embedder *c, const uint8_t *const *px, int n,
                       ks_error *e)
{
    if (!c->enc) {
        for (int f = 0; f < n; f++) {
            int bits = ks_clock_read(px[f], c->side);
            for (int i = 0; i < 8; i++)
                out[f].clock[i] = bits >> i & 1 ? 0.35355339f : -0.35355339f;
        }
        return 0;
    }
    for (int done = 0; done < n; done += AT_ONCE) {
        ks_tokens *tokens[AT_ONCE];
        int some = n - done < AT_ONCE ? n - done : AT_ONCE;
        int err = ks_frames_tokens(tokens, c->enc, px + done, some, c->side, e);
        if (err < 0) {
            for (int i = 0; i < done; i++) ks_frame_code_free(&out[i], c);
            return err;
        }
        for (int i = 0; i < some; i++) out[done + i].tokens = tokens[i];
    }
    return 0;
}

int ks_embedder_clip(float *v, const ks_embedder *c, const ks_frame_code *const *frames, int T,
                     ks_error *e)
{
    ks_tokens *tokens[256];
    if (!c->enc) {
        memcpy(v, frames[0]->clock, sizeof frames[0]->clock);
        for (int i = 0; i < T; i++)
            memcpy(v + (1 + i) * KS_CLOCK_DIM, frames[i]->clock, sizeof frames[i]->clock);
        return 0;
    }
    for (int i = 0; i < T; i++) tokens[i] = frames[i]->tokens;
    return ks_clip_vector(v, v + c->dim, c->enc, tokens, T, e);
}

int ks_embedder_pictures(float *v, const ks_embedder *c, const uint8_t *const *px, int n,
                         ks_error *e)
{
    ks_frame_code coded[AT_ONCE];
    ks_tokens *tokens[AT_ONCE];
    int err = 0;
    for (int done = 0; done < n && err == 0; done += AT_ONCE, v += AT_ONCE * c->dim) {
        int some = n - done < AT_ONCE ? n - done : AT_ONCE;
        err = ks_embedder_frames(coded, c, px + done, some, e);
        if (err < 0) break;
        for (int i = 0; i < some; i++) {
            if (!c->enc) memcpy(v + i * c->dim, coded[i].clock, sizeof coded[i].clock);
            tokens[i] = c->enc ? coded[i].tokens : NULL;
        }
        if (c->enc) err = ks_frames_vectors(v, c->enc, tokens, some, e);
        for (int i = 0; i < some; i++) ks_frame_code_free(&coded[i], c);
    }
    return err;
}

void ks_frame_code_free(ks_frame_code *coded, const ks_embedder *c)
{
    if (c->enc) ks_tokens_free(coded->tokens);
    memset(coded, 0, sizeof *coded);
}
