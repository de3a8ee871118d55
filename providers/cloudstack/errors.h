/*
 * Errors: what the management server's error codes mean to the reconciler.
 */
#ifndef TT_CLOUDSTACK_ERRORS_H
#define TT_CLOUDSTACK_ERRORS_H

#include <jansson.h>

#include "base/error.h"

/* What failed. Of a job that has ended and of a question nothing is unknown; a command that changes
 * something may have had its effect. */
enum tt_cloudstack_asked { TT_CLOUDSTACK_QUESTION, TT_CLOUDSTACK_COMMAND, TT_CLOUDSTACK_JOB };

/* Fails with CODE and the text in BODY ("errortext"; may be NULL). Returns -1. */
int tt_cloudstack_fail(struct tt_error *err, enum tt_cloudstack_asked asked, int code,
                       const json_t *body);

#endif
