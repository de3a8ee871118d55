#!/usr/bin/env bash
# What accounts and regions offer for balancing, on a snapshot: a cloud balancer can be chosen where
# the provider has them and one stands ready, a machine is made where machines can be made.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

mkdir -p "$repo" "$state"
git -C "$repo" init -q -b main
cat >"$repo/fleet.yaml" <<'YAML'
apiVersion: trimtab/v1
kind: Fleet
metadata: {name: acme}
---
apiVersion: trimtab/v1
kind: Account
metadata: {name: prod}
spec: {provider: aws, regions: [east, south, west]}
---
apiVersion: trimtab/v1
kind: Account
metadata: {name: dc1}
spec: {provider: cloudstack, regions: [paris]}
---
apiVersion: trimtab/v1
kind: Account
metadata: {name: here}
spec: {provider: local}
---
apiVersion: trimtab/v1
kind: Account
metadata: {name: metal}
spec: {provider: ssh, regions: [cellar]}
YAML
commit first
cat >"$place/world.json" <<'JSON'
{"format": "trimtab.world/v1", "takenAt": "2026-11-23T04:00:00Z", "accounts": [
  {"name": "prod", "provider": "aws", "regions": [
    {"name": "east", "status": "observed",
     "servers": [{"id": "i-1", "name": "old-lb", "state": "running"},
                 {"id": "i-2", "name": "off", "state": "stopped"},
                 {"id": "i-3", "name": "web", "state": "running", "tags": {"trimtab:owner": "acme"}}],
     "balancers": [{"id": "shop-elb", "name": "shop-elb", "zones": ["a", "b"],
                    "listeners": [{"port": 80, "protocol": "http"}]}]},
    {"name": "south", "status": "unreachable", "error": "time-out"},
    {"name": "west", "status": "observed"}]},
  {"name": "dc1", "provider": "cloudstack", "regions": [
    {"name": "paris", "status": "observed", "balancers": [{"id": "rule-1", "name": "shop-http"}]}]},
  {"name": "here", "provider": "local", "regions": [{"name": "local", "status": "observed"}]},
  {"name": "metal", "provider": "ssh", "regions": [{"name": "cellar", "status": "observed"}]}]}
JSON

# kinds ACCOUNT/REGION: what is offered there.
kinds() {
    query "' '.join(' '.join(o['types']) for o in d['offers'] if o['account'] + '/' + o['region'] == '$1')" <"$out"
}

tt offers --world "$place/world.json" --json
check "each account and region is listed" says_json 'len(d["offers"])' 6
check "a cloud balancer that stands ready" [ "$(kinds prod/east)" = "cloud vm-dynamic vm-static" ]
check "in another cloud, too" [ "$(kinds dc1/paris)" = "cloud vm-dynamic vm-static" ]
check "none where none was provisioned" [ "$(kinds prod/west)" = "vm-dynamic vm-static" ]
check "nor where nothing was seen" [ "$(kinds prod/south)" = "vm-dynamic vm-static" ]
check "nor where the provider has none" [ "$(kinds here/local)" = "vm-dynamic vm-static" ]
check "no machine is made where no cloud manages them" [ "$(kinds metal/cellar)" = "vm-static" ]
check "one of another owner that runs could be a static one" says_json \
    '[m["id"] for o in d["offers"] for m in o["machines"]]' "['i-1']"

tt offers --world "$place/world.json"
check "in words: what stands ready" says '^  cloud balancer shop-elb, zones a, b, http 80$'
check "which kinds" says '^prod/east: cloud, vm-dynamic, vm-static$'
check "what is to be done first" says '^  no cloud balancer stands ready: provision one first$'
check "nothing of it where the provider has none" [ "$(grep -c 'provision one' "$out")" -eq 1 ]
check "which machine" says '^  machine i-1 \(old-lb\) could be a vm-static balancer$'
check "machines that no cloud manages" says 'any machine that SSH reaches could be a vm-static'
check "what was not seen" says '^  not observed: time-out$'
finish
