#!/usr/bin/env bash
# A real OpenStack, brought up from Debian's packages: the provider contract, then a fleet from the
# command line, what hands and failures do to it, and what its own client says of it. Bringing it up
# takes a minute or two, so this runs with TRIMTAB_TEST_OPENSTACK=1 alone; TRIMTAB_OPENSTACK_FACTS
# names a file of one that is up already (cloud.py prints it).
# shellcheck disable=SC2317 # functions that check calls
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../../e2e/lib.sh" "$1"

folder=$(cd "$(dirname "$0")" && pwd)
conformance=$(cd "$1" && pwd)/conformance_openstack
facts=$place/facts.json
export TEST_USERNAME=admin TEST_PASSWORD=adminpw TEST_PROJECT_NAME=admin

[ "${TRIMTAB_TEST_OPENSTACK:-}" = 1 ] || {
    skip "TRIMTAB_TEST_OPENSTACK=1 is not set"
    exit 77
}

# Its own way out, which leaves no worker of a worker behind.
stop_cloud() {
    exec 7>&- 8>&-
    [ -z "${cloud:-}" ] || wait "$cloud"
    [ -z "${tls:-}" ] || wait "$tls"
    clean_up
}

start_cloud() {
    local i

    if [ -n "${TRIMTAB_OPENSTACK_FACTS:-}" ]; then
        cp "$TRIMTAB_OPENSTACK_FACTS" "$facts"
        return
    fi
    mkfifo "$place/cloud.in"
    exec 7<>"$place/cloud.in"
    /usr/bin/python3 "$folder/cloud.py" "$place/cloud" <"$place/cloud.in" 7>&- >"$facts" 2>"$place/cloud.log" &
    cloud=$!
    trap stop_cloud EXIT
    for i in $(seq 2400); do
        [ -s "$facts" ] && return
        kill -0 "$cloud" 2>/dev/null || break
        sleep 0.2
    done
    cat "$place/cloud.log"
    tail -n 20 "$place"/cloud/log/*.out
    exit 1
}

# hands WHAT...: somebody else does it, or looks.
hands() {
    /usr/bin/python3 "$folder/hands.py" "$facts" "$@"
}

# sees VALUE WHAT...
sees() {
    local value=$1 seen

    shift
    seen=$(hands "$@")
    [ "$seen" = "$value" ] || {
        printf '  sees: %s\n' "$seen"
        return 1
    }
}

# client ARGUMENT...: python-openstackclient.
client() {
    OS_AUTH_URL=http://127.0.0.1:$port/v3 OS_USERNAME=admin OS_PASSWORD=adminpw \
        OS_PROJECT_NAME=admin OS_USER_DOMAIN_ID=default OS_PROJECT_DOMAIN_ID=default \
        OS_IDENTITY_API_VERSION=3 openstack --os-compute-api-version 2.90 "$@"
}

# by CREDENTIALS: plans with these and Keystone by TLS; whoever logs in sees that nothing is left.
by() {
    sed -i "s|^  endpoint: .*|  endpoint: https://127.0.0.1:$secure/v3|;s|^  credentials: .*|  credentials: $1|" \
        "$repo/fleet.yaml"
    tt plan --worktree --detailed-exitcode
    git -C "$repo" checkout -q fleet.yaml
}

settled() {
    check "$1: applied" exits 0
    tt plan --detailed-exitcode
    check "and nothing is left" exits 0
}

start_cloud
port=$(query 'd["ports"]["keystone"]' <"$facts")

# Beside the fleet: another owner, and another balancer.
"$conformance" "$facts" >"$place/conformance.out" 2>&1 7>&- &
keeps=$!

mkdir -p "$repo" "$state"
git -C "$repo" init -q -b main
cat >"$repo/fleet.yaml" <<END
apiVersion: trimtab/v1
kind: Fleet
metadata: {name: emca}
---
apiVersion: trimtab/v1
kind: Account
metadata: {name: private}
spec:
  provider: openstack
  endpoint: http://127.0.0.1:$port
  credentials: {env: TEST}
  regions: [RegionOne]
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
  server: {template: web-1, size: small, key: ops, network: prod, firewalls: [web]}
  port: 8080
  placements: [{account: private, region: RegionOne, count: 4}]
  balancers: [edge]
---
apiVersion: trimtab/v1
kind: LoadBalancer
metadata: {name: edge}
spec:
  deployment: shop
  type: cloud
  account: private
  region: RegionOne
  scope: data-center
  zones: [az1, az2]
  name: edge-lb
END
commit first
all="0:8080 1:8080 2:8080 3:8080"
even="0 az1 ACTIVE,1 az2 ACTIVE,2 az1 ACTIVE,3 az2 ACTIVE"

sed -i 's/^  name: edge-lb/  name: none-lb/' "$repo/fleet.yaml"
tt plan --worktree
check "a balancer that is not there: exit 1" exits 1
check "its problem lists those that are" says 'no-such-cloud-balancer.*(edge-lb, shop-lb|shop-lb, edge-lb)'
git -C "$repo" checkout -q fleet.yaml

tt plan --detailed-exitcode
check "a plan" exits 2
check "of four servers, each enrolled" says 'Plan: 4 to add, 4 to change, 0 to destroy\.'
check "which made none" sees "" servers
tt apply --auto-approve -v
# Those that come together share a call; on a slow host they come one by one.
check "no member takes more than one call" says 'private: [1-4] requests? octavia update members'
settled "four servers"
check "two zones have two each" sees "$even" servers
check "all are members" sees "$all" members edge-lb
client server list --tags "trimtab:emca" --long -f json >"$out" 2>"$err"
check "OpenStack's own client sees what the spec says" says_json \
    'sorted({(s["Status"], s["Image Name"], s["Flavor"], *s["Networks"]) for s in d}), len(d)' \
    "([('ACTIVE', 'web-1', 'small', 'prod')], 4)"

stamps=$(hands stamps edge-lb)
tt apply --auto-approve -v
check "an apply of nothing" exits 0
check "asks in a few lists" says 'private: 1 request.* list servers'
check "and writes nothing" [ "$(hands stamps edge-lb)" = "$stamps" ]
check "and calls nothing that writes" [ -z "$(grep -E 'request' "$err" | grep -vE '(list .*|versions|log in)$')" ]

# Keystone by TLS, whose authority is nobody's but the cloud's.
mkdir "$place/tls"
mkfifo "$place/tls.in"
exec 8<>"$place/tls.in"
/usr/bin/python3 "$folder/tls.py" "$place/tls" "$port" <"$place/tls.in" >"$place/tls/port" 2>"$place/tls/log" 7>&- 8>&- &
tls=$!
trap stop_cloud EXIT
for _ in $(seq 100); do
    [ -s "$place/tls/port" ] && break
    sleep 0.2
done
secure=$(cat "$place/tls/port")
read -r id secret < <(hands credential)
printf 'clouds: {mine: {auth_type: v3applicationcredential, cacert: %s, auth: {application_credential_id: %s, application_credential_secret: %s}}}\n' \
    "$place/tls/ca.pem" "$id" "$secret" >"$place/clouds.yaml"
export OS_CLIENT_CONFIG_FILE=$place/clouds.yaml
by "{profile: mine}"
check "an application credential of clouds.yaml, by TLS" exits 0
by "{env: TEST}"
check "an authority that nobody knows is not trusted" says 'region-unreachable'
check "and the certificate is told" says 'certificate'
TOKENS_CACERT=$place/tls/ca.pem TOKENS_TOKEN=$(hands token) TOKENS_PROJECT_NAME=admin by "{env: TOKENS}"
check "a token" exits 0
check "no secret is told" [ -z "$(grep -F -e "$secret" -e adminpw "$out" "$err")" ]

# What hands and failures do: drift names it, apply mends it.
broken=$(hands machine 0)
hands break-down 0
hands delete 1
hands expel edge-lb 2
tt drift
check "drift: exit 2" exits 2
tt drift --json
check "it names the failed, the missing and the expelled" says_json \
    '({"failed:web/0", "missing:web/1", "changed:web/2"} <=
     {s["class"] + ":" + s["subject"].split("/", 2)[2] for s in d["drift"]})' True
tt apply --auto-approve
settled "what hands did"
check "four servers again" sees "$even" servers
check "all of them members" sees "$all" members edge-lb
check "another machine in the slot of the failed one" [ "$(hands machine 0)" != "$broken" ]

code=0
wait "$keeps" || code=$?
cp "$place/conformance.out" "$out"
check "the provider keeps the contract" exits 0

hands replace-image web-1
tt plan --detailed-exitcode
check "an image that is replaced under its name changes no server" exits 0

# A host dies: what ran on it is replaced where there are others.
dead=$(hands host 0)
hands kill-host "$dead"
tt drift
check "a host was killed: drift" exits 2
check "its servers have failed" says 'failed'
tt apply --auto-approve
settled "a host was killed"
check "nothing of ours is on it" [ -z "$(for slot in 0 1 2 3; do hands host $slot; done | grep -x "$dead")" ]
check "two zones have two each" sees "$even" servers
check "all of them members" sees "$all" members edge-lb

# A zone where every build fails.
edit 's/zones: \[az1, az2\]/zones: [az1, az2, az-broken]/;s/count: 4/count: 6/'
tt apply --auto-approve
check "a zone where nothing can be built is told" says 'az-broken'
edit 's/zones: \[az1, az2, az-broken\]/zones: [az1, az2]/;s/count: 6/count: 4/'
tt apply --auto-approve
settled "without that zone"
check "two zones have two each" sees "$even" servers

# A second target has a pool of its own, and what Octavia rounds settles.
edit 's/^  name: edge-lb/  name: edge-lb\n  listeners: [{port: 80, targetPort: 8080}, {port: 81, targetPort: 9090}]\n  health: {tcp: {}, interval: 1500ms, timeout: 3s, unhealthyAfter: 12}/'
tt apply --auto-approve
settled "two targets and a check"
check "each has the four servers, checked alike" sees "80 to 8080 8080 8080 8080, TCP every 1 s
81 to 9090 9090 9090 9090, TCP every 1 s" targets edge-lb

tt offers
check "offers lists the balancers" says 'edge-lb'
edit 's/state: running/state: stopped/'
tt apply --auto-approve
settled "state: stopped"
check "no server is left" sees "" servers
check "the balancer stays, empty" sees "" members edge-lb
check "whoever else is there still runs" sees ACTIVE state "$(query 'd["foreign"]' <"$facts")"
cp "$here/examples/openstack/fleet.yaml" "$repo/"
commit example
tt validate
check "the example is valid" exits 0
finish
