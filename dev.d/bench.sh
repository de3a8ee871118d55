# shellcheck shell=bash
# ./dev bench: what planning costs.

help_bench() {
    cat <<'END'
usage: ./dev bench [SERVERS...]

Plans generated fleets of 1,000, 10,000 and 100,000 servers (or as many as are given) with the
optimised program, and prints time, peak memory, the time of libyaml and jansson alone on the same
files and the ratio to it, and the pure stages alone with their growth from size to size.
END
}

dev_bench() {
    need build
    build_preset release build trimtab bench_generate bench_parse bench_stages bench_measure
    bench/run.sh build "$@"
}
