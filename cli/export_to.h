/* export_to.h - the options by which every command hands its rows to a format. */
#ifndef KS_EXPORT_TO_H
#define KS_EXPORT_TO_H

#include "cli/opts.h"
#include "formats/formats.h"

typedef struct {
    int json, csv, sidecars, force;
    const char *format, *output, *fps;
} ks_export_fields;

/* F: the struct of the command; its member of this type is M. */
/* clang-format off */
#define KS_EXPORT_JSON(F, M) \
    {0, "json", KS_OPT_FLAG, offsetof(F, M.json), NULL, "one JSON object a line"}
#define KS_EXPORT_FORMAT(F, M) \
    {0, "format", KS_OPT_TEXT, offsetof(F, M.format), KS_FORMAT_NAMES, "for other programs"}, \
    {'o', "output", KS_OPT_TEXT, offsetof(F, M.output), "FILE", \
         "write there; FOLDER/ takes a file a film"}
#define KS_EXPORT_MORE(F, M) \
    {0, "csv", KS_OPT_FLAG, offsetof(F, M.csv), NULL, "a table for spreadsheets"}, \
    {0, "sidecars", KS_OPT_FLAG, offsetof(F, M.sidecars), NULL, \
         "write a file a film, beside the film"}, \
    {0, "fps", KS_OPT_TEXT, offsetof(F, M.fps), "RATE", \
         "of --format, not the film's: 25, 29.97, 29.97ndf"}, \
    {0, "force", KS_OPT_FLAG, offsetof(F, M.force), NULL, \
         "let --output replace a file that is there"}
/* clang-format on */

/* Opens what the options name, else `otherwise` (NULL: *o NULL, rows are for people). `options`
 * is completed with --fps and borrowed until ks_out_close. KS_EUSAGE. */
int ks_export_open(ks_out **o, const ks_export_fields *f, const ks_format *otherwise,
                   ks_out_options *options, ks_error *e);

#endif
