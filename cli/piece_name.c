/* piece_name.c - see piece_name.h. */
#include "cli/piece_name.h"

#include "formats/formats.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Bytes: with the number, the clocks and an ending well below the 255 of a file's name. */
enum { STEM_MOST = 100, LABEL_MOST = 80, FOLDER_MOST = 120, ENDING_MOST = 9 };

int ks_piece_digits(long pieces)
{
    int digits = 2;

    for (long n = pieces; n >= 100; n /= 10) digits++;
    return digits;
}

/* So many bytes of s[n] as end with a character; a byte of none is one. */
static size_t whole_characters(const char *s, size_t n, size_t most)
{
    size_t at = 0;

    while (at < n) {
        size_t length = (size_t)ks_utf8_length(s + at);
        length = length ? length : 1;
        if (at + length > most || at + length > n) break;
        at += length;
    }
    return at;
}

/* What names a folder, or a control, is '_'. */
static void put_name(FILE *f, const char *s, size_t n, size_t most)
{
    n = whole_characters(s, n, most);
    for (size_t i = 0; i < n; i++)
        putc(s[i] == '/' || (unsigned char)s[i] < 0x20 || s[i] == 0x7f ? '_' : s[i], f);
}

static void put_clock(FILE *f, double seconds)
{
    int s = (int)fmin(floor(seconds + 1e-6), 1e9);

    fprintf(f, "-%dh%02dm%02ds", s / 3600, s / 60 % 60, s % 60);
}

/* Of the film's name; "" where what follows the last dot is no ending: Mr. Smith goes home. */
static const char *ending_of(const char *name)
{
    const char *dot = strrchr(name, '.');

    if (!dot || dot == name || strlen(dot) > ENDING_MOST) return "";
    for (const char *c = dot + 1; *c; c++)
        if (!isalnum((unsigned char)*c)) return "";
    return dot[1] ? dot : "";
}

/* Labels that differ have folders that differ: a/b and a_b, two long ones that begin alike. */
static char *new_folder(const ks_piece_names *n, const char *label)
{
    const char *words = *label ? label : "no label";

    for (int copy = 1;; copy++) {
        char *name = NULL;
        size_t size;
        int taken = 0;
        FILE *f = open_memstream(&name, &size);
        if (!f) return NULL;
        if (*label == '.') putc('_', f); /* neither hidden nor the folder above */
        put_name(f, words, strlen(words), FOLDER_MOST);
        if (copy > 1) fprintf(f, " (%d)", copy);
        if (fclose(f) != 0) return NULL;
        for (int i = 0; i < n->n_folders; i++) taken |= strcmp(n->folders[i].name, name) == 0;
        if (!taken) return name;
        free(name);
    }
}

/* NULL: no memory. */
static const char *folder_of(ks_piece_names *n, const char *label)
{
    ks_label_folder *more;

    for (int i = 0; i < n->n_folders; i++)
        if (strcmp(n->folders[i].label, label) == 0) return n->folders[i].name;
    if (!(more = realloc(n->folders, ((size_t)n->n_folders + 1) * sizeof *more))) return NULL;
    n->folders = more;
    more[n->n_folders] = (ks_label_folder){strdup(label), new_folder(n, label)};
    n->n_folders++;
    return more[n->n_folders - 1].label ? more[n->n_folders - 1].name : NULL;
}

char *ks_name_piece(ks_piece_names *n, int number, const char *film, double from, double to,
                    const char *label, int copy)
{
    assert(n && number > 0 && film);
    const char *name = ks_base_name(film), *own = ending_of(name),
               *folder = n->by_label ? folder_of(n, label) : "";
    size_t length = strlen(n->to), size;
    char *out = NULL;
    FILE *f = folder ? open_memstream(&out, &size) : NULL;

    if (!f) return NULL;
    fprintf(f, "%s%s", n->to, length && n->to[length - 1] == '/' ? "" : "/");
    if (n->by_label) fprintf(f, "%s/", folder);
    fprintf(f, "%0*d-", n->digits, number);
    put_name(f, name, strlen(name) - strlen(own), STEM_MOST);
    put_clock(f, from);
    put_clock(f, to);
    if (*label && !n->by_label) {
        putc('-', f);
        put_name(f, label, strlen(label), LABEL_MOST);
    }
    if (copy > 1) fprintf(f, " (%d)", copy);
    fputs(n->ending ? n->ending : *own ? own : ".mkv", f);
    return fclose(f) == 0 ? out : NULL;
}

void ks_piece_names_free(ks_piece_names *n)
{
    for (int i = 0; i < n->n_folders; i++) {
        free(n->folders[i].label);
        free(n->folders[i].name);
    }
    free(n->folders);
}
