#!/usr/bin/env bash
# Kills the machine of a balancer under load, again and again, while trimtab looks every second, and
# measures how long it takes until a request through the replacement is answered:
#   detect   from the kill to the beginning of the plan's first step
#   create   until the new machine runs, serves and is configured
#   fill     until every member is in service there
#   move     until a request to the elastic address is answered
# usage: bench/recovery.sh BUILD_FOLDER [TIMES]
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../tests/e2e/lib.sh" "$1"
times=${2:-10}
elastic=127.249.$(($$ / 250 % 250)).$((1 + $$ % 250))
url=http://$elastic:8080

holder() {
    cat "$state/local/here/local/addresses/$elastic"
}

# A machine is a supervisor and all that it started.
processes_of() { # MACHINE
    find "$state/local/here/local/machines/$1/pid" -exec cut -d ' ' -f 1 {} + | tr '\n' ' '
    { grep -lsF "TRIMTAB_MACHINE=$1" /proc/[0-9]*/environ || true; } | cut -d/ -f3 | tr '\n' ' '
}

# Prints each line of standard input with the time before it.
stamp() {
    python3 -u -c 'import sys, time
for line in sys.stdin: print("%.3f %s" % (time.time(), line), end="", flush=True)'
}

# What a daemon does: a look every second, and at once what it asks for.
follow() {
    while :; do
        (cd "$repo" && "$trimtab" apply --auto-approve </dev/null 2>&1)
        sleep 1
    done
}

# Prints when requests begin to be answered again.
await_answer() {
    python3 -c 'import sys, time, urllib.request
while True:
    try:
        urllib.request.urlopen(sys.argv[1], timeout=1).read()
        break
    except OSError:
        time.sleep(0.01)
print("%.3f" % time.time())' "$url/"
}

commit_example
mkdir -p "$state/local/here/local/addresses"
: >"$state/local/here/local/addresses/$elastic"
edit "s/^  software: haproxy\$/&\n  address: $elastic/; s/maxPerHour: 3/maxPerHour: 1000/"
tt apply --auto-approve
[ "$code" -eq 0 ] || { cat "$out" "$err" && exit 1; }
wrk -t 1 -c 4 -d 3600 "$url/" >"$place/wrk" 2>&1 &
follow | stamp >"$place/followed" &
printf '%-8s %8s %8s %8s %8s %8s\n' kill detect create fill move total
for number in $(seq "$times"); do
    sleep "2.$((RANDOM % 10))"
    seen=$(wc -l <"$place/followed")
    read -r -a pids <<<"$(processes_of "$(holder)")"
    killed=$(date +%s.%N)
    kill -KILL "${pids[@]}"
    answered=$(await_answer)
    tail -n "+$((seen + 1))" "$place/followed" | awk -v n="$number" -v killed="$killed" -v answered="$answered" '
        / s[0-9]+ \+ create .* \.\.\.$/ && !began { began = $1 }
        / s[0-9]+ \+ create .* done after/ { created = $1 }
        / > enroll .* done after/ { filled = $1 }
        END {
            printf "%-8d %8.2f %8.2f %8.2f %8.2f %8.2f\n", n, began - killed, created - began,
                filled - created, answered - filled, answered - killed
        }'
    until tail -n "+$((seen + 1))" "$place/followed" | grep -q '^[0-9.]* Apply: '; do sleep 0.1; done
done | tee "$place/parts"
awk '{ print $6 }' "$place/parts" | sort -n | awk '{ all[NR] = $1 } END {
    printf "median of %d: %.2f s from kill to the first good request\n", NR,
        NR % 2 ? all[(NR + 1) / 2] : (all[NR / 2] + all[NR / 2 + 1]) / 2
}'
