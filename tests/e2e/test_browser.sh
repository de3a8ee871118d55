#!/usr/bin/env bash
# The daemon's pages in a real browser, on a simulated cloud: clicks, a run as it goes, drift, a held
# plan's approval, a keyboard, light and dark, and no JavaScript.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

bare=$place/fleet.git
config=$place/serve.yaml
log=$place/log
python=/usr/bin/python3 # Debian's, which has Debian's selenium

if [ ! -x /usr/bin/chromium ] || [ ! -x /usr/bin/chromedriver ] ||
    ! $python -c 'import selenium' 2>/dev/null; then
    skip "chromium, chromium-driver and python3-selenium are needed"
    exit 77
fi

digest() {
    printf %s "$1" | sha256sum | cut -d' ' -f1
}

write_specs() {
    cat >"$repo/fleet.yaml" <<END_OF_SPECS
apiVersion: trimtab/v1
kind: Account
metadata: {name: cloud}
spec: {provider: sim, endpoint: "file://$place/world.json", regions: [paris]}
---
apiVersion: trimtab/v1
kind: Deployment
metadata: {name: shop}
spec: {state: running, onDrift: report, guard: {maxDestroy: 50%}}
---
apiVersion: trimtab/v1
kind: Service
metadata: {name: web}
spec:
  deployment: shop
  server: {template: web-1}
  port: 8080
  placements: [{account: cloud, region: paris, count: $1}]
  balancers: [edge]
---
apiVersion: trimtab/v1
kind: LoadBalancer
metadata: {name: edge}
spec:
  deployment: shop
  type: cloud
  account: cloud
  region: paris
  name: front-elb
  listeners: [{port: 80, protocol: http, targetPort: 8080}]
END_OF_SPECS
}

write_world() {
    cat >"$place/world.json" <<'END_OF_WORLD'
{"format": "trimtab.world/v1", "takenAt": "2026-11-23T04:00:00Z", "accounts": [
  {"name": "cloud", "provider": "sim", "capabilities": ["cloud-balancer"], "regions": [
    {"name": "paris", "status": "observed", "error": null,
     "zones": [{"name": "a", "state": "available"}, {"name": "b", "state": "available"}],
     "servers": [{"id": "i-legacy", "name": "legacy-proxy", "zone": "a", "state": "running", "tags": {}}],
     "balancers": [{"id": "front-elb", "name": "front-elb", "zones": ["a", "b"], "listeners": [], "members": []},
                   {"id": "spare", "name": "spare", "zones": ["a"], "listeners": [], "members": []}]}]}]}
END_OF_WORLD
}

# command NAME SCRIPT: something that the browser's test has done.
command_of() {
    printf '#!/usr/bin/env bash\nset -eu\n%s\n' "$2" >"$place/$1"
    chmod +x "$place/$1"
}

push_command() {
    command_of "$1" "sed -i 's/count: [0-9]*}/count: $2}/' '$repo/fleet.yaml'
git -C '$repo' commit -qam '$2' && git -C '$repo' push -q '$bare' main"
}

mkdir -p "$repo" "$state"
write_world
write_specs 3
git -C "$repo" init -q -b main
commit first
git init -q --bare -b main "$bare"
git -C "$repo" push -q "$bare" main
push_command push-five 5
push_command push-one 1
command_of break-one "exec 9>'$state/sim/cloud.lock'
flock 9
sed -i '0,/\"web-1\"/s//\"old-template\"/' '$state/sim/cloud.json'"
cat >"$config" <<END
repositories:
  - {name: fleet, url: "file://$bare", poll: 500ms}
runs: {check: 1s}
web:
  port: 0
  tokens:
    - {name: ann, sha256: $(digest operator-token), role: operator}
    - {name: bob, sha256: $(digest viewer-token)}
END
"$trimtab" serve --config "$config" 2>"$log" </dev/null &
daemon=$!

# applied: the first commit is.
applied() {
    port=$(sed -n 's|.*http://127.0.0.1:\([0-9]*\)/.*|\1|p' "$log" | head -n 1)
    grep -q ': done' "$log"
}

for _ in $(seq 100); do
    applied && break
    sleep 0.2
done
check "the first commit is applied" applied
(cd "$place" && exec timeout -k 5 180 env HOME="$place" TMPDIR="$place" $python \
    "$here/tests/e2e/browser.py" "http://127.0.0.1:$port" "$place") || failures=$((failures + 1))
kill -TERM "$daemon"
code=0
wait "$daemon" || code=$?
check "SIGTERM ends it with 0" exits 0
[ "$failures" -eq 0 ] || sed 's/^/  log: /' "$log" | tail -n 40
finish
