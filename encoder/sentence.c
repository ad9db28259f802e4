/* sentence.c - words to ids and to vectors, on an open encoder. */
#include <assert.h>
#include <string.h>

#include "encoder/tower.h"

static void tell_cut(const ks_encoder *enc, const ks_sentence *s)
{
    char text[256];
    if (!s->cut || !enc->notice) return;
    snprintf(text, sizeof text, "only the first %d tokens of a sentence are read; cut off (%d): %s",
             KS_TEXT_MAX, s->cut, s->lost);
    enc->notice(enc->notice_arg, text);
}

int ks_text_tokens(ks_sentence *out, ks_encoder *enc, const char *words, ks_error *e)
{
    assert(out && enc && words);
    if (!(enc->towers & KS_TOWER_TEXT))
        return ks_fail(e, KS_EUSAGE, "the model's text tower is not open");
    if (!enc->tokenizer)
        return ks_fail(e, KS_EUSAGE,
                       "this model has no tokenizer beside it (its name with .spm, or "
                       "tokenizer.model): name one with --tokenizer");
    pthread_mutex_lock(&enc->lock);
    int err = ks_tokenizer_encode(out, enc->tokenizer, words, e);
    pthread_mutex_unlock(&enc->lock);
    if (!err) tell_cut(enc, out);
    return err;
}

static int check_ids(const ks_encoder *enc, const int32_t *ids, int count, ks_error *e)
{
    if (!(enc->towers & KS_TOWER_TEXT))
        return ks_fail(e, KS_EUSAGE, "the model's text tower is not open");
    if (count > KS_TEXT_MAX)
        return ks_fail(e, KS_EUSAGE, "%d token ids: the model reads %d at most", count,
                       KS_TEXT_MAX);
    for (int i = 0; i < count; i++)
        if (ids[i] < 0 || ids[i] >= enc->info.vocabulary)
            return ks_fail(e, KS_EUSAGE, "token id %d is outside the vocabulary of %d", (int)ids[i],
                           enc->info.vocabulary);
    return 0;
}

static void add(ks_sentences *s, const int32_t *ids, int count)
{
    int first = s->first[s->n];
    memcpy(s->ids + first, ids, (size_t)count * sizeof *ids);
    s->first[++s->n] = first + count + 1;
}

static int run(float *v, ks_encoder *enc, const ks_sentences *s, ks_error *e)
{
    pthread_mutex_lock(&enc->lock);
    int err = enc->by->text(v, enc, s, e);
    pthread_mutex_unlock(&enc->lock);
    return err ? err : ks_vectors_judge(enc, v, s->n, e);
}

int ks_ids_vector(float *v, ks_encoder *enc, const int32_t *ids, int count, ks_error *e)
{
    ks_sentences s = {.n = 0};
    assert(v && enc && count >= 0 && (ids || count == 0));
    int err = check_ids(enc, ids, count, e);
    if (err) return err;
    if (count > 0) add(&s, ids, count);
    else add(&s, (const int32_t[]){0}, 0);
    return run(v, enc, &s, e);
}

int ks_text_vectors(float *v, int *cut, ks_encoder *enc, const char *const *words, int n,
                    ks_error *e)
{
    ks_sentences s = {.n = 0};
    ks_sentence one;
    int err = 0;
    for (int i = 0; i < n && !err; i++) {
        err = ks_text_tokens(&one, enc, words[i], e);
        if (!err) err = check_ids(enc, one.ids, one.count, e);
        if (!err && s.first[s.n] + one.count + 1 > KS_TEXT_ROWS) {
            err = run(v, enc, &s, e);
            v += (size_t)s.n * (size_t)enc->info.dim;
            s.n = 0;
        }
        if (!err) add(&s, one.ids, one.count);
        if (!err && cut) cut[i] = one.cut;
    }
    return err || s.n == 0 ? err : run(v, enc, &s, e);
}

int ks_text_vector(float *v, ks_encoder *enc, const char *words, ks_error *e)
{
    return ks_text_vectors(v, NULL, enc, &words, 1, e);
}
