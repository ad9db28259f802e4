/* zip.h - the parts of a ZIP archive whose members are stored as they are (APPNOTE 6.3): each is
 * bytes for the caller to send. No member and no archive reaches 4 GiB. */
#ifndef KS_ZIP_H
#define KS_ZIP_H

#include "ks.h"

enum { KS_ZIP_MEMBERS = 200, KS_ZIP_NAME = 200, KS_ZIP_PART = 400 };
typedef struct {
    char name[KS_ZIP_NAME];
    uint32_t crc, bytes, at; /* at: where its head lies */
} ks_zip_member;
typedef struct {
    ks_zip_member at[KS_ZIP_MEMBERS];
    int n;
    uint64_t size; /* of what was given out */
} ks_zip;

/* crc 0 at first. */
uint32_t ks_zip_crc(uint32_t crc, const void *bytes, size_t n);
/* The head of the next member, whose `bytes` follow -> out; its length; 0: it does not fit. */
size_t ks_zip_head(uint8_t out[KS_ZIP_PART], ks_zip *z, const char *name, uint32_t crc,
                   uint64_t bytes);
/* The i-th entry of the directory, behind the last member; i == n: its end. */
size_t ks_zip_entry(uint8_t out[KS_ZIP_PART], ks_zip *z, int i, uint64_t directory);

#endif
