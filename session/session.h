/* session.h - an open library to ask: its encoder, scale and decoder are opened when a question
 * first needs them.
 *
 *   ks_session_open(&s, "/path/of/library", &setup, &e);
 *   ks_ask(&answer, s, &(ks_question){.words = "a dog jumping", .k = 5}, NULL, &e);   words ->
 *     moments
 *   for (int i = 0; i < answer.hits.count; i++) answer.at[i] ...
 *   ks_answer_free(&answer);  ks_session_close(s);
 *
 * A session belongs to one thread at a time; several of one library may be open at once. It
 * never prints: what is worth a line goes to setup.notice. */
#ifndef KS_SESSION_H
#define KS_SESSION_H

#include "decoder/decoder.h"
#include "encoder/encoder.h"
#include "index/index.h"
#include "ingest/ingest.h"
#include "ks.h"
#include "query/query.h"
#include "session/question.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- what is used --- */
typedef struct {
    const char *model; /* a name or a path; NULL: the library's, else the default */
    /* where neither says: a name or a path; NULL: lvt-base where it was pulled, else demo */
    const char *default_model;
    const char *tokenizer; /* NULL: the one that goes with the model */
    const char *precision; /* "auto", "fp32", "bf16", "int8"; NULL: the caller's own default */
    const char *device;    /* "auto", "cpu", "gpu", "gpu:N"; NULL: KINOSEEK_DEVICE, else auto */
    int threads;           /* 0: all cores */
    const char *program;   /* path of this program, where the system does not tell; may be NULL */
    const char *translate; /* words go through this program first; NULL: none */
    /* path of kinoseek-decode; NULL: beside this program or in ../libexec/kinoseek */
    const char *decoder;
    void (*notice)(void *arg, const char *sentence); /* warnings worth a line; NULL: none */
    void *notice_arg;
} ks_setup; /* all borrowed */

/* --- where things are (locate.c) --- malloc'ed paths; KS_ENOTFOUND with the sentence.
 * A name of `model list` or a path -> the checkpoint, and the tokenizer that goes with it:
 * setup's, else STEM.spm or tokenizer.model beside the model, else *tokenizer NULL. */
int ks_locate_model(char **path, char **tokenizer, const ks_setup *setup, const char *name_or_path,
                    ks_error *e);
/* The checkpoint NAME/FILE is gone from `path`: where a model of that name is now; malloc'ed,
 * NULL: nowhere. */
char *ks_locate_again(const ks_setup *setup, const char *path);
int ks_locate_decoder(char **path, const ks_setup *setup, ks_error *e);
/* "models/demo": beside the build or in PREFIX/share/kinoseek. */
int ks_locate_data(char **path, const ks_setup *setup, const char *relative, ks_error *e);
/* Where `model pull NAME` keeps its files: $XDG_DATA_HOME/kinoseek/models/NAME. KS_ENOMEM,
 * KS_EUSAGE (no home). */
int ks_locate_pulled(char **folder, const char *name, ks_error *e);
int ks_locate_library(char **folder, ks_error *e); /* the default library */
/* The model of a new library: setup's default_model, else "lvt-base" where it was pulled, else
 * "demo". */
const char *ks_default_model(const ks_setup *setup);
/* Whether a film is where it was: 0 it is, 1 it is missing; disk: the name of the one under
 * /media, /mnt ... that is not there, "" where the file alone is missing. */
int ks_missing(char *disk, size_t room, const char *path);

/* The released models (models/released.tsv): what they are called, weigh and hash to. */
typedef struct {
    char name[32]; /* "lvt-base"; "-" for the clip */
    char part[16]; /* "model", "tokenizer", "clip" */
    char file[96];
    int64_t bytes;
    char sha256[65]; /* "" where nobody published one */
    char url[256];
} ks_release;
typedef struct {
    ks_release *at;
    int n;
} ks_releases;
int ks_releases_read(ks_releases *r, const ks_setup *setup, ks_error *e);
void ks_releases_free(ks_releases *r);
/* NULL: none */
const ks_release *ks_release_find(const ks_releases *r, const char *name, const char *part);

/* The encoder that setup, else model_or_null (the library's last path), else the default names.
 * towers: ks_tower; fallback: precision where setup names none. */
int ks_open_encoder(ks_encoder **enc, const ks_setup *setup, const char *model_or_null, int towers,
                    ks_precision fallback, ks_error *e);
/* The encoder of an existing library, for queries; setup's model must have the library's hash
 * (KS_ESPACE). */
int ks_open_library_encoder(ks_encoder **enc, const ks_setup *setup, ks_index *x, int towers,
                            ks_error *e);

/* A decoder in *d, NULL or one of before: started where there is none or its program is gone.
 * The caller stops it. */
int ks_open_decoder(ks_decoder **d, const ks_setup *setup, ks_error *e);

/* --- a program of the user's --- the command is cut at blanks; no shell */
typedef struct {
    int pid, out;
    char name[200];
} ks_program;
/* input (text; 1 MiB less a page, where the system lets a pipe hold that) has been handed over
 * when it returns. reads: what it writes is wanted, else it goes to our standard error. KS_EIO:
 * it cannot be started. Each that started is to be ended. */
int ks_program_start(ks_program *p, const char *command, const char *input, int reads, ks_error *e);
/* Waits at most so long, then kills it. out: malloc'ed, NULL where `reads` was 0. KS_EIO: late,
 * or not code 0. */
int ks_program_end(char **out, ks_program *p, double seconds, ks_error *e);

/* --- times as people write them --- */
/* Seconds from "12.5", "4:12", "1:02:03.040", "4h", "1h30m", "90s". 0, or -1: not a time, or
 * more than 1e10 s. */
int ks_parse_seconds(double *seconds, const char *text);
/* Seconds since 1970 UTC of "2019", "2019-07", "2019-07-12" or "2019-07-12T18:30", read in the
 * local zone; `end` gives the first second after the period. 0, or -1: not a date. */
int ks_parse_date(int64_t *seconds, const char *text, int end);
/* FILE, FILE@START or FILE@START-END: a file of that whole name first, then the last '@' and its
 * times. file[strlen(file_at) + 1]; *from 0 and *to -1 where none is given. KS_EUSAGE: times
 * that are none, or end before they begin. */
int ks_split_times(char *file, double *from, double *to, const char *file_at, ks_error *e);

/* --- pictures and films as pixels for the encoder --- */
typedef struct {
    const ks_setup *setup;
    ks_decoder **decoder; /* by ks_open_decoder when first needed; the caller stops it */
    int frames;           /* T */
    int side;             /* S */
    ks_fit fit;
    /* what is to be known of a film beside its frames: partly readable, ends before it was asked
     * to; without its name. NULL: a notice, with its name */
    void (*remark)(void *arg, const char *words);
    void *remark_arg;
} ks_clip_how;
/* Each fills *clip, uint8 [T,S,S,3], for ks_clip_free; on an error nothing is left to free. */
/* T equal frames */
int ks_clip_image(ks_clip_pixels *clip, const ks_clip_how *how, const char *path, ks_error *e);
/* Seconds [from, to) of a film; to < 0: to the end. Frame i of T is number floor(i * N / T) of
 * the N there. */
int ks_clip_film(ks_clip_pixels *clip, const ks_clip_how *how, const char *file, double from,
                 double to, ks_error *e);
/* `seconds` of a film around `at` (>= 0), sampled likewise; KS_ENOTFOUND: the film ends before
 * `at`. */
int ks_clip_around(ks_clip_pixels *clip, const ks_clip_how *how, const char *file, double at,
                   double seconds, ks_error *e);
void ks_clip_free(ks_clip_pixels *clip);
/* v[D], unit length */
int ks_clip_encode(float *v, ks_encoder *enc, const ks_clip_pixels *clip, ks_error *e);

/* --- a session --- */
typedef struct ks_session ks_session;

/* Opens the library for reading; setup is borrowed until close. Errors of ks_index_open. */
int ks_session_open(ks_session **s, const char *library, const ks_setup *setup, ks_error *e);
void ks_session_close(ks_session *s); /* NULL is fine */
/* its library: videos, clips, thumbnails ...; valid until close */
ks_index *ks_session_index(const ks_session *s);
const ks_setup *ks_session_setup(const ks_session *s);
/* The library's encoder with these towers (ks_tower, or-ed). The encoder is the session's;
 * asking for a tower that it lacks opens another in its place. */
int ks_session_encoder(ks_encoder **enc, ks_session *s, int towers, ks_error *e);
/* for pictures, frames, cuts; the session's */
int ks_session_decoder(ks_decoder **d, ks_session *s, ks_error *e);
/* Where one may seek to in a film of the library as it lies there now (ks_range.keys); n 0:
 * nowhere. free((void *)keys->at). */
int ks_film_keys(ks_keys *keys, ks_index *x, const ks_video *v, ks_error *e);
/* The picture at a second of a film of the library -> malloc'ed RGB; seeks where that is proven. */
int ks_film_picture(ks_image *out, uint8_t **pixels, ks_session *s, int64_t video, double at,
                    ks_error *e);
/* What chance looks like here, as of the library's present generation. The scale is the
 * session's, until the next call. */
int ks_session_scale(const ks_scale **scale, ks_session *s, ks_error *e);
/* A path, a name or a number -> video id; KS_ENOTFOUND, KS_EUSAGE (several are called so). */
int ks_find_video(int64_t *id, ks_index *x, const char *name, ks_error *e);
/* Under which of its paths a film is shown: the one that was `named` (NULL: none was), else the
 * first that is there, else the first; of those that match the glob (ks_filter.path_glob; NULL:
 * all). 1: a file is there. */
enum { KS_FILM_PATH = 4097 };
int ks_film_path(char path[KS_FILM_PATH], ks_index *x, const ks_video *film, const char *glob,
                 const char *named);
/* ks_find_video, and the path that the name means (ks_film_path): malloc'ed, NULL where it
 * fails. */
int ks_find_film(int64_t *id, char **path, ks_index *x, const char *name, ks_error *e);
/* The same of films as a list names them, written by another tool or elsewhere: the path as it is,
 * then from the list's folder, then a name that one film has: /old/lake.mp4, lake, a Label Studio
 * upload. KS_ENOTFOUND; KS_EUSAGE names both that it may mean. */
typedef struct ks_film_names ks_film_names;
/* list: path of the file, "-" standard input; x stays the caller's and outlives it */
int ks_film_names_open(ks_film_names **f, ks_index *x, const char *list, ks_error *e);
int ks_film_names_find(int64_t *id, const ks_film_names *f, const char *name, ks_error *e);
void ks_film_names_close(ks_film_names *f); /* NULL is fine */
/* name from the folder of the list; malloc'ed, NULL: no memory */
char *ks_beside_list(const char *list, const char *name);

/* What `status` says: the library, how well it is searched, and the ingest that another process
 * runs. */
typedef struct {
    ks_library library;
    ks_index_state state;
    ks_scale_facts scale;
    int at_work; /* 1: the ingest that said `progress` is running */
    ks_progress progress;
    /* of the vectors: "bf16", "fp32+bf16"; not noted: their class, "fp32/bf16", "int8" */
    char precision[KS_PRECISION_TEXT];
    /* of that ingest, 0..1, guessed from the bytes that are done; 0 while nothing is */
    double part_done;
} ks_session_state;
int ks_session_status(ks_session_state *out, ks_session *s, ks_error *e);

/* --- a question --- ks_question is in session/question.h, a part of this header. */
/* Its options, read: dates, names. Text is borrowed from q. KS_EUSAGE names the option;
 * KS_ENOTFOUND: no such film. */
int ks_question_options(ks_query_options *o, ks_session *s, const ks_question *q, ks_error *e);

typedef struct {
    double start, end; /* seconds */
    char *text;        /* owned by the answer */
} ks_line;
/* A moment with what is known of its film; also a span with a label, and a clip. Text is
 * borrowed: from the answer, or for the call. */
typedef struct {
    const char *path;  /* bytes, absolute */
    const char *title; /* the words asked, the label, or why the clip ends */
    /* NULL: it is seen; else score 0. "name": the film is called so; "said": a line of its
     * subtitles */
    const char *by;
    int is_label, said;   /* said: a person's word, not the model's */
    const ks_line *lines; /* [n_lines] of subtitles that match --said, near it */
    int n_lines;
    int rank;
    int64_t video;
    ks_timebase tb;
    int64_t start, end, best;
    double score, cosine;
    const int64_t *clips;
    int n_clips;
    const char *const *copies;
    int n_copies;
    int64_t more_copies; /* that are not named */
    int64_t film_date;
    int date_source;             /* KS_DATE_* */
    double fps, duration;        /* of the film; 0: not known. duration in seconds */
    int64_t first;               /* ticks, where its first picture begins; 0: not known */
    int rate_num, rate_den;      /* its exact nominal frame rate; 0: not known */
    int variable;                /* its frames do not come at an even rate */
    char timecode[16], reel[64]; /* of time 0, "14:03:22:05", drop-frame with ';'; "": none */
    const ks_hit_part *parts;
    int n_parts;  /* of a question of several terms */
    int frames;   /* clips: frames encoded */
    int missing;  /* the file is not where it was */
    int surveyed; /* of a film that is not wholly in: seconds for which one picture stands */
    /* its best clip was encoded for this very question (ks_ask_closer) */
    int sharpened;
    /* --explain: what each of its frames gives, and the scale; else NULL */
    const ks_curve *why;
} ks_moment;
/* the film's part: date, rate, length, source time */
void ks_moment_film(ks_moment *m, const ks_video *v);
/* a stored clip by itself, with the reason of its end as title; c and v are borrowed */
void ks_moment_clip(ks_moment *m, const ks_clip *c, const ks_video *v);
typedef struct {
    ks_hits hits; /* counts, and what the moments borrow */
    /* [hits.count + hits.below]; those from hits.count on lie under the cut-off */
    ks_moment *at;
    char *title;
    ks_curve *why; /* [hits.count + hits.below], or NULL */
    /* [n_more] below what is seen, up to k in all: films by their names, or lines of subtitles
     * where they alone are asked for; their paths are owned.
     * more_left: those for which there was no room */
    ks_moment *more;
    int n_more, more_left;
    int only_lines; /* the question was of subtitles alone */
    ks_line *lines; /* [n_lines] what moments borrow */
    int n_lines;
} ks_answer;
/* o: from ks_question_options, perhaps changed; NULL: q's own. Words that do not look English
 * are a notice. */
int ks_ask(ks_answer *out, ks_session *s, const ks_question *q, const ks_query_options *o,
           ks_error *e);
void ks_answer_free(ks_answer *a); /* zeros are fine */
/* ks_ask, but that the best surveyed moments are looked at again first, for at most so long: the
 * clips around them, as the whole pass would have them, go into the library for good. */
typedef struct {
    double seconds;
    const volatile int *stop; /* as in ks_ingest_options */
    ks_on_event *event;       /* progress; may be NULL */
    void *event_arg;
    /* out: surveyed places; of them, looked at with all around; clips that were encoded */
    int surveyed, sharpened;
    int64_t clips;
    int stopped;   /* out: `stop` was set */
    ks_error busy; /* out: code 0, or why nothing could be looked at: another process writes */
} ks_closer;
int ks_ask_closer(ks_answer *out, ks_closer *c, ks_session *s, const ks_question *q,
                  const ks_query_options *o, ks_error *e);
/* The question along the film q->in. KS_ENOTFOUND, KS_EUSAGE: which film? Free with
 * ks_curve_free. */
int ks_ask_curve(ks_curve *out, ks_session *s, const ks_question *q, ks_error *e);

#ifdef __cplusplus
}
#endif
#endif
