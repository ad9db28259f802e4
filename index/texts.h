/* texts.h - what is found by words that are written: names of films, subtitles. A part of
 * index.h, which includes it. */
#ifndef KS_INDEX_TEXTS_H
#define KS_INDEX_TEXTS_H

#ifndef KS_INDEX_H
#error "include index/index.h"
#endif

/* The setting that lists the folders named to an ingest, each with its NUL: of a film's path only
 * what lies below them is its name. */
#define KS_FOLDERS_KEY "ingest.folders"

/* What is asked of written words: words that must all stand there, "phrases", -words (or
 * -"phrases") that must not. *out: the same for FTS5, malloc'ed. KS_EUSAGE: `option` and the
 * character that is wrong. */
int ks_match_read(char **out, const char *option, const char *text, ks_error *e);

/* Films that searches see whose name, with the folders it lies in, matches; best first, ties by
 * id. Of the filter what concerns films. video[most]; *n of them. Catalogs older than names have
 * none. */
int ks_index_named(int64_t *video, int *n, int most, ks_index *x, const char *match,
                   const ks_filter *f, ks_error *e);

/* --- what is said --- lines of a film's own subtitles, and of files of them beside it */
typedef struct {
    int64_t video;
    const char *path; /* "" : the film's own; bytes; borrowed */
    ks_stat stat;     /* of the one beside; device, inode: 0 */
    const char *note; /* what is to be said of it, "" nothing; why it could not be read */
    int64_t lines;    /* out */
} ks_subtitle_file;
typedef struct {
    int64_t video; /* out */
    int64_t start_us, end_us;
    const char *text; /* UTF-8, borrowed */
} ks_subtitle_line;
/* Writer: what was read there, in place of what was read there before. */
int ks_index_put_subtitles(ks_index *x, const ks_subtitle_file *f, const ks_subtitle_line *line,
                           int n, ks_error *e);
int ks_index_drop_subtitles(ks_index *x, int64_t video, const char *path, ks_error *e); /* writer */
/* All that were read, those without a line too. Rotten rows are left out. */
typedef int ks_on_subtitle_file(void *arg, const ks_subtitle_file *f); /* non-zero stops */
int ks_index_subtitle_files(ks_index *x, ks_on_subtitle_file *each, void *arg, ks_error *e);
int ks_index_has_subtitles(ks_index *x, ks_error *e); /* 1: some line, 0: none at all */
/* Lines that match in films that pass what the filter asks of films, by path and time, each once;
 * part NULL: of any time. */
enum { KS_SUBTITLE_NEAR_US = 3000000 }; /* a clip and a line so far apart belong together */
typedef struct {
    int64_t from_us, to_us;
} ks_subtitle_part;
typedef int ks_on_subtitle_line(void *arg, const ks_subtitle_line *line); /* non-zero stops */
int ks_index_subtitles(ks_index *x, const char *match, const ks_filter *f,
                       const ks_subtitle_part *part, ks_on_subtitle_line *each, void *arg,
                       ks_error *e);

#endif
