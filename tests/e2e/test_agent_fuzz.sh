#!/usr/bin/env bash
# Random arguments for the agent's scripts, dangerous ones among them, with dash and with bash: no
# file changes but those of the pool, no program runs, and what is in the pool is well formed. The
# software is a Zeus that does not answer, so that every list is tried. Covers
# providers/proxies/agent/.
set -uo pipefail
root=$(mktemp -d /tmp/trimtab-fuzz-XXXXXX)
trap 'rm -rf "$root"' EXIT
seed=${TT_SEED:-$$}
RANDOM=$seed
calls=${TT_CALLS:-120}

fail() {
    printf 'FAILED (TT_SEED=%s): %s\n' "$seed" "$*" >&2
    exit 1
}

"$1/trimtab" agent "$root" >/dev/null || fail "trimtab agent: exit $?"
mkdir -p "$root/enstratus/etc" "$root/work"
echo zeus >"$root/enstratus/etc/backend"
echo x >"$root/password"
printf 'url http://127.0.0.1:1\npassword-file %s\n' "$root/password" >"$root/enstratus/etc/zeus"
export TRIMTAB_ROOT=$root

# Everything but the pool and what a call was told.
everything() {
    find "$root" -type f ! -path "$root/enstratus/var/*" ! -path "$root/enstratus/etc/settings*" \
        -exec cksum {} + | sort
}

good=(shop.web a.example NONE 10.0.0.1 10.0.0.10 80 65535 /etc/hostname --drain 5 --listeners --address)
bad=("" "-" "--" "-rf" "../../x" "a b" $'a\nb' $'a\tb' "\$(touch hit)" "\`touch hit\`" ";touch hit"
    "|touch hit" "*" "10.0.0.256" "010.0.0.1" "0" "65536" "1e3" "99999999999999999999" "a{b}" "a'b" 'a"b'
    'a\b' "/etc/../etc/passwd" $'\xff\xfe' "%s%n" "{}" "a,b" ",," "/dev/stdin" "#" "!x" "~root" "&")

word() {
    case $((RANDOM % 3)) in
    0) word=${bad[RANDOM % ${#bad[@]}]} ;;
    *) word=${good[RANDOM % ${#good[@]}]} ;;
    esac
}

# A call that is nearly right: one argument is not.
nearly() {
    words=(shop.web a.example NONE 10.0.0.1 10.0.0.10 80)
    word
    words[RANDOM % 6]=$word
}

anything() {
    words=()
    for ((n = RANDOM % 10; n > 0; n--)); do
        word
        words+=("$word")
    done
}

cd "$root/work" || exit 1
scripts=(startProxy stopProxy listProxy configureProxy)
before=$(everything)
for shell in dash bash; do
    for ((call = 0; call < calls; call++)); do
        script=${scripts[RANDOM % 4]}
        if [ $((RANDOM % 2)) = 0 ]; then nearly; else anything; fi
        word
        code=0
        timeout 30 "$shell" "$root/enstratus/bin/$script" "${words[@]}" \
            <<<"listener $word http - - - -" >"$root/../${root##*/}.out" 2>&1 || code=$?
        rm -f "$root/../${root##*/}.out"
        case $code in
        0 | 1 | 20 | 21 | 22) ;;
        *) fail "$shell $script ${words[*]@Q}: exit $code" ;;
        esac
    done
done
[ "$(everything)" = "$before" ] || fail "files changed: $(diff <(printf '%s' "$before") <(everything))"
[ -z "$(ls -A "$root/work")" ] || fail "a program ran: $(ls -A "$root/work")"
if grep -vqP '^[A-Za-z0-9][A-Za-z0-9._-]*\t[A-Za-z0-9.-]+\t[A-Za-z0-9.,-]+\t[0-9.]+\t[0-9]+\t[0-9a-z.-]+$' \
    "$root/enstratus/var/members"; then
    fail "the pool is not well formed: $(cat "$root/enstratus/var/members")"
fi
printf '%s calls with each shell, seed %s; the pool has %s members\n' "$calls" "$seed" \
    "$(wc -l <"$root/enstratus/var/members")"
