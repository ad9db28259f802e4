/* out_run.h - one export under way; private to out.c and out_files.c. */
#ifndef KS_OUT_RUN_H
#define KS_OUT_RUN_H

#include "formats/out.h"

struct ks_out {
    ks_out_target to;
    const ks_format *format;
    const ks_out_options *options;
    ks_writer w;     /* a format that does not keep: the file being written */
    ks_moment *kept; /* [n] deep copies */
    int n, room;
    char **names;     /* [n_names] of the films, with KS_BY_FILM */
    const char **ids; /* [n] the name of each entry's film */
    int n_names;
    /* written, not published; [0] is where a format that does not keep writes */
    ks_user_file files[2];
    int n_files;
};

/* A file that is published with the others of this export. force: what is there goes. */
int ks_out_is_folder(const char *path); /* "FOLDER/", or one that is there */
int ks_out_new_file(FILE **f, ks_out *o, const char *path, int force, ks_error *e);
int ks_out_publish(ks_out *o, ks_error *e);
/* All of w->at as format f (of one file) to `to`. */
int ks_write_kept(ks_writer *w, ks_out *o, const ks_format *f, FILE *to, ks_error *e);
/* Orders, checks and writes what o keeps; the files are not published yet, but for those of a
 * film each. */
int ks_write_all(ks_out *o, ks_error *e);
void ks_forget_names(ks_out *o);

#endif
