# shellcheck shell=bash
# What the tests on the double of CloudStack share: a management server of their own, a repository
# with a fleet in it, and the hands of somebody else.
#
#   . lib.sh BUILD_FOLDER

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../e2e/lib.sh" "$1"

export TEST_API_KEY=test-api-key TEST_SECRET_KEY=test-secret-key
cloud=$place/cloud.json # the cloud after the last fate

start_double() {
    coproc DOUBLE { exec python3 "$here/tests/clouds/cloudstack/double.py" 2>"$place/double.log"; }
    read -r facts <&"${DOUBLE[0]}"
    double_port=$(query 'd["port"]' <<<"$facts")
}

# fate JSON: does something to the cloud, and sees it.
fate() {
    curl -sS --noproxy '*' --fail --data "$1" -o "$cloud" "http://127.0.0.1:$double_port/double"
}

# tell EXPRESSION: over the cloud d as it is now; m(SLOT) is the machine in that slot of web.
tell() {
    fate '{}'
    python3 -c '
import json, sys
d = json.load(open(sys.argv[2]))
def tags(m):
    return {t["key"].removeprefix("trimtab:"): t["value"] for t in m["tags"]}
def m(slot):
    return next(m for m in d["machines"] if tags(m).get("slot") == str(slot))
def slots(ids):
    return " ".join(sorted(tags(m).get("slot", "?") for m in d["machines"] if m["id"] in ids))
def machines():
    return " ".join(sorted("%s:%s" % (tags(m).get("slot", "?"), m["state"]) for m in d["machines"]))
def rules():
    return ", ".join("%s>%s %s" % (r["publicport"], r["privateport"], slots(r["members"]))
                     for r in sorted(d["rules"], key=lambda r: int(r["publicport"])))
print(eval(sys.argv[1], globals()))' "$1" "$cloud"
}

# sees EXPRESSION VALUE
sees() {
    local seen

    seen=$(tell "$1")
    [ "$seen" = "$2" ] || {
        printf '  sees: %s\n' "$seen"
        return 1
    }
}

# no_writes: since {"action": "forget-calls"}.
no_writes() {
    sees '" ".join(c for c in d["calls"] if not c.startswith(("list", "query")))' ""
}

# await_untagged: until a machine is made and not yet marked.
await_untagged() {
    local i

    for i in $(seq 100); do
        [ "$(tell 'sum(not m["tags"] for m in d["machines"])')" -ge 1 ] && return
        sleep 0.1
    done
    return 1
}

# secretless: the last tt showed no secret.
secretless() {
    ! grep -qF -- "$TEST_SECRET_KEY" "$out" "$err"
}

# settled: an apply has done it all; planning again finds nothing.
settled() {
    check "$1: applied" exits 0
    tt plan --detailed-exitcode
    check "and nothing is left" exits 0
}

# fleet COUNT: the specs.
fleet() {
    mkdir -p "$repo" "$state"
    [ -d "$repo/.git" ] || git -C "$repo" init -q -b main
    cat >"$repo/fleet.yaml" <<END
apiVersion: trimtab/v1
kind: Fleet
metadata: {name: acme}
---
apiVersion: trimtab/v1
kind: Account
metadata: {name: dc1}
spec:
  provider: cloudstack
  endpoint: http://127.0.0.1:$double_port/client/api
  credentials: {env: TEST}
  regions: [paris]
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
  server: {template: web-kvm, size: small, key: ops, network: prod}
  port: 8080
  placements: [{account: dc1, region: paris, count: $1}]
  balancers: [edge]
---
apiVersion: trimtab/v1
kind: LoadBalancer
metadata: {name: edge}
spec:
  deployment: shop
  type: cloud
  account: dc1
  region: paris
  scope: data-center
  zones: [paris]
  name: 203.0.113.20
  listeners: [{port: 80, targetPort: 8080}, {port: 443, protocol: tcp, targetPort: 8080}]
END
    commit "$*"
}
