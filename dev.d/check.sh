# shellcheck shell=bash
# ./dev check: everything that judges the code without a person. All steps run; the failures are
# named at the end.

help_check() {
    cat <<'END'
usage: ./dev check [STEP...]

Runs the steps that are named, or all of them:

  format    clang-format, without changing anything
  shell     shellcheck on every script
  tree      include direction, length of files, paths of this machine (tests/tree)
  clang     a build with clang, warnings as errors, and its tests of base, model and the scenarios
  tidy      clang-tidy, with .clang-tidy
  cppcheck  cppcheck
END
}

check_format() {
    sources | xargs clang-format --dry-run -Werror
}

# SC2317: a function that a test hands to check is called by name.
check_shell() {
    scripts | xargs -P "$(cores)" -n 8 shellcheck -x -e SC2317
}

check_tree() {
    local script failed=0

    for script in tests/tree/*.sh; do
        "$script" build-clang || failed=1
    done
    return "$failed"
}

# These tests run here as well, since the sanitized build has an arena of its own.
check_clang() {
    (build_preset clang build-clang) &&
        ctest --test-dir build-clang -R '^test_(base|policy|world_json|scenarios)$' \
            --output-on-failure | tail -n 20
}

# Only what is compiled has flags to be read with; headers are read with their users. The analyzer
# leaves a function after so many states, about a quarter of its own limit and of its own time.
check_tidy() {
    local limit=(--extra-arg=-Xclang --extra-arg=-analyzer-config
        --extra-arg=-Xclang --extra-arg=max-nodes=60000)

    sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' build-clang/compile_commands.json | sort -u |
        xargs -P "$(cores)" -n 4 clang-tidy --quiet -p build-clang "${limit[@]}" 2>/dev/null
}

# __typeof__ is all of TT_EACH that cppcheck does not understand. varFuncNullUB is about machines on
# which NULL is no pointer.
check_cppcheck() {
    sources | grep '\.c$' | xargs cppcheck --quiet -j "$(cores)" --std=c11 -I. -D_GNU_SOURCE \
        '-D__typeof__(x)=__auto_type' --error-exitcode=1 --inline-suppr \
        --enable=warning,performance,portability --suppress=missingIncludeSystem \
        --suppress=varFuncNullUB --template=gcc
}

# run_step STEP: says how it went.
run_step() {
    local start=$SECONDS

    say "== $1"
    if "check_$1"; then
        say "== $1: ok ($((SECONDS - start)) s)"
    else
        say "== $1: FAILED ($((SECONDS - start)) s)"
        return 1
    fi
}

dev_check() {
    local step failed='' steps=(format shell tree clang tidy cppcheck)
    local beside='' log

    need build run test check
    if [ $# -gt 0 ]; then
        steps=("$@")
        for step in "${steps[@]}"; do
            declare -F "check_$step" >/dev/null || die "there is no step $step (see --help)"
        done
    fi
    log=$(mktemp)
    for step in "${steps[@]}"; do
        if [ "$step" = tidy ] && [ "${#steps[@]}" -gt 1 ]; then
            (give_way && run_step tidy) >"$log" 2>&1 &
            beside=$!
        else
            run_step "$step" || failed="$failed $step"
        fi
    done
    if [ -n "$beside" ]; then
        wait "$beside" || failed="$failed tidy"
        cat "$log"
    fi
    rm -f "$log"
    [ -z "$failed" ] || die "check failed:$failed"
    say "check: all ${#steps[@]} steps are ok"
}
