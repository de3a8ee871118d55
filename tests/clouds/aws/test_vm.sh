#!/usr/bin/env bash
# Balancer machines on EC2: one that is made, told about its members over SSH and replaced when it
# fails, with its elastic address and its whole pool; then one that stands by. Their host keys stand
# nowhere but on their consoles, and there a little late.
set -uo pipefail
# shellcheck source=tests/clouds/aws/lib.sh
. "$(dirname "$0")/lib.sh" "$1"
# shellcheck source=tests/clouds/machines.sh
. "$(dirname "$0")/../machines.sh"

# places TAG=VALUE: the addresses, as trimtab is told them, of the machines that run and have the tag.
places() {
    local ids

    mapfile -t ids < <(account ids "$1")
    double places | query "'\n'.join(sorted(d[i] for i in '${ids[*]}'.split()))"
}

# wanted: the pool as it is to be.
wanted() {
    places trimtab:service=web | sed 's/.*/shop.web & 8080/' | paste -sd,
}

knows_all() {
    [ -n "$1" ] && [ "$(pool "$1")" = "$(wanted)" ]
}

# tell_consoles KEY_FILE LATE
tell_consoles() {
    python3 -c 'import json, sys
block = "-----%s SSH HOST KEY KEYS-----\r\n"
print(json.dumps({"text": "Linux version 6.1\r\n" + block % "BEGIN" + open(sys.argv[1]).read().strip() +
                  "\r\n" + block % "END" + "login: ", "late": int(sys.argv[2])}))' "$1" "$2" >"$place/console"
    double console "$(cat "$place/console")" >/dev/null
}

balancer_of() {
    places trimtab:balancer=edge
}

start_cloud
start_sshd
double loopback "{\"prefix\": \"$subnet\", \"port\": $front_port}" >/dev/null
: >"$place/known_hosts"
tell_consoles "$place/host_key.pub" 2
address=$(field address <<<"$facts")
fleet edge us-east-1a 2
sed -i '/^kind: LoadBalancer/,$d;s/^  regions: .*/&\n  ssh: SSH/' "$repo/fleet.yaml"
sed -i "s|  ssh: SSH|  ssh: $(ssh_access)|" "$repo/fleet.yaml"
cat >>"$repo/fleet.yaml" <<END
kind: LoadBalancer
metadata: {name: edge}
spec:
  deployment: shop
  type: vm-dynamic
  account: prod
  region: us-east-1
  scope: regional
  listeners: [{port: $front_port}]
  server: {template: lb-1, size: t3.small, firewalls: [lb], key: ops, network: prod}
  address: $address
  recovery: {unhealthyAfter: 1, interval: 1s}
END
commit "a balancer machine"
tt apply --auto-approve
check "a deployment with a balancer machine is applied" exits 0
check "its console was asked until it said the host key" [ "$(calls GetConsoleOutput)" -ge 6 ]
tt plan --detailed-exitcode
check "and nothing is left" exits 0
first=$(balancer_of)
check "its machine is as the spec says" sees attributes \
    "lb-1 t3.small lb ops prod,web-1 m5.large web ops prod"
check "its machine was told of both servers" knows_all "$first"
check "the address leads to it" sees holder "$address" shop-edge

# Nobody else is told anything.
tell_consoles "$place/user_key.pub" 0
tt plan
check "another host key than the console's is refused" says 'host key of .* changed'
check "the console is named" says 'its cloud published'
check "and nothing is planned" says 'region-unreachable'
tell_consoles "$place/host_key.pub" 0

# It fails, and another one takes its place.
double impaired "[\"$(account ids trimtab:balancer=edge)\"]" >/dev/null
tt apply --auto-approve
check "a balancer machine that failed is replaced" exits 0
tt plan --detailed-exitcode
check "and nothing is left" exits 0
second=$(balancer_of)
check "by another one" [ "$second" != "$first" ]
check "which was told the whole pool" knows_all "$second"
check "the address leads to it" sees holder "$address" shop-edge

# One that stands by becomes the balancer; it is named by its Name and never deleted.
sed -i '/^  server: {template: lb-1/d;/^  address: /d;/^  recovery: /d' "$repo/fleet.yaml"
edit 's/type: vm-dynamic/type: vm-static\n  machine: legacy/;s/name: edge/name: front/;s/\[edge\]/[front]/'
tt apply --auto-approve
check "a machine that stands by becomes the balancer" exits 0
tt plan --detailed-exitcode
check "and nothing is left" exits 0
third=$(places Name=legacy)
check "it was told the whole pool" knows_all "$third"
check "the one that was made is gone" [ -z "$(balancer_of)" ]
edit 's/state: running/state: stopped/'
tt apply --auto-approve
check "state: stopped is applied" exits 0
check "no server is left" sees servers ""
check "the machine that stood by runs on" [ "$(places Name=legacy)" = "$third" ]
check "with an empty pool" [ -z "$(pool "$third")" ]
finish
