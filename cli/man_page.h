/* man_page.h - what the man pages say beyond --help; man_notes.c holds it, man_page.c prints it. */
#ifndef KS_MAN_PAGE_H
#define KS_MAN_PAGE_H

/* A member of the JSON that these commands print. Members of members are "scale.cut"; of a list
 * of objects likewise. tests/cli/man.sh holds these rows against what the commands print. */
typedef struct {
    const char *commands; /* "search,similar" */
    const char *key, *text;
} ks_man_field;
extern const ks_man_field ks_man_fields[]; /* a NULL key ends */

/* A paragraph, or with `term` an item, of a section. Rows of one section of a command stand
 * together. */
typedef struct {
    const char *commands; /* "" the page of kinoseek itself */
    const char *section;
    const char *term; /* NULL: a paragraph; "": an example, as it is typed */
    const char *text;
} ks_man_note;
extern const ks_man_note ks_man_notes[]; /* a NULL section ends */

#endif
