/*
 * Tokens: a queue of makers.
 */
#include "reconciler/planner/tokens.h"

void tt_tokens_make(struct tt_arena *arena, struct tt_tokens *tokens, int maker)
{
    *TT_VEC_ADD(arena, &tokens->made) = maker;
}

void tt_tokens_free(struct tt_arena *arena, struct tt_tokens *tokens, int count)
{
    for (; count > 0; count--)
        tt_tokens_make(arena, tokens, TT_FREE_TOKEN);
}

bool tt_tokens_left(const struct tt_tokens *tokens)
{
    return tokens->taken < tokens->made.count;
}

static bool is_among(const struct tt_indices *indices, int step)
{
    TT_EACH (index, indices)
        if (*index == step)
            return true;
    return false;
}

int tt_tokens_take(struct tt_tokens *tokens, const struct tt_indices *preferred)
{
    int *head = &tokens->made.items[tokens->taken];
    int maker;

    for (size_t i = tokens->taken; preferred && i < tokens->made.count; i++) {
        maker = tokens->made.items[i];
        if (maker == TT_FREE_TOKEN || !is_among(preferred, maker))
            continue;
        tokens->made.items[i] = *head;
        *head = maker;
        break;
    }
    maker = *head;
    tokens->taken++;
    return maker;
}
