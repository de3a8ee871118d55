#!/usr/bin/env bash
# Two applies at once: the second is refused and told who holds the deployment; a dead holder's lock
# is nobody's; `unlock` shows and breaks one.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

commit_example

codes=()
for i in 1 2 3; do
    (
        cd "$repo" && exec "$trimtab" apply --auto-approve
    ) >"$place/out.$i" 2>"$place/err.$i" </dev/null &
done
for job in $(jobs -p); do
    wait "$job"
    codes+=("$?")
done
printf 'three applies ended with %s\n' "${codes[*]}"
cat "$place"/out.[123] >"$out"
cat "$place"/err.[123] >"$err"
done_ones=$(printf '%s\n' "${codes[@]}" | grep -c '^0$')
check "one of three at once is done" [ "$done_ones" -ge 1 ]
check "those that were refused say so with 1" [ "$(printf '%s\n' "${codes[@]}" | grep -vc '^[01]$')" -eq 0 ]
check "and name who holds the lock" [ "$(grep -lE 'locked|lock' "$place"/err.[123] | wc -l)" -eq $((3 - done_ones)) ]
tt apply --auto-approve
check "afterwards apply is free again" exits 0
check "three applies made one fleet" [ "$(machines | wc -l)" -eq 4 ]
check "and nothing is left to do" is_settled

# A holder that died holds nothing.
edit 's/count: 3/count: 4/'
(cd "$repo" && exec "$trimtab" apply --auto-approve) >/dev/null 2>&1 </dev/null &
pid=$!
sleep 0.3
kill -KILL "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
tt apply --auto-approve
check "a dead holder's lock does not hold" exits 0
check "four servers are there" has_slots "0 1 2 3"

# A run that stands still is unlocked; when it goes on, it changes nothing any more.
printf '# another version\n' >>"$repo/server.py"
git -C "$repo" commit -qam 'another version'
(cd "$repo" && exec "$trimtab" apply --auto-approve) >"$place/out.1" 2>"$place/err.1" </dev/null &
pid=$!
for ((i = 0; i < 200; i++)); do
    tt unlock quickstart --json
    grep -q '"process"' "$out" && break
    sleep 0.05
done
check "unlock shows who holds the lock" says_json 'd["lock"]["process"]' "$pid"
check "and breaks nothing unasked" exits 1
# One that stands still in the middle of a write keeps everybody from writing: it moves on a little.
for i in 1 2 3 4 5; do
    kill -STOP "$pid"
    tt unlock quickstart --json --auto-approve
    grep -q 'in use by another process' "$err" || break
    kill -CONT "$pid"
    sleep 0.2
done
check "unlock breaks it when told to" exits 0
check "and says so" says_json 'd["broken"]' 'True'
tt unlock quickstart --json
check "then nobody holds it" says_json 'd["lock"]' 'None'
kill -CONT "$pid"
wait "$pid"
check "the run that lost it ends with 1" [ $? -eq 1 ]
check "and says why" grep -q 'the lock was lost' "$place/out.1" "$place/err.1"
tt apply --auto-approve
check "the next one does what is left" exits 0
check "there are four servers" has_slots "0 1 2 3"

tt unlock quickstart --auto-approve
check "unlock of what is not locked says so" says 'not locked|no lock'
stop_everything
finish
