/* spm.c - fuzz: any bytes as a tokenizer are refused, or sentencepiece loads and uses them
 * unharmed. */
#include <stdlib.h>
#include <string.h>

#include "encoder/spm_shim.h"
#include "encoder/spm_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const sentences[] = {
        "a video of playing drums.",
        "xx xxx\xef\xbd\x81 \xc3\xa9 caf\xc3\xa9 \xe2\x91\xa0\xe2\x91\xa1.", ""};
    int32_t ids[64];
    uint32_t begin[64];
    char why[128];
    int pieces;
    ks_spm_tokens tokens = {ids, begin, 64, 0};
    ks_spm *spm;
    ks_error e = {0, ""};
    if (ks_spm_walk(&pieces, (ks_bytes){data, size}, "x", &e) != 0) return 0;
    if (ks_spm_open(&spm, data, size, why, sizeof why) != 0) return 0;
    if (ks_spm_pieces(spm) != pieces) abort();
    for (int i = 0; i < 3; i++) ks_spm_encode(&tokens, spm, sentences[i], strlen(sentences[i]));
    ks_spm_close(spm);
    return 0;
}
