/* salvage.h - rows out of a database file that SQLite itself may refuse. */
#ifndef KS_SALVAGE_H
#define KS_SALVAGE_H

#include "index/catalog.h"

/* One value of a record of SQLite's file format. Text and blob borrow the reader's memory until
 * the next record. */
typedef struct {
    int type; /* SQLITE_INTEGER, FLOAT, TEXT, BLOB, NULL */
    int64_t i;
    double d;
    const void *bytes;
    size_t n;
} ks_value;

enum { KS_VALUES = 24 };
typedef int ks_each_record(void *arg, int64_t rowid, const ks_value *values, int n); /* < 0 stops */
/* Every record of every b-tree page of the file (freelist left out), whatever else is broken.
 * Nothing in the file is believed: sizes and page numbers are checked, a chain of overflow pages
 * has an end. KS_EIO, KS_ENOMEM or what each returned. */
int ks_salvage_file(const char *path, ks_each_record *each, void *arg, ks_error *e);
/* the same in memory; fuzzed */
int ks_salvage_pages(const unsigned char *file, size_t bytes, ks_each_record *each, void *arg);

#endif
