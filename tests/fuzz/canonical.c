/* canonical.c - fuzz: any bytes give a canonical sentence or a refusal; canonical stays
 * canonical. */
#include "encoder/canonical.h"

#include <stdlib.h>
#include <string.h>
#include <unistr.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int true_it_is)
{
    if (!true_it_is) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *words = malloc(size + 1), *once, *twice;
    memcpy(words, data, size);
    words[size] = 0;
    int valid = u8_check((const uint8_t *)words, strlen(words)) == NULL &&
                strlen(words) <= KS_WORDS_MAX;
    int err = ks_canonical(&once, words, NULL);
    must((err == 0) == valid && (err == 0 || err == KS_EUSAGE));
    if (!err) {
        size_t n = strlen(once);
        must(u8_check((const uint8_t *)once, n) == NULL && once[n - 1] == '.' && once[0] != ' ');
        must(!strstr(once, "  ") && !strstr(once, " .") &&
             !strpbrk(once, "!\"#$%&'()*+,-/:;<=>?@[\\]^_`{|}~\t\n"));
        must(strchr(once, '.') == once + n - 1);
        must(ks_canonical(&twice, once, NULL) == 0 || n > KS_WORDS_MAX);
        must(n > KS_WORDS_MAX || strcmp(once, twice) == 0);
        free(twice);
        free(once);
    }
    free(words);
    return 0;
}
