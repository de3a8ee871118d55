#!/usr/bin/env bash
# The daemon follows a bare repository: what is pushed is applied, a push that touches nobody starts
# nothing, a balancer's machine that is killed is replaced without a hand, SIGHUP and SIGTERM do what
# they say.
# shellcheck disable=SC2317 # what check and eventually call
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

bare=$place/fleet.git
config=$place/serve.yaml
log=$place/log
daemon=

# write_config POLL CHECK
write_config() {
    cat >"$config" <<END
repositories:
  - name: fleet
    url: file://$bare
    poll: $1
runs: {check: $2, backoff: 1s, longestBackoff: 5s}
log: json
web: {port: 0}
END
}

logged() {
    grep -qE -- "$1" "$log"
}

count_logged() {
    grep -cE -- "$1" "$log"
}

serve() {
    NOTIFY_SOCKET=$place/notify WATCHDOG_USEC=3000000 \
        "$trimtab" serve --config "$config" 2>>"$log" </dev/null &
    daemon=$!
}

# What systemd would be told.
listen_as_systemd() {
    python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    print(s.recv(1000).decode(), flush=True)' "$place/notify" >"$place/notified" &
    eventually 10 [ -S "$place/notify" ]
}

told_systemd() {
    grep -qx -- "$1" "$place/notified"
}

serves() {
    [ "$(serving)" = "$1" ]
}

replaced() {
    [ "$(count_logged 'was replaced')" -ge "$1" ]
}

has_done() {
    [ "$(count_logged 'apply of [0-9a-f]+: done')" -ge "$1" ]
}

every_line_is_json() {
    python3 -c 'import json, sys
for line in sys.stdin:
    json.loads(line)' <"$log" 2>"$err"
}

# kill_machine PATTERN: the processes whose command lines have it.
kill_machine() {
    local pid

    for pid in $(processes); do
        if { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qE -- "$1"; then
            kill -KILL "$pid" 2>/dev/null
        fi
    done
}

# After a failure the daemon's own words help.
show_log() {
    [ "$failures" -eq 0 ] || sed 's/^/  log: /' "$log" | tail -n 60
}

push() {
    commit "$1"
    git -C "$repo" push -q "$bare" main
}

# What is wrong with a configuration is told with its place.
mkdir -p "$repo" "$state"
printf 'repositories:\n  - {name: fleet, url: "ftp://x", pol: 3s}\n' >"$config"
tt serve --check --config "$config"
check "a wrong configuration is refused" exits 1
check "with the place and what was meant" says 'serve.yaml:2:.*did you mean poll'
check "and what else is wrong" says 'ftp://x is not an address'
write_config 500ms 2s
tt serve --check --config "$config"
check "a good one is right" exits 0

commit_example
git init -q --bare -b main "$bare"
git -C "$repo" push -q "$bare" main
: >"$log"
listen_as_systemd
serve
check "systemd is told that it is ready" eventually 10 told_systemd READY=1
check "what was pushed is applied" eventually 30 logged '"apply of [0-9a-f]+: done"'
check "three servers serve" serves 3
check "and answer" answers_from 9 3

# A push that concerns nobody: a comment and a file beside.
printf '# a comment\n' >>"$repo/fleet.yaml"
printf 'hello\n' >"$repo/README"
write_config 500ms 1h
kill -HUP "$daemon"
sleep 2.5
before=$(count_logged 'apply of')
push "nothing that matters"
commit_id=$(git -C "$repo" rev-parse HEAD)
check "the new commit is read" eventually 10 logged "at ${commit_id:0:12}: 1 deployment"
sleep 1
check "and starts nothing" [ "$(count_logged 'apply of')" -eq "$before" ]

# Wrong specs change nothing, and are told once.
cp "$repo/fleet.yaml" "$place/good.yaml"
sed -i 's/count: 3/cuont: 3/' "$repo/fleet.yaml"
push "a slip"
check "wrong specs are told with their place" eventually 10 logged 'fleet.yaml:[0-9]+:[0-9]+.*did you mean count'
sleep 1.5
check "once" [ "$(count_logged 'did you mean count')" -eq 1 ]
sed 's/count: 3/count: 4/' "$place/good.yaml" >"$repo/fleet.yaml"
push "four"
check "a good commit after it is applied" eventually 30 serves 4

# Recovery without a hand.
write_config 500ms 1s
kill -HUP "$daemon"
kill_machine "$(status 'd["deployments"][0]["balancers"][0]["machine"]')|haproxy"
check "the killed balancer is replaced" eventually 30 logged 'LoadBalancer/[^ ]* was replaced'
check "and all serve again" eventually 20 answers_from 12 4

# Where drift is only reported, a server that dies is told, and a balancer is replaced all the same.
sed -i 's/^  state: running/  state: running\n  onDrift: report/' "$repo/fleet.yaml"
push "report"
check "from now on a check only looks" eventually 20 logged 'drift of [0-9a-f]+: nothing to do'
kill_machine "$(status 'd["deployments"][0]["services"][0]["servers"][0]["id"]')"
check "a killed server is reported" eventually 20 logged 'drift of [0-9a-f]+: changes'
applied=$(count_logged 'apply of')
sleep 2
done_before=$(count_logged 'apply of [0-9a-f]+: done')
check "and nothing is applied" [ "$(count_logged 'apply of')" -eq "$applied" ]
kill_machine "$(status 'd["deployments"][0]["balancers"][0]["machine"]')|haproxy"
check "a killed balancer is replaced" eventually 30 replaced 2
check "and the run ends" eventually 30 has_done $((done_before + 1))

cp "$config" "$place/good.yaml"
printf 'runs: {limit: none}\n' >>"$config"
kill -HUP "$daemon"
check "a wrong configuration is logged, with its place" eventually 10 logged 'serve.yaml:[0-9]+:[0-9]+: '
check "and the old one stays" eventually 10 logged 'the configuration stays as it was'
cp "$place/good.yaml" "$config"
check "each line of the log is JSON" every_line_is_json

kill -TERM "$daemon"
code=0
wait "$daemon" || code=$?
check "SIGTERM ends it with 0" exits 0
for what in WATCHDOG=1 RELOADING=1 STOPPING=1; do
    check "systemd was told $what" told_systemd "$what"
done
check "once that it stops" [ "$(grep -c STOPPING "$place/notified")" -eq 1 ]
stop_everything
show_log
finish
