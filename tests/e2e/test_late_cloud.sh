#!/usr/bin/env bash
# A cloud that shows what was made seconds later: whoever is killed after its calls were answered,
# and run again at once, makes nothing twice.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

# The folder of the cloud's file is no part of the repository: it changes with every call.
mkdir -p "$repo" "$place/cloud"
git -C "$repo" init -q
cat >"$repo/fleet.yaml" <<YAML
apiVersion: trimtab/v1
kind: Account
metadata: {name: cloud}
spec: {provider: sim, endpoint: "file://$place/cloud/cloud.json", regions: [north]}
---
apiVersion: trimtab/v1
kind: Deployment
metadata: {name: shop}
spec: {state: running}
---
apiVersion: trimtab/v1
kind: Service
metadata: {name: web}
spec:
  deployment: shop
  server: {template: web-1}
  placements: [{account: cloud, region: north, count: 3}]
YAML
commit "three servers"
cat >"$place/cloud/cloud.json" <<'JSON'
{"format": "trimtab.world/v1", "takenAt": "2026-11-23T04:00:00Z",
 "sim": {"options": {"boot": "100ms", "createSeen": "6s", "tagsSeen": "6s", "call": "100ms"}},
 "accounts": [{"name": "cloud", "provider": "sim", "capabilities": ["cloud-balancer"], "regions": [
   {"name": "north", "status": "observed", "error": null,
    "zones": [{"name": "a", "state": "available"}, {"name": "b", "state": "available"}],
    "servers": [], "balancers": [], "pools": [], "addresses": []}]}]}
JSON

# Killed when the calls were answered and nothing is to be seen yet.
(cd "$repo" && exec "$trimtab" apply --auto-approve) >"$out" 2>"$err" </dev/null &
pid=$!
sleep 1
kill -KILL "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
tt apply --auto-approve
check "the next apply goes on" exits 0
sleep 7
check "a second plan is empty" is_settled
finish
