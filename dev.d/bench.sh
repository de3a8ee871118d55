# shellcheck shell=bash
# ./dev bench: what planning costs, and whether balancers lose requests.

help_bench() {
    cat <<'END'
usage: ./dev bench [SERVERS...]
       ./dev bench balancers

Plans generated fleets of 1,000, 10,000 and 100,000 servers (or as many as are given) with the
optimised program, and prints time, peak memory, the time of libyaml and jansson alone on the same
files and the ratio to it, and the pure stages alone with their growth from size to size.
With balancers: changes members under load behind real HAProxy and mod_jk; prints how many requests
there were, how many failed, and p50 and p99 at rest and during the change.
END
}

dev_bench() {
    if [ "${1:-}" = balancers ]; then
        need build run test
        build_preset release build trimtab
        tests/e2e/test_balancers_load.sh build
        return
    fi
    need build
    build_preset release build trimtab bench_generate bench_parse bench_stages bench_measure
    bench/run.sh build "$@"
}
