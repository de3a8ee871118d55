#!/usr/bin/env bash
# A machine that is there already becomes a balancer, named by its id and then by its name: members
# join and leave it, the one that is dead without a wait, and the machine itself is neither made,
# restarted nor deleted. Covers type vm-static with a provider that has machines of its own.
# shellcheck disable=SC2317 # functions that check calls
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

cloud=$place/cloud

# write_specs DEPLOYMENT: an account in the cloud that both repositories share, and a deployment.
write_specs() {
    mkdir -p "$repo" "$state"
    cat >"$repo/fleet.yaml" <<YAML
apiVersion: trimtab/v1
kind: Fleet
metadata: {name: $1}
---
apiVersion: trimtab/v1
kind: Account
metadata: {name: here}
spec:
  provider: local
  endpoint: file://$cloud
  templates:
    - name: python-web
      command: [python3, '{root}/user-data', '{address}', '{port}', '{name}']
    - {name: haproxy, software: haproxy}
---
apiVersion: trimtab/v1
kind: Deployment
metadata: {name: $1}
spec: {state: running}
---
YAML
    git -C "$repo" init -q -b main
}

# Somebody else's machine, with HAProxy on it.
make_machine() {
    local free

    free=$(python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])')
    write_specs theirs
    cat >>"$repo/fleet.yaml" <<YAML
apiVersion: trimtab/v1
kind: LoadBalancer
metadata: {name: old}
spec:
  deployment: theirs
  type: vm-dynamic
  scope: regional
  account: here
  region: local
  listeners: [{port: $free, protocol: http}]
  software: haproxy
  server: {template: haproxy}
YAML
    front=$free
    commit first
    tt apply --auto-approve
}

attach() { # MACHINE
    write_specs ours
    cp "$here/examples/quickstart/server.py" "$repo/"
    cat >>"$repo/fleet.yaml" <<YAML
apiVersion: trimtab/v1
kind: Service
metadata: {name: web}
spec:
  deployment: ours
  server: {template: python-web, userData: {file: server.py}}
  port: 8000
  placements: [{account: here, region: local, count: 2}]
  health: {tcp: {}, interval: 1s, timeout: 1s, unhealthyAfter: 3, grace: 30s}
  drain: 7s
  names: [shop.example]
  balancers: [edge]
---
apiVersion: trimtab/v1
kind: LoadBalancer
metadata: {name: edge}
spec: {deployment: ours, type: vm-static, scope: regional, account: here, region: local, machine: $1}
YAML
    commit first
}

# The folders of machines that run HAProxy.
proxies() {
    find "$cloud" -path '*/machines/*/enstratus/bin' -prune -printf '%h\n' 2>/dev/null |
        sed 's|\(.*/machines/[^/]*\)/.*|\1|' | sort -u
}

agent() { # SCRIPT ARGUMENT...
    TRIMTAB_ROOT=$machine/root TRIMTAB_ADDRESS=$address "$machine/root/enstratus/bin/$1" "${@:2}"
}

pool() {
    agent listProxy | cut -f 1 | sort | uniq -c | tr -s ' ' | tr '\n' ';'
}

answers() {
    curl -q -sS --fail --noproxy '*' --max-time 5 -H "Host: shop.example" "http://$address:$front/" >/dev/null 2>&1
}

# What would change if the machine were made, started or told its settings again.
itself() {
    cat "$machine/pid" "$machine/meta.json" "$machine/root/enstratus/etc/settings" \
        "$machine/root/enstratus/var/haproxy.pid"
    proxies
}

make_machine
check "there is a machine" exits 0
machine=$(proxies)
id=${machine##*/}
name=$(query 'd["name"]' <"$machine/meta.json")
address=$(query 'd.get("privateAddress") or d["address"]' <"$machine/meta.json")
agent startProxy other.app NONE NONE "$address" 127.9.9.9 8000
before=$(itself)

repo=$place/ours
export TRIMTAB_STATE_DIR=$place/our-state
state=$place/our-state
attach "$id"
tt plan
check "by its id: planned" says 'Plan: 2 to add'
tt apply --auto-approve
check "by its id: applied" exits 0
check "by its id: members join" [ "$(pool)" = ' 1 other.app; 2 ours.web;' ]
check "by its id: they answer" eventually 10 answers
check "by its id: a second plan is empty" is_settled

sed -i "s/machine: $id}/machine: $name}/" "$repo/fleet.yaml"
commit named
check "by its name: the same machine, nothing to do" is_settled
edit 's/count: 2/count: 3/'
tt apply --auto-approve
check "by its name: applied" exits 0
check "by its name: members join" [ "$(pool)" = ' 1 other.app; 3 ours.web;' ]

# How long is waited for the connections of who leaves: told by configureProxy before.
cat >"$machine/root/enstratus/bin/configureProxy-pre" <<SCRIPT
#!/bin/sh
[ "\$1" != --drain ] || echo "\$3" >>"$place/drains"
SCRIPT
chmod 755 "$machine/root/enstratus/bin/configureProxy-pre"
dead=$(find "$cloud" -path '*/machines/*/meta.json' -exec grep -l '"ours"' {} + | sort | head -n 1)
dead=${dead%/meta.json}
{
    cut -d ' ' -f 1 "$dead/pid"
    grep -lsF "TRIMTAB_MACHINE=${dead##*/}" /proc/[0-9]*/environ | cut -d / -f 3
} | xargs kill -KILL
tt apply --auto-approve
check "a dead member is replaced" exits 0
check "a dead member: nobody waits" [ "$(cat "$place/drains")" = 0 ]
check "a dead member: three again" [ "$(pool)" = ' 1 other.app; 3 ours.web;' ]
: >"$place/drains"
edit 's/count: 3/count: 2/'
tt apply --auto-approve --allow-destroy 1
check "a living one has its time" [ "$(cat "$place/drains")" = 7 ]
check "two are left" [ "$(pool)" = ' 1 other.app; 2 ours.web;' ]

edit '/^  balancers: \[edge\]/d'
tt apply --auto-approve
check "detached" exits 0
check "detached: our members alone left" [ "$(pool)" = ' 1 other.app;' ]
check "detached: a second plan is empty" is_settled
check "neither made, restarted nor deleted" [ "$(itself)" = "$before" ]

# The LoadBalancer and the attachment to it leave Git in one commit.
edit 's/^  drain: 7s$/&\n  balancers: [edge]/'
tt apply --auto-approve
check "attached again" [ "$(pool)" = ' 1 other.app; 2 ours.web;' ]
cp "$repo/fleet.yaml" "$place/attached.yaml"
edit '/^  balancers: \[edge\]/d; /^kind: LoadBalancer/,/^spec:/d'
sed -i '$d' "$repo/fleet.yaml" # the apiVersion that is left
commit "no balancer"
tt plan
check "left Git: planned" says 'Plan: 0 to add, 2 to change'
check "left Git: the reason is told" says 'removed: edge left Git'
tt apply --auto-approve
check "left Git: applied" exits 0
check "left Git: our members alone left" [ "$(pool)" = ' 1 other.app;' ]
check "left Git: a second plan is empty" is_settled
check "left Git: neither made, restarted nor deleted" [ "$(itself)" = "$before" ]

# A store that was lost is filled again by the next apply, even by one that has nothing to do.
cp "$place/attached.yaml" "$repo/fleet.yaml"
commit "attached again"
tt apply --auto-approve
check "attached once more" [ "$(pool)" = ' 1 other.app; 2 ours.web;' ]
rm "$state"/store.db*
tt apply --auto-approve
check "without its store: nothing to do" says 'No changes'
# The whole deployment leaves Git.
sed -i '/^kind: Deployment/,$d' "$repo/fleet.yaml"
sed -i '$d' "$repo/fleet.yaml"
commit "no deployment"
tt plan
check "the deployment left Git: its members are orphans" says 'edge left Git and machine .* keeps what it was told .members: 2.'
check "the deployment left Git: nothing is planned" says 'No changes'
tt apply --auto-approve --prune --allow-destroy 2
check "pruned" exits 0
check "pruned: our members alone left" [ "$(pool)" = ' 1 other.app;' ]
check "pruned: the machine stays" [ "$(itself)" = "$before" ]

finish
