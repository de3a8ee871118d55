/*
 * Batch: changing members of one pool, so that those which somebody else puts there meanwhile stay.
 */
#ifndef TT_OPENSTACK_BATCH_H
#define TT_OPENSTACK_BATCH_H

#include "providers/openstack/cloud.h"

/* What becomes of a pool's members. */
struct tt_openstack_batch {
    const json_t *members; /* as they are */
    json_t *changed;       /* what is sent of those that are new or other than before */
    json_t *gone;          /* of MEMBERS those that go */
};

/* Reads the members of POOL, lets DECIDE fill in the batch, and has Octavia do it. It decides again
 * where the members may be others by then. It is the caller's turn to change BALANCER (an id). */
int tt_openstack_change_members(const struct tt_openstack_visit *visit, const char *balancer,
                                const char *pool,
                                int (*decide)(void *self, struct tt_openstack_batch *batch,
                                              struct tt_error *err),
                                void *self, struct tt_error *err);

/* What is sent of MEMBER, as it was read, when it stays; the caller owns it. */
json_t *tt_openstack_member_as_sent(const json_t *member);

/* Whether one of LIST has MEMBER's address and port, by which Octavia knows members. */
bool tt_openstack_has_place(const json_t *list, const json_t *member);

#endif
