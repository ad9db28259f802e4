/* decoder_jobs.h - the kinds of job; each answers through task->socket and ends with an END
 * message. */
#ifndef KS_DECODER_JOBS_H
#define KS_DECODER_JOBS_H

#include "decoder/decoder_job.h"

void ks_task_film(ks_task *task);
void ks_task_cut(ks_task *task);
void ks_task_text(ks_task *task);

#endif
