#!/usr/bin/env bash
# Tells a real HAProxy behind a real sshd of 1,000 members, through one connection, and prints how
# long that takes, and whether telling it again reloads anything.
# usage: bench/members.sh BUILD_FOLDER [COUNT]
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../tests/e2e/lib.sh" "$1"
build=$(cd "$1" && pwd)
machine=$place/machine
bin=$machine/enstratus/bin

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

reloads() {
    (cd "$machine/enstratus/var" && printf 'show proc\n' | socat -t 5 - UNIX-CONNECT:master.sock) |
        awk '$2 == "master" { print $3 }'
}

mkdir -p "$bin"
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
/usr/sbin/sshd -D -f "$place/sshd_config" -E "$place/sshd.log" &
member_port=$(free_port)
python3 -m http.server "$member_port" --bind 0.0.0.0 --directory "$bin" >"$place/http.log" 2>&1 &
TRIMTAB_ROOT=$machine setsid "$bin/superviseProxy" 2>"$place/supervise.log" &
printf 'algorithm round-robin\nhealth tcp - 10000 2000 3\nlistener %s http - - - -\n' "$(free_port)" |
    TRIMTAB_ROOT=$machine "$bin/configureProxy" || exit 1
before=$(reloads)
"$build/bench_members" "$port" "$place/user_key" "$place/known_hosts" "$bin" "$member_port" "${2:-1000}" ||
    exit 1
after=$(reloads)
printf 'reloads: %s (one for the first member of a service)\n' "$((after - before))"
