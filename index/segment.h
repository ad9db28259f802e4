/* segment.h - one search copy: a file of vectors, ids and codes, and nothing that is not in
 * SQLite too.
 *
 * Layout, every section aligned to 4096 bytes, little endian:
 *   header · fp16 [rows, dim] · codes [rows, stride] · scale float [rows] · error float [rows] ·
 *   clip id int64 [rows] · ks_video_run [runs] · xxh3 of each MiB of the sections, uint64 [blocks]
 * Rows are ordered by video, start, end; a run is the rows of one video. The header holds the
 * hash of the block hashes and of itself; the catalog holds the header's: a file passes only as
 * the one it was made as. */
#ifndef KS_SEGMENT_H
#define KS_SEGMENT_H

#include "index/half.h"
#include "index/store.h"

typedef struct {
    int64_t video, finished; /* alive while the catalog has not put this pair into `gone` */
    int64_t first, count;    /* rows */
} ks_video_run;

enum { KS_SEGMENT_HEADER = 4096, KS_SEGMENT_BLOCK = 1 << 20 };
typedef struct {
    char magic[8];    /* "KSVECT1\n" */
    char library[40]; /* library id, NUL padded */
    uint64_t space;   /* hash of the space's fields */
    int64_t from, to; /* generations */
    int64_t rows, runs;
    uint64_t bytes;  /* of the file */
    uint64_t hashes; /* xxh3 of the block hashes */
    uint32_t dim, block;
    uint64_t self; /* xxh3 of all fields above */
} ks_segment_header;

/* Where things are; computed from rows, runs and dim alone. */
typedef struct {
    uint64_t half, codes, scales, errors, ids, runs, hashes, blocks, bytes;
} ks_segment_layout;
/* 0, or KS_EFORMAT: out of range */
int ks_segment_lay(ks_segment_layout *out, int64_t rows, int64_t runs, int64_t dim);

/* Is this the header of a whole, well-formed segment file of `bytes`? Fuzzed. 1 or 0. */
int ks_segment_header_ok(ks_segment_header *out, ks_segment_layout *layout, const void *data,
                         uint64_t have, uint64_t bytes);

/* Mapped and checked. */
typedef struct {
    ks_segment_row row;
    ks_segment_header header;
    void *map;
    size_t bytes;
    const uint16_t *half;         /* [rows, dim] */
    const uint8_t *codes;         /* [rows, stride] */
    const float *scales, *errors; /* [rows] */
    const int64_t *ids;           /* [rows] */
    const ks_video_run *runs;     /* [runs], ascending by video */
    int changed;                  /* stat differs from the row's: it was checked in full */
} ks_segment;

uint64_t ks_space_hash(const ks_space *space);
/* The rows of a video; NULL: none are here. */
const ks_video_run *ks_segment_run(const ks_segment *s, int64_t video);
/* Map the file of `row`: header and size always, all of it when stat says it changed or `full`.
 * 1 = usable; 0 = not there, foreign, older or damaged (*why says which, a literal); < 0 = the
 * system failed. */
int ks_segment_open(ks_segment *out, const char **why, const char *dir, const ks_segment_row *row,
                    const char *library, const ks_space *space, int full, ks_error *e);
void ks_segment_close(ks_segment *s);
int ks_segment_stat(ks_segment_row *row, const char *path, ks_error *e); /* fills size ... inode */
/* Write the videos of (from, to] as segment row->id: temporary file, fsync, rename, fsync of the
 * folder. Fills *row
 * (rows 0: there was nothing, no file). The catalog does not name it yet. */
int ks_segment_write(ks_segment_row *row, ks_index *x, const ks_library_row *library,
                     const ks_space *space, ks_error *e);

/* checked in full now: its stat is noted */
int ks_segment_seen(ks_segment_row *row, ks_index *x, ks_error *e);

/* --- publish_file.c: durable files under a new name --- */
typedef struct {
    int fd;
    char part[4200], whole[4200];
    const char *dir;
} ks_new_file;
int ks_new_file_open(ks_new_file *f, const char *dir, const char *name, ks_error *e);
int ks_new_file_write(ks_new_file *f, const void *data, size_t bytes, uint64_t at, ks_error *e);
/* fsync, rename, fsync of the folder; closes */
int ks_new_file_publish(ks_new_file *f, ks_error *e);
/* after a failure; closes, unlinks the temporary */
void ks_new_file_drop(ks_new_file *f);

#endif
