/* spm_shim.h - sentencepiece in C: no exception and no line of print gets past it. Private. */
#ifndef KS_SPM_SHIM_H
#define KS_SPM_SHIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ks_spm ks_spm;

/* A serialized sentencepiece model. Only what ks_spm_walk let through, or what is known by its
 * hash: the library of Debian 12 dies on crafted files. 0, KS_EFORMAT or KS_ENOMEM with the
 * library's word in why. */
int ks_spm_open(ks_spm **out, const void *data, size_t bytes, char *why, size_t room);
void ks_spm_close(ks_spm *spm); /* NULL is fine */
int ks_spm_pieces(const ks_spm *spm);
int ks_spm_bos(const ks_spm *spm); /* id, or -1 where the model has none */

typedef struct {
    int32_t *ids;    /* [room] */
    uint32_t *begin; /* [room] where in the text each begins */
    int room;
    int count; /* how many there are in all */
} ks_spm_tokens;

/* text[bytes] -> the first `room` tokens. Usable from several threads. */
int ks_spm_encode(ks_spm_tokens *out, const ks_spm *spm, const char *text, size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
