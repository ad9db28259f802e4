/* sentence.c - words to ids and to vectors, on an open encoder. */
#include <assert.h>

#include "encoder/tower.h"

static void tell_cut(const ks_encoder *enc, const ks_sentence *s)
{
    char text[256];
    if (!s->cut || !enc->notice) return;
    snprintf(text, sizeof text, "only the first %d tokens of a sentence are read; cut off (%d): %s", KS_TEXT_MAX, s->cut, s->lost);
    enc->notice(enc->notice_arg, text);
}

int ks_text_tokens(ks_sentence *out, ks_encoder *enc, const char *words, ks_error *e)
{
    assert(out && enc && words);
    if (!(enc->towers & KS_TOWER_TEXT)) return ks_fail(e, KS_EUSAGE, "the model's text tower is not open");
    if (!enc->tokenizer)
        return ks_fail(e, KS_EUSAGE, "this model has no tokenizer beside it (its name with .spm, or tokenizer.model): name one with --tokenizer");
    pthread_mutex_lock(&enc->lock);
    int err = ks_tokenizer_encode(out, enc->tokenizer, words, e);
    pthread_mutex_unlock(&enc->lock);
    if (!err) tell_cut(enc, out);
    return err;
}

int ks_text_vector(float *v, ks_encoder *enc, const char *words, ks_error *e)
{
    ks_sentence s;
    int err = ks_text_tokens(&s, enc, words, e);
    return err ? err : ks_ids_vector(v, enc, s.ids, s.count, e);
}
