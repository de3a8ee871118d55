#!/usr/bin/env bash
# Balancer machines on CloudStack: one that is made, told about its members over SSH and replaced
# when it fails, with its address (static NAT) and its whole pool; then one that stands by.
set -uo pipefail
# shellcheck source=tests/clouds/cloudstack/lib.sh
. "$(dirname "$0")/lib.sh" "$1"
# shellcheck source=tests/clouds/machines.sh
. "$(dirname "$0")/../machines.sh"

holder() {
    tell '[a.get("virtualmachineid") for a in d["addresses"] if a["ipaddress"].endswith(".30")][0]'
}

members() {
    tell '",".join(sorted("shop.web %s 8080" % m["nic"][0]["ipaddress"] for m in d["machines"] if tags(m).get("service")))'
}

start_double
start_machines
fleet 2
sed -i '/^kind: LoadBalancer/,$d' "$repo/fleet.yaml"
sed -i "s|^  regions: .*|&\n  ssh: $(ssh_access)|" "$repo/fleet.yaml"
cat >>"$repo/fleet.yaml" <<END
kind: LoadBalancer
metadata: {name: edge}
spec:
  deployment: shop
  type: vm-dynamic
  account: dc1
  region: paris
  scope: regional
  listeners: [{port: $front_port}]
  server: {template: lb-kvm, size: medium, key: ops, network: prod}
  address: ${subnet}30
  recovery: {unhealthyAfter: 1, interval: 1s}
END
commit "a balancer machine"
tt apply --auto-approve
settled "a deployment with a balancer machine"
first=$(balancer)
check "its machine is as the spec says" sees \
    "['%(templatename)s %(serviceofferingname)s %(keypairs)s' % m for m in d['machines'] if m['id'] == '$first']" \
    "['lb-kvm medium ops']"
check "it was told of both servers" [ "$(pool "$first")" = "$(members)" ]
check "the address leads to it" [ "$(holder)" = "$first" ]

# It fails, and another one takes its place.
fate "{\"action\": \"state\", \"id\": \"$first\", \"state\": \"Error\"}"
tt apply --auto-approve
settled "a balancer machine that failed"
second=$(balancer)
check "there is another one" [ "$second" != "$first" ]
check "and only that" sees 'machines()' "0:Running 0:Running 1:Running"
check "it was told the whole pool" [ "$(pool "$second")" = "$(members)" ]
check "the address leads to it" [ "$(holder)" = "$second" ]

# One that stands by becomes the balancer; it is named by its display name and never deleted.
fate "{\"action\": \"machine\", \"name\": \"old-lb\", \"address\": \"${subnet}18\"}"
third=$(tell 'd["foreign"]')
sed -i '/^  server: {template: lb-kvm/d;/^  address: /d;/^  recovery: /d' "$repo/fleet.yaml"
edit 's/type: vm-dynamic/type: vm-static\n  machine: old-lb/;s/name: edge/name: front/;s/\[edge\]/[front]/'
tt apply --auto-approve
settled "a machine that stands by becomes the balancer"
check "it was told the whole pool" [ "$(pool "$third")" = "$(members)" ]
check "the one that was made is gone" [ -z "$(balancer)" ]
edit 's/state: running/state: stopped/'
tt apply --auto-approve
settled "state: stopped"
check "only the one that stood by is left" sees '[m["name"] for m in d["machines"]]' "['old-lb']"
check "with an empty pool" [ -z "$(pool "$third")" ]
finish
