#!/usr/bin/env bash
# A machine that no cloud manages becomes a balancer: a real sshd on loopback, the agent scripts below
# a folder, a real HAProxy behind them. Members join and leave, the machine stays; a changed host key
# is refused; images without listProxy, or with an old stopProxy, work.
# shellcheck disable=SC2317 # functions that check calls
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

shell=$(getent passwd "$(id -u)" | cut -d: -f7)
case $shell in
*nologin | */false | '')
    skip "this user has no shell to log in with"
    exit 77
    ;;
esac
[ -x /usr/sbin/sshd ] || {
    skip "there is no sshd"
    exit 77
}

machine=$place/machine # its root
bin=$machine/enstratus/bin
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start_sshd() {
    /usr/sbin/sshd -D -f "$place/sshd_config" -E "$place/sshd.log" &
    sshd=$!
    for _ in $(seq 100); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            return
        fi
        sleep 0.05
    done
    cat "$place/sshd.log"
}

set_up_machine() {
    mkdir -p "$bin" "$state" "$repo"
    cp "$here"/providers/proxies/agent/* "$bin/"
    chmod 755 "$bin"/*Proxy
    [ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
    ssh-keygen -q -t ed25519 -N '' -f "$place/user_key"
    ssh-keygen -q -t ed25519 -N '' -f "$place/host_key"
    port=$(free_port)
    cat >"$place/sshd_config" <<CONFIG
Port $port
ListenAddress 127.0.0.1
HostKey $place/host_key
PidFile none
AuthorizedKeysFile $place/user_key.pub
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
SetEnv TRIMTAB_ROOT=$machine
CONFIG
    printf '[127.0.0.1]:%s %s\n' "$port" "$(cat "$place/host_key.pub")" >"$place/known_hosts"
    start_sshd
    TRIMTAB_ROOT=$machine setsid "$bin/superviseProxy" 2>"$place/supervise.log" &
    front=$(free_port)
    printf 'algorithm round-robin\nlistener %s http - - - -\n' "$front" |
        TRIMTAB_ROOT=$machine "$bin/configureProxy"
}

write_specs() {
    cp "$here/examples/quickstart/server.py" "$repo/"
    cat >"$repo/fleet.yaml" <<YAML
apiVersion: trimtab/v1
kind: Account
metadata: {name: here}
spec:
  provider: local
  templates: [{name: python-web, command: [python3, '{root}/user-data', '{address}', '{port}', '{name}']}]
---
apiVersion: trimtab/v1
kind: Account
metadata: {name: metal}
spec:
  provider: ssh
  regions: [cellar]
  ssh: {port: $port, key: $place/user_key, knownHosts: $place/known_hosts, scripts: $bin}
---
apiVersion: trimtab/v1
kind: Deployment
metadata: {name: quickstart}
spec: {state: running}
---
apiVersion: trimtab/v1
kind: Service
metadata: {name: web}
spec:
  deployment: quickstart
  server: {template: python-web, userData: {file: server.py}}
  port: 8000
  placements: [{account: here, region: local, count: 3}]
  health: {tcp: {}, interval: 1s, timeout: 1s, unhealthyAfter: 3, grace: 30s}
  drain: 1s
  balancers: [edge]
---
apiVersion: trimtab/v1
kind: LoadBalancer
metadata: {name: edge}
spec:
  deployment: quickstart
  type: vm-static
  scope: global
  account: metal
  region: cellar
  machine: 127.0.0.1
YAML
    git -C "$repo" init -q -b main
    commit first
}

# pool: what the machine itself says.
pool() {
    TRIMTAB_ROOT=$machine "$bin/listProxy" | wc -l
}

has_members() {
    [ "$(pool)" -eq "$1" ]
}

answers() {
    curl -sS --fail --max-time 5 "http://127.0.0.1:$front/" >/dev/null
}

set_up_machine
write_specs
tt apply --auto-approve
check "the machine becomes a balancer" exits 0
check "three members" has_members 3
check "they answer through it" answers
check "a second plan is empty" is_settled

# Another host key: nothing is sent, nothing is changed.
cp "$place/host_key" "$place/host_key.first"
rm "$place/host_key"
ssh-keygen -q -t ed25519 -N '' -f "$place/host_key"
kill "$sshd"
wait "$sshd" 2>/dev/null
start_sshd
tt plan
check "a changed host key is refused" says 'host key of 127.0.0.1 port [0-9]+ changed'
check "the line that knows another one is named" says "known_hosts line 1"
check "nothing is planned for it" has_members 3
cp "$place/host_key.first" "$place/host_key"
kill "$sshd"
wait "$sshd" 2>/dev/null
start_sshd
check "the old key is back: nothing to do" is_settled

# The service is detached: what we told the machine is taken back, and nothing else.
agent() {
    TRIMTAB_ROOT=$machine "$bin/$1" "${@:2}"
}
agent startProxy other.app NONE NONE 127.0.0.1 127.9.9.9 8000
check "another's entry is left alone" is_settled
edit '/^  balancers: \[edge\]/d'
tt apply --auto-approve
check "detached" exits 0
check "detached: our members alone left" [ "$(agent listProxy | cut -f 1,2)" = $'other.app\t127.9.9.9' ]
check "detached: a second plan is empty" is_settled
check "detached: the machine itself still runs" kill -0 "$sshd"
edit 's/^  drain: 1s$/&\n  balancers: [edge]/'
tt apply --auto-approve
check "attached again" exits 0
check "attached again: beside another's entry" has_members 4
agent stopProxy 127.9.9.9 other.app
check "three members again" has_members 3

edit 's/count: 3/count: 1/'
tt apply --auto-approve --allow-destroy 2
check "scaled down" exits 0
check "two members left the pool" has_members 1

# An image without listProxy is told, and believed. The first time it is told of all: nothing is
# known of what it was told.
mv "$bin/listProxy" "$place/listProxy"
edit 's/count: 1/count: 3/'
tt apply --auto-approve
check "without listProxy: applied" exits 0
check "without listProxy: a second plan is empty" is_settled
edit 's/count: 3/count: 2/'
tt apply --auto-approve
check "without listProxy: scaled down" exits 0
check "without listProxy: only who goes is told" says 'Plan: 0 to add, 1 to change, 1 to destroy'
mv "$place/listProxy" "$bin/listProxy"
check "without listProxy: the pool is right" has_members 2

# An old stopProxy knows the address alone, and drops it from every service.
mv "$bin/stopProxy" "$bin/ourStopProxy"
cat >"$bin/stopProxy" <<SCRIPT
#!/bin/sh
exec "$bin/ourStopProxy" "\$1"
SCRIPT
chmod 755 "$bin/stopProxy"
edit 's/count: 2/count: 1/'
tt apply --auto-approve
check "an old stopProxy: applied" exits 0
check "an old stopProxy: one member is left" has_members 1
check "an old stopProxy: a second plan is empty" is_settled
check "it answers" answers

# No LoadBalancer names the machine any more: it is still looked at.
cp "$repo/fleet.yaml" "$place/attached.yaml"
edit '/^  balancers: \[edge\]/d; /^kind: LoadBalancer/,/^  machine:/d'
sed -i '$d' "$repo/fleet.yaml" # the apiVersion that is left
commit "no balancer"
kill "$sshd"
wait "$sshd" 2>/dev/null
tt plan
check "left Git, not reached: told" says 'edge left Git, and machine 127.0.0.1 .* keeps what it was told .members: 1.'
check "left Git, not reached: nothing is planned" says 'No changes'
cp "$place/host_key" "$place/host_key.first"
rm "$place/host_key"
ssh-keygen -q -t ed25519 -N '' -f "$place/host_key"
start_sshd
tt plan
check "left Git, another host key: no region is unreachable" exits 0
check "left Git, another host key: nothing is planned" says 'No changes'
cp "$place/host_key.first" "$place/host_key"
kill "$sshd"
wait "$sshd" 2>/dev/null
start_sshd
tt apply --auto-approve
check "left Git: applied" exits 0
check "left Git: the pool is empty" has_members 0
check "left Git: a second plan is empty" is_settled
cp "$place/attached.yaml" "$repo/fleet.yaml"
commit "attached again"
tt apply --auto-approve
check "attached again after it left Git" has_members 1
# One that will never be reached again is forgotten.
edit '/^  balancers: \[edge\]/d; /^kind: LoadBalancer/,/^  machine:/d'
sed -i '$d' "$repo/fleet.yaml"
commit "no balancer"
kill "$sshd"
wait "$sshd" 2>/dev/null
tt apply --auto-approve --allow-vanished
tt plan
check "left Git, gone for good: forgotten" says 'No changes. What runs'
start_sshd
check "left Git, gone for good: what it has stays" has_members 1
cp "$place/attached.yaml" "$repo/fleet.yaml"
commit "attached once more"
tt apply --auto-approve

edit 's/state: running/state: stopped/'
tt apply --auto-approve
check "stopped" exits 0
check "the pool is empty" has_members 0
check "the machine itself still runs" kill -0 "$sshd"
check "its HAProxy still listens" \
    [ "$(curl -s -o "$out" -w '%{http_code}' --max-time 5 "http://127.0.0.1:$front/")" = 503 ]
finish
