/*
 * World snapshots as JSON: format trimtab.world/v1 (design.md §10).
 */
#ifndef TT_MODEL_WORLD_JSON_H
#define TT_MODEL_WORLD_JSON_H

#include <stddef.h>

#include "base/error.h"
#include "model/world.h"

/* Reads a snapshot and sorts it. Unknown keys are ignored; a wrong type is an error that names the
 * JSON path ("accounts[0].regions[1].servers[3].state"), broken JSON one that names line and
 * column of NAME. */
int tt_world_from_json(struct tt_arena *arena, const char *text, size_t size, const char *name,
                       struct tt_world **ret_world, struct tt_error *err);

/* The snapshot as indented JSON in canonical order; ends with a newline. */
char *tt_world_to_json(struct tt_arena *arena, const struct tt_world *world);

/* "sha256:<64 digits>" over the canonical compact form without takenAt. */
char *tt_world_hash(struct tt_arena *arena, const struct tt_world *world);

#endif
