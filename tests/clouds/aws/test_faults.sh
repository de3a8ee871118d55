#!/usr/bin/env bash
# What AWS does on bad days, and moto with tests/clouds/aws/cloud.py in front of it: whatever is not
# seen is not touched, and whatever was lost on the way back is neither repeated blindly nor leaked.
set -uo pipefail
# shellcheck source=tests/clouds/aws/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

faults() {
    double faults "$1" >/dev/null
}

runs() {
    [ "$(calls RunInstances)" -eq "$1" ]
}

start_cloud
fleet elb "us-east-1a, us-east-1b" 2

# Before anything is there: the plan comes about all the same.
for fault in throttle elb-throttle error cut; do
    faults "[{\"action\": \"*\", \"fault\": \"$fault\", \"times\": 3}]"
    tt plan --detailed-exitcode
    check "$fault a few times: the plan is made" exits 2
done

# A creation whose answer is lost happened once; one that was refused is made again.
for fault in cut error throttle; do
    double forget '' >/dev/null
    faults "[{\"action\": \"RunInstances\", \"fault\": \"$fault\", \"times\": 2}]"
    tt apply --auto-approve
    check "RunInstances, $fault: applied" exits 0
    check "no machine too many" sees servers "0 us-east-1a running,1 us-east-1b running"
    tt plan --detailed-exitcode
    check "nothing is left" exits 0
    account terminate 0
    account terminate 1
done

for action in RegisterInstancesWithLoadBalancer TerminateInstances \
    DeregisterInstancesFromLoadBalancer; do
    faults "[{\"action\": \"$action\", \"fault\": \"cut\", \"times\": 2}]"
    tt apply --auto-approve --allow-vanished
    edit 's/count: 2/count: 1/'
    tt apply --auto-approve
    check "$action, cut: one server less" sees count 1
    edit 's/count: 1/count: 2/'
    tt apply --auto-approve
    check "and one more" sees members elb "0 1"
    tt plan --detailed-exitcode
    check "nothing is left" exits 0
done

# A machine that EC2 lists and the balancer does not know yet.
edit 's/count: 2/count: 3/'
faults '[{"action": "RegisterInstancesWithLoadBalancer", "fault": "not-yet", "times": 2}]'
tt apply --auto-approve
check "RegisterInstancesWithLoadBalancer, not yet: applied" exits 0
check "all are members" sees members elb "0 1 2"

# Termination protection is respected.
account protect 2
edit 's/count: 3/count: 2/'
tt apply --auto-approve
check "a machine that is protected stays: exit 1" exits 1
check "which is said" says 'OperationNotPermitted'
account release 2
tt apply --auto-approve
check "until it is not" sees count 2

# No capacity is said, and not asked for again and again.
account terminate 1
double forget '' >/dev/null
faults '[{"action": "RunInstances", "fault": "capacity", "times": 100}]'
tt apply --auto-approve
check "no capacity: exit 1" exits 1
check "with AWS's word" says 'InsufficientInstanceCapacity'
check "asked once" runs 1
faults '[]'
tt apply --auto-approve
check "when there is some again, it is used" sees members elb "0 1"

# Where the spread permits, another zone is tried.
edit 's/zones: \[us-east-1a, us-east-1b\]/zones: [us-east-1a, us-east-1b, us-east-1c]/'
tt apply --auto-approve
account terminate 0
faults '[{"action": "RunInstances", "fault": "capacity", "times": 100, "zone": "us-east-1a"}]'
tt apply --auto-approve --allow-vanished
check "no capacity in one of three zones: applied" exits 0
check "in another one that keeps them even" sees servers \
    "0 us-east-1c running,1 us-east-1b running"
faults '[]'
tt plan --detailed-exitcode
check "where it stays" exits 0
edit 's/zones: \[us-east-1a, us-east-1b, us-east-1c\]/zones: [us-east-1a, us-east-1b]/'
tt apply --auto-approve
check "until its zone is taken out" sees servers "0 us-east-1a running,1 us-east-1b running"

# A region that cannot be read is not empty: nothing is planned there.
for fault in throttle error denied expired malformed html other-root bomb deep empty; do
    faults "[{\"action\": \"DescribeInstances\", \"fault\": \"$fault\", \"times\": 1000}]"
    double forget '' >/dev/null
    tt apply --auto-approve
    check "DescribeInstances, $fault: the region is unreachable" says 'region-unreachable'
    check "nothing is changed" [ -z "$(writes)" ]
done
faults '[{"action": "DescribeInstanceHealth", "fault": "denied", "times": 1000}]'
tt plan
check "a balancer that cannot be read: unreachable, too" says 'region-unreachable'
check "the missing permission is named" says 'DescribeInstanceHealth'
check "no secret is shown" [ "$(grep -c "$TEST_SECRET_ACCESS_KEY" "$out" "$err" | cut -d: -f2 | sort -u)" = 0 ]
faults '[]'
check "two servers all the while" sees servers "0 us-east-1a running,1 us-east-1b running"

# What AWS itself finds broken is replaced.
failed=$(account id 1)
double impaired "[\"$failed\"]" >/dev/null
tt apply --auto-approve
check "an impaired machine is replaced" exits 0
check "by another one" [ "$(account id 1)" != "$failed" ]
check "which is a member" sees members elb "0 1"
check "it is gone" sees state "$failed" terminated
failed=$(account id 0)
double broken "[\"$failed\"]" >/dev/null
tt apply --auto-approve
check "one on a broken host, too" [ "$(account id 0)" != "$failed" ]
check "and both are members" sees members elb "0 1"
finish
