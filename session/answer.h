/* answer.h - moments, and how they are asked for: a part of session.h, which includes it. */
#ifndef KS_SESSION_ANSWER_H
#define KS_SESSION_ANSWER_H

#ifndef KS_SESSION_H
#error "include session/session.h"
#endif

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

#endif
