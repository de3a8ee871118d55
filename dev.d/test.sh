# shellcheck shell=bash
# ./dev test: every test, as whoever runs it; as root the end-to-end tests also as an ordinary user.

help_test() {
    cat <<'END'
usage: ./dev test [--sanitized] [CTEST OPTION...]

Installs what is missing, builds with warnings as errors, and runs every test with ctest. Then the
end-to-end tests run once more with the optimised program, as an ordinary user when this is root,
and simulated histories are played for a minute (./dev simulate plays all that CI asks for). Beside
all of it the planner is held to its laws on generated cases, for two minutes at the lowest priority
(./dev prove runs longer).
With --sanitized, as CI does it, what is built for the tests is built with ASan and UBSan, and the
histories are left to ./dev simulate.
With TRIMTAB_TEST_OPENSTACK=1 an OpenStack is brought up from Debian's packages and tested against.
Skipped tests are named; with CI=true a skipped test is a failure unless dev.d/may-skip.txt names it,
since what a test needs can be installed. Options go to ctest: ./dev test -R store
END
}

# count LOG: "passed failed skipped", then a line for each skipped test.
count() {
    awk -f dev.d/count.awk "$1"
}

# Most tests of any length wait for processes rather than compute.
at_once() {
    echo $((2 * $(cores)))
}

# run_ctest FOLDER LOG [OPTION...]
run_ctest() {
    local folder=$1 log=$2 code=0

    shift 2
    ctest --test-dir "$folder" -j "$(at_once)" --output-on-failure --timeout 600 --no-tests=error "$@" || code=$?
    cp "$folder/Testing/Temporary/LastTest.log" "$log" 2>/dev/null || : >"$log"
    return "$code"
}

# as_nobody HOME COMMAND...: an ordinary user with nothing but a home.
as_nobody() {
    local home=$1

    shift
    setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs \
        env -i PATH="$PATH" HOME="$home" TMPDIR="$home" LANG=C.UTF-8 CI="${CI:-}" "$@"
}

# run_script COPY SCRIPT WHO: its output and its end into a log of its own.
run_script() {
    local copy=$1 script=$2 who=$3 name log code=0

    name=$(basename "$script" .sh)
    log=$copy/$name.log
    if [ "$(id -u)" -eq 0 ]; then
        (cd "$copy/home" && as_nobody "$copy/home" "$script" "$copy/build")
    else
        "$script" "$copy/build"
    fi >"$log" 2>&1 </dev/null || code=$?
    case $code in
    0)
        say "end to end, as $who: $name passed"
        say "Test Passed." >>"$log"
        ;;
    77)
        say "end to end, as $who: $name skipped"
        say "Test Skipped." >>"$log"
        ;;
    *)
        say "end to end, as $who: $name FAILED"
        cat "$log"
        say "Test Failed." >>"$log"
        ;;
    esac
}

# run_end_to_end LOG: with the optimised program. What an ordinary user runs is a copy, since the
# checkout may stand where only root can read.
run_end_to_end() {
    local log=$1 failed=0 copy script who

    who=$(id -un)
    [ "$who" != root ] || who='an ordinary user'
    copy=$(mktemp -d)
    mkdir -p "$copy/tests/providers/support" "$copy/build" "$copy/home"
    cp -r tests/e2e tests/scenarios "$copy/tests/"
    cp tests/providers/support/*.py "$copy/tests/providers/support/"
    cp -r examples "$copy/"
    cp build/trimtab "$copy/build/"
    chmod 755 "$copy"
    [ "$(id -u)" -ne 0 ] || chown 65534:65534 "$copy/home"
    for script in "$copy"/tests/e2e/test_*.sh; do
        while [ "$(jobs -rp | wc -l)" -ge "$(at_once)" ]; do
            wait -n || true
        done
        run_script "$copy" "$script" "$who" &
    done
    wait
    cat "$copy"/*.log >>"$log"
    ! grep -qx 'Test Failed\.' "$copy"/*.log || failed=1
    rm -rf "$copy"
    return "$failed"
}

# The laws on as many generated cases as fit into what the tests leave of two minutes.
run_prove() {
    build_preset prove build-prove prove
    give_way
    build-prove/prove 0 1 120
}

# As many simulated histories as fit into a minute.
run_simulate() {
    build_preset prove build-prove simulate
    build-prove/simulate 0 1 60
}

dev_test() {
    local folder failed=0 passed bad skipped unknown prove preset=dev

    if [ "${1:-}" = --sanitized ]; then
        preset=asan
        export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
        export UBSAN_OPTIONS=print_stacktrace=1
        shift
    fi
    need build run test
    [ "${TRIMTAB_TEST_OPENSTACK:-}" != 1 ] || need openstack
    build_preset "$preset" "build-$preset"
    build_preset release build trimtab
    folder=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$folder'" EXIT
    if [ $# -eq 0 ]; then
        (run_prove) >"$folder/prove.out" 2>&1 &
        prove=$!
    fi
    with_lock "build-$preset" run_ctest "build-$preset" "$folder/units.log" "$@" || failed=1
    if [ $# -eq 0 ]; then
        (run_end_to_end "$folder/e2e.log") || failed=1
        wait "$prove" || failed=1
        cat "$folder/prove.out"
        [ "$preset" = asan ] || run_simulate || failed=1
    fi

    cat "$folder"/*.log >"$folder/all"
    count "$folder/all" >"$folder/count"
    read -r passed bad skipped <"$folder/count"
    if [ "$skipped" -gt 0 ]; then
        say "skipped:"
        tail -n +2 "$folder/count"
        # Names alone: what a skipped script says after its name is the reason.
        unknown=$(tail -n +2 "$folder/count" | awk '{ sub(/:$/, "", $1); print $1 }' | { grep -vxFf dev.d/may-skip.txt || true; } | xargs)
        if [ "${CI:-}" = true ] && [ -n "$unknown" ]; then
            say "with CI=true only the tests of dev.d/may-skip.txt may be skipped, and not: $unknown"
            failed=1
        fi
    fi
    [ "$failed" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
    say "$passed passed, $bad failed, $skipped skipped"
    return "$failed"
}
