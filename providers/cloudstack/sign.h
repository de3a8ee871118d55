/*
 * Sign: a request's parameters as the signed form that the API takes.
 */
#ifndef TT_CLOUDSTACK_SIGN_H
#define TT_CLOUDSTACK_SIGN_H

#include "base/arena.h"
#include "base/error.h"
#include "base/vec.h"

struct tt_cloudstack_parameter {
    const char *name; /* as documented, in lower case; "tags[0].key" */
    const char *value;
};

struct tt_cloudstack_parameters {
    TT_VEC(struct tt_cloudstack_parameter) list;
};

/* Adds NAME=VALUE; a NULL value adds nothing. Both are borrowed. */
void tt_cloudstack_add(struct tt_arena *arena, struct tt_cloudstack_parameters *parameters,
                       const char *name, const char *value);

/* The body of a POST: all parameters by name, encoded, and their signature (HMAC-SHA1 with SECRET)
 * at the end. Sorts PARAMETERS. INTERNAL when the library cannot sign. */
int tt_cloudstack_sign(struct tt_arena *arena, struct tt_cloudstack_parameters *parameters,
                       const char *secret, const char **ret_body, struct tt_error *err);

#endif
