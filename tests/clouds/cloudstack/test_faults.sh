#!/usr/bin/env bash
# A management server's bad days: whatever is not seen is not touched, a crash between the two calls
# that make a machine leaves no duplicate, jobs that fail say why, and secrets are never shown.
set -uo pipefail
# shellcheck source=tests/clouds/cloudstack/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

start_double
fleet 1

# A crash between deploy and tag.
fate '{"action": "fault", "command": "createTags", "with": {"resourcetype": "UserVm"}, "hang": 5}'
"$trimtab" -C "$repo" apply --auto-approve >"$out" 2>"$err" &
victim=$!
check "a machine is made and not yet marked" await_untagged
kill -KILL "$victim"
wait "$victim" 2>/dev/null
check "that is how the crash leaves it" sees '[m["tags"] for m in d["machines"]]' "[[]]"
made=$(tell 'd["machines"][0]["id"]')
tt apply --auto-approve
settled "after the crash"
check "no second machine was made" sees '[m["id"] for m in d["machines"]]' "['$made']"
check "it is a member of both rules" sees '[r["members"] for r in d["rules"]]' "[['$made'], ['$made']]"
check "and known by its name" says 'No changes'

# Answers that are lost, and answers that say "too often": what was done is not done again, and what
# was not done is.
fate '{"action": "fault", "command": "deployVirtualMachine", "drop": true}'
fate '{"action": "fault", "command": "deployVirtualMachine", "code": 429, "text": "rate limit"}'
fate '{"action": "fault", "command": "assignToLoadBalancerRule", "drop": true}'
fate '{"action": "fault", "command": "createTags", "html": true}'
fate '{"action": "fault", "command": "listVirtualMachines", "code": 429, "times": 3}'
fate '{"action": "fault", "command": "queryAsyncJobResult", "code": 531, "text": "Too many requests"}'
edit 's/count: 1/count: 3/'
tt apply --auto-approve
settled "lost answers and throttling"
check "three machines, all in both rules" sees 'machines() + " " + rules()' \
    "1:Running 2:Running ?:Running 80>8080 1 2 ?, 443>8080 1 2 ?"

# A job that fails says why, and leaves nothing behind.
fate '{"action": "set", "capacity": 3}'
edit 's/count: 3/count: 4/'
tt apply --auto-approve
check "no room: exit 1" exits 1
check "the server's own words" says 'CloudStack says 533: Insufficient capacity'
check "nothing is left of it" sees 'machines()' "1:Running 2:Running ?:Running"
fate '{"action": "set", "capacity": 10}'
fate '{"action": "fault", "command": "assignToLoadBalancerRule", "job": 530, "text": "Failed to apply the rule", "times": 2}'
tt apply --auto-approve
check "a job of a rule that fails: exit 1" exits 1
check "names command, rule and reason" says 'rule .*assignToLoadBalancerRule: CloudStack says 530: Failed to apply the rule'
tt apply --auto-approve
settled "the next run goes on from there"
check "all four are members" sees 'rules()' "80>8080 1 2 3 ?, 443>8080 1 2 3 ?"

# What cannot be seen is not touched.
for fault in '"code": 530' '"code": 401' '"code": 531' '"html": true' '"drop": true'; do
    fate '{"action": "no-faults"}'
    fate "{\"action\": \"fault\", \"command\": \"listLoadBalancerRuleInstances\", $fault, \"times\": 100}"
    fate '{"action": "forget-calls"}'
    tt apply --auto-approve
    check "$fault: the region is unreachable" says 'region-unreachable'
    check "nothing is changed" no_writes
done
fate '{"action": "no-faults"}'

# Keys that are rejected.
secret=$TEST_SECRET_KEY
export TEST_SECRET_KEY=hush-hush
tt plan
check "rejected keys are said" says 'CloudStack says 401.*check the keys'
check "without the secret" secretless
export TEST_SECRET_KEY=
tt plan
check "a missing one, too" says 'account dc1: the environment .TEST_API_KEY .* gives no secret key'
export TEST_SECRET_KEY=$secret
tt plan --detailed-exitcode
check "all is as it was" exits 0

# An account that may not expunge destroys.
fate '{"action": "set", "may_expunge": false}'
edit 's/state: running/state: stopped/'
tt apply --auto-approve
settled "state: stopped"
check "nothing is left" sees 'machines()' ""
finish
