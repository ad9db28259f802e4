/* out.h - what a format is to the core (out.c), and what both share; private to formats/. */
#ifndef KS_OUT_H
#define KS_OUT_H

#include "formats/formats.h"
#include "formats/text_out.h"

/* What a format needs, and what it cannot hold. out_check.c refuses the rest before the first
 * byte. */
enum {
    KS_KEEPS = 1,   /* it has to know all entries */
    KS_BY_TIME = 2, /* ... in order of time */
    /* ... film after film, each in order of time; every film has an id of its own */
    KS_BY_FILM = 4,
    /* it describes one film; with a folder as target each film gets a file */
    KS_ONE_FILM = 8,
    KS_NEEDS_RATE = 16,    /* it counts frames: of an even rate */
    KS_ONE_RATE = 32,      /* all of it runs at one rate */
    KS_TIMECODE_RATE = 64, /* a rate that timecode can count: whole, or 1000/1001 of it */
    KS_FOLDER = 128,       /* several files in a folder */
    /* only beside the film (--sidecars); keeps what others wrote into its file */
    KS_BESIDE = 256,
    KS_OPTION = 512, /* has an option of its own, --format does not name it */
    /* its readers refuse a file without an entry: none is written then */
    KS_SOMETHING = 1024
};

/* One file being written. */
typedef struct ks_writer {
    FILE *f;
    ks_json json;
    ks_xml xml;
    const ks_out_options *options;
    const ks_moment *at; /* [n] where the format keeps, in its order; else NULL, 0 */
    /* [n] with KS_BY_FILM: a name for the entry's film that no other has; UTF-8 */
    const char *const *ids;
    int n, i;     /* i: entries written so far */
    ks_rate rate; /* of the file: --fps, else that of its first film */
    int drop;     /* the file's timecode drops labels */
    /* KS_BESIDE: the file as it is now, NULL: none yet; KS_FOLDER: the folder */
    const char *path;
    void *own; /* [format->own] zeroed bytes */
    ks_error *e;
} ks_writer;

struct ks_format {
    const char *name, *ending, *brief;
    int flags;         /* KS_KEEPS ... */
    const char *joins; /* entries that become one, for people: "overlaps"; NULL: none do */
    double longest;    /* seconds of film that it can count; 0: no bound */
    int most;          /* entries; 0: no bound */
    size_t own;
    const char *file;      /* in a folder: the file's name */
    const ks_format *also; /* KS_FOLDER: the next file of it */
    /* Errors < 0 with the sentence in w->e; each may be NULL. */
    /* before anything is written; w->at is there */
    int (*check)(ks_writer *w);
    int (*begin)(ks_writer *w);
    /* of a kept one: in its order; NULL: begin or end writes all */
    int (*entry)(ks_writer *w, const ks_moment *entry);
    int (*end)(ks_writer *w);
};

/* Entry i begins its film, or ends it (KS_BY_FILM). */
int ks_first_of_film(const ks_writer *w, int i);
int ks_last_of_film(const ks_writer *w, int i);
int ks_same_film(const ks_moment *a, const ks_moment *b);

/* out_check.c: the flags, longest and most of f over w->at[n]; decides w->rate and w->drop. */
int ks_check_format(const ks_format *f, ks_writer *w);

/* the path as file URL; KS_ENOMEM */
int ks_json_url(ks_json *j, const char *key, const char *path, ks_error *e);

/* Ends of formats: what is open is closed. */
int ks_end_json(ks_writer *w);
int ks_end_xml(ks_writer *w);

/* The rate of the entry's film: as stored, else as measured. */
ks_rate ks_entry_rate(const ks_moment *k);
/* Frames at this rate are counted from the film's first picture, as whatever opens the file counts
 * them: sound may begin before it. First and last frame + 1: at least one frame, none that the
 * film does not have. */
void ks_entry_frames(int64_t *in, int64_t *out, const ks_moment *k, ks_rate rate);
/* The frame of that time; the film's first or last where it has none then. */
int64_t ks_shown_frame(const ks_moment *k, int64_t ticks, ks_rate rate);
/* The frame that fits best, of those of the entry. */
int64_t ks_best_frame(const ks_moment *k, ks_rate rate);
/* How many the film has; 0: not known. */
int64_t ks_frames_of(const ks_moment *k, ks_rate rate);
/* A clip of a sequence at w->rate: the film's own rate, where it has an even one (and one that
 * timecode counts, for formats that need that), else --fps; and how many frames of the sequence
 * the entry takes, one at least. */
ks_rate ks_clip_rate(const ks_writer *w, const ks_moment *k, int flags);
int64_t ks_sequence_frames(const ks_writer *w, const ks_moment *k, int flags);
/* The timecode of the film's first picture as a frame count at `rate` (0 without one), and whether
 * its labels drop: without a timecode as the rate's habit is. */
int64_t ks_start_frame(int *drop, const ks_moment *k, ks_rate rate);

extern const ks_format ks_format_jsonl, ks_format_csv, ks_format_print, ks_format_vtt,
    ks_format_srt, ks_format_ffmetadata, ks_format_youtube, ks_format_mkv_chapters,
    ks_format_kodi_edl, ks_format_mpv_edl, ks_format_cmx3600, ks_format_resolve_edl, ks_format_otio,
    ks_format_xmeml, ks_format_fcpxml, ks_format_xmp, ks_format_fiftyone, ks_format_activitynet,
    ks_format_activitynet_truth, ks_format_label_studio, ks_format_elan, ks_format_via,
    ks_format_cvat, ks_format_hf, ks_format_html;

#endif
