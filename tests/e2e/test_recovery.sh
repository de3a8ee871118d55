#!/usr/bin/env bash
# Balancers that fail, from the command line: one that hangs still takes connections and is found by
# HTTP; a replacement that fails is no reason not to try again, until the limit; when most of an
# account's balancers fail at once, nothing is replaced before a person says so.
# shellcheck disable=SC2317 # what check and eventually call
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"
# shellcheck source=tests/e2e/balancers_lib.sh
. "$(dirname "$0")/balancers_lib.sh"

answers() {
    curl -sf --max-time 5 -o "$place/body" "$(balancer_url)/"
}

commit_example
# who is older than its grace does not boot any more
edit 's/^  algorithm: .*/&\n  health: {tcp: {}, interval: 1s, timeout: 1s, unhealthyAfter: 2, grace: 1s}/'
tt apply --auto-approve
check "everything is made" exits 0
first=$(balancers)

# What the balancer itself does hangs; its port still takes connections, and its machine runs.
hang "$first"
tt drift
check "a balancer that hangs has failed" exits 2
check "and drift says so" says 'LoadBalancer/quickstart/edge: edge: its machine .* failed'

# The first replacement dies at once. Its failure is told, and the next run makes another.
kill_new "$first" &
killer=$!
tt apply --auto-approve
kill "$killer"
wait "$killer" 2>/dev/null
check "a replacement that dies is a failed run" exits 1
tt apply --auto-approve
check "the next run replaces it" exits 0
check "and it answers" answers
check "what failed is gone" [ "$(balancers | wc -l)" -eq 1 ]
check "nothing is left to do" is_settled

# Two replacements are counted by now. One more is allowed in this hour, then the balancer is held.
signal KILL "$(balancers)"
tt apply --auto-approve
check "the third replacement is made" exits 0
last=$(balancers)
signal KILL "$last"
tt apply --auto-approve
check "the fourth is held" exits 3
check "and why" says 'recovery-limit'
check "the machine is left as it is" [ "$(balancers)" = "$last" ]

# Three balancers, of which two fail at once.
edit 's/maxPerHour: 3/maxPerHour: 100/'
add_balancer left
add_balancer right
commit "three balancers"
tt apply --auto-approve
check "three balancers serve" exits 0
two=$(balancers | head -n 2)
for machine in $two; do
    signal KILL "$machine"
done
before=$(balancers)
tt apply --auto-approve
check "a mass failure is held" exits 3
check "and reported as our own blindness" says 'guard-held.*2 of 3 balancers of here fail at the same time'
check "nothing was replaced" [ "$(balancers)" = "$before" ]
tt apply --auto-approve --allow-vanished
check "allowed, they are replaced" exits 0
check "nothing is left to do then" is_settled
edit 's/state: running/state: stopped/'
tt apply --auto-approve
check "it stops" exits 0
finish
