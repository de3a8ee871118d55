#!/usr/bin/env bash
# Everything about a HAProxy balancer changes under load: members are updated one by one, 3 servers
# become 10 and then 2, a listener comes with a reload, HAProxy is restarted, the balancer's machine
# is replaced and its elastic address moves, twice. Every request must be answered: of wrk, with
# kept connections and with one for each, and of 20 slow clients. TRIMTAB_ROUNDS: how often.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh" "$1"
# shellcheck source=tests/e2e/load_lib.sh
. "$(dirname "$0")/load_lib.sh"

here_wrk
software=haproxy
elastic=127.249.$(($$ / 250 % 250)).$((1 + $$ % 250))
url=http://$elastic:8080

# The machine whose balancer has the address.
holder() {
    cat "$state/local/here/local/addresses/$elastic"
}

moved_from() {
    [ "$(holder)" != "$1" ] && [ -n "$(holder)" ] && curl -sf -o "$place/body" "$url/"
}

replace() { # FIREWALL
    local before

    before=$(holder)
    change "the balancer is replaced" "s/firewalls: .*/firewalls: [$1]}/"
    check "$software: its address has moved" moved_from "$before"
}

# A restart as an administrator does it; whoever knows the pool by then is the configuration alone.
restart() {
    local var

    var=$(find "$state" -name haproxy.pid -printf '%h\n' | head -n 1)
    kill -USR2 "$(cat "$var/haproxy.pid")"
    for _ in $(seq 100); do
        (cd "$var" && printf 'show proc\n' | socat -t 5 - UNIX-CONNECT:master.sock 2>/dev/null) |
            awk '$2 == "master" { exit $3 == 0 }' && break
        sleep 0.1
    done
}

# What any change of the balancer would change: its files, its process and how often it was reloaded.
marks() {
    local var

    var=$(find "$state" -name haproxy.pid -printf '%h\n' | head -n 1)
    stat -c '%n %i %Y' "$var/members" "$var/haproxy.cfg" "$var/../etc/settings"
    (cd "$var" && printf 'show proc\n' | socat -t 5 - UNIX-CONNECT:master.sock) |
        awk '$2 == "master" || $2 == "worker" { print $1, $2, $3 }'
}

commit_example
mkdir -p "$state/local/here/local/addresses"
: >"$state/local/here/local/addresses/$elastic"
edit "s/software: haproxy\$/&\n  address: $elastic/; s/state: running/&\n  guard: {maxDestroy: 90%}/"
sed -i "/^      software: haproxy\$/{n;d}" "$repo/fleet.yaml" # of the template
edit 's/drain: 5s/drain: 3s/; s/{template: haproxy}/{template: haproxy, firewalls: [first]}/'
tt apply --auto-approve
check "$software: apply makes everything" exits 0
check "$software: requests are answered" curl -sf -o "$place/body" "$url/"
rest_begins 2
load kept
load new -H 'Connection: close'
load_slowly
for round in $(seq "${TRIMTAB_ROUNDS:-1}"); do
    printf '\n# version %s\n' "$round" >>"$repo/server.py"
    change "all are replaced" "s/{port: 8080, protocol: http}.*/{port: 8080, protocol: http}]/"
    change "three become ten" 's/ count: [0-9]*/ count: 10/'
    change "another port is listened on" 's/{port: 8080, protocol: http}/&, {port: 8081, protocol: http}/'
    check "$software: the new port serves" curl -sf -o "$place/body" "http://$elastic:8081/"
    change "two are left" 's/count: 10/count: 2/'
    restart
    check "$software: the pool is as it was after a restart" is_settled
    replace "a$round"
    replace "b$round"
    [ "$round" = "${TRIMTAB_ROUNDS:-1}" ] || change "three again" 's/count: 2/count: 3/'
done
load_ends
before=$(marks)
tt apply --auto-approve
check "$software: applying again changes and reloads nothing" [ "$(marks)" = "$before" ]
check "$software: no request on a kept connection failed" none_failed kept
check "$software: no request on a new connection failed" none_failed new
check "$software: no slow client's request failed" none_failed_slowly
check "$software: nothing else is left to do" is_settled
edit 's/state: running/state: stopped/'
tt apply --auto-approve
check "$software: it stops" exits 0
finish
