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

#include "session/places.h"

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

#include "session/pixels.h"

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

#include "session/answer.h"

#ifdef __cplusplus
}
#endif
#endif
