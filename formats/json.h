/* json.h - JSON to a stream: a part of formats.h, which includes it. */
#ifndef KS_FORMATS_JSON_H
#define KS_FORMATS_JSON_H

#ifndef KS_FORMATS_H
#error "include formats/formats.h"
#endif

/* --- JSON --- JSON to a stream, one object a line; nothing is kept, nothing allocated.
 *
 *   ks_json j; ks_json_start(&j, stdout);
 *   ks_json_open(&j, NULL, '{'); ks_json_text(&j, "path", p); ks_json_close(&j);   one line
 *
 * `key` is the member's name inside an object and NULL inside an array or at the top. */
typedef struct {
    FILE *out;
    int depth;
    int filled;    /* bit d: something stands already at depth d */
    char ends[32]; /* the bracket that closes each depth */
} ks_json;

void ks_json_start(ks_json *j, FILE *out);
void ks_json_open(ks_json *j, const char *key, char bracket); /* '{' or '[' */
void ks_json_close(ks_json *j);                               /* at the top also ends the line */
/* NULL: null; bad UTF-8 becomes U+FFFD */
void ks_json_text(ks_json *j, const char *key, const char *utf8);
/* A path as "key", and where it is not UTF-8 its bytes in base64 as "key_bytes" beside it. */
void ks_json_path(ks_json *j, const char *key, const char *path);
/* Paths as the array "key"; where any is not UTF-8 the bytes of all of them as "key_bytes", in
 * the same order. */
void ks_json_paths(ks_json *j, const char *key, const char *const *paths, int n);
void ks_json_int(ks_json *j, const char *key, int64_t value);
void ks_json_bool(ks_json *j, const char *key, int value);
void ks_json_seconds(ks_json *j, const char *key, double seconds); /* milliseconds */
/* 6 digits; null where not finite */
void ks_json_number(ks_json *j, const char *key, double value);
/* 17 digits: 24000/1001 must not drift */
void ks_json_rate(ks_json *j, const char *key, double value);
/* one value that is JSON already */
void ks_json_raw(ks_json *j, const char *key, const char *json);
/* 9 digits: reads back the same */
void ks_json_floats(ks_json *j, const char *key, const float *v, size_t n);

#endif
