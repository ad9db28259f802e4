/* token.c - see token.h. */
#include "encoder/token.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "encoder/canonical.h"
#include "encoder/spm_shim.h"
#include "encoder/spm_walk.h"

/* cc_en.32000, the tokenizer of the released LvT models (also SigLIP's spiece.model). */
static const char RELEASED_SHA256[] =
    "1e5036bed065526c3c212dfbe288752391797c4bb1a284aa18c9a0b23fcaf8ec";
enum { RELEASED_BYTES = 798330, RELEASED_PIECES = 32000 };

struct ks_tokenizer {
    uint8_t *file; /* until the library has it */
    size_t bytes;
    int pieces;
    ks_spm *spm; /* NULL until the first sentence */
    char hash[KS_HASH_HEX];
    char path[];
};

/* Up to `most` bytes from fd; -1 with errno. */
static ssize_t read_all(int fd, uint8_t *to, size_t most)
{
    size_t n = 0;
    while (n < most) {
        ssize_t got = read(fd, to + n, most - n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

static int read_file(ks_tokenizer *t, ks_error *e)
{
    struct stat st;
    int err = 0, fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return ks_fail(e, errno == ENOENT ? KS_ENOTFOUND : KS_EIO, "%s: %s", t->path,
                       strerror(errno));
    if (fstat(fd, &st) != 0) err = ks_fail(e, KS_EIO, "%s: %s", t->path, strerror(errno));
    else if (!S_ISREG(st.st_mode)) err = ks_fail(e, KS_EFORMAT, "%s: not a file", t->path);
    else if (st.st_size > KS_SPM_BYTES_MAX)
        err = ks_fail(e, KS_EFORMAT, "%s: %lld bytes is no tokenizer", t->path,
                      (long long)st.st_size);
    if (!err && !(t->file = malloc((size_t)st.st_size + 1)))
        err = ks_fail(e, KS_ENOMEM, "%s: no memory to read it", t->path);
    if (!err) {
        ssize_t n = read_all(fd, t->file, (size_t)st.st_size);
        if (n < 0) err = ks_fail(e, KS_EIO, "%s: %s", t->path, strerror(errno));
        else t->bytes = (size_t)n;
    }
    close(fd);
    return err;
}

static void hash_file(ks_tokenizer *t)
{
    SHA2_CTX sha;
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256Init(&sha);
    SHA256Update(&sha, t->file, t->bytes);
    SHA256Final(digest, &sha);
    for (size_t i = 0; i < sizeof digest; i++) snprintf(t->hash + 2 * i, 3, "%02x", digest[i]);
}

static int judge(ks_tokenizer *t, int vocabulary, ks_error *e)
{
    int err = read_file(t, e);
    if (err) return err;
    hash_file(t);
    t->pieces = RELEASED_PIECES;
    if (t->bytes != RELEASED_BYTES || strcmp(t->hash, RELEASED_SHA256) != 0)
        err = ks_spm_walk(&t->pieces, (ks_bytes){t->file, t->bytes}, t->path, e);
    if (!err && vocabulary && t->pieces != vocabulary)
        err = ks_fail(e, KS_ESHAPE,
                      "%s: this tokenizer has %d pieces, the model's vocabulary is %d", t->path,
                      t->pieces, vocabulary);
    return err;
}

int ks_tokenizer_open(ks_tokenizer **out, const char *path, int vocabulary, ks_error *e)
{
    size_t n = strlen(path) + 1;
    ks_tokenizer *t = calloc(1, sizeof *t + n);
    *out = NULL;
    if (!t) return ks_fail(e, KS_ENOMEM, "no memory for a tokenizer");
    memcpy(t->path, path, n);
    int err = judge(t, vocabulary, e);
    if (err) {
        ks_tokenizer_close(t);
        return err;
    }
    *out = t;
    return 0;
}

void ks_tokenizer_close(ks_tokenizer *t)
{
    if (!t) return;
    ks_spm_close(t->spm);
    free(t->file);
    free(t);
}

const char *ks_tokenizer_hash(const ks_tokenizer *t) { return t->hash; }

static int load(ks_tokenizer *t, ks_error *e)
{
    char why[256] = "";
    if (t->spm) return 0;
    int err = ks_spm_open(&t->spm, t->file, t->bytes, why, sizeof why);
    if (err) return ks_fail(e, err, "%s: sentencepiece does not take it: %s", t->path, why);
    if (ks_spm_pieces(t->spm) != t->pieces)
        err = ks_fail(e, KS_EFORMAT, "%s: sentencepiece sees %d pieces where there are %d", t->path,
                      ks_spm_pieces(t->spm), t->pieces);
    if (err) {
        ks_spm_close(t->spm);
        t->spm = NULL;
        return err;
    }
    free(t->file); /* the library has its own copy */
    t->file = NULL;
    return 0;
}

/* The words from `from` on, as many as fit, cut between characters. */
static void keep_lost(char lost[128], const char *text, size_t from)
{
    size_t n = strlen(text);
    if (from > n) from = n;
    while (from < n && text[from] == ' ') from++;
    size_t most = n - from < 127 ? n - from : 127;
    while (most && ((uint8_t)text[from + most] & 0xc0) == 0x80) most--;
    memcpy(lost, text + from, most);
    lost[most] = 0;
}

int ks_tokenizer_encode(ks_sentence *out, ks_tokenizer *t, const char *words, ks_error *e)
{
    uint32_t begin[KS_TEXT_MAX + 1];
    int32_t ids[KS_TEXT_MAX + 1];
    ks_spm_tokens tokens = {ids, begin, KS_TEXT_MAX + 1, 0};
    char *text = NULL;
    memset(out, 0, sizeof *out);
    int err = ks_canonical(&text, words, e);
    if (!err) err = load(t, e);
    if (err) goto out;
    err = ks_spm_encode(&tokens, t->spm, text, strlen(text));
    if (err) {
        ks_fail(e, err, "%s: sentencepiece cannot read this sentence", t->path);
        goto out;
    }
    int bos = ks_spm_bos(t->spm);
    if (bos >= 0) out->ids[out->count++] = bos;
    for (int i = 0; i < tokens.count && out->count < KS_TEXT_MAX; i++)
        out->ids[out->count++] = ids[i];
    out->cut = tokens.count + (bos >= 0) - out->count;
    if (out->cut) keep_lost(out->lost, text, begin[out->count - (bos >= 0)]);
out:
    free(text);
    return err;
}

int ks_tokenizer_find(char **out, const char *named, const char *model, ks_error *e)
{
    const char *slash = strrchr(model, '/'), *dot = strrchr(model, '.');
    int folder = slash ? (int)(slash - model) + 1 : 0,
        stem = dot && dot > model + folder ? (int)(dot - model) : (int)strlen(model);
    char *at[2] = {NULL, NULL};
    int err = 0;
    *out = NULL;
    if (named) {
        *out = strdup(named);
        return *out ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a path");
    }
    if (asprintf(&at[0], "%.*s.spm", stem, model) < 0) at[0] = NULL;
    if (asprintf(&at[1], "%.*stokenizer.model", folder, model) < 0) at[1] = NULL;
    if (!at[0] || !at[1]) err = ks_fail(e, KS_ENOMEM, "no memory for a path");
    for (int i = 0; i < 2; i++) {
        if (!err && !*out && access(at[i], F_OK) == 0) *out = at[i];
        else free(at[i]);
    }
    return err;
}
