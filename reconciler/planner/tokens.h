/*
 * Tokens: permits that steps make and other steps take, first in, first out.
 */
#ifndef TT_PLANNER_TOKENS_H
#define TT_PLANNER_TOKENS_H

#include "reconciler/planner/emit.h"

#define TT_FREE_TOKEN TT_NO_STEP /* made by no step: it lies ready from the start */

/* Zeroed is empty. */
struct tt_tokens {
    struct tt_indices made; /* the step that makes each */
    size_t taken;
};

void tt_tokens_make(struct tt_arena *arena, struct tt_tokens *tokens, int maker);

/* Makes COUNT free tokens; none when it is negative. */
void tt_tokens_free(struct tt_arena *arena, struct tt_tokens *tokens, int count);

bool tt_tokens_left(const struct tt_tokens *tokens);

/* Takes the token that a step of PREFERRED (NULL: none) makes when there is one, else the oldest;
 * returns its maker. There must be one left. */
int tt_tokens_take(struct tt_tokens *tokens, const struct tt_indices *preferred);

#endif
