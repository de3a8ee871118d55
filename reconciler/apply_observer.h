/*
 * The observer of apply: answers the waits of all steps from shared observations.
 */
#ifndef TT_RECONCILER_APPLY_OBSERVER_H
#define TT_RECONCILER_APPLY_OBSERVER_H

#include "reconciler/apply_run.h"

/* Looks at the clouds as long as steps wait and returns when the run is over. */
void tt_apply_watch(struct tt_apply_run *run);

/* One interval and one look at the steps that wait, for a run that is alone. */
void tt_apply_glance(struct tt_apply_run *run);

#endif
