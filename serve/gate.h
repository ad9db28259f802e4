/* gate.h - one request head, as bytes, judged before anybody else reads it. Pure: no socket, no
 * memory, no library. */
#ifndef KS_GATE_H
#define KS_GATE_H

#include "ks.h"

enum { KS_HEAD_MOST = 16384, KS_TARGET_MOST = 8192, KS_HEADERS_MOST = 100 };

typedef enum { KS_METHOD_GET, KS_METHOD_HEAD, KS_METHOD_POST } ks_method;

/* Texts point into the head that was read; NULL: no such header. */
typedef struct {
    ks_method method;
    char *path;  /* "/api/v1/search", as sent */
    char *query; /* behind '?', as sent; "" none */
    char *host, *origin, *fetch_site, *cookie, *authorization, *range, *if_range;
    char *if_none_match, *accept, *accept_encoding, *content_type, *own;
    int64_t length; /* Content-Length; -1: none */
} ks_request;

/* Bytes of the head at text[n] with the empty line that ends it; 0: it is not all there yet; <
 * 0: minus the status that refuses it, whatever may follow (400 a bare LF, a control byte; 414,
 * 431 too long). */
int ks_gate_end(const char *text, size_t n);
/* Reads the head text[n], n from ks_gate_end, which is changed for it; text[n] must be writable.
 * 0, or the status that refuses it. Strict where parsers differ: one Host, at most one
 * Content-Length of digits, no Transfer-Encoding, no folded line, no absolute form, HTTP/1.1
 * alone; no length with GET and HEAD, one with POST. */
int ks_gate_read(ks_request *r, char *text, size_t n);

#endif
