/* status_json.c - what `status` says, as JSON: of a command and of a page. */
#include "formats/formats.h"

#include <math.h>

/* How far the ingest in another process is; null where none runs. */
static void progress_json(ks_json *j, const ks_session_state *f)
{
    const ks_progress *p = &f->progress;
    double part = f->part_done;

    if (!f->at_work) {
        ks_json_text(j, "ingest", NULL);
        return;
    }
    ks_json_open(j, "ingest", '{');
    ks_json_int(j, "pid", p->pid);
    ks_json_int(j, "files", p->files);
    ks_json_int(j, "files_total", p->files_total);
    ks_json_int(j, "clips", p->clips);
    ks_json_seconds(j, "video_seconds", p->video_seconds);
    ks_json_seconds(j, "video_seconds_total", part > 0 ? p->video_seconds / part : (double)NAN);
    ks_json_seconds(j, "wall_seconds", p->wall_seconds);
    ks_json_number(j, "x_realtime",
                   p->wall_seconds > 0 ? p->video_seconds / p->wall_seconds : (double)NAN);
    ks_json_seconds(j, "seconds_left",
                    part > 0 ? p->wall_seconds * (1 - part) / part : (double)NAN);
    ks_json_path(j, "path", p->path);
    ks_json_close(j);
}

void ks_json_status(ks_json *j, const char *library, const ks_session_state *f)
{
    const ks_index_state *s = &f->state;

    ks_json_open(j, NULL, '{');
    ks_json_path(j, "library", library);
    ks_json_text(j, "id", f->library.id);
    ks_json_int(j, "videos", s->videos);
    ks_json_int(j, "files", s->paths);
    ks_json_int(j, "clips", s->clips);
    ks_json_seconds(j, "video_seconds", s->seconds);
    ks_json_int(j, "unfinished", s->unfinished);
    ks_json_int(j, "surveyed", s->surveyed);
    ks_json_int(j, "bad", s->bad);
    ks_json_int(j, "generation", f->library.generation);
    ks_json_text(j, "model_hash", f->library.space.model);
    ks_json_path(j, "model", f->library.model_path);
    ks_json_path(j, "tokenizer", f->library.tokenizer_path);
    ks_json_int(j, "dim", f->library.space.dim);
    ks_json_int(j, "frames", f->library.space.frames);
    ks_json_text(j, "precision", f->precision);
    ks_json_int(j, "bytes_catalog", s->bytes_catalog);
    ks_json_int(j, "bytes_copies", s->bytes_copies);
    ks_json_int(j, "bytes_clips", s->bytes_clips);
    ks_json_int(j, "bytes_frames", s->bytes_frames);
    ks_json_int(j, "bytes_thumbnails", s->bytes_thumbnails);
    ks_json_text(j, "copy", s->copy);
    ks_json_number(j, "recall", s->recall < 0 ? (double)NAN : s->recall);
    ks_json_int(j, "writer_pid", s->writer_pid);
    progress_json(j, f);
    ks_json_open(j, "scale", '{');
    ks_json_int(j, "sentences", f->scale.sentences);
    ks_json_int(j, "held_out", f->scale.held_out);
    ks_json_int(j, "clips", f->scale.clips);
    ks_json_number(j, "cut", f->scale.cut);
    ks_json_number(j, "false_positives", f->scale.false_positives);
    ks_json_number(j, "pair_mean", f->scale.pair_mean);
    ks_json_number(j, "pair_deviation", f->scale.pair_deviation);
    ks_json_close(j);
    ks_json_close(j);
}

void ks_json_bad(ks_json *j, const ks_video *v)
{
    ks_json_open(j, NULL, '{');
    ks_json_path(j, "path", v->path);
    ks_json_text(j, "verdict", ks_verdict_name(v->verdict));
    ks_json_text(j, "reason", v->reason);
    ks_json_seconds(j, "seconds_missing", v->seconds_missing);
    ks_json_int(j, "attempts", v->attempts);
    ks_json_close(j);
}
