#!/usr/bin/env bash
# One service in two clouds behind balancers in two others: a real HAProxy in an account of its own,
# whose members run in two more accounts of this host, and a machine of a simulated cloud. One cloud
# is left, and later comes back; the others serve on.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

mkdir -p "$repo" "$state"
git -C "$repo" init -q -b main
cp "$here/examples/quickstart/server.py" "$repo/"
cat >"$repo/cloud.json" <<'JSON'
{"format": "trimtab.world/v1", "takenAt": "2026-11-23T04:00:00Z",
 "accounts": [{"name": "cloud", "provider": "sim", "regions": [
   {"name": "north", "status": "observed", "error": null,
    "zones": [{"name": "a", "state": "available"}],
    "servers": [], "balancers": [], "pools": [], "addresses": []}]}]}
JSON
cat >"$repo/fleet.yaml" <<'YAML'
apiVersion: trimtab/v1
kind: Fleet
metadata: {name: acme}
---
apiVersion: trimtab/v1
kind: Account
metadata: {name: hub}
spec: {provider: local, templates: [{name: haproxy, software: haproxy}]}
---
apiVersion: trimtab/v1
kind: Account
metadata: {name: left}
spec:
  provider: local
  templates: [{name: python-web, command: [python3, '{root}/user-data', '{address}', '{port}', '{name}']}]
---
apiVersion: trimtab/v1
kind: Account
metadata: {name: right}
spec:
  provider: local
  templates: [{name: python-web, command: [python3, '{root}/user-data', '{address}', '{port}', '{name}']}]
---
apiVersion: trimtab/v1
kind: Account
metadata: {name: cloud}
spec: {provider: sim, endpoint: "file://cloud.json", regions: [north]}
---
apiVersion: trimtab/v1
kind: Deployment
metadata: {name: shop}
spec: {state: running, guard: {maxDestroy: 90%}}
---
apiVersion: trimtab/v1
kind: Service
metadata: {name: web}
spec:
  deployment: shop
  server: {template: python-web, userData: {file: server.py}}
  port: 8000
  placements:
    - {account: left, region: local, count: 2}
    - {account: right, region: local, count: 1}
  health: {tcp: {}, interval: 1s, timeout: 1s, unhealthyAfter: 3, grace: 30s}
  drain: 1s
  balancers: [edge, far]
---
apiVersion: trimtab/v1
kind: LoadBalancer
metadata: {name: edge}
spec:
  deployment: shop
  type: vm-dynamic
  account: hub
  region: local
  scope: global
  listeners: [{port: 8080, protocol: http}]
  software: haproxy
  server: {template: haproxy}
---
apiVersion: trimtab/v1
kind: LoadBalancer
metadata: {name: far}
spec:
  deployment: shop
  type: vm-dynamic
  account: cloud
  region: north
  scope: global
  listeners: [{port: 8080, protocol: http}]
  software: haproxy
  server: {template: haproxy}
YAML
commit first

behind() { # BALANCER COUNT
    [ "$(status "d['deployments'][0]['services'][0]['serving']['$1']")" = "$2" ]
}

servers_in() { # ACCOUNT COUNT
    [ "$(find "$state/local/$1/local/machines" -mindepth 1 -maxdepth 1 | wc -l)" -eq "$2" ]
}

tt apply --auto-approve
check "apply makes everything in all clouds" exits 0
check "a second plan is empty" is_settled
check "two servers run in one cloud" servers_in left 2
check "one in another" servers_in right 1
check "and the balancer in a third" servers_in hub 1
check "all are behind the real balancer" behind edge 3
check "and behind the simulated one" behind far 3
check "requests reach both clouds" answers_from 12 3

read -r pid _ <"$(find "$state/local/hub" -name pid)"
kill -KILL "$pid"
read -r pid _ <"$(find "$state/local/right" -name pid)"
kill -KILL "$pid"
tt apply --auto-approve
check "a killed balancer and a killed server are replaced" exits 0
check "requests reach both clouds again" answers_from 12 3

edit 's/left, region: local, count: 2/left, region: local, count: 0/; s/right, region: local, count: 1/right, region: local, count: 2/'
tt apply --auto-approve
check "one cloud is left" exits 0
check "nothing runs there" servers_in left 0
check "two servers run in the other" servers_in right 2
check "they serve behind the real balancer" behind edge 2
check "and behind the simulated one" behind far 2
check "requests reach them" answers_from 8 2
check "nothing else is left to do" is_settled
stop_everything
finish
