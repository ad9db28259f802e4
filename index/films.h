/* films.h - files, their verdicts and their clips, as a writer brings them: a part of
 * index.h, which includes it. */
#ifndef KS_INDEX_FILMS_H
#define KS_INDEX_FILMS_H

#ifndef KS_INDEX_H
#error "include index/index.h"
#endif

/* --- what stat says of a file: is it still the one that was read? --- */
typedef struct {
    int64_t size, mtime_ns;
    uint64_t device, inode; /* 0: not known, as of a film that another machine met */
} ks_stat;
struct stat;
ks_stat ks_stat_of(const struct stat *st); /* file_stat.c */
/* Nothing was written to it, wherever it is by now. */
static inline int ks_stat_untouched(ks_stat a, ks_stat b)
{
    return a.size == b.size && a.mtime_ns == b.mtime_ns;
}
static inline int ks_stat_one_file(ks_stat a, ks_stat b)
{
    return a.inode == b.inode && a.device == b.device;
}

/* --- files and their verdicts (writer) --- */
typedef struct {
    int64_t id;       /* video id; one per content, several paths may share it */
    const char *path; /* bytes, absolute, NUL-terminated; borrowed */
    ks_stat stat;
    /* size, xxh64 of first/middle/last part; one of two files that differ elsewhere has its hash
     * of all bytes mixed in (ingest/identity.h) */
    uint8_t content[24];
    ks_verdict verdict;
    const char *reason; /* "" where there is none */
    int attempts;       /* failed ones */
    ks_timebase tb;     /* of all its clips */
    int64_t duration;   /* ticks, from decoded frames: where the last picture ends */
    /* out: ticks, where the first picture begins: sound may come before it. Known once the film
     * is wholly in; 0 until then */
    int64_t first;
    double seconds_missing;
    int64_t film_date; /* seconds since 1970 UTC; what it came from is date_source */
    int date_source;   /* KS_DATE_* */
    int width, height; /* as shown */
    double fps;
    int flags; /* KS_VIDEO_* */
    /* label at time 0: "14:03:22:05", drop-frame "14:03:22;05"; "" none */
    char timecode[16];
    char reel[64]; /* "" none */
    /* frames a second, exactly; 0: not known, or they vary (KS_VIDEO_VFR) */
    int rate_num, rate_den;
    /* in: of all bytes, for ks_index_end_video to keep; 0: not known */
    uint64_t full_hash;
    /* out: finished in this one (ks_library.space_id, next_id); 0 = unfinished */
    int64_t space;
    int64_t finished; /* out: > 0 = searches see it */
} ks_video;
enum {
    KS_DATE_MTIME = 0,
    KS_DATE_NAME = 1,
    KS_DATE_CONTAINER = 2,
    KS_DATE_MAKER = 3 /* the maker's own tag in it */
};
enum {
    KS_VIDEO_INTERLACED = 1,
    KS_VIDEO_INFERRED_TIMES = 2,
    KS_VIDEO_HDR = 4,
    KS_VIDEO_HWACCEL = 8,
    KS_VIDEO_VFR = 32,
    KS_VIDEO_SURVEY = 64 /* searched by its survey: the whole pass is to come */,
    KS_VIDEO_GLANCE = 128 /* and that is no more than a glance: the survey is to come */,
    KS_VIDEO_LOST =
        /* rotten clips were dropped: encode what is missing again, then end it without this flag */
    16
};

/* Stored with a clip. vector[D] is fp32 of unit length and is kept as fp16; frames[T,D] (may be
 * NULL) is kept as int8 with one scale a frame; jpeg (may be NULL) is the thumbnail. All
 * borrowed. */
typedef struct {
    ks_clip clip;
    const float *vector;        /* [D] */
    const float *frame_vectors; /* [clip.frames, D] */
    const uint8_t *jpeg;
    size_t jpeg_bytes;
} ks_clip_data;

/* The video with this content, made (verdict NONE) if there is none; its path is set. Clips may
 * follow. A path that named another content before leaves that video; one without paths is
 * dropped with all its clips. */
int ks_index_add_video(int64_t *id, ks_index *x, const ks_video *video, ks_error *e);
/* One durable transaction, in the space a writer fills; a clip that is in already (same start
 * and end) is left as it is. KS_EFORMAT: a vector is not finite or not of unit length. */
int ks_index_add_clips(ks_index *x, int64_t video, const ks_clip_data *clips, int n, ks_error *e);
/* The verdict (INDEXED, PARTLY: searches see it now; SKIPPED, FAILED: its clips go) and all
 * fields; path may be NULL. */
int ks_index_end_video(ks_index *x, const ks_video *video, ks_error *e);
/* renamed, moved, copied: a path of video->id */
int ks_index_set_path(ks_index *x, const ks_video *video, ks_error *e);
int ks_index_put_full_hash(ks_index *x, int64_t video, uint64_t hash, ks_error *e);
/* Where a film's key frames lie, a second apart at least (keys->tb is the film's); n 0: away
 * with them. Read: *at[*n], the caller frees; none where the library is older, or the row is
 * rotten. */
int ks_index_put_keys(ks_index *x, int64_t video, const ks_keys *keys, ks_error *e);
int ks_index_keys(ks_key **at, int *n, ks_index *x, int64_t video, ks_error *e);
/* 1, 0 = not known */
int ks_index_full_hash(uint64_t *hash, ks_index *x, int64_t video, ks_error *e);
/* the last path of a video drops it */
int ks_index_drop_path(ks_index *x, const char *path, ks_error *e);
/* a file or all below a folder */
int ks_index_relocate(int64_t *changed, ks_index *x, const char *from, const char *to, ks_error *e);
/* Several of the calls above as one transaction: ks_index_begin ... ks_index_end(x, code, e),
 * which returns code
 * (negative: nothing of it is kept) or the commit's own error. */
int ks_index_begin(ks_index *x, ks_error *e);
int ks_index_end(ks_index *x, int code, ks_error *e);

#endif
