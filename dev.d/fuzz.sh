# shellcheck shell=bash
# ./dev fuzz: libFuzzer on what reads foreign input.

help_fuzz() {
    cat <<'END'
usage: ./dev fuzz [SECONDS [TARGET...]]

Runs each fuzz target of tests/fuzz for so many seconds (default: 30), with ASan and UBSan, from its
corpus in tests/fuzz/corpus: specs, world, plan, webhook, and aws, cloudstack and openstack, which
read replies. Inputs that reach new code are kept in build-fuzz; one that fails is left there as
crash-*, to be added to the corpus together with its fix. ./dev test replays the corpora.
END
}

dev_fuzz() {
    local seconds=${1:-30} target failed=0 targets=(specs world plan aws cloudstack openstack webhook)

    case $seconds in
    '' | *[!0-9]*) die "fuzz takes a number of seconds" ;;
    esac
    need build test check
    [ $# -lt 2 ] || targets=("${@:2}")
    build_preset fuzz build-fuzz "${targets[@]/#/fuzz_}"
    for target in "${targets[@]}"; do
        mkdir -p "build-fuzz/corpus/$target"
        say "== $target, $seconds s"
        if ! "build-fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=16384 -timeout=10 \
            -rss_limit_mb=4096 -print_final_stats=1 -artifact_prefix=build-fuzz/ \
            "build-fuzz/corpus/$target" "tests/fuzz/corpus/$target" >"build-fuzz/$target.log" 2>&1; then
            tail -n 40 "build-fuzz/$target.log" >&2
            failed=1
        fi
        grep -hE '^stat::(number_of_executed_units|peak_rss)|^DONE' "build-fuzz/$target.log" || true
    done
    [ "$failed" -eq 0 ] || die "a target failed: the input is build-fuzz/crash-*"
}
