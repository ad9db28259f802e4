/* piece_name.h - what a piece of a film is called, and the folder of its label. */
#ifndef KS_PIECE_NAME_H
#define KS_PIECE_NAME_H

typedef struct {
    char *label, *name;
} ks_label_folder;
typedef struct {
    const char *to;           /* the folder for all of them */
    int by_label;             /* a folder a label below it */
    int digits;               /* of the number in front, so that names sort as the pieces do */
    const char *ending;       /* NULL: the film's own */
    ks_label_folder *folders; /* [n_folders] of labels met, no name twice */
    int n_folders;
} ks_piece_names;

/* Digits for so many pieces; two at least. */
int ks_piece_digits(long pieces);
/* TO[/LABEL]/03-lake-0h04m12s-0h04m19s-a dog.mp4. copy 2 and more: beside one of that name.
 * malloc'ed; NULL: no memory. */
char *ks_name_piece(ks_piece_names *n, int number, const char *film, double from, double to,
                    const char *label, int copy);
void ks_piece_names_free(ks_piece_names *n);

#endif
