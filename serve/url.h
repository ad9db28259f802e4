/* url.h - what stands in a request's target: the path's parts, parameters, ranges of bytes.
 * Pure. */
#ifndef KS_URL_H
#define KS_URL_H

#include "ks.h"

enum { KS_PARAMS_MOST = 512 };
typedef struct {
    /* decoded; into the text that was read */
    const char *name[KS_PARAMS_MOST], *value[KS_PARAMS_MOST];
    int n;
} ks_params;

/* Decodes text in place. 0, or -1: a '%' without two digits, or %00. */
int ks_url_decode(char *text, int plus_is_blank);
/* "a=1&b=x+y" in place; 0, or -1: as above, or more than KS_PARAMS_MOST. */
int ks_params_read(ks_params *p, char *query);
/* The value, NULL: it was not given. What was given twice counts as its last, as options do. */
const char *ks_param(const ks_params *p, const char *name);
/* A whole number in [least, most] -> *value, which stays where the parameter was not given;
 * KS_EUSAGE names it. */
int ks_param_int(int64_t *value, const ks_params *p, const char *name, int64_t least, int64_t most,
                 ks_error *e);
/* Seconds, as options take them, at most 1e10. */
int ks_param_seconds(double *value, const ks_params *p, const char *name, ks_error *e);

/* The one range of `text` ("bytes=0-99", "bytes=-500") in a body of `size` bytes -> [*from,
 * *to]. 206; 416: none of it is there; 200: malformed, or several ranges: all of the body, as
 * RFC 9110 lets. */
int ks_range_read(int64_t *from, int64_t *to, const char *text, int64_t size);
/* A number that is all of text, 1 to 2^62; 0: it is none. */
int64_t ks_id_read(const char *text);

#endif
