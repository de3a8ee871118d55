#!/usr/bin/env bash
# From the command line to moto and back: a service behind a classic balancer, then behind a target
# group; what somebody changes by hand is named and repaired; a zone is taken out in Git. All of it
# with the policy of docs/aws.md and nothing more.
# shellcheck disable=SC2317 # functions that check calls
set -uo pipefail
# shellcheck source=tests/clouds/aws/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

no_writes() {
    [ -z "$(writes)" ]
}

# Anyone may give an image any name: one is looked for among our own alone.
own_images() {
    double record | python3 -c '
import json, sys
forms = [form for action, form in json.load(sys.stdin) if action == "DescribeImages"]
print(all(form.get("Owner.1") == "self" for form in forms) and len(forms) > 0)'
}

# walk BALANCER FRONT: FRONT is what has its zones.
walk() {
    local balancer=$1 front=$2 first

    fleet "$balancer" "us-east-1a, us-east-1b" 4
    tt plan --detailed-exitcode
    check "$balancer: a plan" exits 2
    check "of four servers, each enrolled" says 'Plan: 4 to add, 4 to change, 0 to destroy\.'
    check "which changes nothing" no_writes
    tt apply --auto-approve
    check "it is applied" exits 0
    check "two zones have two each" sees servers \
        "0 us-east-1a running,1 us-east-1b running,2 us-east-1a running,3 us-east-1b running"
    check "as the spec says" sees attributes "web-1 m5.large web ops prod"
    check "the image is one of our own" [ "$(own_images)" = True ]
    check "all are members" sees members "$balancer" "0 1 2 3"
    tt plan --detailed-exitcode
    check "then nothing is left to do" exits 0
    double forget '' >/dev/null
    tt apply --auto-approve
    check "an apply of nothing" exits 0
    check "calls nothing that changes anything" no_writes

    first=$(account id 1)
    account terminate 1
    account deregister "$balancer" 2
    account enable-zone "$front" us-east-1c
    check "by hand a third zone was enabled" sees zones "$front" "us-east-1a us-east-1b us-east-1c"
    tt drift
    check "drift: exit 2" exits 2
    tt drift --json
    check "it names the server that is gone, the one that left, and the zones" says_json \
        '" ".join(sorted({s["action"] + ":" + s["subject"].split("/", 2)[2] for s in d["drift"]
                          if s["action"] != "withdraw"}))' \
        "create-server:web/1 enroll:web/2 set-zones:edge"
    tt apply --auto-approve
    check "it is repaired" exits 0
    check "four servers again" sees servers \
        "0 us-east-1a running,1 us-east-1b running,2 us-east-1a running,3 us-east-1b running"
    check "another machine in the slot" [ "$(account id 1)" != "$first" ]
    check "all of them members" sees members "$balancer" "0 1 2 3"
    check "in the two zones" sees zones "$front" "us-east-1a us-east-1b"
    tt plan --detailed-exitcode
    check "and nothing left" exits 0
}

start_cloud
stray=$(account stray bystander)
walk elb elb

# A machine that stood by is adopted: it has no key and no network of ours, so it differs.
edit 's/count: 4/count: 5/'
tt adopt "$stray" --as Service/nothing --auto-approve
check "adopt as nothing: exit 1" exits 1
tt adopt "$stray" --as Service/web --auto-approve
check "a machine is adopted" exits 0
check "what differs is said" says "$stray .*is adopted; from its spec differ .*firewalls"
check "and what follows" says 'Afterwards trimtab plan would say'
check "it has its tags" sees tags "$stray" \
    "trimtab:deployment=shop,trimtab:owner=acme,trimtab:service=web,trimtab:slot=4"
tt adopt "$stray" --as Service/web --auto-approve
check "not twice" exits 1
tt apply --auto-approve
check "then it is replaced by one as the spec says" sees attributes "web-1 m5.large web ops prod"
check "that differed in its firewalls" sees state "$stray" terminated
stray=$(account stray another)
tt adopt another --as Service/shop/web --auto-approve
check "a full service takes nobody in" exits 1
check "and says so" says 'has 5 of 5 servers'
edit 's/count: 5/count: 4/'
tt apply --auto-approve
check "back to four" sees count 4
tt plan --detailed-exitcode
check "and nothing left" exits 0

# A zone is taken out in Git: servers move before it goes, and none starts outside.
double forget '' >/dev/null
edit 's/zones: \[us-east-1a, us-east-1b\]/zones: [us-east-1a]/'
tt apply --auto-approve
check "a zone less in Git is applied" exits 0
check "all servers are in the other one" sees servers \
    "0 us-east-1a running,1 us-east-1a running,2 us-east-1a running,3 us-east-1a running"
check "the balancer has that zone alone" sees zones elb "us-east-1a"
check "all are members" sees members elb "0 1 2 3"
check "no machine was made elsewhere" [ "$(created_in)" = us-east-1a ]
last_action() {
    double record | python3 -c '
import json, sys
calls = [action for action, form in json.load(sys.stdin) if not action.startswith("Describe")]
zone = calls.index("DisableAvailabilityZonesForLoadBalancer")
left = max(i for i, a in enumerate(calls) if a == "DeregisterInstancesFromLoadBalancer")
print("left first" if left < zone else "too early")'
}
check "its members had left before the zone went" [ "$(last_action)" = "left first" ]
tt plan --detailed-exitcode
check "and nothing is left" exits 0

tt offers
check "offers names the classic balancer" says 'elb'
check "and the target group" says 'tg/web'
edit 's/^  name: elb/  name: tg\/none/'
tt plan
check "a balancer that is not there: exit 1" exits 1
check "its problem lists those that are" says 'no-such-cloud-balancer.*tg/web'
edit 's/^  name: tg.none/  name: elb/;s/state: running/state: stopped/'
tt apply --auto-approve
check "state: stopped is applied" exits 0
check "no server is left" sees servers ""
check "the balancer stays, empty" sees members elb ""
check "whoever stood by still runs" sees state "$stray" running

seed
rm -rf "$state"
walk tg/web lb/front
tt plan -v
check "requests are counted by API" says 'prod: [0-9]+ requests? ec2 DescribeInstances'
cp "$here/examples/aws/fleet.yaml" "$repo/"
commit example
tt validate
check "the example is valid" exits 0
finish
