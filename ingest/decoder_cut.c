/* decoder_cut.c - [from, to) of a film into its own file. */
#include "ingest/decoder_jobs.h"

void ks_task_cut(ks_task *task) { (void)task; }
