/*
 * How steps ended, for history while the run goes on: whoever looks at a run that was killed sees
 * what it had done. The end of the run tells all of it once more, so nothing here fails a step.
 */
#include "reconciler/apply_run.h"

/* What ended since the last time; under the lock. */
static size_t take_ends(struct tt_apply_run *run, struct tt_arena *scratch,
                        struct tt_step_record **ret_records)
{
    const struct tt_clock *clock = run->request->clock;
    size_t count = (size_t)run->unwritten_count;
    struct tt_step_record *records = TT_NEW_ARRAY(scratch, count, struct tt_step_record);

    for (size_t i = 0; i < count; i++) {
        int step = run->unwritten[i];
        const struct tt_step_progress *progress = &run->progress[step];
        bool failed = progress->state == TT_STEP_STATE_FAILED;

        records[i] = (struct tt_step_record){
            .step = step,
            .state = failed ? "failed" : "done",
            .server = run->steps[step].made.server,
            .ended = clock->now(clock->self),
            .class = failed ? tt_error_class_name(progress->error.class) : NULL,
            .error = failed ? progress->error.message : NULL,
        };
    }
    run->unwritten_count = 0;
    *ret_records = records;
    return count;
}

void tt_apply_write_ends(struct tt_apply_run *run)
{
    struct tt_arena scratch = {0};
    struct tt_step_record *records;
    size_t count;

    if (!run->request->store)
        return;
    pthread_mutex_lock(&run->lock);
    count = take_ends(run, &scratch, &records);
    pthread_mutex_unlock(&run->lock);
    if (count)
        tt_store_end_steps(run->request->store, run->request->run, records, count, NULL);
    tt_arena_release(&scratch);
}
