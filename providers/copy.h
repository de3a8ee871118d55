/*
 * Copies: deep copies of what a world is made of, for providers that keep one of their own and hand
 * out parts of it. Everything lands in ARENA; NULL stays NULL.
 */
#ifndef TT_PROVIDERS_COPY_H
#define TT_PROVIDERS_COPY_H

#include "model/world.h"

struct tt_strings *tt_copy_strings(struct tt_arena *arena, const struct tt_strings *list);
struct tt_listeners *tt_copy_listeners(struct tt_arena *arena, const struct tt_listeners *list);
struct tt_health_check *tt_copy_health_check(struct tt_arena *arena,
                                             const struct tt_health_check *check);
struct tt_tags tt_copy_tags(struct tt_arena *arena, const struct tt_tags *tags);
struct tt_server tt_copy_server(struct tt_arena *arena, const struct tt_server *server);
struct tt_cloud_balancer tt_copy_balancer(struct tt_arena *arena,
                                          const struct tt_cloud_balancer *balancer);
struct tt_pool tt_copy_pool(struct tt_arena *arena, const struct tt_pool *pool);
struct tt_region tt_copy_region(struct tt_arena *arena, const struct tt_region *region);

#endif
