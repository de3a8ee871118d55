#!/usr/bin/env bash
# What people do to a cloud behind our back is told as what it is, with what is desired and what was
# observed: what is ours and was changed, and what is somebody else's where only ours should be. In a
# simulated cloud, whose file people edit here as they would click at a console.
# shellcheck disable=SC2317 # functions that check calls
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

mkdir -p "$repo" "$state"
git -C "$repo" init -q -b main
cat >"$repo/world.json" <<'JSON'
{"format": "trimtab.world/v1", "takenAt": "2026-01-01T00:00:00Z", "accounts": [
  {"name": "cloud", "provider": "sim", "capabilities": ["cloud-balancer", "elastic-address"], "regions": [
    {"name": "r", "status": "observed", "error": null,
     "zones": [{"name": "a", "state": "available"}, {"name": "b", "state": "available"},
               {"name": "c", "state": "available"}],
     "balancers": [{"id": "shop-elb", "name": "shop-elb", "zones": ["a", "b"],
                    "listeners": [{"port": 80, "protocol": "http", "targetPort": 8080}],
                    "healthCheck": {"http": {"path": "/healthz"}, "interval": "10s",
                                    "timeout": "2s", "unhealthyAfter": 3}}],
     "addresses": [{"address": "203.0.113.9", "server": null}]}]}]}
JSON
cat >"$repo/fleet.yaml" <<'YAML'
apiVersion: trimtab/v1
kind: Account
metadata: {name: cloud}
spec: {provider: sim, regions: [r], endpoint: 'file://world.json'}
---
apiVersion: trimtab/v1
kind: Deployment
metadata: {name: shop}
---
apiVersion: trimtab/v1
kind: Service
metadata: {name: web}
spec:
  deployment: shop
  server: {template: web-1, size: small, firewalls: [web], key: ops, network: prod}
  port: 8080
  placements: [{account: cloud, region: r, count: 3}]
  health: {http: {path: /healthz}, interval: 10s, timeout: 2s, unhealthyAfter: 3}
  balancers: [elb, edge]
---
apiVersion: trimtab/v1
kind: LoadBalancer
metadata: {name: elb}
spec:
  deployment: shop
  type: cloud
  account: cloud
  region: r
  scope: data-center
  zones: [a, b]
  name: shop-elb
  listeners: [{port: 80, protocol: http}]
---
apiVersion: trimtab/v1
kind: LoadBalancer
metadata: {name: edge}
spec:
  deployment: shop
  type: vm-dynamic
  account: cloud
  region: r
  scope: regional
  software: haproxy
  listeners: [{port: 80, protocol: http}]
  server: {template: lb-1}
  address: 203.0.113.9
YAML
commit first

# hands CODE: people at the console; region, servers by name, elb, pool and address are at hand.
hands() {
    python3 - "$state/sim/cloud.json" "$1" <<'END_OF_PYTHON'
import json, sys

path, code = sys.argv[1:]
cloud = json.load(open(path))
region = cloud["accounts"][0]["regions"][0]
servers = {server["name"]: server for server in region["servers"]}
exec(code, {"region": region, "servers": servers, "elb": region["balancers"][0],
            "pool": region["pools"][0], "address": region["addresses"][0]})
json.dump(cloud, open(path, "w"))
END_OF_PYTHON
}

id_of() {
    query "[s['id'] for s in d['accounts'][0]['regions'][0]['servers'] if s['name'] == '$1'][0]" \
        <"$state/sim/cloud.json"
}

# tells CLASS SUBJECT DIFFERENCE: the class in text and as JSON, with both values; exit 2. DIFFERENCE
# is as the text has it: "size: desired small, observed large".
tells() {
    local class=$1 subject=$2 difference=$3

    tt drift
    exits 2 || return 1
    awk -v class="$class:" -v subject="  $subject: " -v difference="      $difference" '
        !/^ / { within = index($0, class) == 1; about = 0 }
        /^  [^ ]/ { about = within && index($0, subject) == 1 }
        about && $0 == difference { found = 1 }
        END { exit !found }' "$out" || return 1
    tt drift --json
    exits 2 || return 1
    says_json "any(s['class'] == '$class' and s['subject'] == '$subject' and
        '%s: desired %s, observed %s' % (w['what'], w['desired'], w['observed']) == '$difference'
        for s in d['drift'] for w in s['differs'])" True
}

# only CLASS: nothing else has drifted.
only() {
    tt drift --json
    says_json "sorted({s['class'] for s in d['drift']})" "['$1']"
}

# repaired: an apply takes it back.
repaired() {
    tt apply --auto-approve
    exits 0 || return 1
    tt drift
    exits 0 && says '^No drift'
}

tt apply --auto-approve
check "the first apply" exits 0
tt drift
check "leaves no drift" exits 0

web=Service/shop/web/1
hands 'servers["shop-web-1"]["template"] = "web-0"'
check "another template" tells changed $web 'template: desired web-1, observed web-0'
check "nothing else" only changed
check "is taken back" repaired
hands 'servers["shop-web-1"].update(size="large", firewalls=["web", "ssh"], key="mine", network="lab")'
check "another size" tells changed $web 'size: desired small, observed large'
check "other firewalls" tells changed $web 'firewalls: desired web, observed web, ssh'
check "another key" tells changed $web 'key: desired ops, observed mine'
check "another network" tells changed $web 'network: desired prod, observed lab'
check "nothing else" only changed
check "are taken back" repaired
hands 'servers["shop-web-1"]["state"] = "stopped"'
check "a stopped server" tells changed $web 'state: desired running and healthy, observed stopped'
check "is started" repaired
hands 'del servers["shop-web-1"]["tags"]["trimtab:slot"]'
check "a mark that is gone" tells changed $web 'slot: desired 1, observed none'
check "nothing else" only changed
check "is given again" repaired

hands 'elb["members"] = [m for m in elb["members"] if m["server"] != servers["shop-web-2"]["id"]]'
check "a member that was taken out" tells changed Service/shop/web/2 \
    'member of elb: desired in-service, observed none'
check "nothing else" only changed
check "is enrolled again" repaired
hands 'elb["zones"].append("c")'
check "a zone more" tells changed LoadBalancer/shop/elb 'zones: desired a, b, observed a, b, c'
check "goes" repaired
hands 'elb["listeners"][0]["port"] = 81'
check "another port" tells changed LoadBalancer/shop/elb \
    'listeners: desired http 80, observed http 81 to 8080'
check "goes" repaired
hands 'del elb["healthCheck"]["http"]; elb["healthCheck"]["tcp"] = {}'
check "another health check" tells changed LoadBalancer/shop/elb \
    'health check: desired http /healthz every 10s, 3 times, observed tcp every 10s, 3 times'
check "goes" repaired

hands 'address["server"] = servers["shop-web-0"]["id"]'
check "an address that was moved" tells changed LoadBalancer/shop/edge \
    "address 203.0.113.9: desired at the machine of edge, observed at shop-web-0 ($(id_of shop-web-0))"
check "comes back" repaired
hands 'address["server"] = None'
check "an address that was let go" tells changed LoadBalancer/shop/edge \
    'address 203.0.113.9: desired at the machine of edge, observed at no machine'
check "comes back" repaired
hands 'pool["members"] = [m for m in pool["members"] if m["address"] != servers["shop-web-0"]["privateAddress"]]'
check "a server that was taken out of a pool" tells changed Service/shop/web/0 \
    'member of edge: desired in-service, observed none'
check "joins again" repaired

# A commit that was carried out in part: what its run did nobody else changed, and what it did not
# do yet is still to come.
edit 's/count: 3/count: 4/; s/port: 80, protocol: http/port: 88, protocol: http/'
tt apply --auto-approve --target Service/web
check "a part of a commit is applied" exits 0
tt drift --json
check "the other part is ours" says_json \
    'sorted({(s["class"], s["subject"]) for s in d["drift"]})' \
    "[('ours', 'LoadBalancer/shop/edge'), ('ours', 'LoadBalancer/shop/elb')]"
hands 'elb["members"] = [m for m in elb["members"] if m["server"] != servers["shop-web-3"]["id"]]'
check "what was applied, and somebody changed since, is told" tells changed Service/shop/web/3 \
    'member of elb: desired in-service, observed none'
hands 'region["servers"].remove(servers["shop-web-3"])'
check "or deleted" tells missing Service/shop/web/3 \
    'server: desired in cloud/r, zone b, observed none'
edit 's/count: 4/count: 3/; s/port: 88, protocol: http/port: 80, protocol: http/'
check "the next commit is applied whole" repaired

# Somebody else's.
hands 'pool["members"] += [
    {"service": "shop.blog", "address": "10.9.9.9", "port": 8080, "state": "in-service"},
    {"service": "their.app", "address": "10.9.9.8", "port": 8080, "state": "in-service"}]'
check "somebody else's member" tells foreign LoadBalancer/shop/edge \
    'member of edge: desired none, observed 10.9.9.9:8080'
check "of another deployment" tells foreign LoadBalancer/shop/edge \
    'member of edge: desired none, observed 10.9.9.8:8080'
check "nothing else" only foreign
check "both go" repaired
gone=$(query "[s['privateAddress'] for s in d['accounts'][0]['regions'][0]['servers'] if s['name'] == 'shop-web-1'][0]" \
    <"$state/sim/cloud.json")
hands 'region["servers"].remove(servers["shop-web-1"])'
check "what stays of a server that somebody deleted" tells foreign Service/shop/web \
    "member of edge: desired none, observed $gone:8080"
check "which is missing" tells missing $web 'server: desired in cloud/r, zone a, observed none'
check "is repaired" repaired
hands 'elb["members"].append({"server": "i-theirs", "state": "in-service"})
region["servers"].append(dict(servers["shop-web-0"], id="i-theirs", name="theirs", tags={}))'
tt drift
check "in a cloud's own balancer it is none of our business" exits 0
check "and told" says '^info.foreign-member.*theirs'
finish
