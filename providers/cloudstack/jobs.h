/*
 * Jobs: the ends of asynchronous commands. However many threads wait, one of them asks for all.
 */
#ifndef TT_CLOUDSTACK_JOBS_H
#define TT_CLOUDSTACK_JOBS_H

#include "providers/cloudstack/cloud.h"

struct tt_cloudstack_jobs *tt_cloudstack_jobs_new(void);
void tt_cloudstack_jobs_free(struct tt_cloudstack_jobs *jobs);

/* The server itself cancels jobs after an hour. */
#define TT_CLOUDSTACK_PATIENCE (60 * 60 * 1000)

/* Waits until JOB has ended. RET_RESULT (may be NULL) is its result, owned by the caller. Errors:
 * what the job failed with; TIMEOUT when it does not end in time or cannot be asked for. */
int tt_cloudstack_await(struct tt_cloudstack *cloud, const char *job, tt_time patience,
                        json_t **ret_result, struct tt_error *err);

#endif
