# shellcheck shell=bash
# ./dev bench: what planning costs, and whether balancers lose requests.

help_bench() {
    cat <<'END'
usage: ./dev bench [SERVERS...]
       ./dev bench balancers
       ./dev bench pages

Plans generated fleets of 1,000, 10,000 and 100,000 servers (or as many as are given) with the
optimised program, and prints time, peak memory, the time of libyaml and jansson alone on the same
files and the ratio to it, and the pure stages alone with their growth from size to size. Without
sizes also the stages on a thousand services of up to 1,000,000 servers that need no change: time,
peak memory beyond the structs, and the ratio to reading the same specs and world.
With balancers: changes everything about real HAProxy and mod_jk balancers under load, three times over;
prints how many requests there were, how many failed, and p50 and p99 at rest and during the change.
Then kills a balancer's machine ten times, and prints how long it took until the next one answered.
Last it tells a balancer behind sshd of 1,000 members through one connection.
With pages: how large the daemon's pages are and how long they take, up to 10,000 servers in a deployment.
END
}

dev_bench() {
    if [ "${1:-}" = balancers ]; then
        need build run test
        build_preset release build trimtab bench_members
        TRIMTAB_ROUNDS=3 tests/e2e/test_balancers_load.sh build
        TRIMTAB_ROUNDS=3 tests/e2e/test_balancers_load_mod_jk.sh build
        bench/recovery.sh build 10
        bench/members.sh build 1000
        return
    fi
    if [ "${1:-}" = pages ]; then
        need build run
        build_preset release build trimtab bench_generate
        bench/pages.sh build
        return
    fi
    need build
    build_preset release build trimtab bench_generate bench_parse bench_stages bench_measure
    bench/run.sh build "$@"
}
