# shellcheck shell=bash
# What the tests on moto share: an AWS of their own, a repository with a fleet in it, and boto3 as
# the eyes and hands of somebody else.
#
#   . lib.sh BUILD_FOLDER

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../e2e/lib.sh" "$1"

python=$("$here/dev.d/moto.sh") || {
    echo "skip - $(basename "$0" .sh): moto is not on this host"
    exit 77
}

# start_cloud: moto as it is for the conformance tests, in front of it whoever comes is checked.
start_cloud() {
    coproc CLOUD { exec "$python" "$here/tests/clouds/aws/cloud.py" 2>"$place/moto.log"; }
    read -r facts <&"${CLOUD[0]}"
    port=$(field port <<<"$facts")
    seed
}

# seed: everything from the start, with keys of their own for us and for the test.
seed() {
    facts=$(double seed '')
    # shellcheck disable=SC2016 # the backquotes are Markdown's
    policy=$(sed -n '/^```json policy/,/^```/p' "$here/docs/aws.md" | sed '1d;$d')
    keys=$(double policy "$policy")
    TEST_ACCESS_KEY_ID=$(field id <<<"$keys")
    TEST_SECRET_ACCESS_KEY=$(field secret <<<"$keys")
    export TEST_ACCESS_KEY_ID TEST_SECRET_ACCESS_KEY
}

field() {
    query "d['$1']"
}

# double WHAT [JSON]: asks the double (cloud.py) for something.
double() {
    if [ $# -gt 1 ]; then
        curl -sS --noproxy '*' --fail -X POST --data "$2" "http://127.0.0.1:$port/double/$1"
    else
        curl -sS --noproxy '*' --fail "http://127.0.0.1:$port/double/$1"
    fi
}

# account COMMAND...: as boto3 does and sees it (account.py).
account() {
    double account "$(printf '%s\n' "$@")"
}

# sees COMMAND... VALUE: boto3 sees just that, with lines joined by commas.
sees() {
    local value=${*: -1} seen

    seen=$(account "${@:1:$#-1}" | paste -sd,)
    [ "$seen" = "$value" ] || {
        printf '  sees: %s\n' "$seen"
        return 1
    }
}

# calls ACTION: how often it was called since `double forget ''`.
calls() {
    double record | python3 -c '
import json, sys
print(sum(1 for action, form in json.load(sys.stdin) if action == sys.argv[1]))' "$1"
}

# writes: the calls that change something, since `double forget ''`, each once, sorted.
writes() {
    double record | python3 -c '
import json, sys
print(" ".join(sorted({a for a, form in json.load(sys.stdin) if not a.startswith("Describe")})))'
}

# created_in: the zones of all RunInstances since `double forget ''`, sorted, each once.
created_in() {
    double record | python3 -c '
import json, sys
print(" ".join(sorted({form["Placement.AvailabilityZone"]
                       for action, form in json.load(sys.stdin) if action == "RunInstances"})))'
}

# fleet BALANCER ZONES COUNT: the specs.
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
metadata: {name: prod}
spec:
  provider: aws
  endpoint: http://127.0.0.1:$port
  credentials: {env: TEST}
  regions: [us-east-1]
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
  server: {template: web-1, size: m5.large, firewalls: [web], key: ops, network: prod}
  port: 8080
  placements: [{account: prod, region: us-east-1, count: $3}]
  balancers: [edge]
---
apiVersion: trimtab/v1
kind: LoadBalancer
metadata: {name: edge}
spec:
  deployment: shop
  type: cloud
  account: prod
  region: us-east-1
  scope: data-center
  zones: [$2]
  name: $1
  listeners: [{port: 80, targetPort: 8080}]
END
    commit "$*"
}
