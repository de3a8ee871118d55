# shellcheck shell=bash disable=SC2034,SC2154
# What the tests of the daemon's page share, beside lib.sh: a fleet on a simulated cloud, and a
# daemon that follows it.

bare=$place/fleet.git
config=$place/serve.yaml
log=$place/log
daemon=
port=

digest() {
    printf %s "$1" | sha256sum | cut -d' ' -f1
}

logged() {
    grep -qE -- "$1" "$log"
}

# commit_sim_fleet COUNT: so many servers behind a balancer of a cloud, where another stands ready.
commit_sim_fleet() {
    mkdir -p "$repo" "$state"
    cat >"$place/world.json" <<'END'
{"format": "trimtab.world/v1", "takenAt": "2026-11-23T04:00:00Z", "accounts": [
  {"name": "cloud", "provider": "sim", "capabilities": ["cloud-balancer"], "regions": [
    {"name": "paris", "status": "observed", "error": null,
     "zones": [{"name": "a", "state": "available"}, {"name": "b", "state": "available"}],
     "servers": [{"id": "i-legacy", "name": "legacy-proxy", "zone": "a", "state": "running", "tags": {}}],
     "balancers": [{"id": "front-elb", "name": "front-elb", "zones": ["a", "b"], "listeners": [], "members": []},
                   {"id": "spare", "name": "spare", "zones": ["a"], "listeners": [], "members": []}]}]}]}
END
    cat >"$repo/fleet.yaml" <<END
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
END
    git -C "$repo" init -q -b main
    commit first
    git init -q --bare -b main "$bare"
    git -C "$repo" push -q "$bare" main
}

# write_serve_config POLL CHECK: with a token of an operator and one of a viewer.
write_serve_config() {
    cat >"$config" <<END
repositories:
  - name: fleet
    url: file://$bare
    poll: $1
    webhook: {form: github, secret: {env: HOOK_SECRET}}
runs: {check: $2}
web:
  port: 0
  tokens:
    - {name: ann, sha256: $(digest operator-token), role: operator}
    - {name: bob, sha256: $(digest viewer-token)}
END
}

knows_port() {
    port=$(sed -n 's|.*https*://127.0.0.1:\([0-9]*\)/.*|\1|p' "$log" | head -n 1)
    [ -n "$port" ]
}

# serve: the daemon, until it has told its port.
serve() {
    export HOOK_SECRET=hook-secret
    : >"$log"
    "$trimtab" serve --config "$config" 2>>"$log" </dev/null &
    daemon=$!
    check "it says where the page is" eventually 20 knows_port
}

# end_serve: by SIGTERM; after a failure the daemon's own words help.
end_serve() {
    kill -TERM "$daemon"
    code=0
    wait "$daemon" || code=$?
    check "SIGTERM ends it with 0" exits 0
    [ "$failures" -eq 0 ] || sed 's/^/  log: /' "$log" | tail -n 60
}
