/* ingest_report.h - what `ingest` shows: JSON lines, a bar on a terminal, plain lines elsewhere,
 * the end. */
#ifndef KS_INGEST_REPORT_H
#define KS_INGEST_REPORT_H

#include "ingest/ingest.h"

typedef struct ks_report ks_report;

/* quiet: no progress; json: events as lines on stdout. KS_ENOMEM. */
int ks_report_open(ks_report **out, int json, int quiet, int verbose, const char *model,
                   ks_error *e);
void ks_report_event(void *report, const ks_event *event); /* a ks_on_event */
/* The last words, on stdout; nothing in JSON. */
void ks_report_end(ks_report *r, const ks_ingest_summary *s, int dry_run);
/* files that were named in no good verdict: partly, failed */
int ks_report_bad_files(const ks_report *r);
/* unchanged files that were skipped or failed before */
int ks_report_still_useless(const ks_report *r);
/* The first file that did not go in wholly; returns how many there are, still useless ones too.
 * Borrowed until close. */
int ks_report_first_bad(const char **path, const char **reason, const ks_report *r);
void ks_report_close(ks_report *r);

#endif
