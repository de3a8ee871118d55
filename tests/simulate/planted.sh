#!/usr/bin/env bash
# Plants one bug after the other in a copy of the sources and shows that the simulation finds each
# within COUNT (20000) histories, with the lowest seed that finds it: ./dev planted.
# Usage: planted.sh [COUNT [NAME...]]
# Of the planner's rules only some: ./dev mutate has all of them, those also that matter too seldom
# to be met here, such as last-resort-off.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

# Histories are counted, whatever time they take; a bug may hang one of them.
hang=14400
count=${1:-20000}
[ $# -gt 0 ] && shift
wanted=("$@")
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r CMakeLists.txt CMakePresets.json base bench model providers reconciler serve specs tests "$copy/" || exit 1
cd "$copy" || exit 1
build() {
    ninja -C build-prove simulate >build.log 2>&1
}
if ! cmake --preset prove >build.log 2>&1 || ! build; then
    cat build.log
    exit 1
fi

planted=0
missed=0
# miss NAME WHY
miss() {
    printf '%-28s %s\n' "$1" "$2"
    missed=$((missed + 1))
}

# search NAME: the lowest seed and what it finds. A bug that makes the simulation crash is found, too.
search() {
    local name=$1 code=0 seed found

    timeout "$hang" build-prove/simulate --first "$count" >search.log 2>&1 || code=$?
    seed=$(sed -n 's/^the first is seed //p' search.log)
    found=$(grep -m 1 "^seed ${seed:-none}: " search.log || grep -m 1 '^a worker ended badly' search.log)
    if [ -n "$found" ]; then
        printf '%-28s %s\n' "$name" "$found"
    elif [ "$code" -eq 124 ]; then
        miss "$name" "no end within $((hang / 3600)) hours"
    else
        miss "$name" "NOT FOUND: $(tail -n 1 search.log)"
    fi
}

# plant NAME FILE SED-EXPRESSION
plant() {
    local name=$1 file=$2 rule=$3

    [ ${#wanted[@]} -eq 0 ] || [[ " ${wanted[*]} " == *" $name "* ]] || return 0
    planted=$((planted + 1))
    cp "$file" kept
    sed -i "$rule" "$file"
    if cmp -s kept "$file"; then
        miss "$name" "the rule no longer fits $file"
    elif ! build; then
        miss "$name" "does not build: $(grep -m 1 error build.log)"
    else
        search "$name"
    fi
    cp kept "$file"
}

plant lock-ignored reconciler/store_locks.c 's/return refuse(locking->arena, &row.holder, err);/return 0;/'
plant lease-forgotten reconciler/store_locks.c 's/if (left <= 0 ||/if (false \&\&/'
plant recovery-not-written reconciler/store_memory.c 's/return tt_store_transact(store, add_recovery, &copy, err);/(void)copy; (void)add_recovery; return 0;/'
plant recovery-limit-off reconciler/planner/balance.c 's/int limit = balancer->spec->recovery.max_per_hour;/int limit = 1000;/'
plant tokens-not-kept reconciler/apply_try.c 's/^        enum tt_progress_word word = tt_apply_call(trial->run/        trial->run->salt[0] ^= 1; trial->run->steps[trial->step].incarnation[0] = 0; if (is_create(trial)) name_incarnation(trial->run, trial->step);\n&/'
plant enroll-before-healthy reconciler/apply_wait.c 's/return wait_for(question, "booting");/return TT_GO_DONE;/'
plant drain-not-awaited reconciler/apply_wait.c 's/return wait_for(question, state == TT_MEMBER_DRAINING/if (state == TT_MEMBER_DRAINING || true) return TT_GO_DONE; return wait_for(question, state == TT_MEMBER_DRAINING/'
plant failed-step-ignored reconciler/apply_queue.c 's/        skip_dependents(run, step);\r\{0,1\}$/        open_dependents(run, step);/'
plant wait-is-over-at-once reconciler/apply_wait.c 's/return wait_for(question, "coming into service");/return TT_GO_DONE;/'
plant withdraw-does-nothing reconciler/apply_member.c 's/    if (tt_call_is_cloud(call))$/    if (tt_call_is_cloud(call)) return TT_GO_DONE; if (tt_call_is_cloud(call))/'
plant guard-off reconciler/planner/guard.c 's/if (deletions <= 1 ||/if (deletions >= 0 ||/'
plant journal-skipped reconciler/apply_try.c '/^static int write_intent/,/^}/s/if (!request->store)/if (request->store)/'
plant delete-before-withdraw reconciler/planner/turns_depart.c 's/^    tt_emit_after(s->emitter, leaver->delete, step);//'
plant zones-out-too-early reconciler/planner/order.c 's/^    tt_emit_after_all(o->emitter, step, &leaving);//'
plant regional-zones-kept reconciler/planner/balance_zones.c 's/: regional_zones(view, balancer);/: balancer->cloud->zones; (void)regional_zones;/'
plant zone-violation-ignored reconciler/planner/place.c 's/return machine->server->zone && zone_index(site, machine) < 0;/return false;/'
plant outdated-ignored reconciler/planner/place.c 's/\.outdated = machine->fields != NULL,/.outdated = false,/'
plant address-not-moved reconciler/apply_setting.c '/^enum tt_progress_word tt_call_move/,/^}/s/^{/{\n    if (call) return TT_GO_DONE;/'
plant fence-off reconciler/store_locks.c 's/return found == 0 ? fail_lost(err) : found < 0 ? -1 : 0;/return found < 0 ? -1 : 0;/'
plant made-is-forgotten reconciler/apply_try.c 's/bool unseen = word != TT_GO_FAILED \&\& is_create(trial);/bool unseen = false;/'
plant retries-not-fenced reconciler/apply_try.c 's/ || !holds_lock(trial, err))/)/'
plant leases-by-wall-clock reconciler/store_locks.c 's/if (store->clock \&\& row->steady/if (false \&\& row->steady/'
plant recoveries-by-wall-clock reconciler/store_memory.c 's/if (store->clock \&\& tt_streq(boot/if (false \&\& tt_streq(boot/'
plant journal-failure-ignored reconciler/apply_try.c 's/if (write_intent(&trial, &intent, err) < 0) {/if (write_intent(\&trial, \&intent, err) < 0 \&\& false) {/'
plant lent-not-written reconciler/apply_try.c 's/intent.lends = &lends;/intent.lends = NULL;/'
plant lent-never-given-back reconciler/planner/diff.c 's/^        tt_diff_lent(view, everything_seen, change);//'
printf '%d bugs planted, %d not found\n' "$planted" "$missed"
[ "$planted" -gt 0 ] && [ "$missed" -eq 0 ]
