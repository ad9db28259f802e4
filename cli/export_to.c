/* export_to.c - see export_to.h. */
#include "cli/export_to.h"

int ks_export_open(ks_out **o, const ks_export_fields *f, const ks_format *otherwise,
                   ks_out_options *options, ks_error *e)
{
    ks_out_target to = {
        .stream = stdout, .path = f->output, .beside = f->sidecars, .force = f->force};
    const char *name = f->json ? "jsonl" : f->csv ? "csv" : f->format;
    const ks_format *format = name ? ks_find_format(name) : otherwise;

    *o = NULL;
    if (!!f->json + !!f->csv + !!f->format + !!otherwise > 1)
        return ks_fail(e, KS_EUSAGE, "name one of --json, --csv, --format%s",
                       otherwise ? ", --print" : "");
    if (f->fps && ks_rate_read(&options->fps, &options->drop, f->fps) < 0)
        return ks_fail(e, KS_EUSAGE, "--fps %s: a rate is 25, 29.97, 30000/1001, 29.97ndf", f->fps);
    if (!format && (f->output || f->sidecars))
        return ks_fail(e, KS_EUSAGE, "%s: say in which --format",
                       f->output ? f->output : "--sidecars");
    if (f->output && f->sidecars) return ks_fail(e, KS_EUSAGE, "name one of --output, --sidecars");
    return format ? ks_out_open(o, &to, format, options, e) : 0;
}
