/*
 * Explain: what its parts share. explain.c finds the subject and tells of steps and problems; the
 * services are in explain_service.c, the balancers, and the machines that are nobody of ours, in
 * explain_balancer.c.
 */
#ifndef TT_RECONCILER_EXPLAIN_PARTS_H
#define TT_RECONCILER_EXPLAIN_PARTS_H

#include "reconciler/explain.h"
#include "reconciler/planner/view.h"

struct tt_telling {
    struct tt_arena *arena;
    const struct tt_explain_request *request;
    struct tt_view *view;
    struct tt_buf *out;
};

/* True when PART is of SUBJECT: the whole of it, SLOT or, when that is -1, any slot. */
bool tt_is_part(const char *part, const char *subject, int slot);

/* The problems whose subject is SUBJECT or a part of it, of slots SLOT alone; -1: every slot. */
void tt_tell_problems(struct tt_telling *t, const char *subject, int slot);

/* The steps about it; SLOT -1: of every slot. Where there is none, why: BLOCKED, or it LEFT Git. */
void tt_tell_steps(struct tt_telling *t, enum tt_subject_kind kind, const char *deployment,
                   const char *name, int slot, bool blocked, bool left);

/* The slot that MACHINE has or gets a mark of; -1: none. */
static inline int tt_slot_told(const struct tt_machine *machine)
{
    return machine->tag ? machine->tag_slot : machine->slot;
}

/* "healthy", "failed" ... */
const char *tt_machine_verdict(const struct tt_machine *machine);

/* SLOT -1: all of it. */
void tt_explain_service(struct tt_telling *t, const struct tt_service_view *service, int slot);
void tt_explain_balancer(struct tt_telling *t, const struct tt_balancer_view *balancer);

/* A machine without our marks, by id or name; false: there is none. */
bool tt_explain_foreign(struct tt_telling *t, const char *id);

#endif
