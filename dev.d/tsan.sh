# shellcheck shell=bash
# ./dev tsan: what has threads, under ThreadSanitizer.

help_tsan() {
    cat <<'END'
usage: ./dev tsan [CTEST OPTION...]

Builds with ThreadSanitizer and runs the tests of what has threads: apply, with 64 workers among them,
the observer, the store, the providers, the daemon. A data race fails the test that met it. Options go
to ctest in place of this choice: ./dev tsan -R test_apply
END
}

dev_tsan() {
    local log passed bad skipped failed=0
    local choice=(-R '^test_(apply|observe|store|history|sim|http|shell|ssh|local|cloudstack|openstack|aws|daemon|notify|runner|poll|webhook)')

    [ $# -eq 0 ] || choice=("$@")
    need build run test
    build_preset tsan build-tsan
    log=$(mktemp)
    # shellcheck disable=SC2064
    trap "rm -f '$log'" EXIT
    export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1"
    # setarch: a stack or heap where the sanitizer wants its shadow ends a program before main.
    with_lock build-tsan setarch -R ctest --test-dir build-tsan -j "$(cores)" --output-on-failure \
        --timeout 900 --no-tests=error "${choice[@]}" || failed=1
    awk -f dev.d/count.awk build-tsan/Testing/Temporary/LastTest.log >"$log"
    read -r passed bad skipped <"$log"
    say "under ThreadSanitizer: $passed passed, $bad failed, $skipped skipped"
    return "$failed"
}
