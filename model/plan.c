/*
 * Plan: its result, its summary, its subjects as text.
 */
#include "model/plan.h"

enum tt_result tt_plan_result(const struct tt_plan *plan)
{
    enum tt_result result = plan->steps.count ? TT_RESULT_CHANGES : TT_RESULT_NONE;

    TT_EACH (step, &plan->steps)
        if (step->held)
            result = TT_RESULT_HELD;
    TT_EACH (problem, &plan->problems)
        if (problem->severity == TT_SEVERITY_ERROR)
            result = TT_RESULT_ERROR;
    return result;
}

struct tt_summary tt_plan_summary(const struct tt_plan *plan)
{
    struct tt_summary summary = {0};

    TT_EACH (step, &plan->steps) {
        switch (step->action) {
        case TT_STEP_CREATE_SERVER:
            summary.create++;
            break;
        case TT_STEP_DELETE_SERVER:
            summary.delete ++;
            break;
        case TT_STEP_ENROLL:
            summary.enroll++;
            break;
        case TT_STEP_WITHDRAW:
            summary.withdraw++;
            break;
        default:
            summary.change++;
            break;
        }
    }
    return summary;
}

char *tt_subject_text(struct tt_arena *arena, const struct tt_subject *subject)
{
    const char *kind = tt_subject_kind_words[subject->kind];

    if (subject->slot < 0)
        return tt_printf(arena, "%s/%s/%s", kind, subject->deployment, subject->name);
    return tt_printf(arena, "%s/%s/%s/%d", kind, subject->deployment, subject->name, subject->slot);
}

int tt_result_exit(enum tt_result result)
{
    switch (result) {
    case TT_RESULT_ERROR:
        return 1;
    case TT_RESULT_HELD:
        return 3;
    default:
        return 0;
    }
}
