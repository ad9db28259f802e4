/* whole_films.h - whole tasks over one film: a part of decoder.h, which includes it. */
#ifndef KS_DECODER_WHOLE_FILMS_H
#define KS_DECODER_WHOLE_FILMS_H

#ifndef KS_DECODER_H
#error "include decoder/decoder.h"
#endif

/* --- whole tasks over one film --- */
/* Decodes from the film's start, always in order: some files give garbage after a seek. visit
 * NULL counts: media->frames becomes the number of frames in the range. media and outcome may be
 * NULL.
 * KS_EFORMAT: no frame can be had from this file (outcome says why, so does the sentence);
 * KS_ENOTFOUND, KS_EIO: the file or the decoder program cannot be opened. A damaged film that gave
 * frames is 0 with outcome PARTLY. */
int ks_frames(ks_media *media, ks_outcome *outcome, ks_decoder *d, const char *path,
              const ks_range *range, ks_visit_frame *visit, void *arg, ks_error *e);

/* A picture file or the picture at a second of a film -> malloc'ed RGB. keys, of an earlier pass
 * over this very file, save the way there (ks_film_open_at); NULL: in order from the start. */
int ks_picture(ks_image *out, uint8_t **pixels, ks_decoder *d, const char *path, double at,
               const ks_keys *keys, ks_error *e);
int ks_thumbnail_rgb(ks_image *out, uint8_t **pixels, ks_decoder *d, const uint8_t *jpeg,
                     size_t bytes, ks_error *e);
/* A part of a film into a file of its own. */
typedef struct {
    const char *path, *to_file; /* the ending of to_file names the container */
    double from, to;            /* seconds, half open; to < 0: to the end */
    int reencode;               /* exact to the frame; else a copy from the key frame before */
    int force;                  /* over a file that is there; else KS_EUSAGE */
    int fragments;              /* ks_cut_to_watch: as Media Source Extensions take it */
    int viewer; /* a socket: KS_ESTOP soon after its other side is closed; 0: none */
    /* out: what the piece shows, seconds of the film; from with fragments: where its 0 lies */
    double cut_from, cut_to;
    /* out, where it failed: the container of to_file takes no such pictures or sound (.mkv may) */
    int unfit;
    /* out: streams of sound that no container takes and the piece lacks */
    int sounds_left;
} ks_piece;
/* keys, of an earlier pass over this very file: a piece that is encoded anew is decoded from near
 * its start, once that is proven (ks_film_open_at); NULL: from the film's start. */
int ks_cut(ks_piece *p, const ks_keys *keys, ks_decoder *d, ks_error *e);
/* The same into the open file `to`; to_file is a name whose ending says the container. */
int ks_cut_into(ks_piece *p, int to, ks_decoder *d, ks_error *e);
/* [p->from, p->to) for a browser, as MP4 into the open file `to`: side 0: as it is, from the key
 * frame before; else H.264 of at most that many points on the short side. One sound at most,
 * where browsers know it. keys, of an earlier pass over this very file, save the way there once
 * proven (ks_film_open_at). p->unfit: as it is no browser knows it. */
int ks_cut_to_watch(ks_piece *p, int to, int side, const ks_keys *keys, ks_decoder *d, ks_error *e);

/* What is said: the lines of all subtitle streams of a film that are text, or (beside 1) of a
 * SubRip, WebVTT or ASS file; in the order of the file. Text is UTF-8 without control characters,
 * at most 1 MiB of it. reason: "", or what is to be said of it ("taken for Latin-1"). KS_EFORMAT:
 * it cannot be read; a film without any is 0. KS_ENOTFOUND, KS_EIO. */
typedef struct {
    int64_t start_us, end_us; /* of the film's clock */
    const char *text;         /* borrowed for the call */
} ks_text_line;
typedef int ks_on_text(void *arg, const ks_text_line *line); /* non-zero stops */
int ks_texts(char reason[200], ks_decoder *d, const char *path, int beside, ks_on_text *each,
             void *arg, ks_error *e);

/* How fast films are decoded here, for bench: every frame of n files, one after the other. */
typedef struct {
    int64_t files, frames;
    double video_seconds, wall_seconds;
    /* of the decoder's processes, its start included: what a busy machine leaves comparable */
    double cpu_seconds;
    double start_seconds; /* starting the decoder program, not in wall_seconds */
    char sandbox[160];    /* what was in force */
} ks_decode_rate;
int ks_measure_decode(ks_decode_rate *out, const char *decoder, const char *const *paths, int n,
                      int sandbox, const char *hwaccel, ks_error *e);

#endif
