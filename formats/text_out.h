/* text_out.h - how text gets into other languages: each escape once. All of them write UTF-8,
 * U+FFFD for bytes of none. */
#ifndef KS_TEXT_OUT_H
#define KS_TEXT_OUT_H

#include <stdio.h>
#include <sys/types.h>

/* On one line: control characters become blanks, and characters of `without` (ASCII; NULL: none)
 * stay out. */
void ks_put_line(FILE *f, const char *s, const char *without);
/* Text or an attribute's value in XML 1.0 and HTML: what XML cannot hold (controls, U+FFFE)
 * becomes U+FFFD; line ends and tabs are references, so that attributes keep them. */
void ks_put_xml(FILE *f, const char *s);
/* file://, every other byte as %XX: the path's bytes survive */
void ks_put_url(FILE *f, const char *path);
void ks_put_url_path(FILE *f, const char *path); /* the same without file:// */
void ks_put_base64(FILE *f, const void *data, size_t n);
char *ks_url_of_path(const char *path); /* as ks_put_url; malloc'ed, NULL: no memory */
/* The path, or where it is not UTF-8 its file: URL: what formats for text hold of such a name. */
char *ks_text_of_path(const char *path);
/* The bytes of a base64 text, NUL behind them; room for strlen(s) * 3 / 4 + 1. How many, or -1:
 * not base64. */
ssize_t ks_read_base64(char *out, const char *s);
/* The path in a file: URL, a http URL decoded (its last part is the film's name), or the text
 * itself where it is none; malloc'ed, NULL: no memory. */
char *ks_path_of_url(const char *url);

/* XML to a stream: elements are closed in the order they were opened, text is escaped. */
typedef struct {
    FILE *f;
    int depth, open;       /* open: the start tag is not ended yet; 2: it holds text */
    const char *names[16]; /* static storage */
} ks_xml;
void ks_xml_start(ks_xml *x, FILE *f); /* <?xml ...?> */
void ks_xml_open(ks_xml *x, const char *name);
void ks_xml_attribute(ks_xml *x, const char *name, const char *value);
void ks_xml_number(ks_xml *x, const char *name, long long value); /* an attribute */
void ks_xml_text(ks_xml *x, const char *text);
void ks_xml_close(ks_xml *x);
void ks_xml_leaf(ks_xml *x, const char *name, const char *text);
void ks_xml_leaf_number(ks_xml *x, const char *name, long long value);

#endif
