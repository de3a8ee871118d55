/*
 * What vm-static machines were told, as an observation tells it.
 */
#ifndef TT_RECONCILER_APPLY_LENT_H
#define TT_RECONCILER_APPLY_LENT_H

#include "model/desired.h"
#include "model/world.h"
#include "reconciler/store.h"

struct tt_lent_note {
    const struct tt_desired *desired;
    const struct tt_world *world; /* looked at under the lock, before a run */
    int64_t lock;                 /* its token; 0: there is none */
    /* what machines have that fail and that no LoadBalancer names is forgotten, too */
    bool forget;
};

/* Brings the memory of STORE up to the world: what the machines of vm-static LoadBalancers have of
 * their services was told by us, whatever became of the store since; what is in no pool any more is
 * forgotten. Without the lock, should it be lost, nothing is noted. */
int tt_apply_note_lent(struct tt_store *store, const struct tt_lent_note *note,
                       struct tt_error *err);

#endif
