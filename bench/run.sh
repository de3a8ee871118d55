#!/usr/bin/env bash
# Measures planning at 1,000, 10,000 and 100,000 servers, in both shapes of bench/generate.c:
#   plan      the whole `trimtab plan --world`, best of three, from start to end
#   cpu       its time of the processor, as all times that follow: a busy machine disturbs them less
#   rss       its peak of memory
#   libyaml, jansson   what these alone take to parse the same files
#   ratio     cpu / (libyaml + jansson)
#   stages    place, diff, order and prove alone, from structs in memory
#   growth    of stages, from the line above (ten times the servers; n log n is 13.3, 12.5)
# Then the stages alone on a thousand services that are as Git asks, at 10,000, 100,000 and 1,000,000
# servers: what they take at their peak beyond the structs, and the ratio to reading the same specs
# and world with our own readers.
# usage: bench/run.sh BUILD_FOLDER [SERVERS...]
set -euo pipefail
build=$(cd "$1" && pwd)
shift
steady=()
[ $# -gt 0 ] || {
    set -- 1000 10000 100000
    steady=(10000 100000 1000000)
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# best_of_three: the measured run with the least time: "MS CPU MB EXIT".
best_of_three() {
    for _ in 1 2 3; do
        "$build/bench_measure" "$build/trimtab" plan -C "$folder/specs" --worktree \
            --world "$folder/world.json" --state "$folder/state" --json
    done | sort -n | head -n 1
}

printf '%-7s %8s %10s %10s %8s %9s %9s %6s %7s %10s %7s\n' \
    shape servers 'plan ms' 'cpu ms' 'rss MB' 'libyaml' 'jansson' ratio steps 'stages ms' growth
for shape in fleet single; do
    before=
    for servers in "$@"; do
        rm -rf "$folder/specs" "$folder/world.json"
        "$build/bench_generate" "$servers" "$shape" "$folder"
        read -r plan cpu rss code <<<"$(best_of_three)"
        [ "$code" -eq 0 ] || { echo "plan ended with $code" >&2 && exit 1; }
        read -r yaml json <<<"$("$build/bench_parse" "$folder/specs/fleet.yaml" "$folder/world.json")"
        read -r stages _ steps <<<"$("$build/bench_stages" "$folder")"
        awk -v shape="$shape" -v n="$servers" -v plan="$plan" -v cpu="$cpu" -v rss="$rss" -v yaml="$yaml" \
            -v json="$json" -v steps="$steps" -v stages="$stages" -v before="$before" 'BEGIN {
            growth = before > 0 ? sprintf("%.1f", stages / before) : "-"
            printf "%-7s %8d %10.1f %10.1f %8d %9.1f %9.1f %6.1f %7d %10.1f %7s\n", shape, n, plan, cpu, rss,
                yaml, json, cpu / (yaml + json), steps, stages, growth }'
        before=$stages
    done
done

[ ${#steady[@]} -gt 0 ] || exit 0
printf '\n%-7s %8s %10s %7s %8s %9s %10s %8s\n' \
    shape servers 'stages ms' growth 'peak MB' 'B/server' 'reading' ratio
before=
for servers in "${steady[@]}"; do
    rm -rf "$folder/specs" "$folder/world.json"
    "$build/bench_generate" "$servers" steady "$folder"
    read -r stages peak steps reading <<<"$("$build/bench_stages" "$folder")"
    [ "$steps" -eq 0 ] || { echo "a steady fleet has $steps steps" >&2 && exit 1; }
    awk -v n="$servers" -v stages="$stages" -v peak="$peak" -v reading="$reading" -v before="$before" 'BEGIN {
        growth = before > 0 ? sprintf("%.1f", stages / before) : "-"
        printf "%-7s %8d %10.1f %7s %8.1f %9.0f %10.1f %8.3f\n", "steady", n, stages, growth, peak / 1024,
            peak * 1024 / n, reading, stages / reading }'
    before=$stages
done
