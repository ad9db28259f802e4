/* page.h - the page's files as they lie in the program: made by the Makefile from serve/page/. */
#ifndef KS_PAGE_H
#define KS_PAGE_H

#include <stddef.h>

typedef struct {
    const char *name;        /* "page.js" */
    const unsigned char *at; /* [bytes], gzip */
    size_t bytes;
    const unsigned char *plain; /* [plain_bytes] for who takes no gzip */
    size_t plain_bytes;
    const char *hash; /* of them, 16 hex digits */
} ks_page_file;
extern const ks_page_file ks_page_files[]; /* ends with a NULL name */

#endif
