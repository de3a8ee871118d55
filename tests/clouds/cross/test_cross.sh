#!/usr/bin/env bash
# examples/cross-cloud with both clouds up: the double of CloudStack and moto. The balancer's machine
# is on CloudStack, servers are there and on EC2; what fails in one cloud is repaired, and a cloud
# that cannot be seen is left alone.
set -uo pipefail
# shellcheck source=tests/clouds/cloudstack/lib.sh
. "$(dirname "$0")/../cloudstack/lib.sh" "$1"
# shellcheck source=tests/clouds/machines.sh
. "$(dirname "$0")/../machines.sh"

python=$("$here/dev.d/moto.sh") || {
    skip "moto is not on this host"
    exit 77
}

# moto as the conformance tests have it, with one image and network by the example's names.
start_moto() {
    local facts

    mkfifo "$place/moto.in"
    exec 7<>"$place/moto.in"
    "$python" "$here/tests/clouds/aws/cloud.py" <&7 >"$place/moto.json" 2>"$place/moto.log" &
    for _ in $(seq 300); do
        [ -s "$place/moto.json" ] && break
        sleep 0.1
    done
    moto_port=$(query 'd["port"]' <"$place/moto.json")
    facts=$(curl -sS --noproxy '*' --data '' "http://127.0.0.1:$moto_port/double/seed")
    [ -n "$facts" ]
    export AWS_ACCESS_KEY_ID=AKIATEST AWS_SECRET_ACCESS_KEY=secret
}

# instances EXPRESSION: over all machines of moto that are not terminated, by boto3, as the list d.
instances() {
    "$python" -c '
import sys, boto3
ec2 = boto3.client("ec2", region_name="us-east-1", endpoint_url="http://127.0.0.1:" + sys.argv[1])
d = [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]
     if i["State"]["Name"] != "terminated" and any(t["Key"] == "trimtab:service" for t in i.get("Tags", []))]
print(eval(sys.argv[2]))' "$moto_port" "$1"
}

write_specs() {
    mkdir -p "$repo" "$state"
    git -C "$repo" init -q -b main
    sed "s|credentials: {profile: dc1}.*|credentials: {env: TEST}\n  endpoint: http://127.0.0.1:$double_port/client/api|
         s|credentials: {profile: prod}|endpoint: http://127.0.0.1:$moto_port|
         s|^  ssh: .*|  ssh: $(ssh_access)|
         s|{port: 80}|{port: $front_port}|
         s|203.0.113.30|${subnet}30|
         s|recovery: .*|recovery: {unhealthyAfter: 1, interval: 1s}|" \
        "$here/examples/cross-cloud/fleet.yaml" >"$repo/fleet.yaml"
    commit first
}

# wanted: what the balancer's machine is to know: private addresses beside it, public ones elsewhere.
wanted() {
    {
        tell '"\n".join(m["nic"][0]["ipaddress"] for m in d["machines"] if tags(m).get("service"))'
        instances '"\n".join(i["PublicIpAddress"] for i in d)'
    } | sed 's/.*/storefront.web & 8080/' | LC_ALL=C sort | paste -sd,
}

knows_all() {
    [ "$(pool "$(balancer)" | tr , '\n' | LC_ALL=C sort | paste -sd,)" = "$(wanted)" ]
}

start_double
start_moto
start_machines
write_specs
tt validate
check "the example is valid" exits 0
tt apply --auto-approve
settled "a balancer on CloudStack, servers there and on EC2"
check "two servers and the balancer on CloudStack" sees 'len(d["machines"])' 3
check "two servers on EC2" [ "$(instances 'len(d)')" = 2 ]
check "the balancer knows all four" knows_all
tt plan -v
check "requests are counted for both" says 'aws-prod: [0-9]+ requests? ec2 DescribeInstances'
check "by account" says 'dc1: [0-9]+ requests? cloudstack listVirtualMachines'

# A server is lost in each cloud.
fate "{\"action\": \"destroy\", \"id\": \"$(tell 'next(m["id"] for m in d["machines"] if tags(m).get("service"))')\"}"
instances 'ec2.terminate_instances(InstanceIds=[d[0]["InstanceId"]]) and ""'
tt apply --auto-approve
settled "a server is lost in each cloud"
check "two again on EC2" [ "$(instances 'len(d)')" = 2 ]
check "the balancer knows the new ones, and not the lost" knows_all

# A cloud that cannot be seen is left alone, the other one is not.
fate '{"action": "fault", "command": "listVirtualMachines", "code": 530, "times": 1000}'
fate '{"action": "forget-calls"}'
tt plan
check "CloudStack cannot be seen" says 'region-unreachable.*dc1|dc1.*region-unreachable'
check "nothing is changed there" no_writes
fate '{"action": "no-faults"}'
edit 's/state: running/state: stopped/'
tt apply --auto-approve
settled "state: stopped"
check "nothing is left on CloudStack" sees 'd["machines"]' "[]"
check "nor on EC2" [ "$(instances 'len(d)')" = 0 ]
finish
