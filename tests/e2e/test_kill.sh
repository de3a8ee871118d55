#!/usr/bin/env bash
# SIGKILL at any moment: of apply itself, of machines while apply runs, of everything that keeps a
# machine. The next apply leads to what is wanted, with no duplicate and no leak.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

# repair WHAT: apply until it is quiet; once must be enough.
repair() {
    tt apply --auto-approve
    check "$1: apply goes on from there" exits 0
    check "$1: a second plan is empty" is_settled
    check "$1: no duplicate" only_slots "0 1 2"
}

# kill_apply MILLISECONDS: apply in the background, killed after so long.
kill_apply() {
    local pid

    (cd "$repo" && exec "$trimtab" apply --auto-approve) >"$out" 2>"$err" </dev/null &
    pid=$!
    sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
}

commit_example

# From nothing: the moments cover the making of folders, forks, boots, enrolling. They differ from
# run to run, and are printed, so that a failure can be tried again.
for _ in 1 2 3 4 5 6; do
    moment=$((RANDOM % 700))
    kill_apply "$moment"
    printf 'apply was killed after %d ms: %d machines\n' "$moment" "$(machines | wc -l)"
done
repair "killed while it made everything"
check "killed while it made everything: all serve" answers_from 12 3

# Each machine's program and whoever keeps it, in every combination that a person may hit.
for pid in $(processes | shuf | head -n 3); do
    kill -KILL "$pid" 2>/dev/null
done
repair "three processes of machines were killed"

for pid in $(processes); do
    kill -KILL "$pid" 2>/dev/null
done
tt drift
check "everything was killed: that is drift" exits 2
tt apply --auto-approve --allow-vanished
check "everything was killed: apply makes all of it again" exits 0
check "everything was killed: a second plan is empty" is_settled
check "everything was killed: no duplicate" only_slots "0 1 2"
check "everything was killed: all serve" answers_from 12 3

# Machines die while apply rolls out a new program.
sed -i 's/hello from/hi from/' "$repo/server.py"
commit "another greeting"
(cd "$repo" && exec "$trimtab" apply --auto-approve) >"$out" 2>"$err" </dev/null &
pid=$!
for _ in 1 2 3 4; do
    sleep 0.3
    victim=$(processes | shuf | head -n 1)
    [ -z "$victim" ] || kill -KILL "$victim" 2>/dev/null
done
wait "$pid"
tt apply --auto-approve --allow-vanished
repair "machines died during a rollout"
check "machines died during a rollout: the new program answers" answers_from 12 3

# Stopping is killed, too.
edit 's/state: running/state: stopped/'
for _ in 1 2 3; do
    kill_apply $((RANDOM % 300))
done
tt apply --auto-approve
check "killed while it stopped everything: apply goes on" exits 0
check "killed while it stopped everything: no process is left" no_processes
check "killed while it stopped everything: no folder is left" no_machines
finish
