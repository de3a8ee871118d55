#!/usr/bin/env bash
# Planning on snapshots: exit codes, JSON, saved plans, all without a cloud; then a saved plan on the
# simulated cloud, which is applied exactly or refused.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

mkdir -p "$repo" "$state"
git -C "$repo" init -q -b main
cat >"$repo/fleet.yaml" <<'END'
apiVersion: trimtab/v1
kind: Fleet
metadata: {name: acme}
---
apiVersion: trimtab/v1
kind: Account
metadata: {name: cloud}
spec: {provider: sim, regions: [north]}
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
  server: {template: web-1, size: small}
  port: 8080
  placements: [{account: cloud, region: north, count: 4}]
  balancers: [edge]
---
apiVersion: trimtab/v1
kind: LoadBalancer
metadata: {name: edge}
spec: {deployment: shop, type: cloud, account: cloud, region: north, name: shop-elb, listeners: [{port: 80, targetPort: 8080}]}
END
commit first

# snapshot COUNT [BALANCER]: a world with so many healthy members, made by a few lines of Python.
snapshot() {
    python3 - "$1" "${2:-shop-elb}" <<'END'
import json, sys
count, balancer = int(sys.argv[1]), sys.argv[2]
zones = ["north-a", "north-b"]
servers = [{"id": f"i-{n}", "name": f"shop-web-{n}", "zone": zones[n % 2], "state": "running",
            "template": "web-1", "size": "small", "health": "passing",
            "privateAddress": f"10.0.0.{n + 1}",
            "tags": {"trimtab:owner": "acme", "trimtab:deployment": "shop", "trimtab:service": "web",
                     "trimtab:slot": str(n), "trimtab:incarnation": f"{n:04x}"}}
           for n in range(count)]
print(json.dumps({"format": "trimtab.world/v1", "takenAt": "2026-11-23T04:00:00Z", "accounts": [
    {"name": "cloud", "provider": "sim", "capabilities": ["cloud-balancer"], "regions": [
        {"name": "north", "status": "observed", "error": None,
         "zones": [{"name": zone, "state": "available"} for zone in zones], "servers": servers,
         "balancers": [{"id": balancer, "name": balancer, "zones": zones,
                        "listeners": [{"port": 80, "protocol": "http", "targetPort": 8080}],
                        "members": [{"server": s["id"], "state": "in-service"} for s in servers]}],
         "pools": [], "addresses": []}]}]}))
END
}

snapshot 4 >"$place/settled.json"
snapshot 3 >"$place/short.json"
snapshot 4 other-elb >"$place/strange.json"

tt plan --world "$place/settled.json" --detailed-exitcode
check "a world as wanted: nothing to do" exits 0
tt drift --world "$place/settled.json"
check "and no drift" exits 0
tt plan --world "$place/short.json"
check "a short one: a plan, exit 0" exits 0
check "with the last line that hands know" says 'Plan: 1 to add, 1 to change, 0 to destroy\.'
tt plan -world="$place/short.json" -detailed-exitcode
check "with one dash and an equals sign: exit 2" exits 2
tt drift --world "$place/short.json"
check "drift: exit 2" exits 2
tt plan --world "$place/strange.json"
check "a balancer that is not there: exit 1" exits 1
check "with its code" says 'no-such-cloud-balancer'
check "and those that exist" says 'other-elb'

tt plan --world "$place/short.json" --json
check "the plan as JSON" says_json 'd["format"]' trimtab.plan/v1
check "its revision is the commit" says_json 'd["revision"]' "$(git -C "$repo" rev-parse HEAD)"
check "its result" says_json 'd["result"]' changes
check "its steps" says_json '[s["action"] for s in d["steps"]]' "['create-server', 'enroll']"
check "enroll waits for the machine" says_json 'd["steps"][1]["after"]' "['s1']"
check "in the zone that has fewer" says_json 'd["steps"][0]["zone"]' north-b
check "the slot that is free" says_json 'd["steps"][0]["subject"]["slot"]' 3
check "the floor" says_json '[(f["now"], f["floor"], f["end"]) for f in d["floors"]]' "[(3, 3, 4)]"
check "nothing but JSON on standard output" [ ! -s "$err" ]
cp "$out" "$place/first.json"
python3 - "$place/short.json" >"$place/shuffled.json" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
region = d["accounts"][0]["regions"][0]
region["servers"].reverse()
region["zones"].reverse()
region["balancers"][0]["members"].reverse()
print(json.dumps(d, indent=3))
END
tt plan --world "$place/shuffled.json" --json
check "the order of the world changes nothing" cmp -s "$out" "$place/first.json"

printf '{"format": "trimtab.world/v1", "takenAt": "2026-11-23T04:00:00Z", "accounts": [{"name": 7}]}' \
    >"$place/broken.json"
tt plan --world "$place/broken.json"
check "a broken snapshot: exit 1" exits 1
check "with the JSON path" says 'accounts\[0\]\.name'
tt plan --world "$place/nowhere.json"
check "no snapshot: exit 1" exits 1
tt plan --rev nowhere --world "$place/short.json"
check "no such revision: exit 1" exits 1
tt plan --wrold x
check "no such option: exit 1" exits 1

# A saved plan on the simulated cloud.
cp "$place/short.json" "$repo/cloud.json"
sed -i "s,regions: .north.,endpoint: \"file://cloud.json\"\\, &," "$repo/fleet.yaml"
commit "the cloud begins as the snapshot"
tt plan --out "$place/saved.json" --detailed-exitcode
check "a plan is saved" exits 2
tt apply "$place/saved.json" --auto-approve
check "a saved plan is applied" exits 0
tt plan --detailed-exitcode
check "then nothing is left" exits 0
tt apply "$place/saved.json" --auto-approve
check "a second time it is refused: the world moved" exits 1
sed -i 's/count: 4/count: 5/' "$repo/fleet.yaml"
commit five
tt plan --out "$place/saved.json"
sed -i 's/count: 5/count: 6/' "$repo/fleet.yaml"
commit six
tt apply "$place/saved.json" --auto-approve
check "for another commit it is refused" exits 1
check "and says so" says 'the plan was made for [0-9a-f]{40}'
printf '{}' >"$place/saved.json"
tt apply "$place/saved.json" --auto-approve
check "what is no plan is refused" exits 1

tt observe --out "$place/seen.json"
check "observe writes a snapshot" exits 0
tt plan --world "$place/seen.json" --json
check "that plans the same" says_json 'd["summary"]["create"]' 2

# Guards: four of six to be destroyed is too much.
sed -i 's/count: 6/count: 1/' "$repo/fleet.yaml"
commit one
tt plan --world "$place/settled.json" --json
check "a plan that destroys too much is held: exit 3" exits 3
check "its result" says_json 'd["result"]' held
tt plan --world "$place/settled.json" --allow-destroy 3
check "until a person allows it" exits 0
finish
