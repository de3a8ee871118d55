# shellcheck shell=bash
# A cloud's machines as machines to log in to: sshd on addresses of this host's loopback, and the
# agent's scripts (agent.py) behind it. Skips the test where there can be no sshd.
#
#   . lib.sh BUILD_FOLDER; . machines.sh; start_double; start_machines
#
# Without the double of CloudStack start_sshd alone: each machine is then known by its address.

# shellcheck disable=SC2154 # place and here are of lib.sh
case $(getent passwd "$(id -u)" | cut -d: -f7) in
*nologin | */false | '')
    skip "this user has no shell to log in with"
    exit 77
    ;;
esac
[ -x /usr/sbin/sshd ] || {
    skip "there is no sshd"
    exit 77
}

pools=$place/pools
agent=$place/agent
subnet=127.$((64 + $$ % 128)).$(($$ / 128 % 256)).

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start_sshd() {
    local name i

    mkdir -p "$pools" "$agent"
    for name in startProxy stopProxy listProxy; do
        ln -s "$here/tests/clouds/agent.py" "$agent/$name"
    done
    [ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
    ssh-keygen -q -t ed25519 -N '' -f "$place/user_key"
    ssh-keygen -q -t ed25519 -N '' -f "$place/host_key"
    ssh_port=$(free_port)
    front_port=$(free_port)
    {
        printf 'Port %s\n' "$ssh_port"
        for i in 12 13 14 15 16 17 18 19 20 30; do
            printf 'ListenAddress %s%s\n' "$subnet" "$i"
        done
        cat <<CONFIG
HostKey $place/host_key
PidFile none
AuthorizedKeysFile $place/user_key.pub
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
SetEnv MACHINES=$pools DOUBLE=${double_port:-none}
CONFIG
    } >"$place/sshd_config"
    printf '[%s*]:%s %s\n' "$subnet" "$ssh_port" "$(cat "$place/host_key.pub")" >"$place/known_hosts"
    /usr/sbin/sshd -D -f "$place/sshd_config" -E "$place/sshd.log" &
    for i in $(seq 100); do
        if (exec 3<>"/dev/tcp/${subnet}30/$ssh_port") 2>/dev/null; then
            break
        fi
        sleep 0.05
    done
}

start_machines() {
    start_sshd
    fate "{\"action\": \"loopback\", \"prefix\": \"$subnet\", \"port\": $front_port}"
}

# ssh_access: the Account's mapping that leads there.
ssh_access() {
    printf '{port: %s, key: %s, knownHosts: %s, scripts: %s}' \
        "$ssh_port" "$place/user_key" "$place/known_hosts" "$agent"
}

# pool MACHINE: by its id, or by its address where there is no double of CloudStack:
# "service address port" of each member, joined by commas.
pool() {
    cut -f1-3 "$pools/$1" | tr '\t' ' ' | paste -sd,
}

# balancer: the id of the one machine that is marked as edge.
balancer() {
    tell '" ".join(m["id"] for m in d["machines"] if tags(m).get("balancer") == "edge")'
}
