/* gate.c - fuzz: any bytes are a request or are refused; what is let through has no second
 * reading, and no guard opens it. */
#include "serve/gate.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "serve/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* How often a header of this name begins a line. */
static int times(const char *text, size_t n, const char *name)
{
    size_t m = strlen(name);
    int found = 0;

    for (size_t i = 0; i + 2 + m < n; i++)
        found += text[i] == '\r' && text[i + 1] == '\n' && strncasecmp(text + i + 2, name, m) == 0;
    return found;
}

static void look_at(const ks_request *r, const char *was, size_t n)
{
    ks_guard g = {.token = "0123456789abcdef0123456789abcdef",
                  .secret = "fedcba9876543210fedcba9876543210",
                  .cookie = "kinoseek_8423"};
    int known = memmem(was, n, g.token, 32) != NULL || memmem(was, n, g.secret, 32) != NULL;

    if (!r->path || r->path[0] != '/' || !r->host || !*r->host || !r->query) abort();
    if (times(was, n, "host:") != 1 || times(was, n, "content-length:") > 1 ||
        times(was, n, "transfer-encoding:") > 0)
        abort();
    if ((r->method == KS_METHOD_POST) != (r->length >= 0) && r->length != 0) abort();
    if (memchr(was, 0, n)) abort();
    for (size_t i = 0; i < n; i++)
        if (was[i] == '\n' && was[i - 1] != '\r') abort();
    int status = ks_guard_judge(&g, r, "127.0.0.1", 0);
    if ((status == 0 || status == 303) && !known) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *was = malloc(size + 1);
    ks_request r;
    int end;

    if (!text || !was) abort();
    memcpy(text, data, size);
    memcpy(was, data, size);
    end = ks_gate_end(text, size);
    /* what is refused early stays refused */
    for (size_t i = size / 3; i < size; i += size / 3 + 1) {
        int early = ks_gate_end(text, i);
        if (early > 0 ? early != end : early < 0 && early != end) abort();
    }
    if (end > (int)size || end > KS_HEAD_MOST) abort();
    if (end > 0) {
        char *head = realloc(text, (size_t)end + 1);
        if (!head) abort();
        text = head;
        int status = ks_gate_read(&r, text, (size_t)end);
        if (status == 0) look_at(&r, was, (size_t)end);
        else if (status < 400 || status > 505) abort();
    }
    free(text);
    free(was);
    return 0;
}
