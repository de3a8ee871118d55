# shellcheck shell=bash
# ./dev soak: a day of the daemon in minutes.

help_soak() {
    cat <<'END'
usage: ./dev soak [MINUTES]

Lets a real `trimtab serve`, built with ASan and UBSan, live through the events of a day within so
many minutes (default: 10): pushes, webhooks, checks, lost machines, clouds that cannot be read,
held plans that are approved, people who look at the page, reloads. Fails when its memory,
descriptors, threads or state folder grow, when a sanitizer reports, or when it does not settle and
end well.
END
}

dev_soak() {
    local minutes=${1:-10}

    case $minutes in
    '' | *[!0-9]* | 0*) die "soak takes a number of minutes" ;;
    esac
    need build run test
    build_preset asan build-asan trimtab
    python3 tests/soak/soak.py build-asan/trimtab "$minutes"
}
