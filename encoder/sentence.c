/* sentence.c - words to ids and to vectors, on an open encoder. */
#include <assert.h>

#include "encoder/tower.h"

int ks_text_tokens(ks_sentence *out, ks_encoder *enc, const char *words, ks_error *e)
{
    assert(out && enc && words);
    if (!(enc->towers & KS_TOWER_TEXT)) return ks_fail(e, KS_EUSAGE, "the model's text tower is not open");
    if (!enc->tokenizer)
        return ks_fail(e, KS_EUSAGE, "this model has no tokenizer beside it (its name with .spm, or tokenizer.model): name one with --tokenizer");
    pthread_mutex_lock(&enc->lock);
    int err = ks_tokenizer_encode(out, enc->tokenizer, words, e);
    pthread_mutex_unlock(&enc->lock);
    return err;
}

int ks_text_vector(float *v, ks_encoder *enc, const char *words, ks_error *e)
{
    ks_sentence s;
    int err = ks_text_tokens(&s, enc, words, e);
    return err ? err : ks_ids_vector(v, enc, s.ids, s.count, e);
}
