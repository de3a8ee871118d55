/*
 * The law of lent machines: a vm-static machine that no LoadBalancer names any more drops what
 * memory knows that it was told, and nothing else.
 */
#ifndef TT_TESTS_LENT_LAW_H
#define TT_TESTS_LENT_LAW_H

#include "laws.h"
#include "model/plan.h"

/* True when memory knows that MACHINE was told of a member of DEPLOYMENT at ADDRESS ("IP:PORT"). */
bool tt_lent_law_knows(const struct tt_memory *memory, const char *deployment, const char *machine,
                       const char *address);

/* Law 5 of PLAN's withdraws. */
int tt_lent_law_check(const struct tt_case *what, const struct tt_plan *plan, struct tt_error *err);

/* WORLD is what PLAN has made of the case's: nothing is left behind. */
int tt_lent_law_check_end(const struct tt_case *what, const struct tt_plan *plan,
                          const struct tt_world *world, struct tt_error *err);

#endif
